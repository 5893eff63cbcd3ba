"""The values that travel between the parts of firstsight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["CaptionRecord", "CaptionResult", "Failure", "Json", "Provenance", "RgbImage", "Score"]

RgbImage: TypeAlias = npt.NDArray[np.uint8]
"""One upright image: (height_px, width_px, 3) uint8 in sRGB order red, green, blue."""

Json: TypeAlias = "str | int | float | bool | None | list[Json] | dict[str, Json]"

RECORD_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class CaptionResult:
    """What a captioner says of one image.

    ``captions`` holds distinct sentences, best first; ``score`` is the mean log-probability a token of the first one
    (at most 0, higher is surer), or None for a captioner that has none.
    """

    captions: tuple[str, ...]
    score: float | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Which captioner made a caption, with which weights and parameters."""

    captioner: str
    version: str
    weights: str
    """Hash of the weights, ``sha256:`` and 64 hex digits; empty for a captioner without any."""
    parameters: Mapping[str, Json] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an image has no caption; ``code`` is one of those of ``errors.ImageError``, or ``captioner``."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class CaptionRecord:
    """One image of a caption file: either ``captions`` or ``error`` is filled. Fields are added, never renamed."""

    image_id: str
    file: str
    captions: tuple[str, ...] = ()
    score: float | None = None
    provenance: Provenance | None = None
    error: Failure | None = None
    schema_version: int = RECORD_SCHEMA_VERSION


@dataclass(frozen=True, slots=True)
class Score:
    """One number of an evaluation with what is needed to trust it.

    ``value`` is a fraction (CIDEr-D: 0 to 10) and None where the metric is undefined, with the reason in ``reason``;
    ``low`` and ``high`` bound the 95 % confidence interval, None where no resamples were asked for.
    """

    name: str
    value: float | None
    signature: str
    low: float | None = None
    high: float | None = None
    reason: str | None = None
