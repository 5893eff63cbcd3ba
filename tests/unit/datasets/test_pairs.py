"""Photos with captions: by named file, by id, and every way in which they do not fit."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from firstsight.datasets.pairs import read_ids, read_pairs
from firstsight.errors import CaptionFileError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a/1.jpg", "b/1.png", "b/2.JPEG", "3.webp", "notes.txt"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"")
    return tmp_path / "photos"


def written(tmp_path: Path, *records: dict[str, object]) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(record) + "\n" for record in records))
    return file


def test_a_named_file_is_taken_and_gives_the_id_where_there_is_none(tmp_path: Path, folder: Path) -> None:
    records = (
        {"file": "a/1.jpg", "captions": ["A dog."]},
        {"image_id": "x", "file_name": "b/1.png", "caption": "Cat."},
    )
    pairs, missing = read_pairs(written(tmp_path, *records), folder)
    assert [(p.image_id, p.file.relative_to(folder).as_posix(), p.captions) for p in pairs] == [
        ("1", "a/1.jpg", ("A dog.",)),
        ("x", "b/1.png", ("Cat.",)),
    ]
    assert missing == []


def test_a_photo_is_found_by_its_id(tmp_path: Path, folder: Path) -> None:
    records = [{"image_id": image_id, "caption": "A dog."} for image_id in ("2", "3", "4")]
    pairs, missing = read_pairs(written(tmp_path, *records), folder)
    assert [pair.file.name for pair in pairs] == ["2.JPEG", "3.webp"]
    assert missing == ["4"]


def test_the_file_of_a_table_and_of_coco_images_is_read(tmp_path: Path, folder: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("file,caption\na/1.jpg,A dog.\na/1.jpg,One dog.\n")
    coco = tmp_path / "coco.json"
    images = [{"id": 9, "file_name": "b/1.png"}]
    coco.write_text(json.dumps({"images": images, "annotations": [{"id": 1, "image_id": 9, "caption": "A cat."}]}))
    assert read_pairs(table, folder)[0][0].captions == ("A dog.", "One dog.")
    assert read_pairs(coco, folder)[0][0].file == folder / "b/1.png"


def test_an_id_that_two_photos_have_is_told_with_both(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(CaptionFileError, match=r"Two photos have the name '1': .*1\.jpg and .*1\.png"):
        read_pairs(written(tmp_path, {"image_id": "1", "caption": "A dog."}), folder)


def test_captions_without_any_photo_are_an_error(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(CaptionFileError, match=r"none of its 1 ids has a photo .* such as '77'.*77\.jpg"):
        read_pairs(written(tmp_path, {"image_id": "77", "caption": "A dog."}), folder)


def test_a_folder_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(CaptionFileError, match="is no folder; --images names"):
        read_pairs(written(tmp_path, {"image_id": "1", "caption": "A dog."}), tmp_path / "absent")


def test_a_list_of_ids_takes_names_of_photos_too(tmp_path: Path) -> None:
    file = tmp_path / "ids.txt"
    file.write_bytes(b"\xef\xbb\xbf1.jpg\r\n\r\n2\nx.y\n")
    assert read_ids(file) == ["1", "2", "x.y"]
    with pytest.raises(CaptionFileError, match="cannot be read as a list of ids"):
        read_ids(tmp_path / "absent.txt")
