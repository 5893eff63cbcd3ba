"""The metric SPICE over the original program."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from firstsight._files import cache_folder
from firstsight._text import visible
from firstsight.errors import BackendError
from firstsight.metrics.base import Metric, mean_of_images
from firstsight.metrics.corpus import Corpus
from firstsight.metrics.spice.cache import ResultCache, result_key
from firstsight.metrics.spice.locate import HASH_DIGITS, Installation, locate
from firstsight.metrics.spice.options import SpiceOptions
from firstsight.metrics.spice.process import Captions, RunError
from firstsight.metrics.spice.results import CATEGORIES, Counts, SpiceResult
from firstsight.metrics.spice.runner import MAX_FAILED, score
from firstsight.types import Json

__all__ = ["Spice"]

T = TypeVar("T")

_GET_AT_ONCE = 500
_NAMED = 10


class Spice(Metric):
    r"""SPICE of a corpus, 0 to 1, higher is better; papers print it times 100.

    Every caption is parsed into a scene graph: objects, objects with an attribute, pairs of objects with a relation.
    With the candidate's tuples :math:`c`, those of all references of the image merged into one graph :math:`r`, and the
    candidate's tuples that have one of the same number of words or synonyms in every place among :math:`r`, :math:`m`:

    .. math::
        P = |m| / |c|, \qquad R = |m| / |r|, \qquad \text{SPICE} = 2 P R / (P + R)

    and 0 where :math:`m` is empty. The corpus score is the mean over images. Synonyms are those of WordNet as METEOR
    has them. Two tuples of the candidate can match the same one of the references, so that a single image can, rarely,
    exceed 1.

    The parsing and scoring are done by the original Java program, which is not part of this package; see
    `SpiceOptions` and the message of the error that says what is missing. It reads captions as the tokenizer left them,
    joined by spaces; NUL is replaced by a space and nothing is cut. An image whose captions the program cannot score
    (a caption of some hundred words is too long for its parser) is an error that names it.

    Results are kept in ``spice`` in the cache folder, so that what was scored once, in a run that was killed too, is
    not scored again.

    Example:
        >>> metric = Spice()
        >>> metric.score_names, metric.score_range
        (('SPICE',), (0.0, 1.0))
        >>> rows = np.array([[0.5, 1.0, *[0.0] * 12], [0.0, 1.0, *[0.0] * 12]])
        >>> metric.from_statistics(rows.sum(axis=0)).tolist()
        [0.25]

    Reproduces ``Spice`` of coco-caption as packaged in pycocoevalcap 1.2. The original merges concepts in an order that
    it draws anew in each run: about one image of a thousand has two scores, and a corpus score is good to 1e-5. Results
    that are kept do not change. Differences: results are taken by image, where the original attaches them to the wrong
    ones; a category that no image has is no number.

    Paper: Anderson, Fernando, Johnson and Gould, "SPICE: Semantic Propositional Image Caption Evaluation", ECCV 2016,
    section 3.
    """

    name: ClassVar[str] = "spice"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("SPICE",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    languages: ClassVar[tuple[str, ...] | None] = ("en",)

    def __init__(self, options: SpiceOptions | None = None) -> None:
        """Take options, or those of the environment variables."""
        self._options = options or SpiceOptions.from_environment()
        self._installation: Installation | None = None

    @classmethod
    def is_available(cls) -> bool:
        """Return whether a Java and every jar are found."""
        try:
            locate(SpiceOptions.from_environment(), cache_folder() / "spice")
        except BackendError:
            return False
        return True

    @property
    def parameters(self) -> dict[str, Json]:
        """The program, that its order of merging is random, and the hash of its jars (12 hex digits).

        ``unknown_jars`` names those that are not the published ones, where there are any. Where Java or jars are
        missing, and so no score can be, ``jars`` is ``not_found``.
        """
        try:
            found = self._located()
        except BackendError:
            return {"program": "spice-1.0", "order": "random", "jars": "not_found"}
        parameters: dict[str, Json] = {"program": "spice-1.0", "order": "random", "jars": found.jars_hash[:HASH_DIGITS]}
        return parameters | ({"unknown_jars": "+".join(found.unknown_jars)} if found.unknown_jars else {})

    def prepare(self, corpus: Corpus) -> None:
        """Check the corpus, and that the program and all it needs are there.

        Raises:
            MetricUndefinedError: The corpus has no images.
            BackendError: Java or jars are missing; the message names each and how to get it.
        """
        super().prepare(corpus)
        self._located()

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return the statistics of every image.

        Returns:
            Array (image, 14) float64: F of all tuples; 1; then, for each of `CATEGORIES`, F and 1, or 0 and 0 where the
            references have no tuple of the category.

        Raises:
            BackendError: Something is missing, the program does not run, or images fail alone; they are named.
        """
        return np.array(self._scored(corpus, _row), dtype=np.float64).reshape(len(corpus), -1)

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return SPICE (..., 1) float64 of summed statistics (..., 14).

        Raises:
            MetricUndefinedError: The totals are of no image at all.
        """
        return mean_of_images("SPICE", np.asarray(totals, dtype=np.float64)[..., :2])

    def category_score(self, category: str, totals: npt.NDArray[np.float64]) -> float:
        """Return the mean F of one category over the images whose references have tuples of it.

        Args:
            category: One of `CATEGORIES`: Object, Attribute, Relation, Color, Count, Size.
            totals: Array (14,) float64, a sum of rows of ``corpus_statistics``.

        Raises:
            MetricUndefinedError: No image has a tuple of the category.
        """
        at = 2 + 2 * list(CATEGORIES).index(category)
        return float(mean_of_images(f"SPICE {category}", np.asarray(totals, dtype=np.float64)[at : at + 2])[0])

    def results(self, corpus: Corpus) -> list[SpiceResult]:
        """Return what the program says of every image, the tuples of both sides too.

        Raises:
            BackendError: As ``corpus_statistics``.
        """
        return self._scored(corpus, lambda result: result)

    def _scored(self, corpus: Corpus, wanted: Callable[[SpiceResult], T]) -> list[T]:
        """Return what is wanted of the result of every image; no more is held, tuples need 10 kB an image."""
        installation = self._located()
        captions = [_captions(corpus, index) for index in range(len(corpus))]
        keys = [result_key(image, installation.jars_hash) for image in captions]
        known: dict[bytes, T] = {}
        with ResultCache(cache_folder() / "spice") as cache:
            for start in range(0, len(keys), _GET_AT_ONCE):
                found = cache.get(dict.fromkeys(keys[start : start + _GET_AT_ONCE]))
                known.update((key, wanted(result)) for key, result in found.items())
            missing = {key: image for key, image in zip(keys, captions, strict=True) if key not in known}
            done = _Progress(corpus, len(corpus) - len(missing))

            def keep(results: Mapping[bytes, SpiceResult]) -> None:
                known.update((key, wanted(result)) for key, result in cache.put(results).items())
                done.add(len(results))

            failed = score(missing, installation, self._options, keep)
        if failed:
            names = [image_id for image_id, key in zip(corpus.image_ids, keys, strict=True) if key in failed]
            raise _failed_images(names, next(iter(failed.values())))
        return [known[key] for key in keys]

    def _located(self) -> Installation:
        if self._installation is None:
            self._installation = locate(self._options, cache_folder() / "spice")
        return self._installation


class _Progress:
    """Tells the corpus of images done, each once, as runs of many end."""

    def __init__(self, corpus: Corpus, n_done: int) -> None:
        self._corpus, self._n_done = corpus, 0
        self.add(n_done)

    def add(self, n_images: int) -> None:
        for done in range(self._n_done + 1, self._n_done + n_images + 1):
            self._corpus.report("spice", done)
        self._n_done += n_images


def _captions(corpus: Corpus, index: int) -> Captions:
    """Return the captions of one image as the program is given them."""
    texts = [corpus.tokens.candidate(index), *corpus.tokens.references(index)]
    candidate, *references = (" ".join(tokens).replace("\0", " ") for tokens in texts)
    return Captions(candidate, tuple(references))


def _row(result: SpiceResult) -> list[float]:
    return [result.all.f, 1.0, *(number for name in CATEGORIES for number in _sum_and_count(result.categories[name]))]


def _sum_and_count(counts: Counts) -> tuple[float, float]:
    return (counts.f, 1.0) if counts.is_defined else (0.0, 0.0)


def _failed_images(image_ids: list[str], why: RunError) -> BackendError:
    names = ", ".join(map(visible, image_ids[:_NAMED])) + (", ..." if len(image_ids) > _NAMED else "")
    more = " and perhaps more" if len(image_ids) >= MAX_FAILED else ""
    return BackendError(
        f"SPICE cannot score the image{'s' if len(image_ids) > 1 else ''} {names}{more}: {why}\n"
        "Every other image that was scored is kept. Shorten its captions, give more memory with "
        "FIRSTSIGHT_SPICE_MEMORY_MB or time with FIRSTSIGHT_SPICE_LIMIT_S, or leave the image out."
    )
