"""What every captioner is: one abstract method, and the single, batch and streaming forms made from it."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from typing import ClassVar

from firstsight.images import ImageSource, load_image
from firstsight.types import CaptionResult, Provenance, RgbImage

__all__ = ["Captioner"]


class Captioner(ABC):
    """Reads images and says what they show.

    A captioner is a class registered under the entry-point group ``firstsight.captioners``; its constructor takes
    keyword options only, checks them, and loads the model.
    """

    name: ClassVar[str]
    """The name it is registered under."""
    licence: ClassVar[str]
    """Terms of its weights, one line."""
    description: ClassVar[str]
    """What it is, one line."""
    image_size_px: ClassVar[int | None] = None
    """The side to which images are reduced anyway; a larger photo may be decoded at a lower resolution. None: never."""
    batch_size: int = 8
    """How many images the streaming form gives to ``caption_batch`` at a time."""

    @property
    @abstractmethod
    def provenance(self) -> Provenance:
        """The captioner, its version, weights hash and parameters, as records state them."""

    @abstractmethod
    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        """Return one result an image, in order.

        Args:
            images: Upright images, each (height_px, width_px, 3) uint8; sizes may differ.

        Raises:
            CaptionerError: The model failed on the batch.
        """

    def caption(self, image: ImageSource) -> CaptionResult:
        """Return the captions of one image: a path, the bytes of a file, a PIL image or an RGB array.

        Raises:
            ImageError: The image cannot be read.
        """
        return self.caption_batch([load_image(image, fit_px=self.image_size_px)])[0]

    def caption_stream(self, images: Iterable[ImageSource]) -> Iterator[CaptionResult]:
        """Yield one result an image, in order, reading no more than ``batch_size`` images ahead.

        Raises:
            ImageError: An image cannot be read; ``firstsight.batch`` goes on without such images.
        """
        iterator = (load_image(image, fit_px=self.image_size_px) for image in images)
        while batch := list(itertools.islice(iterator, self.batch_size)):
            yield from self.caption_batch(batch)
