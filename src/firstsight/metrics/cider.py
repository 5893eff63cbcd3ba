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
from firstsight.metrics.base import Learnt, TokenMetric, Tokens, mean_of_images
from firstsight.metrics.corpus import Corpus
from firstsight.types import Json

__all__ = ["CiderD"]

MAX_N = 4
SIGMA = 6.0
SCALE = 10.0


class CiderD(TokenMetric):
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
        >>> dogs, cats = "a dog runs on grass".split(), "two cats sleep".split()
        >>> metric.prepare(Corpus.from_tokens([dogs, cats], [[dogs], [cats]]))
        >>> metric.statistics(dogs, [dogs]).round(12).tolist()
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
        self._n_images = 0
        self._document_frequency: Counter[NGram] = Counter()

    @property
    def parameters(self) -> dict[str, Json]:
        """The longest n-gram, the width of the length penalty, and where document frequencies come from."""
        return {"max_n": MAX_N, "sigma": SIGMA, "document_frequency": "references"}

    def prepare(self, corpus: Corpus) -> None:
        """Count of how many images' references have each n-gram.

        Args:
            corpus: Every image that is scored.

        Raises:
            MetricUndefinedError: The corpus has fewer than two images.
        """
        super().prepare(corpus)
        if len(corpus) == 1:
            raise MetricUndefinedError(
                f"{self.name} is undefined: it weighs words by how few of the images have them, and the corpus has one "
                "image only. Score at least two images."
            )
        self._document_frequency = Counter()
        for index in range(len(corpus)):
            captions = corpus.tokens.words.references(index)
            self._document_frequency.update(
                {ngram for words in captions for n in range(1, MAX_N + 1) for ngram in ngram_counts(words, n)}
            )
        self._n_images = len(corpus)

    def learnt(self) -> Learnt:
        """Return the document frequencies.

        Returns:
            ``words``, the distinct words; ``ngrams`` (n_ngrams, 4) int32, places in ``words``, -1 behind a shorter
            n-gram, in ascending order; ``counts`` (n_ngrams,) int64, of how many images' references have it;
            ``n_images`` (1,) int64.
        """
        words = sorted({word for ngram in self._document_frequency for word in ngram})
        places = {word: place for place, word in enumerate(words)}
        rows = sorted(
            ([places[word] for word in ngram] + [-1] * (MAX_N - len(ngram)), count)
            for ngram, count in self._document_frequency.items()
        )
        return {
            "words": words,
            "ngrams": np.array([row for row, _ in rows], dtype=np.int32).reshape(-1, MAX_N),
            "counts": np.array([count for _, count in rows], dtype=np.int64),
            "n_images": np.array([self._n_images], dtype=np.int64),
        }

    def restore(self, learnt: Learnt) -> None:
        """Take document frequencies as `learnt` gives them."""
        words = list(learnt["words"])
        rows, counts = np.asarray(learnt["ngrams"]).tolist(), np.asarray(learnt["counts"]).tolist()
        self._document_frequency = Counter(
            {tuple(words[at] for at in row if at >= 0): count for row, count in zip(rows, counts, strict=True)}
        )
        self._n_images = int(np.asarray(learnt["n_images"])[0])

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
        if self._n_images == 0:
            raise MetricUndefinedError(f"{self.name} has no document frequencies yet: call prepare(corpus) first.")
        log_n_images = math.log(self._n_images)
        words = self.words(tokens)
        weights = [
            {
                ngram: count * (log_n_images - math.log(max(1, self._document_frequency[ngram])))
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
