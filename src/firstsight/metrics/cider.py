"""CIDEr-D: how close the candidate's rare n-grams are to those of its references."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError
from firstsight.metrics._ngrams import NGram, ngram_counts
from firstsight.metrics.base import Metric, Tokens, mean_of_images
from firstsight.types import Json

__all__ = ["CiderD"]

MAX_N = 4
SIGMA = 6.0
SCALE = 10.0


class CiderD(Metric):
    r"""CIDEr-D of a corpus: the mean over images, 0 to 10, higher is better; papers print it times 100.

    The vector :math:`g^n(s)` of a caption weighs the count of each n-gram by :math:`\ln N - \ln \max(1, d)`, where N is
    the number of images and d the number of images of which some reference has the n-gram. For one image with
    references :math:`r_1 \dots r_m`

    .. math::
        \text{CIDEr-D} = \frac{10}{4m} \sum_{n=1}^{4} \sum_{j=1}^{m}
            \exp\Bigl(-\frac{(\ell(c) - \ell(r_j))^2}{2 \sigma^2}\Bigr) \cdot
            \frac{\min(g^n(c), g^n(r_j)) \cdot g^n(r_j)}{\lVert g^n(c) \rVert \, \lVert g^n(r_j) \rVert},
            \quad \sigma = 6

    with the minimum taken for each n-gram. As in the original tool :math:`\ell` is the number of *bigrams* of the
    caption, and a term with a zero norm is 0.

    The document frequencies come from the references that ``prepare`` is given, the ones of the scored images, so
    scores of different corpora, or of a part of one, do not compare. With a single image every weight is 0: the
    original tool then says 0, here the metric is undefined.

    Example:
        >>> metric = CiderD()
        >>> references = [["a dog runs on grass".split()], ["two cats sleep".split()]]
        >>> metric.prepare(references)
        >>> metric.statistics("a dog runs on grass".split(), references[0]).round(12).tolist()
        [10.0, 1.0]

    Reproduces ``Cider`` of coco-caption as packaged in pycocoevalcap 1.2 (which is CIDEr-D in spite of its name),
    corpus and per image, to 1e-9 relative.

    Paper: Vedantam, Zitnick and Parikh, "CIDEr: consensus-based image description evaluation", CVPR 2015, section 6
    (CIDEr-D).
    """

    name: ClassVar[str] = "cider_d"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("CIDEr-D",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 10.0)

    def __init__(self) -> None:
        """Make a metric that knows no corpus yet."""
        self._log_n_images: float | None = None
        self._document_frequency: Counter[NGram] = Counter()

    @property
    def parameters(self) -> dict[str, Json]:
        """The longest n-gram, the width of the length penalty, and where document frequencies come from."""
        return {"max_n": MAX_N, "sigma": SIGMA, "document_frequency": "references"}

    def prepare(self, references: Sequence[Sequence[Tokens]]) -> None:
        """Count of how many images' references have each n-gram.

        Args:
            references: The tokenised references of every image that is scored.

        Raises:
            MetricUndefinedError: The corpus has fewer than two images.
            UsageError: An image has no reference.
        """
        super().prepare(references)
        if len(references) == 1:
            raise MetricUndefinedError(
                "cider_d is undefined: it weighs words by how few of the images have them, and the corpus has one "
                "image only. Score at least two images."
            )
        self._document_frequency = Counter()
        for group in references:
            captions = [self.words(reference) for reference in group]
            self._document_frequency.update(
                {ngram for words in captions for n in range(1, MAX_N + 1) for ngram in ngram_counts(words, n)}
            )
        self._log_n_images = math.log(len(references))

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the score of one image and the count 1.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (2,) float64: the image's CIDEr-D from 0 to 10; 1.

        Raises:
            MetricUndefinedError: ``prepare`` has not been called, so there are no document frequencies.
        """
        vectors = self._vectors(candidate)
        similarities = [_similarity(vectors, self._vectors(reference)) for reference in references]
        return np.array([SCALE * sum(similarities) / len(references), 1.0])

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the mean over images.

        Args:
            totals: Array (..., 2) float64: sum of the images' scores; number of images.

        Returns:
            Array (..., 1) float64 from 0 to 10.

        Raises:
            MetricUndefinedError: The number of images is zero.
        """
        return mean_of_images(self.name, totals)

    def _vectors(self, tokens: Tokens) -> _Vectors:
        if self._log_n_images is None:
            raise MetricUndefinedError("cider_d has no document frequencies yet: call prepare(references) first.")
        words = self.words(tokens)
        weights = [
            {
                ngram: count * (self._log_n_images - math.log(max(1, self._document_frequency[ngram])))
                for ngram, count in ngram_counts(words, n).items()
            }
            for n in range(1, MAX_N + 1)
        ]
        norms = [math.sqrt(math.fsum(weight**2 for weight in vector.values())) for vector in weights]
        return _Vectors(weights, norms, n_bigrams=max(0, len(words) - 1))


class _Vectors(NamedTuple):
    weights: list[dict[NGram, float]]
    """For n = 1 to 4: the weight of each n-gram of the caption."""
    norms: list[float]
    n_bigrams: int


def _similarity(candidate: _Vectors, reference: _Vectors) -> float:
    penalty = math.exp(-((candidate.n_bigrams - reference.n_bigrams) ** 2) / (2 * SIGMA**2))
    total = 0.0
    for n in range(MAX_N):
        norm = candidate.norms[n] * reference.norms[n]
        if norm:
            ours, theirs = candidate.weights[n], reference.weights[n]
            product = sum(min(weight, theirs[g]) * theirs[g] for g, weight in ours.items() if g in theirs)
            total += product / norm
    return penalty * total / MAX_N
