"""What a report is told: its images, who made their photos, and what it says beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from firstsight.types import Failure, Provenance

__all__ = ["PhotoCredit", "ReportItem", "ReportOptions"]


@dataclass(frozen=True, slots=True)
class ReportItem:
    """One image of the report: either ``caption`` or ``failure`` is filled."""

    image_id: str
    caption: str | None = None
    references: Sequence[str] = ()
    photo: Path | bytes | None = None
    """The image file or its bytes; None shows an empty frame."""
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class PhotoCredit:
    """Who made a photo and under which terms it is shown."""

    image_id: str
    title: str
    author: str
    licence: str
    licence_url: str
    origin_url: str


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report says beside images and scores, and how many photos it shows."""

    provenance: Provenance | None = None
    """Captioner, weights and parameters that made the captions."""
    weights_licence: str = ""
    """Terms of the captioner's weights, one line."""
    created: datetime | None = None
    """When the captions were made, with its zone."""
    credits: Sequence[PhotoCredit] = ()
    next_command: str = ""
    """The command that a reader can run next."""
    max_photos: int = 36
    """With more images than this, the best, the weakest and a random sample are shown, a third each."""
    seed: int = 0
    """Seed of the random sample."""
