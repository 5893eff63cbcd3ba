"""Tokens of many captions as three flat arrays, the form that fast code reads."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

__all__ = ["TokenTable"]

_WHITE_SPACE = re.compile(r"\s")


class TokenTable(Sequence[list[str]]):
    """The tokens of many captions: ``table[i]`` is the list of tokens of caption i.

    Attributes:
        words: The distinct tokens.
        ids: Array (n_tokens,) int32: the place in ``words`` of each token of each caption, one caption after another.
        offsets: Array (n_captions + 1,) int64: caption i has the tokens ``ids[offsets[i]:offsets[i + 1]]``.

    Example:
        >>> table = TokenTable.from_tokens([["a", "dog"], [], ["a", "cat"]])
        >>> table.words, table.ids.tolist(), table.offsets.tolist()
        (['a', 'dog', 'cat'], [0, 1, 0, 2], [0, 2, 2, 4])
        >>> table[2]
        ['a', 'cat']
    """

    __slots__ = ("ids", "offsets", "words")

    def __init__(self, words: list[str], ids: npt.NDArray[np.int32], offsets: npt.NDArray[np.int64]) -> None:
        """Hold the three arrays as they are."""
        self.words = words
        self.ids = ids
        self.offsets = offsets

    @classmethod
    def from_tokens(cls, captions: Iterable[Sequence[str]]) -> TokenTable:
        """Return the table of captions that are tokenised already."""
        known: dict[str, int] = {}
        ids: list[int] = []
        ends = [0]
        for tokens in captions:
            ids += [known.setdefault(token, len(known)) for token in tokens]
            ends.append(len(ids))
        return cls(list(known), np.array(ids, dtype=np.int32), np.array(ends, dtype=np.int64))

    def split_at_white_space(self) -> TokenTable:
        r"""Return the table with each token that has white space inside as several, or this one if none has.

        Example:
            >>> TokenTable.from_tokens([["22\u00a03/4", "lb"]]).split_at_white_space()[0]
            ['22', '3/4', 'lb']
        """
        if not any(map(_WHITE_SPACE.search, self.words)) and "" not in self.words:
            return self
        parts = [word.split() if _WHITE_SPACE.search(word) or not word else [word] for word in self.words]
        if not all(parts):  # a token of white space alone, which no tokenizer here makes
            return TokenTable.from_tokens(" ".join(tokens).split() for tokens in self)
        known: dict[str, int] = {}
        numbers = [[known.setdefault(part, len(known)) for part in word] for word in parts]
        n_more = np.array([len(word) - 1 for word in numbers])[self.ids]
        at = np.flatnonzero(n_more)  # the tokens with white space inside
        n_more = n_more[at]
        further = [number for token in self.ids[at].tolist() for number in numbers[token][1:]]
        ids = np.array([word[0] for word in numbers], dtype=np.int32)[self.ids]
        shifts = np.concatenate(([0], np.cumsum(n_more)))[np.searchsorted(at, self.offsets)]
        return TokenTable(list(known), np.insert(ids, np.repeat(at + 1, n_more), further), self.offsets + shifts)

    def __len__(self) -> int:
        """Return the number of captions."""
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> list[str]: ...
    @overload
    def __getitem__(self, index: slice) -> list[list[str]]: ...
    def __getitem__(self, index: int | slice) -> list[str] | list[list[str]]:
        """Return the tokens of one caption, or of several."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if index < 0:
            index += len(self)
        if not 0 <= index < len(self):
            raise IndexError(f"caption {index} of {len(self)}")
        words = self.words
        return [words[at] for at in self.ids[self.offsets[index] : self.offsets[index + 1]].tolist()]
