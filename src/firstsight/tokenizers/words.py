"""Words of any language that writes spaces between them."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import ClassVar

from firstsight.tokenizers.base import Tokenizer

__all__ = ["WordsTokenizer", "is_wordless", "without_surrogates"]

_ASCII_WORD = re.compile(r"[a-z0-9]+")
_SURROGATE = re.compile("[\ud800-\udfff]")
_ZERO_WIDTH_SPACE = "\u200b"
# Scripts that write no spaces and whose characters are words or syllables: Han with its radicals, marks and
# compatibility forms, Hiragana, Katakana, Bopomofo. Ranges of the Unicode 16 code charts; Hangul has spaces.
_ONE_BY_ONE = re.compile(
    "[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa"
    "\u30fc-\u312f\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9d"
    "\U0001aff0-\U0001b16f\U00020000-\U000323af]"
)


class WordsTokenizer(Tokenizer):
    r"""Runs of letters, marks and digits, case folded; Chinese and Japanese characters one by one.

    The caption is normalised (NFC), case folded and normalised again. Characters of format (Cf: joiners, marks of
    direction, soft hyphens) are taken out; the zero-width space separates. Then each longest run of characters of the
    Unicode categories L, M and N is a token, if it has a letter or a number; everything else separates, apostrophes,
    hyphens and points within a number too. A Han, Hiragana, Katakana or Bopomofo character is a token of its own, with
    the marks that follow it.

    Example:
        >>> WordsTokenizer().tokenize("Zwei Hunde, 3½ Äpfel \u0026 l\u2019été \u2014 两只狗!")
        ['zwei', 'hunde', '3½', 'äpfel', 'l', 'été', '两', '只', '狗']

    Thai, Lao, Khmer, Burmese and Tibetan write no spaces either: there a whole phrase is one token, and scores of words
    say little; `chrf` compares characters. Categories are those of Python's ``unicodedata``; characters that a newer
    Unicode adds may be cut otherwise by an older Python.
    """

    name: ClassVar[str] = "words"
    version: ClassVar[str] = "1"

    def tokenize(self, caption: str) -> list[str]:
        """Return the words of one caption, in order; never fails, whatever the caption holds."""
        if caption.isascii():
            return _ASCII_WORD.findall(caption.lower())
        text = unicodedata.normalize("NFC", unicodedata.normalize("NFC", caption).casefold())
        tokens: list[str] = []
        run = ""
        for char in text:
            kind = _kind(char)
            if kind == "join":
                continue
            if kind == "mark" or (kind == "word" and not _ends_alone(run)):
                run += char
                continue
            tokens.append(run)
            run = char if kind != "gap" else ""
        return [token for token in [*tokens, run] if not is_wordless(token)]


@lru_cache(maxsize=1 << 14)
def _kind(char: str) -> str:
    """Return ``word``, ``mark``, ``alone`` (a token of its own), ``join`` (taken out) or ``gap``."""
    category = unicodedata.category(char)
    if category[0] == "M":
        return "mark"
    if category[0] in "LN":
        return "alone" if _ONE_BY_ONE.match(char) else "word"
    return "join" if category == "Cf" and char != _ZERO_WIDTH_SPACE else "gap"


def _ends_alone(run: str) -> bool:
    """Whether the run is a character that stands alone, perhaps with marks."""
    return run != "" and _kind(run[0]) == "alone"


def is_wordless(token: str) -> bool:
    """Tell whether a token has no letter and no number: punctuation, symbols, emoji, a mark without its letter.

    Example:
        >>> [is_wordless(token) for token in ("...", "\u20ac", "3", "\ud55c")]
        [True, True, False, False]
    """
    return all(unicodedata.category(char)[0] not in "LN" for char in token)


def without_surrogates(text: str) -> str:
    """Return ``text`` with each lone surrogate, which no encoding can write, as U+FFFD."""
    return _SURROGATE.sub("\ufffd", text)
