"""Brings an image to the size that the embedded encoder reads."""

from __future__ import annotations

import numpy as np
from PIL import Image

from firstsight.errors import UsageError
from firstsight.types import RgbImage

IMAGE_SIZE_PX = 260


def to_pixels(image: RgbImage, box: tuple[float, float, float, float] | None = None) -> RgbImage:
    """Return the whole image, or the part in ``box``, stretched to (260, 260, 3).

    The image is stretched and not cropped, so that nothing at its edges is unseen; the encoder learnt on stretched
    photos. ``box`` is (left, top, right, bottom) in pixels.

    Raises:
        UsageError: It is no RGB array.
    """
    if not (isinstance(image, np.ndarray) and image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3):
        got = f"{image.dtype} {image.shape}" if isinstance(image, np.ndarray) else type(image).__name__
        raise UsageError(
            f"An image is a (height, width, 3) uint8 array, got {got}. firstsight.load_image makes one of a file."
        )
    resized = Image.fromarray(image).resize(
        (IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC, box=box, reducing_gap=2.0
    )
    return np.asarray(resized)
