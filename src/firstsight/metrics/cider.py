"""CIDEr and CIDEr-D: how close the candidate's rare n-grams are to those of its references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt

from firstsight._core import n_threads
from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.metrics._ngrams import MAX_N, DocumentFrequencies, NGram, NGramTable, native_index, ngram_counts
from firstsight.metrics.base import Learnt, TokenMetric, Tokens, mean_of_images
from firstsight.metrics.corpus import Corpus
from firstsight.types import Json

__all__ = ["Cider", "CiderD"]

SIGMA = 6.0
SCALE = 10.0


class _WeighedNGrams(TokenMetric):
    """What CIDEr and CIDEr-D share: document frequencies, weights, norms, the means over n, references and images."""

    score_range: ClassVar[tuple[float, float]] = (0.0, SCALE)
    sigma: ClassVar[float | None]
    """Width of the length penalty of the variant that also clips; None for the one that does neither."""

    def __init__(self) -> None:
        """Make a metric that knows no corpus yet."""
        self._frequencies: DocumentFrequencies | None = None

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
                "image only. Score at least two images, or use a scoring card of the whole set."
            )
        self._frequencies = DocumentFrequencies.of_references(corpus)

    def learnt(self) -> Learnt:
        """Return the document frequencies that change a score: an n-gram of one image weighs what one of none does.

        Returns:
            ``words``, the distinct words in ascending order; ``ngrams`` (n_ngrams, 4) int32, places in ``words``, -1
            behind a shorter n-gram, in ascending order; ``counts`` (n_ngrams,) int64, of how many images' references
            have it, 2 or more; ``n_images`` (1,) int64.

        Raises:
            MetricUndefinedError: ``prepare`` has not been called.
        """
        table = self._known().table.in_order(at_least=2)
        n_images = np.array([self._known().n_images], dtype=np.int64)
        return {"words": table.words, "ngrams": table.ngrams, "counts": table.counts, "n_images": n_images}

    def restore(self, learnt: Learnt) -> None:
        """Take document frequencies as `learnt` of this metric, or of its variant, gives them.

        Raises:
            UsageError: It is something else.
        """
        wanted = {"words", "ngrams", "counts", "n_images"}
        if set(learnt) != wanted:
            raise UsageError(
                f"{self.name} learns {', '.join(sorted(wanted))}; got {', '.join(sorted(learnt)) or 'none'}."
            )
        try:
            n_images = np.asarray(learnt["n_images"], dtype=np.int64).reshape(-1)
            ngrams = np.ascontiguousarray(learnt["ngrams"], dtype=np.int32)
            counts = np.ascontiguousarray(learnt["counts"], dtype=np.int64)
        except (OverflowError, TypeError, ValueError) as error:
            raise UsageError(f"{self.name} needs document frequencies as whole numbers: {error}") from error
        if len(n_images) != 1 or n_images[0] < 2:
            raise UsageError(f"{self.name} needs document frequencies of at least two images, got {n_images.tolist()}.")
        table = NGramTable(list(map(str, learnt["words"])), ngrams, counts)
        table.check(int(n_images[0]))
        self._frequencies = DocumentFrequencies(int(n_images[0]), table)

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the score of one image and the count 1.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (2,) float64: the image's score from 0 to 10; 1.

        Raises:
            MetricUndefinedError: ``prepare`` has not been called, so there are no document frequencies.
        """
        ours = self._vectors(candidate)
        total = 0.0  # a loop: the built-in sum of floats rounds otherwise since Python 3.12
        for reference in references:
            total += self._similarity(ours, self._vectors(reference))
        return np.array([SCALE * total / len(references), 1.0])

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, 2) float64, from each core the same operations.

        Raises:
            MetricUndefinedError: ``prepare`` has not been called, so there are no document frequencies.
        """
        known = self._known()
        index = native_index(corpus) if type(self).statistics is _WeighedNGrams.statistics else None
        if index is None:
            return super().corpus_statistics(corpus)
        counts = known.for_index(index, corpus.tokens.words.table.words)
        table: npt.NDArray[np.float64] = index.cider_statistics(
            counts, known.n_images, sigma=self.sigma, scale=SCALE, n_threads=n_threads()
        )
        corpus.report(self.name, len(corpus))
        return table

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

    def _known(self) -> DocumentFrequencies:
        if self._frequencies is None:
            raise MetricUndefinedError(f"{self.name} has no document frequencies yet: call prepare(corpus) first.")
        return self._frequencies

    def _vectors(self, tokens: Tokens) -> _Vectors:
        known = self._known()
        log_n_images = math.log(known.n_images)
        words = self.words(tokens)
        weights = [
            {
                ngram: count * (log_n_images - math.log(max(1, known.counter[ngram])))
                for ngram, count in ngram_counts(words, n).items()
            }
            for n in range(1, MAX_N + 1)
        ]
        return _Vectors(weights, [_norm(vector) for vector in weights], n_bigrams=max(0, len(words) - 1))

    def _similarity(self, candidate: _Vectors, reference: _Vectors) -> float:
        total = 0.0
        for n in range(MAX_N):
            norm = candidate.norms[n] * reference.norms[n]
            if norm:
                total += self._product(candidate.weights[n], reference.weights[n]) / norm
        return self._penalty(candidate.n_bigrams - reference.n_bigrams) * total / MAX_N

    def _product(self, ours: dict[NGram, float], theirs: dict[NGram, float]) -> float:
        product = 0.0
        for ngram, weight in theirs.items():
            if ngram in ours:
                product += (ours[ngram] if self.sigma is None else min(ours[ngram], weight)) * weight
        return product

    def _penalty(self, difference: int) -> float:
        return 1.0 if self.sigma is None else math.exp(-(difference**2) / (2 * self.sigma**2))


class CiderD(_WeighedNGrams):
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
    corpus and per image, to 1e-12 relative.

    Paper: Vedantam, Zitnick and Parikh, "CIDEr: consensus-based image description evaluation", CVPR 2015, section 6
    (CIDEr-D).
    """

    name: ClassVar[str] = "cider_d"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("CIDEr-D",)
    sigma: ClassVar[float | None] = SIGMA

    @property
    def parameters(self) -> dict[str, Json]:
        """The longest n-gram, the width of the length penalty, and where document frequencies come from."""
        return {"max_n": MAX_N, "sigma": SIGMA, "document_frequency": "references"}


class Cider(_WeighedNGrams):
    r"""CIDEr of a corpus, undamped: the mean over images, 0 to 10, higher is better; the paper prints a tenth of it.

    The mean cosine of the vectors that `CiderD` describes, without its minimum and its penalty. For one image with
    references :math:`r_1 \dots r_m`

    .. math::
        \text{CIDEr} = \frac{10}{4m} \sum_{n=1}^{4} \sum_{j=1}^{m}
            \frac{g^n(c) \cdot g^n(r_j)}{\lVert g^n(c) \rVert \, \lVert g^n(r_j) \rVert}

    and a term with a zero norm is 0. The paper divides each count by the number of n-grams of its caption; that leaves
    the cosine as it is. Its score goes from 0 to 1; the factor 10 is that of the authors' tool and of CIDEr-D, so that
    the two stand side by side.

    What most tools and papers call CIDEr is CIDEr-D: take `CiderD` to compare with them. A candidate that repeats a
    rare word, or goes on after the caption, loses less here than there.

    Example:
        >>> metric = Cider()
        >>> dogs, cats = "a dog runs on grass".split(), "two cats sleep".split()
        >>> metric.prepare(Corpus.from_tokens([dogs, cats], [[dogs], [cats]]))
        >>> metric.statistics(dogs, [dogs]).round(12).tolist()
        [10.0, 1.0]
        >>> metric.statistics(["dog"] * 9, [dogs]).round(12).tolist()  # 10/4 of a cosine of 1/√5
        [1.11803398875, 1.0]

    Differences: the paper maps words to their stems first, CIDEr-D and the authors' tool (``cider`` of
    github.com/vrama91/cider, df mode ``corpus``), whose definition this is, do not, and neither does this metric. That
    tool gives 0 for a corpus of a single image; here the metric is undefined.

    Paper: Vedantam, Zitnick and Parikh, "CIDEr: consensus-based image description evaluation", CVPR 2015, the
    definitions of CIDEr_n and CIDEr with equal weights of n = 1 to 4.
    """

    name: ClassVar[str] = "cider"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("CIDEr",)
    sigma: ClassVar[float | None] = None

    @property
    def parameters(self) -> dict[str, Json]:
        """The longest n-gram, what words become before they are counted, and where document frequencies come from."""
        return {"max_n": MAX_N, "stemming": "none", "document_frequency": "references"}


class _Vectors(NamedTuple):
    weights: list[dict[NGram, float]]
    """For n = 1 to 4: the weight of each n-gram of the caption."""
    norms: list[float]
    n_bigrams: int


def _norm(weights: dict[NGram, float]) -> float:
    total = 0.0
    for weight in weights.values():
        total += weight * weight
    return math.sqrt(total)
