"""The sample photos: real, small, credited, free to pass on, each with five references of its own."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
from PIL import Image

from firstsight.samples import SampleCredit, sample_credits, sample_files, sample_references

FREE_LICENCES = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-2.0": "https://creativecommons.org/licenses/by/2.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "LicenseRef-Public-Domain": "https://creativecommons.org/publicdomain/mark/1.0/",
}


@pytest.fixture(scope="module")
def samples_folder(repo_root: Path) -> Path:
    return repo_root / "src" / "firstsight" / "samples"


def test_photos_references_and_credits_are_of_the_same_images_in_the_same_order() -> None:
    ids = [path.stem for path in sample_files()]

    assert len(ids) >= 16
    assert ids == sorted(set(ids))
    assert list(sample_references()) == ids
    assert [credit.image_id for credit in sample_credits()] == ids


def test_the_whole_set_is_small() -> None:
    assert sum(path.stat().st_size for path in sample_files()) < 2_500_000


@pytest.mark.parametrize("path", sample_files(), ids=lambda path: path.stem)
def test_a_photo_is_an_upright_rgb_jpeg_without_metadata(path: Path) -> None:
    credit = _credit(path.stem)
    with Image.open(path) as photo:
        photo.load()
        assert photo.format == "JPEG"
        assert photo.mode == "RGB"
        assert 480 <= max(photo.size) <= 640
        assert photo.size == (credit.width_px, credit.height_px)
        assert not photo.getexif()
        assert not {"exif", "xmp", "photoshop", "comment", "icc_profile"} & set(photo.info)


def test_no_photo_is_there_twice() -> None:
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in sample_files()}

    assert len(hashes) == len(sample_files())


@pytest.mark.parametrize(("image_id", "captions"), sample_references().items(), ids=list(sample_references()))
def test_five_different_references_of_sentence_length(image_id: str, captions: list[str]) -> None:
    assert len({caption.casefold() for caption in captions}) == 5, image_id
    for caption in captions:
        assert 6 <= len(caption.split()) <= 18
        assert re.fullmatch(r"[A-Z][A-Za-z ,'-]*\.", caption)


def test_no_two_photos_share_a_reference() -> None:
    captions = [caption for references in sample_references().values() for caption in references]

    assert len(captions) == len(set(captions))


@pytest.mark.parametrize("credit", sample_credits(), ids=lambda credit: credit.image_id)
def test_a_credit_names_author_source_and_a_licence_that_permits_redistribution(credit: SampleCredit) -> None:
    assert FREE_LICENCES[credit.licence] == credit.licence_url
    assert credit.author
    assert credit.title
    assert re.fullmatch(r".+ \S+ \((PyPI|Debian)\)", credit.source)
    assert credit.source_file
    assert credit.origin_url.startswith("https://")
    assert credit.changes
    assert credit.file == f"photos/{credit.image_id}.jpg"


def test_the_credits_page_has_one_row_a_photo_that_says_what_the_manifest_says(samples_folder: Path) -> None:
    page = (samples_folder / "CREDITS.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}

    assert list(rows) == [path.stem for path in sample_files()]
    for credit in sample_credits():
        row = rows[credit.image_id]
        for said in (
            credit.title,
            credit.author,
            credit.licence_url,
            credit.source,
            credit.source_file,
            credit.changes,
        ):
            assert said in row


def _credit(image_id: str) -> SampleCredit:
    return next(credit for credit in sample_credits() if credit.image_id == image_id)
