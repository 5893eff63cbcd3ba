"""Brings every pixel format of Pillow to 8-bit sRGB, and turns a picture upright."""

from __future__ import annotations

import io
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

__all__ = ["oriented", "to_srgb"]

_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_MAX_PROFILE_BYTES = 4_000_000


def oriented(picture: Image.Image, source: Image.Image) -> Image.Image:
    """Return ``picture`` turned as the EXIF data of ``source`` say; broken EXIF data turn nothing."""
    try:
        orientation = source.getexif().get(_ORIENTATION_TAG)
    except Exception:  # whatever a broken EXIF block raises, the picture itself is good
        return picture
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return picture if turn is None else picture.transpose(turn)


def to_srgb(image: Image.Image) -> Image.Image:
    """Return a loaded image in mode RGB, transparency laid on white."""
    if image.mode.startswith("I") or image.mode == "F":
        return _from_wide(image)
    if image.has_transparency_data:
        rgba = image if image.mode == "RGBA" else image.convert("RGBA")
        colours = _through_profile(rgba.convert("RGB"), image)
        on_white = Image.new("RGB", image.size, (255, 255, 255))
        on_white.paste(colours, mask=rgba.getchannel("A"))
        return on_white
    if image.mode in ("RGB", "CMYK"):
        return _through_profile(image, image)
    return image.convert("RGB")


def _from_wide(image: Image.Image) -> Image.Image:
    """Scale grey values of more than 8 bits (modes I;16 and its kin, I, F) to 0 to 255, rounded."""
    values = np.asarray(image)
    if image.mode.startswith("I;16"):
        grey_of = np.rint(np.arange(65536) * (255 / 65535)).astype(np.uint8)
        transparent = image.info.get("transparency")
        if isinstance(transparent, int) and 0 <= transparent <= 65535:
            grey_of[transparent] = 255
        return Image.fromarray(grey_of[values]).convert("RGB")
    low, scale = _range_of(values)
    finite = np.nan_to_num(values.astype(np.float64), nan=low, posinf=np.inf, neginf=-np.inf)
    return Image.fromarray(np.clip(np.rint((finite - low) * scale), 0, 255).astype(np.uint8)).convert("RGB")


def _range_of(values: npt.NDArray[np.generic]) -> tuple[float, float]:
    """Return the value that becomes 0 and the factor, by the usual range in which the values lie."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        return 0.0, 1.0
    low, high = float(finite.min()), float(finite.max())
    if low >= 0:
        if high <= 1 and values.dtype.kind == "f":
            return 0.0, 255.0
        if high <= 255:
            return 0.0, 1.0
        if high <= 65535:
            return 0.0, 255 / 65535
    return low, 255 / (high - low) if high > low else 0.0


def _through_profile(picture: Image.Image, source: Image.Image) -> Image.Image:
    """Return an RGB or CMYK picture in sRGB; a profile that is broken or of another kind is left aside."""
    profile = source.info.get("icc_profile")
    if isinstance(profile, bytes) and 128 < len(profile) < _MAX_PROFILE_BYTES:
        transform = _transform(profile, picture.mode)
        try:
            return picture.convert("RGB") if transform is None else transform.apply(picture)
        except Exception:  # the colours of the file as they are serve better than no picture
            return picture.convert("RGB")
    return picture if picture.mode == "RGB" else picture.convert("RGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> ImageCmsTransform | None:
    """Return the way from ``profile`` to sRGB, or None where there is none or none is needed."""
    try:
        from PIL import ImageCms

        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if "sRGB" in ImageCms.getProfileDescription(source):
            return None
        return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB")
    except Exception:  # LittleCMS is absent from this Pillow, or the profile is broken
        return None
