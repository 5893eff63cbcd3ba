"""A captioner for tests: tiny, deterministic, without weights."""

from __future__ import annotations

from collections.abc import Sequence

from firstsight.captioners.base import Captioner
from firstsight.errors import CaptionerError, UsageError
from firstsight.types import CaptionResult, Json, Provenance, RgbImage

__all__ = ["FakeCaptioner"]


class FakeCaptioner(Captioner):
    """Says the size and mean colour of an image, so that equal images have equal captions.

    Example:
        >>> import numpy as np
        >>> FakeCaptioner().caption(np.zeros((2, 3, 3), np.uint8)).captions
        ('A picture of 3 by 2 dots in colour 0 0 0.', 'Dots.')
    """

    name = "fake"
    licence = "none: it has no weights"
    description = "Says size and colour; for tests"

    def __init__(
        self, *, beam_size: int = 3, seed: int = 0, fails_on_width: int | None = None, says: str | None = None
    ) -> None:
        """Choose what it does.

        Args:
            beam_size: Stated in the provenance, without effect.
            seed: Stated in the provenance, without effect.
            fails_on_width: A batch that holds an image of this width raises `CaptionerError`.
            says: The first caption of every image, where it is given.
        """
        if beam_size < 1:
            raise UsageError(f"beam_size is {beam_size}; it must be at least 1.")
        self._parameters: dict[str, Json] = {"beam_size": beam_size, "seed": seed}
        self._fails_on_width = fails_on_width
        self._says = says
        self.batches: list[int] = []
        """The size of each batch that it was given."""

    @property
    def provenance(self) -> Provenance:
        """The name and the parameters."""
        return Provenance(self.name, "1", "", self._parameters)

    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        """Return two captions an image and -0.5 as score."""
        self.batches.append(len(images))
        if any(image.shape[1] == self._fails_on_width for image in images):
            raise CaptionerError(f"The fake captioner fails on width {self._fails_on_width}, as it was told to.")
        return [CaptionResult((self._says or _sentence(image), "Dots."), -0.5) for image in images]


def _sentence(image: RgbImage) -> str:
    red, green, blue = image.reshape(-1, 3).mean(axis=0).round().astype(int)
    return f"A picture of {image.shape[1]} by {image.shape[0]} dots in colour {red} {green} {blue}."
