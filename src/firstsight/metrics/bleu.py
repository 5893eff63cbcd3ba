"""BLEU: how many of the candidate's n-grams its references have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight._core import n_threads
from firstsight.metrics._ngrams import MAX_N, NGram, native_index, ngram_counts
from firstsight.metrics.base import TokenMetric, Tokens
from firstsight.metrics.corpus import Corpus
from firstsight.types import Json

__all__ = ["Bleu"]

# The two constants of the original tool: they keep a zero numerator and a zero denominator finite.
TINY = 1e-15
SMALL = 1e-9


class Bleu(TokenMetric):
    r"""BLEU-1 to BLEU-4 of a corpus, 0 to 1, higher is better; papers print them times 100.

    With sums over the images of the matches :math:`m_n`, the candidates' n-grams :math:`g_n`, the candidates' words
    :math:`c` and the closest reference lengths :math:`r`:

    .. math::
        \text{BLEU-}N = \Bigl(\prod_{n=1}^{N} \frac{m_n + 10^{-15}}{g_n + 10^{-9}}\Bigr)^{1/N}
            \cdot \exp\bigl(\min(0, 1 - 1/q)\bigr), \qquad q = \frac{c + 10^{-15}}{r + 10^{-9}}

    A match of an n-gram counts at most as often as the one reference that has it most. The closest reference length
    of an image is the one that differs least from the candidate's length, the shorter one at a tie. The corpus score
    comes from sums, so it is not the mean of the images' scores, each of which comes from that image's own counts.

    Every corpus has a score: candidates without any word score 0.

    Example:
        >>> metric = Bleu()
        >>> row = metric.statistics("a dog runs".split(), ["a dog is running".split()])
        >>> row.tolist()
        [3.0, 4.0, 2.0, 1.0, 0.0, 0.0, 3.0, 2.0, 1.0, 0.0]
        >>> metric.from_statistics(row).round(3).tolist()
        [0.478, 0.414, 0.0, 0.0]

    Reproduces ``Bleu`` of coco-caption as packaged in pycocoevalcap 1.2, corpus and per image, to 1e-12 relative.
    No difference is known. Other tools smooth otherwise or break the tie of lengths otherwise, so their numbers differ.

    Paper: Papineni, Roukos, Ward and Zhu, "BLEU: a method for automatic evaluation of machine translation", ACL 2002,
    section 2.3.
    """

    name: ClassVar[str] = "bleu"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4")
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)

    @property
    def parameters(self) -> dict[str, Json]:
        """The longest n-gram, and which reference's length counts."""
        return {"max_n": MAX_N, "reference_length": "closest"}

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the counts of one image.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (10,) float64 of whole numbers: candidate words; closest reference length; matched 1-, 2-, 3- and
            4-grams; 1-, 2-, 3- and 4-grams of the candidate.
        """
        words = self.words(candidate)
        reference_words = [self.words(reference) for reference in references]
        closest = min((abs(len(r) - len(words)), len(r)) for r in reference_words)[1]
        matches = [_matches(words, reference_words, n) for n in range(1, MAX_N + 1)]
        possible = [max(0, len(words) - n + 1) for n in range(1, MAX_N + 1)]
        return np.array([len(words), closest, *matches, *possible], dtype=np.float64)

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, 10) float64 of whole numbers, the same from each core."""
        is_own = type(self).statistics is Bleu.statistics
        index = native_index(corpus) if is_own else None
        if index is None:
            return super().corpus_statistics(corpus)
        table: npt.NDArray[np.float64] = index.bleu_statistics(n_threads())
        corpus.report(self.name, len(corpus))
        return table

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return BLEU-1 to BLEU-4 of summed counts.

        Args:
            totals: Array (..., 10) float64, as ``statistics`` describes.

        Returns:
            Array (..., 4) float64, each from 0 to 1.
        """
        totals = np.asarray(totals, dtype=np.float64)
        length, reference_length = totals[..., 0:1], totals[..., 1:2]
        matches, possible = totals[..., 2 : 2 + MAX_N], totals[..., 2 + MAX_N :]
        precisions = np.cumprod((matches + TINY) / (possible + SMALL), axis=-1)
        means = precisions ** (1.0 / np.arange(1, MAX_N + 1))
        ratio = (length + TINY) / (reference_length + SMALL)
        scores: npt.NDArray[np.float64] = means * np.exp(np.minimum(0.0, 1.0 - 1.0 / ratio))
        return scores


def _matches(words: Sequence[str], references: Sequence[Sequence[str]], n: int) -> int:
    most: Counter[NGram] = Counter()
    for reference in references:
        most |= ngram_counts(reference, n)
    return (ngram_counts(words, n) & most).total()
