"""Counts of the n-grams of one caption."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

__all__ = ["NGram", "ngram_counts"]

NGram = tuple[str, ...]


def ngram_counts(words: Sequence[str], n: int) -> Counter[NGram]:
    """Return how often each run of ``n`` words occurs.

    Example:
        >>> ngram_counts(["a", "dog", "a", "dog"], 2)[("a", "dog")]
        2
    """
    return Counter(zip(*(words[start:] for start in range(n)), strict=False))
