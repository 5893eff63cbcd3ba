"""What every metric is: additive statistics of one image, and a pure function of their sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.metrics.corpus import Corpus, Tokens
from firstsight.types import Json

__all__ = ["Learnt", "Metric", "TextMetric", "TokenMetric", "Tokens", "mean_of_images"]

Learnt: TypeAlias = "Mapping[str, npt.NDArray[np.int32] | npt.NDArray[np.int64] | list[str]]"
"""What a metric learnt of a corpus, as arrays of whole numbers and lists of words."""


class Metric(ABC):
    """A corpus metric.

    The life of one evaluation is ``prepare`` once with the whole corpus, then ``corpus_statistics`` of all of it or of
    parts, then ``from_statistics`` of any sum of rows: the whole corpus, one image, a slice, a bootstrap resample, a
    shard. Most metrics are a `TokenMetric` or a `TextMetric`, which ask for the statistics of one image only.

    Example:
        >>> from firstsight.metrics import METRICS, Corpus
        >>> metric = METRICS.load("rouge_l")()
        >>> corpus = Corpus.from_tokens(
        ...     [["a", "kite"], ["dogs"]], [[["a", "red", "kite"]], [["two", "dogs"], ["dogs", "run"]]]
        ... )
        >>> metric.prepare(corpus)
        >>> table = metric.corpus_statistics(corpus)
        >>> table.shape
        (2, 2)
        >>> metric.from_statistics(table.sum(axis=0)).shape
        (1,)
    """

    name: ClassVar[str]
    """The name it is registered under and asked for by, such as ``cider_d``."""
    version: ClassVar[str]
    """Version of the definition; a correction is a new version."""
    score_names: ClassVar[tuple[str, ...]]
    """The scores that it gives, such as ``("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4")``."""
    score_range: ClassVar[tuple[float, float]]
    """Lowest and highest value a score can have."""
    higher_is_better: ClassVar[bool] = True
    is_quality: ClassVar[bool] = True
    """False where it describes captions, as their length does, and no value is better than another."""
    needs_images: ClassVar[bool] = False
    """Whether it looks at the images themselves: ``Corpus.images`` must then name the file of each."""
    languages: ClassVar[tuple[str, ...] | None] = None
    """The languages it is defined for, such as ``("en",)``; None for any."""
    takes_model: ClassVar[bool] = False
    """Whether the constructor takes ``model: str``, which ``NAME:MODEL`` names."""

    @classmethod
    def is_available(cls) -> bool:
        """Return whether what it needs is installed; asked without loading any of that."""
        return True

    @classmethod
    def learns(cls) -> bool:
        """Return whether ``prepare`` learns of the corpus, so that a scoring card can stand in for it."""
        return cls.learnt is not Metric.learnt

    @property
    def parameters(self) -> dict[str, Json]:
        """What the definition fixes beyond its version, as the signature states it: text and numbers by name.

        It is asked before ``prepare`` and again later, and is the same each time: nothing of it is learnt, and nothing
        runs or is asked for over a network. A metric whose model is part of what it is may load that model, once.
        """
        return {}

    def prepare(self, corpus: Corpus) -> None:
        """Learn what the metric needs of the whole corpus (CIDEr-D: document frequencies); most need nothing.

        A metric that learns here extends this method, which checks the corpus, and gives `learnt` and `restore`.

        Args:
            corpus: Every image that is scored.

        Raises:
            MetricUndefinedError: No score is defined for this corpus; the message says why.
        """
        if len(corpus) == 0:
            raise MetricUndefinedError(f"{self.name} is undefined: the corpus has no images.")

    def learnt(self) -> Learnt:
        """Return what ``prepare`` learnt, for a scoring card; nothing for most metrics."""
        return {}

    def restore(self, learnt: Learnt) -> None:
        """Take what another ``prepare`` learnt instead of learning; for most metrics that is nothing.

        Raises:
            UsageError: It is not what this metric learns.
        """
        if learnt:
            raise UsageError(f"{self.name} learns nothing of a corpus, and was given {', '.join(sorted(learnt))}.")

    @abstractmethod
    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return the statistics of every image, after ``prepare`` or ``restore``.

        Args:
            corpus: The images to score; all that were prepared, or some of them.

        Returns:
            Array (image, statistic) float64; its sum over images, or any row, goes to ``from_statistics``.

        Raises:
            MetricUndefinedError: No score is defined for this corpus; the message says why.
        """

    @abstractmethod
    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores (..., len(score_names)) float64 of summed statistics ``totals`` (..., k).

        Raises:
            MetricUndefinedError: The totals are of no image at all, in a metric that is a mean over images.
        """


class TokenMetric(Metric):
    """A metric that compares the tokens of one candidate with those of its references."""

    @abstractmethod
    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the additive statistics (k,) float64 of one image.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.
        """

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, statistic) float64."""
        rows = []
        for index in range(len(corpus)):
            rows.append(self.statistics(corpus.tokens.candidate(index), corpus.tokens.references(index)))
            corpus.report(self.name, index + 1)
        return np.stack(rows)

    @staticmethod
    def words(tokens: Tokens) -> list[str]:
        r"""Return the words of a caption as n-gram metrics see them: split at any Unicode white space.

        The PTB tokenizer keeps a mixed number as one token with a no-break space inside. The coco-caption tools count
        it as two words in BLEU and CIDEr, and as one in ROUGE-L, which therefore does not call this.

        Example:
            >>> TokenMetric.words(["a", "22\u00a03/4", "lb", "fish"])
            ['a', '22', '3/4', 'lb', 'fish']
        """
        return " ".join(tokens).split()


class TextMetric(Metric):
    """A metric that compares the text of one candidate with that of its references, without a tokenizer."""

    @abstractmethod
    def statistics(self, candidate: str, references: Sequence[str]) -> npt.NDArray[np.float64]:
        """Return the additive statistics (k,) float64 of one image.

        Args:
            candidate: The caption that is scored; may be empty.
            references: At least one reference.
        """

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, statistic) float64."""
        rows = []
        for index in range(len(corpus)):
            rows.append(self.statistics(corpus.candidates[index], corpus.references[index]))
            corpus.report(self.name, index + 1)
        return np.stack(rows)


def mean_of_images(name: str, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the mean score (..., 1) of ``totals`` (..., 2) = (sum of scores, number of images).

    Raises:
        MetricUndefinedError: A number of images is zero; ``name`` is the metric in the message.
    """
    totals = np.asarray(totals, dtype=np.float64)
    if np.any(totals[..., 1] == 0):
        raise MetricUndefinedError(f"{name} is undefined: it is a mean over images and there is none.")
    mean: npt.NDArray[np.float64] = totals[..., :1] / totals[..., 1:]
    return mean
