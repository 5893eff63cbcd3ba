"""Image files are found by id or by the name that a caption file gives them, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation._images import image_files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "1.jpg",
        "2",
        "3.PNG",
        "notes.txt",
        "sub/4.jpg",
        "sub/a.b.jpg",
        "x/5.jpg",
        "y/5.jpg",
        "twin.jpg",
        "twin.png",
    ):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "secret.jpg").touch()
    return tmp_path / "photos"


@pytest.mark.parametrize(
    ("image_id", "file"),
    [
        ("1", "1.jpg"),
        ("1.jpg", "1.jpg"),
        ("2", "2"),
        ("3", "3.PNG"),
        ("4", "sub/4.jpg"),
        ("sub/4", "sub/4.jpg"),
        ("a.b", "sub/a.b.jpg"),
        ("x/5", "x/5.jpg"),
    ],
)
def test_an_id_names_its_file(folder: Path, image_id: str, file: str) -> None:
    assert image_files(folder, [image_id]) == {image_id: folder / file}


@pytest.mark.parametrize("named", ["5.jpg", "y/5.jpg", "/data/coco/y/5.jpg", "C:\\data\\y\\5.jpg"])
def test_a_caption_file_names_the_file(folder: Path, named: str) -> None:
    if named == "5.jpg":  # two files have that name
        with pytest.raises(CaptionFileError, match="1 of 1 images have no file"):
            image_files(folder, ["id"], {"id": named})
        return
    assert image_files(folder, ["id"], {"id": named}) == {"id": folder / "y/5.jpg"}


@pytest.mark.parametrize("image_id", ["../secret", "../secret.jpg", "/etc/hostname", "notes", "gone", ""])
def test_no_id_leads_elsewhere(folder: Path, image_id: str) -> None:
    with pytest.raises(CaptionFileError) as caught:
        image_files(str(folder), ["1", image_id], {image_id: image_id})
    assert str(caught.value) == (
        f"1 of 2 images have no file in the folder {folder}: {image_id!r}. A file is named as the image id, with an "
        "image's extension or without, or as the caption files say. Add what is missing."
    )


def test_two_files_of_one_id_are_told(folder: Path) -> None:
    with pytest.raises(CaptionFileError, match=r"The image 'twin' has several files: .*twin\.jpg and .*twin\.png"):
        image_files(folder, ["twin"])


def test_candidates_name_a_file_only_where_nothing_else_leads_to_one(folder: Path) -> None:
    def found(image_id: str, by_references: str = "", by_candidates: str = "") -> Path:
        named = {image_id: by_references} if by_references else {}
        return (image_files(folder, [image_id], named, {image_id: by_candidates}) or {})[image_id]

    assert found("id", by_candidates="photos/y/5.jpg") == folder / "y/5.jpg"
    assert found("twin", by_candidates="twin.png") == folder / "twin.png"
    assert found("5", by_candidates="photos/x/5.jpg") == folder / "x/5.jpg"
    assert found("1", by_candidates="sub/4.jpg") == folder / "1.jpg"
    assert found("id", by_references="1.jpg", by_candidates="sub/4.jpg") == folder / "1.jpg"
    with pytest.raises(CaptionFileError, match="1 of 1 images have no file"):
        found("id", by_candidates="../secret.jpg")


def test_files_by_id_and_none(folder: Path) -> None:
    assert image_files(None, ["1"]) is None
    assert image_files({"1": Path("x.jpg"), "2": Path("y.jpg")}, ["1"]) == {"1": Path("x.jpg")}
    with pytest.raises(CaptionFileError, match="1 of 2 images have no file in the images given: '9'"):
        image_files({"1": Path("x.jpg")}, ["1", "9"])
    with pytest.raises(UsageError, match="should be in the folder 'gone', and there is none"):
        image_files("gone", ["1"])
