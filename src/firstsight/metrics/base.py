"""What every metric is: additive statistics of one image, and a pure function of their sum."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.types import Json

__all__ = ["Metric", "Tokens"]

Tokens = Sequence[str]
"""One caption after the tokenizer. A token may hold a no-break space (``22\\u00a03/4``): see ``Metric.words``."""


class Metric(ABC):
    """A corpus metric over tokenised captions.

    The life of one evaluation is ``prepare`` once with all references, then ``statistics`` for each image, then
    ``from_statistics`` of any sum of them: the whole corpus, one image, a slice, a bootstrap resample, a shard.

    Example:
        >>> from firstsight.metrics import METRICS
        >>> metric = METRICS.load("rouge_l")()
        >>> references = [[["a", "red", "kite"]], [["two", "dogs"], ["dogs", "run"]]]
        >>> table = metric.corpus_statistics([["a", "kite"], ["dogs"]], references)
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

    @property
    def parameters(self) -> dict[str, Json]:
        """What the definition fixes beyond its version, as the signature states it."""
        return {}

    def prepare(self, references: Sequence[Sequence[Tokens]]) -> None:
        """Learn what the metric needs of the whole corpus (CIDEr-D: document frequencies); most need nothing.

        A metric that learns here extends this method, which checks the corpus.

        Args:
            references: The tokenised references of every image, in corpus order.

        Raises:
            MetricUndefinedError: No score is defined for this corpus; the message says why.
            UsageError: An image has no reference.
        """
        if len(references) == 0:
            raise MetricUndefinedError(f"{self.name} is undefined: the corpus has no images.")
        for index, group in enumerate(references):
            if len(group) == 0:
                raise UsageError(f"Image number {index + 1} has no reference; every image needs at least one.")

    @abstractmethod
    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the additive statistics (k,) float64 of one image.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.
        """

    @abstractmethod
    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the scores (..., len(score_names)) float64 of summed statistics ``totals`` (..., k).

        Raises:
            MetricUndefinedError: The totals are of no image at all, in a metric that is a mean over images.
        """

    def corpus_statistics(
        self, candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]
    ) -> npt.NDArray[np.float64]:
        """Return the statistics of every image of a corpus: ``prepare``, then ``statistics`` for each.

        Args:
            candidates: The tokenised candidate of each image.
            references: The tokenised references of each image, in the same order.

        Returns:
            Array (image, statistic) float64; its sum over images, or any row, goes to ``from_statistics``.

        Raises:
            MetricUndefinedError: No score is defined for this corpus; the message says why.
            UsageError: The two lengths differ, or an image has no reference.
        """
        if len(candidates) != len(references):
            raise UsageError(
                f"Got {len(candidates)} candidates and references of {len(references)} images; "
                "give exactly one candidate for each image."
            )
        self.prepare(references)
        return np.stack([self.statistics(c, r) for c, r in zip(candidates, references, strict=True)])

    @staticmethod
    def words(tokens: Tokens) -> list[str]:
        r"""Return the words of a caption as n-gram metrics see them: split at any Unicode white space.

        The PTB tokenizer keeps a mixed number as one token with a no-break space inside. The coco-caption tools count
        it as two words in BLEU and CIDEr, and as one in ROUGE-L, which therefore does not call this.

        Example:
            >>> Metric.words(["a", "22\u00a03/4", "lb", "fish"])
            ['a', '22', '3/4', 'lb', 'fish']
        """
        return " ".join(tokens).split()


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
