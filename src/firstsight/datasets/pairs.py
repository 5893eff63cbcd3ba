"""Photos with captions: a caption file and the folder where its photos lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from firstsight.datasets.readers import read_references
from firstsight.errors import CaptionFileError
from firstsight.images import IMAGE_SUFFIXES

__all__ = ["Pair", "read_ids", "read_pairs"]

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Pair:
    """One photo and what people say of it."""

    image_id: str
    file: Path
    captions: tuple[str, ...]


def read_pairs(captions: Path, images: Path) -> tuple[list[Pair], list[str]]:
    """Return the photos of a caption file in file order, and the ids that have no photo.

    Args:
        captions: A file of any format that references may have.
        images: The folder with the photos and its subfolders. A record's ``file`` or ``file_name`` is looked for
            there; the photo of a record without one is the file named after its id, with an image's extension.

    Raises:
        CaptionFileError: The captions cannot be read, the folder cannot be listed, two photos have one id, or no id
            has a photo.
    """
    references = read_references(captions)
    photos = _photos(images)
    files = {
        image_id: file
        for image_id in references.captions
        if (file := _photo_of(image_id, references.files.get(image_id), images, photos)) is not None
    }
    pairs = [
        Pair(image_id, files[image_id], texts) for image_id, texts in references.captions.items() if image_id in files
    ]
    missing = [image_id for image_id in references.captions if image_id not in files]
    if not pairs:
        raise CaptionFileError(
            f"{references.name}: none of its {len(missing)} ids has a photo in {images}, such as "
            f"{_listed(missing)}. Photos are found by name: {missing[0]}.jpg for the id {missing[0]!r}."
        )
    return pairs, missing


def read_ids(file: Path) -> list[str]:
    """Return the ids of a split: one a line, as an id or as the name of the photo.

    Raises:
        CaptionFileError: The file cannot be read.
    """
    try:
        lines = file.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise CaptionFileError(f"{file} cannot be read as a list of ids ({error}); it has one id a line.") from error
    return [_stem(line.strip()) for line in lines if line.strip()]


def _photo_of(image_id: str, named: str | None, folder: Path, photos: dict[str, list[Path]]) -> Path | None:
    """Return the file that the record names, or else the only one with the id for a name."""
    if named is not None and (folder / named).is_file():
        return folder / named
    candidates = photos.get(image_id, [])
    if len(candidates) > 1:
        raise CaptionFileError(
            f"Two photos have the name {image_id!r}: {candidates[0]} and {candidates[1]}. Name the one that is meant "
            "in a field 'file', or move the other."
        )
    return candidates[0] if candidates else None


def _photos(folder: Path) -> dict[str, list[Path]]:
    """Return the photos below ``folder`` by name without extension."""
    if not folder.is_dir():
        raise CaptionFileError(f"{folder} is no folder; --images names the folder with the photos.")
    photos: dict[str, list[Path]] = {}
    for base, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            if Path(name).suffix.lower() not in IMAGE_SUFFIXES:
                continue
            photos.setdefault(_stem(name), []).append(Path(base, name))
    return photos


def _stem(name: str) -> str:
    """Return a photo's name without its extension; an id that has none stays as it is."""
    return Path(name).stem if Path(name).suffix.lower() in IMAGE_SUFFIXES else name


def _listed(ids: Sequence[str]) -> str:
    return ", ".join(repr(image_id) for image_id in ids[:_SHOWN])
