"""Length: how many words the candidates have; a description, not a quality."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight.metrics.base import TokenMetric, Tokens, mean_of_images

__all__ = ["Length"]


class Length(TokenMetric):
    r"""Mean number of words of the candidates, 0 or more; neither long nor short is better.

    .. math::
        \text{Length} = \frac{1}{N} \sum_{i=1}^{N} |c_i|

    Words are the tokens of the evaluation's tokenizer, split at white space as n-gram metrics count them. Read it
    beside the scores: those that compare n-grams fall as captions grow longer than their references, whatever they say.

    Example:
        >>> metric = Length()
        >>> rows = [metric.statistics(words.split(), [["any"]]) for words in ("a dog runs", "two cats")]
        >>> metric.from_statistics(rows[0] + rows[1]).tolist()
        [2.5]
    """

    name: ClassVar[str] = "length"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("Length",)
    score_range: ClassVar[tuple[float, float]] = (0.0, math.inf)
    is_quality: ClassVar[bool] = False

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:  # noqa: ARG002
        """Return the number of words of one candidate and the count 1.

        Args:
            candidate: The tokens of the caption; may be empty.
            references: Not looked at.

        Returns:
            Array (2,) float64: words, 0 or more; 1.
        """
        return np.array([len(self.words(candidate)), 1.0])

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mean over images.

        Args:
            totals: Array (..., 2) float64: sum of words; number of images.

        Returns:
            Array (..., 1) float64, 0 or more.

        Raises:
            MetricUndefinedError: The number of images is zero.
        """
        return mean_of_images(self.name, totals)
