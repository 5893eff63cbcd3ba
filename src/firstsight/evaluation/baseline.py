"""What human captions score: each reference against the others of its image."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import Corpus
from firstsight.metrics.corpus import CorpusTokens
from firstsight.tokenizers import Tokenizer, TokenTable
from firstsight.types import Score

if TYPE_CHECKING:
    from firstsight.evaluation._options import Progress
    from firstsight.metrics import Metric

__all__ = ["HumanBaseline", "LeaveOneOut"]


@dataclass(frozen=True, slots=True)
class HumanBaseline:
    r"""The scores of the references themselves, each against the others of its image.

    Image i with :math:`m_i \ge 2` references gives :math:`m_i` rounds: in round j its reference j is the candidate and
    the other :math:`m_i - 1` are the references. Its statistics are the mean over the rounds,

    .. math:: \bar s_i = \frac{1}{m_i} \sum_{j=1}^{m_i} s(r_{ij}, \{r_{ik} : k \ne j\})

    and the score is that of their sum over images, :math:`f(\sum_i \bar s_i)`, so that every image weighs the same
    however many references it has. With a metric that is a mean over images, and the same number of references on every
    image, this is the mean score of the m leave-one-out corpora. Images with one reference are left out. What a metric
    learns, such as document frequencies, it learns of the whole reference set. The interval resamples images.

    Attributes:
        scores: A score for each of the evaluation's, in its order.
        n_images: The number of images with two references or more.
        n_left_out: The number of images with one.
        references_each: The lowest and the highest number of references that a human caption was scored against: one
            fewer than the candidate of the same image.
    """

    scores: tuple[Score, ...]
    n_images: int
    n_left_out: int
    references_each: tuple[int, int]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader of the scores must know."""
        low, high = self.references_each
        each = f"{low}" if low == high else f"{low} to {high}"
        with_others = f"{low + 1}" if low == high else f"{low + 1} to {high + 1}"
        notes = []
        if self.n_images:
            notes.append(
                f"Human captions are scored against {each} reference{'' if each == '1' else 's'} of an image, the "
                f"candidates against {with_others}; most scores rise with their number, so the humans' are on the low "
                "side."
            )
        if self.n_left_out:
            verb = "has" if self.n_left_out == 1 else "have"
            images = f"{self.n_left_out:,} image{'' if self.n_left_out == 1 else 's'}"
            notes.append(f"{images} {verb} one reference only and no part in the scores of human captions.")
        return tuple(notes)

    def score(self, name: str) -> Score:
        """Return the score of that name.

        Raises:
            KeyError: There is none of that name.
        """
        return {score.name: score for score in self.scores}[name]


class LeaveOneOut:
    """The rounds of a corpus: one entry for each reference of each image that has two or more.

    Attributes:
        members: Array (n_used,) int64: the places in the corpus of the images with two references or more.
        counts: Array (n_used,) int64: how many references each of them has.
        rounds: The corpus of the rounds, image by image.
    """

    def __init__(self, corpus: Corpus, on_progress: Progress | None = None) -> None:
        """Arrange the references of ``corpus``, whose tokens are used again."""
        sizes = np.diff(corpus.reference_offsets)
        self.members = np.flatnonzero(sizes >= 2).astype(np.int64)
        self.counts: npt.NDArray[np.int64] = sizes[self.members]
        groups = [corpus.references[index] for index in self.members.tolist()]
        starts = corpus.reference_offsets[self.members].tolist()
        places = [at for at, m in zip(starts, self.counts.tolist(), strict=True) for at in range(at, at + m)]
        others = [
            other
            for at, m in zip(starts, self.counts.tolist(), strict=True)
            for round_ in range(m)
            for other in (*range(at, at + round_), *range(at + round_ + 1, at + m))
        ]
        owners = np.repeat(self.members, self.counts).tolist()
        names = [str(place) for place in range(len(owners))]
        files = corpus.images
        self.rounds = Corpus(
            [caption for group in groups for caption in group],
            [[*group[:j], *group[j + 1 :]] for group in groups for j in range(len(group))],
            _Known(corpus.tokens, [*places, *others]),
            image_ids=names,
            images=None
            if files is None
            else {name: files[corpus.image_ids[owner]] for name, owner in zip(names, owners, strict=True)},
            on_progress=on_progress,
        )

    @property
    def references_each(self) -> tuple[int, int]:
        """The lowest and the highest number of references of a round; zeros where there is none."""
        return (int(self.counts.min()) - 1, int(self.counts.max()) - 1) if len(self.counts) else (0, 0)

    def statistics(self, metric: Metric) -> npt.NDArray[np.float64]:
        """Return the mean statistics (n_used, statistic) of the rounds of each image, by a metric that is prepared.

        Raises:
            MetricUndefinedError: No image has two references, or the metric has no score for the rounds.
        """
        if not len(self.members):
            raise MetricUndefinedError("No image has two references or more, so no human caption can be scored.")
        table = metric.corpus_statistics(self.rounds)
        starts = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
        means: npt.NDArray[np.float64] = np.add.reduceat(table, starts, axis=0) / self.counts[:, None]
        return means


class _Known(Tokenizer):
    """Gives captions the tokens that they have already."""

    name = "known"
    version = "1"

    def __init__(self, tokens: CorpusTokens, places: list[int]) -> None:
        self._tokens = tokens
        self._places = np.array(places, dtype=np.int64)

    def tokenize(self, caption: str) -> list[str]:
        raise NotImplementedError(caption)

    def table(self, captions: Iterable[str]) -> TokenTable:  # noqa: ARG002
        table = self._tokens.table
        starts, ends = table.offsets[self._places], table.offsets[self._places + 1]
        offsets = np.concatenate([[0], np.cumsum(ends - starts)]).astype(np.int64)
        places = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], ends - starts)
        return TokenTable(table.words, table.ids[places], offsets)
