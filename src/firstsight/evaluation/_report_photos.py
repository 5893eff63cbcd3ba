"""Photos inside the report: small JPEGs as data URIs."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from pathlib import Path

from firstsight.errors import ImageError
from firstsight.images import load_image

__all__ = ["EmbeddedPhoto", "embed_photo"]

_SIDE_PX = 560
_QUALITY = 80


@dataclass(frozen=True, slots=True)
class EmbeddedPhoto:
    """A photo as the page shows it; ``uri`` is empty where it cannot be shown, for the ``reason``."""

    uri: str = ""
    width_px: int = 0
    height_px: int = 0
    reason: str = ""


def embed_photo(source: Path | bytes | None) -> EmbeddedPhoto:
    """Return the photo at most 560 px wide and high as a JPEG data URI."""
    from PIL import Image

    if source is None:
        return EmbeddedPhoto(reason="no file was given")
    try:
        image = Image.fromarray(load_image(source, fit_px=_SIDE_PX))
    except ImageError as error:
        return EmbeddedPhoto(reason=str(error))
    image.thumbnail((_SIDE_PX, _SIDE_PX), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.save(file, "JPEG", quality=_QUALITY, optimize=True)
    data = base64.b64encode(file.getvalue()).decode("ascii")
    return EmbeddedPhoto(f"data:image/jpeg;base64,{data}", image.width, image.height)
