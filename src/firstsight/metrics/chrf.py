"""chrF2: how many runs of characters candidate and reference share; for languages that bend their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight.metrics.base import TextMetric
from firstsight.types import Json

__all__ = ["ChrF"]

CHAR_ORDER = 6
WORD_ORDER = 0
BETA = 2


class ChrF(TextMetric):
    r"""ChrF2 of a corpus, 0 to 1, higher is better; papers print it times 100.

    White space is taken out of the caption; upper and lower case differ. With :math:`m_n` the clipped matches of
    character n-grams, :math:`h_n` those of the candidate and :math:`r_n` those of the reference, the mean over the
    orders :math:`n \le 6` of which both have some is

    .. math::
        P = \overline{m_n / h_n}, \quad R = \overline{m_n / r_n}, \quad
        \text{chrF2} = \frac{(1 + \beta^2) P R}{\beta^2 P + R}, \quad \beta = 2

    and 0 where P and R are 0. Of several references of an image the one with the highest chrF2 counts. Counts are
    summed over images before the formula, so the corpus score is not the mean of the images' scores.

    Example:
        >>> metric = ChrF()
        >>> row = metric.statistics("a kite", ["A kite", "two dogs"])
        >>> row[:3].tolist()  # characters of the candidate, of the reference, shared
        [5.0, 5.0, 4.0]

    Reproduces ``sacrebleu.CHRF()`` of sacrebleu 2.6.0 (``nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no``), corpus
    and per image, to 1e-12 relative. One difference: where several references reach the same score, sacrebleu takes
    the first given, here the one with the fewest n-grams, so that the order of references changes nothing.

    Paper: Popović, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015, section 2.
    """

    name: ClassVar[str] = "chrf"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("chrF2",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @property
    def parameters(self) -> dict[str, Json]:
        """Longest run of characters and of words, weight of recall, case and white space."""
        return {"case": "mixed", "char_order": CHAR_ORDER, "word_order": WORD_ORDER, "beta": BETA, "space": "no"}

    def statistics(self, candidate: str, references: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the counts of n-grams against the best reference.

        Args:
            candidate: The caption that is scored; may be empty.
            references: At least one reference.

        Returns:
            Array (18,) float64, for n = 1 to 6: n-grams of the candidate (0 where the reference has none), n-grams of
            the reference, matches.
        """
        ours = _ngrams(candidate)
        rows = np.array([_counts(ours, _ngrams(reference)) for reference in references], dtype=np.float64)
        scores = self.from_statistics(rows)[:, 0]
        best = rows[scores == scores.max()]
        chosen: npt.NDArray[np.float64] = min(best, key=lambda row: row.tolist())
        return chosen

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return chrF2 of summed counts.

        Args:
            totals: Array (..., 18) float64 as ``statistics`` gives.

        Returns:
            Array (..., 1) float64 from 0 to 1.
        """
        counts = np.asarray(totals, dtype=np.float64)
        counts = counts.reshape(*counts.shape[:-1], CHAR_ORDER, 3)  # (..., order, (candidate, reference, matches))
        is_used = (counts[..., 0] > 0) & (counts[..., 1] > 0)
        n_used = np.maximum(is_used.sum(axis=-1), 1)
        shares = np.where(is_used[..., None], counts[..., 2:] / np.where(is_used[..., None], counts[..., :2], 1.0), 0.0)
        precision, recall = np.moveaxis(shares.sum(axis=-2) / n_used[..., None], -1, 0)
        weighted = BETA**2 * precision + recall
        product = (1 + BETA**2) * precision * recall
        score: npt.NDArray[np.float64] = np.where(weighted > 0, product / np.where(weighted > 0, weighted, 1.0), 0.0)
        return score[..., None]


def _ngrams(caption: str) -> list[Counter[str]]:
    """Return the counts of character n-grams for n = 1 to 6."""
    text = "".join(caption.split())
    return [Counter(text[start : start + n] for start in range(len(text) - n + 1)) for n in range(1, CHAR_ORDER + 1)]


def _counts(candidate: list[Counter[str]], reference: list[Counter[str]]) -> list[int]:
    row: list[int] = []
    for ours, theirs in zip(candidate, reference, strict=True):
        row += [ours.total() if theirs else 0, theirs.total(), (ours & theirs).total()]
    return row
