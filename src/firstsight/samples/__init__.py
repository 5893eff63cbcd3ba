"""Sample photos under free licences, with five references each and their credits."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

__all__ = ["SampleCredit", "sample_credits", "sample_files", "sample_references"]

_FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True, slots=True)
class SampleCredit:
    """Who made a sample photo, under which terms it may be passed on, and where it comes from."""

    image_id: str
    file: str
    """Its place below this package, such as ``photos/cow.jpg``."""
    title: str
    author: str
    licence: str
    """SPDX identifier; ``LicenseRef-Public-Domain`` for works without copyright, which SPDX has no name for."""
    licence_url: str
    source: str
    """The software package that it was taken from, with version and registry."""
    source_file: str
    """Its place in that package."""
    origin_url: str
    """Where its author published it, as the package states."""
    changes: str
    width_px: int
    height_px: int

    @property
    def licence_name(self) -> str:
        """The licence as people write it, such as ``CC BY 2.0``."""
        if self.licence == "LicenseRef-Public-Domain":
            return "public domain"
        return re.sub(r"-(?!SA)", " ", self.licence)


def sample_files() -> list[Path]:
    """Return the sample photos as paths of JPEG files, sorted by image_id.

    The file name without extension is the image_id.

    Example:
        >>> from firstsight.samples import sample_files
        >>> sample_files()[0].name
        'astronaut.jpg'
    """
    return sorted((_FOLDER / "photos").glob("*.jpg"), key=lambda path: path.stem)


def sample_references() -> dict[str, list[str]]:
    """Return five references of every sample photo by image_id, written for firstsight after looking at the photo.

    Example:
        >>> from firstsight.samples import sample_references
        >>> sample_references()["cow"][0]
        'A black and white cow stands in a grassy field.'
    """
    lines = (_FOLDER / "references.jsonl").read_text(encoding="utf-8").split("\n")
    records = [json.loads(line) for line in lines if line]
    return {record["image_id"]: list(record["captions"]) for record in records}


def sample_credits() -> tuple[SampleCredit, ...]:
    """Return the credit of every sample photo, sorted by image_id; ``CREDITS.md`` says the same for readers.

    Example:
        >>> from firstsight.samples import sample_credits
        >>> sample_credits()[0].author
        'NASA'
    """
    manifest = json.loads((_FOLDER / "manifest.json").read_text(encoding="utf-8"))
    credits = (SampleCredit(**photo) for photo in manifest["photos"])
    return tuple(sorted(credits, key=lambda credit: credit.image_id))
