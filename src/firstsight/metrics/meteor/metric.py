"""METEOR 1.5 for English, without Java."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from firstsight._core import native
from firstsight.errors import MissingDependencyError
from firstsight.metrics.base import TokenMetric, Tokens
from firstsight.metrics.corpus import Corpus
from firstsight.metrics.meteor.align import align
from firstsight.metrics.meteor.build import index_path, open_index
from firstsight.metrics.meteor.index import IndexUnusableError, MeteorIndex
from firstsight.metrics.meteor.native import corpus_statistics
from firstsight.metrics.meteor.score import ALPHA, BETA, DELTA, GAMMA, WEIGHTS, score, statistics
from firstsight.metrics.meteor.sources import find_sources
from firstsight.metrics.meteor.vocabulary import Vocabulary, line_of
from firstsight.types import Json

__all__ = ["Meteor"]

_REPORT_EVERY = 256


class Meteor(TokenMetric):
    r"""METEOR 1.5 of a corpus, 0 to 1, higher is better; papers print it times 100.

    Words of candidate and reference are paired if they are equal, have the same stem, are synonyms in WordNet, or are
    paraphrases of the English table of METEOR 1.5, several words at a time there. With :math:`c_i, f_i` the content and
    function words that module :math:`i` pairs on one side, of :math:`C, F` that the side has, that side's ratio is

    .. math::
        \frac{\sum_i w_i (\delta c_i + (1 - \delta) f_i)}{\delta C + (1 - \delta) F},
        \quad w = (1, 0.6, 0.8, 0.6), \quad \delta = 0.75

    which is the precision P on the candidate's side and the recall R on the reference's. With ch chunks (runs of pairs
    that follow each other in both captions) and m words paired, the mean of both sides,

    .. math::
        \text{METEOR} = \left(1 - \gamma \left(\frac{ch}{m}\right)^\beta\right)
        \left(\frac{1 - \alpha}{P} + \frac{\alpha}{R}\right)^{-1},
        \quad \alpha = 0.85, \quad \beta = 0.2, \quad \gamma = 0.6

    and 0 where no word is paired. An image all of whose words are paired in one chunk counts 0 chunks. Of several
    references the one with the highest score counts, the first of them at a tie. Counts are summed over images before
    the formula, so the corpus score is not the mean of the images' scores.

    Tokens are joined by spaces and normalised once more, as the option ``-norm`` does (see ``normalise``). An empty
    candidate or reference pairs nothing and scores 0, two empty ones too. Punctuation counts like words: captions of
    the same punctuation alone score 1. A no-break space separates words. Hangul and other characters beyond Latin and
    Cyrillic become words of one character each, so the score says little about Korean captions.

    The search prefers an alternative with fewer chunks to a match that is not exact, which it counts as half a word,
    rounded down. Where such matches compete, it may therefore take none: "a dog runs" against "the dogs run" scores 0,
    in the original too.

    Synonyms and paraphrases come from the installed package ``pycocoevalcap`` (extra ``meteor``). They are read once
    into an index of 74 MB in the cache folder (``FIRSTSIGHT_CACHE``); the first use takes half a minute for that.

    Example:
        >>> metric = Meteor()
        >>> row = metric.statistics("a dog runs".split(), ["a brown dog runs".split()])  # doctest: +SKIP
        >>> metric.from_statistics(row).round(3).tolist()  # doctest: +SKIP
        [0.327]

    Reproduces ``Meteor`` of pycocoevalcap 1.2 (``meteor-1.5.jar -l en -norm``), statistics exactly and scores to 1e-12
    relative. Differences: words are compared by their text, where the original compares 32-bit hashes and so takes
    "co" for "e1", and a few other short words with digits, symbols or Hangul for each other; "|||" is taken out of
    references as it is of candidates, where the original makes two references of it; captions of more than 10,000
    words, or with more than 131,072 possible matches, are compared in part, where the original does not end.

    Paper: Denkowski and Lavie, "Meteor Universal: language specific translation evaluation for any target language",
    WMT 2014, sections 2 and 3.
    """

    name: ClassVar[str] = "meteor"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("METEOR",)
    score_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    languages: ClassVar[tuple[str, ...] | None] = ("en",)

    def __init__(self, index: MeteorIndex | None = None) -> None:
        """Use the data of the installed package.

        Args:
            index: Other data, such as small ones for a test.
        """
        self._index = index
        self._vocabulary: Vocabulary | None = None

    @classmethod
    def is_available(cls) -> bool:
        """Return whether the data are installed."""
        try:
            find_sources()
        except MissingDependencyError:
            return False
        return True

    @property
    def parameters(self) -> dict[str, Json]:
        """Language, normalisation, modules, their weights, the four parameters, and which data.

        Raises:
            MissingDependencyError: The data are not installed.
            BackendError: They cannot be read.
        """
        return {
            "language": "en",
            "norm": "yes",
            "alpha": ALPHA,
            "beta": BETA,
            "gamma": GAMMA,
            "delta": DELTA,
            "modules": "exact,stem,synonym,paraphrase",
            "weights": ",".join(map(str, WEIGHTS)),
            "data": self._digest().hex()[:12],
        }

    def _digest(self) -> bytes:
        """Return the SHA-256 of the data, from the index where there is one."""
        if self._index is None:
            sources = find_sources()
            try:
                self._index = MeteorIndex(index_path(), sources.identity())
            except IndexUnusableError:
                return sources.digest()
        return self._index.digest

    def prepare(self, corpus: Corpus) -> None:
        """Open the index of the data, made first where there is none.

        Raises:
            MetricUndefinedError: The corpus has no images.
            MissingDependencyError: The data are not installed.
            BackendError: They cannot be read.
            OutputError: The index cannot be written to the cache folder.
        """
        super().prepare(corpus)

        def tell(share: float) -> None:
            corpus.report("read METEOR's data", int(share * len(corpus)) // _REPORT_EVERY * _REPORT_EVERY)

        self._words(tell)

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]) -> npt.NDArray[np.float64]:
        """Return the statistics of the candidate against its best reference.

        Args:
            candidate: The tokens of the caption that is scored; may be empty.
            references: The tokens of at least one reference.

        Returns:
            Array (24,) float64, the original's 23 statistics and one more: see ``score.statistics``.
        """
        words = self._words()
        line = words.line(line_of(candidate, is_candidate=True))
        rows = []
        for reference in references:
            other = words.line(line_of(reference, is_candidate=False))
            rows.append(statistics(line, other, align(words, line, other)))
        table = np.stack(rows)
        best: npt.NDArray[np.float64] = table[np.argmax(score(table)[:, 0])]
        return best

    def corpus_statistics(self, corpus: Corpus) -> npt.NDArray[np.float64]:
        """Return ``statistics`` of every image, array (image, 24) float64; by the native core where there is one."""
        core = native()
        if core is None:
            return super().corpus_statistics(corpus)
        rows = corpus_statistics(core, self._words(), corpus)
        for image in np.flatnonzero(np.isnan(rows[:, 0])).tolist():
            rows[image] = self.statistics(corpus.tokens.candidate(image), corpus.tokens.references(image))
        corpus.report(self.name, len(corpus))
        return rows

    def from_statistics(self, totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return METEOR of summed statistics.

        Args:
            totals: Array (..., 24) float64.

        Returns:
            Array (..., 1) float64 from 0 to 1.
        """
        return score(totals)

    def _words(self, on_progress: Callable[[float], None] | None = None) -> Vocabulary:
        if self._vocabulary is None:
            self._index = self._index or open_index(on_progress=on_progress)
            self._vocabulary = Vocabulary(self._index)
        return self._vocabulary
