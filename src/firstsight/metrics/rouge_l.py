"""ROUGE-L: the longest run of words, gaps allowed, that candidate and reference share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight._core import n_threads, native
from firstsight.metrics.base import TokenMetric, Tokens, mean_of_images
from firstsight.metrics.corpus import Corpus
from firstsight.types import Json

__all__ = ["RougeL"]

BETA = 1.2


class RougeL(TokenMetric):
    r"""ROUGE-L of a corpus: the mean over images, 0 to 1, higher is better; papers print it times 100.

    With :math:`\mathrm{LCS}` the length of the longest common subsequence of tokens, for one image

    .. math::
        P = \max_j \frac{\mathrm{LCS}(c, r_j)}{|c|}, \quad R = \max_j \frac{\mathrm{LCS}(c, r_j)}{|r_j|}, \quad
        \text{ROUGE-L} = \frac{(1 + \beta^2) P R}{R + \beta^2 P}, \quad \beta = 1.2

    and 0 where P or R is 0. The two maxima are taken over the references separately: best precision and best recall
    may come from different references.

    Tokens are compared as the tokenizer gives them; a token with a no-break space inside stays one token here.
    A caption without tokens counts as one empty token, so that an empty candidate scores 0 against any reference
    with words and 1 against an empty one.

    Example:
        >>> metric = RougeL()
        >>> row = metric.statistics("a dog runs".split(), ["a brown dog runs".split(), "dog".split()])
        >>> row.tolist()
        [1.0, 1.0]

    Reproduces ``Rouge`` of coco-caption as packaged in pycocoevalcap 1.2, corpus and per image, to 1e-12 relative.
    It is not the ROUGE-L of the summarisation tools, which take the best reference as a whole and another beta.

    Paper: Lin, "ROUGE: a package for automatic evaluation of summaries", 2004, section 3.1.
    """

    name: ClassVar[str] = "rouge_l"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("ROUGE-L",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @property
    def parameters(self) -> dict[str, Json]:
        """The weight of recall against precision."""
        return {"beta": BETA}

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the score of one image and the count 1.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (2,) float64: the image's ROUGE-L from 0 to 1; 1.
        """
        tokens = candidate or [""]
        groups = [reference or [""] for reference in references]
        common = [_longest_common_subsequence(tokens, group) for group in groups]
        precision = max(common) / len(tokens)
        recall = max(length / len(group) for length, group in zip(common, groups, strict=True))
        if precision == 0 or recall == 0:
            return np.array([0.0, 1.0])
        score = (1 + BETA**2) * precision * recall / (recall + BETA**2 * precision)
        return np.array([score, 1.0])

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, 2) float64, the same bits from each core.

        The time grows with the product of the lengths of candidate and reference: with the native core a sixty-fourth
        nanosecond or so for each pair of tokens, not counting tokens that the other has not, and memory is linear.
        """
        core = native() if type(self).statistics is RougeL.statistics else None
        if core is None:
            return super().corpus_statistics(corpus)
        words = corpus.tokens.table.words
        rows: npt.NDArray[np.float64] = core.rouge_l_statistics(
            corpus.tokens.table.ids,
            corpus.tokens.table.offsets,
            corpus.tokens.reference_offsets,
            n_words=len(words),
            empty=words.index("") if "" in words else len(words),
            beta_squared=BETA**2,
            n_threads=n_threads(),
        )
        corpus.report(self.name, len(corpus))
        return rows

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mean over images.

        Args:
            totals: Array (..., 2) float64: sum of the images' scores; number of images.

        Returns:
            Array (..., 1) float64 from 0 to 1.

        Raises:
            MetricUndefinedError: The number of images is zero.
        """
        return mean_of_images(self.name, totals)


def _longest_common_subsequence(left: Sequence[str], right: Sequence[str]) -> int:
    # best[j] is the longest common subsequence of the tokens of `left` seen so far and the first j of `right`.
    best = [0] * (len(right) + 1)
    for token in left:
        diagonal = 0
        for j, other in enumerate(right, start=1):
            above = best[j]
            if token == other:
                best[j] = diagonal + 1
            elif best[j - 1] > above:
                best[j] = best[j - 1]
            diagonal = above
    return best[-1]
