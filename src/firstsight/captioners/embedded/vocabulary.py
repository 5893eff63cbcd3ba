"""The words that the embedded captioner knows, and the way between a sentence and its words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

PAD, START, END, UNKNOWN = range(4)
SPECIAL_WORDS = ("<pad>", "<start>", "<end>", "<unknown>")
NEVER_SAID = (PAD, START, UNKNOWN)

_WORD = re.compile(r"[^\W_]+(?:['-][^\W_]+)*")
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "\u02bc": "'"})


def split_words(caption: str) -> list[str]:
    """Return the lower-case words of a caption without punctuation.

    Example:
        >>> split_words("A man's T-shirt, blue.")
        ['a', "man's", 't-shirt', 'blue']
    """
    return _WORD.findall(caption.translate(_APOSTROPHES).lower())


def join_words(words: Sequence[str]) -> str:
    """Return the sentence made of ``words``: a capital in front, a full stop behind.

    Example:
        >>> join_words(["a", "dog", "runs"])
        'A dog runs.'
    """
    sentence = " ".join(words)
    return sentence[:1].upper() + sentence[1:] + "." if sentence else ""


class Vocabulary:
    """Words by number; the first four are special."""

    def __init__(self, words: Iterable[str]) -> None:
        """Number ``words`` (without the special ones) from 4."""
        self.words = (*SPECIAL_WORDS, *words)
        self._numbers = {word: number for number, word in enumerate(self.words)}

    def __len__(self) -> int:
        """Return the number of words, the special ones counted."""
        return len(self.words)

    def __contains__(self, word: str) -> bool:
        """Say whether ``word`` is known."""
        return word in self._numbers

    def number(self, word: str) -> int:
        """Return the number of ``word``, that of ``<unknown>`` if it has none."""
        return self._numbers.get(word, UNKNOWN)

    def encode(self, words: Iterable[str]) -> list[int]:
        """Return the numbers of ``words``."""
        return [self.number(word) for word in words]

    def sentence(self, numbers: Iterable[int]) -> str:
        """Return the sentence of word numbers, special ones left out."""
        return join_words([self.words[number] for number in numbers if number >= len(SPECIAL_WORDS)])
