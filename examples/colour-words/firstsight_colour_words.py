"""An example of a metric plug-in: does the candidate name the colours that people name?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight.metrics import TokenMetric, Tokens

__all__ = ["ColourWords"]

COLOURS = frozenset(
    {"black", "blue", "brown", "gray", "green", "grey", "orange", "pink", "purple", "red", "white", "yellow"}
)


class ColourWords(TokenMetric):
    """Recall of colour words, 0 to 1, higher is better.

    Of the colour words that any reference of an image has, the share that the candidate has too; summed over images
    before it is divided, so that images without colour words count nothing.

    Example:
        >>> metric = ColourWords()
        >>> metric.statistics(["a", "red", "kite"], [["a", "red", "and", "blue", "kite"]]).tolist()
        [1.0, 2.0]
    """

    name: ClassVar[str] = "colour_words"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("ColourWords",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return how many of the references' colour words the candidate has, and how many there are."""
        wanted = COLOURS.intersection(*[set().union(*references)])
        return np.array([len(wanted.intersection(candidate)), len(wanted)], dtype=np.float64)

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return found words divided by wanted ones; NaN, which is shown as undefined, where none is wanted."""
        totals = np.asarray(totals, dtype=np.float64)
        found, wanted = totals[..., :1], totals[..., 1:]
        return np.divide(found, wanted, out=np.full(found.shape, np.nan), where=wanted > 0)
