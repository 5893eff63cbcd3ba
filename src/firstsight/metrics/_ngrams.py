"""Counts of n-grams: in one caption, and of how many images' references have them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from firstsight._core import n_threads, native
from firstsight.errors import UsageError
from firstsight.metrics.corpus import Corpus, CorpusTokens

__all__ = ["MAX_N", "DocumentFrequencies", "NGram", "NGramTable", "native_index", "ngram_counts"]

MAX_N = 4
"""The longest n-gram that BLEU and CIDEr count."""

NGram = tuple[str, ...]

_INDEXES: WeakKeyDictionary[CorpusTokens, Any] = WeakKeyDictionary()


def ngram_counts(words: Sequence[str], n: int) -> Counter[NGram]:
    """Return how often each run of ``n`` words occurs, in order of first occurrence.

    Example:
        >>> ngram_counts(["a", "dog", "a", "dog"], 2)[("a", "dog")]
        2
    """
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))


def native_index(corpus: Corpus) -> Any | None:
    """Return the native core's numbering of all n-grams of a corpus, or None where the Python core computes.

    Metrics of one corpus share it; it lives as long as the corpus or a metric that learnt of it.
    """
    core = native()
    if core is None:
        return None
    tokens = corpus.tokens.words
    index = _INDEXES.get(tokens)
    if index is None:
        table = tokens.table
        index = core.NGramIndex(table.ids, table.offsets, tokens.reference_offsets, len(table.words), n_threads())
        _INDEXES[tokens] = index
    return index


class NGramTable(NamedTuple):
    """N-grams and their counts as arrays."""

    words: list[str]
    ngrams: npt.NDArray[np.int32]
    """Array (n_ngrams, 4): places in ``words``, -1 behind an n-gram of fewer words."""
    counts: npt.NDArray[np.int64]
    """Array (n_ngrams,)."""

    def in_order(self, at_least: int = 1) -> NGramTable:
        """Return the table of n-grams counted ``at_least`` so often, in ascending order, as are the words they have."""
        is_kept = self.counts >= at_least
        ngrams, counts = self.ngrams[is_kept], self.counts[is_kept]
        used = np.zeros(len(self.words) + 1, dtype=np.bool_)  # the last place is that of -1
        used[ngrams] = True
        places = sorted(np.flatnonzero(used[:-1]).tolist(), key=self.words.__getitem__)
        ranks = np.full(len(self.words) + 1, -1, dtype=np.int32)
        ranks[places] = np.arange(len(places), dtype=np.int32)
        ngrams = ranks[ngrams]
        order = np.lexsort(ngrams.T[::-1])
        return NGramTable([self.words[place] for place in places], ngrams[order], counts[order])

    def check(self, n_images: int) -> None:
        """Fail unless these can be the document frequencies of some images.

        Raises:
            UsageError: They cannot; the message says why.
        """
        if self.ngrams.ndim != 2 or self.ngrams.shape != (len(self.counts), MAX_N) or self.counts.ndim != 1:
            raise UsageError(
                f"Document frequencies need n-grams (n, {MAX_N}) and counts (n,), got the shapes {self.ngrams.shape} "
                f"and {self.counts.shape}."
            )
        if len(set(self.words)) < len(self.words):
            raise UsageError("The words of the document frequencies are not distinct.")
        has_word = self.ngrams >= 0
        if np.any(self.ngrams < -1) or np.any(self.ngrams >= len(self.words)):
            raise UsageError(f"An n-gram has a word that is none of the {len(self.words)} words.")
        if not np.all(has_word[:, 0]) or np.any(has_word[:, 1:] & ~has_word[:, :-1]):
            raise UsageError("An n-gram has no word, or a word behind its end; -1 stands behind the last word only.")
        if np.any(self.counts < 0) or np.any(self.counts > n_images):
            raise UsageError(f"A document frequency is not from 0 to {n_images}, the number of images.")


class DocumentFrequencies:
    """Of how many images' references each n-gram of one to four words is, in the form that either core needs.

    Example:
        >>> references = [[["a", "dog"], ["a", "dog", "runs"]], [["a", "cat"]]]
        >>> frequencies = DocumentFrequencies.of_references(Corpus.from_tokens([[], []], references))
        >>> frequencies.n_images, frequencies.counter[("a",)], frequencies.counter[("a", "dog")]
        (2, 2, 1)
    """

    def __init__(self, n_images: int, table: NGramTable | None = None) -> None:
        """Hold the counts of ``table`` over ``n_images`` images."""
        self.n_images = n_images
        self._index: Any | None = None
        if table is not None:
            self.__dict__["table"] = table

    @classmethod
    def of_references(cls, corpus: Corpus) -> DocumentFrequencies:
        """Count them in the references of a corpus."""
        index = native_index(corpus)
        if index is not None:
            table = NGramTable(corpus.tokens.words.table.words, index.ngrams(), index.document_frequencies)
            frequencies = cls(len(corpus), table)
            frequencies._index = index
            return frequencies
        frequencies = cls(len(corpus))
        counter: Counter[NGram] = Counter()
        for image in range(len(corpus)):
            captions = corpus.tokens.words.references(image)
            counter.update(
                {ngram for words in captions for n in range(1, MAX_N + 1) for ngram in ngram_counts(words, n)}
            )
        frequencies.__dict__["counter"] = counter
        return frequencies

    @cached_property
    def counter(self) -> Counter[NGram]:
        """The counts by n-gram, as the Python core looks them up."""
        words, ngrams, counts = self.table
        lengths = (ngrams >= 0).sum(axis=1).tolist()
        rows = zip(ngrams.tolist(), lengths, counts.tolist(), strict=True)
        return Counter({tuple([words[at] for at in row[:n]]): count for row, n, count in rows if count})

    @cached_property
    def table(self) -> NGramTable:
        """The counts as arrays; n-grams that no reference has may be among them."""
        places: dict[str, int] = {}
        for word in chain.from_iterable(self.counter):
            places.setdefault(word, len(places))
        ngrams = np.full((len(self.counter), MAX_N), -1, dtype=np.int32)
        for row, ngram in zip(ngrams, self.counter, strict=True):
            row[: len(ngram)] = [places[word] for word in ngram]
        return NGramTable(list(places), ngrams, np.fromiter(self.counter.values(), np.int64, len(self.counter)))

    def for_index(self, index: Any, words: Sequence[str]) -> npt.NDArray[np.int64]:
        """Return the count of each n-gram of ``index``, the `native_index` of a corpus with the distinct ``words``."""
        counts: npt.NDArray[np.int64]
        if self._index is not None and index is self._index:
            counts = index.document_frequencies
        else:
            places = np.fromiter((self._places.get(word, -1) for word in words), np.int32, len(words))
            counts = self._lookup.of(index, places)
        return counts

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.table.words)}

    @cached_property
    def _lookup(self) -> Any:
        core = native()
        assert core is not None  # whoever has an index has the core
        return core.NGramCounts(self.table.ngrams, self.table.counts)

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the counts alone."""
        return DocumentFrequencies, (self.n_images, self.table.in_order())
