"""How METEOR 1.5 writes a line before it compares words: its option ``-norm`` for English, then lower case."""

from __future__ import annotations

import re
from collections.abc import Collection

__all__ = ["CONTROLS", "normalise"]

_LETTER = "A-Za-zŠŽšžŸÀ-ÖØ-öø-žЀ-ӿԀ-ԧꙀ-ꙮ꙾-ꚗᴀ-ᵿ"
"""What counts as a letter: Latin, Latin-1 and Extended-A, Cyrillic, phonetic. Hangul does not."""
_QUOTES = "\u2018\u2019"  # single ones, left and right
_SPACE = " \t\n\x0b\f\r"

_WIDE_SPACES = dict.fromkeys([0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000], " ")
CONTROLS = "".join(map(chr, range(0x21)))
"""Characters that are dropped at both ends of a line."""

_PLAIN = re.compile(r"[a-z0-9 ]*\Z")
_SYMBOL = re.compile(rf"([^{_LETTER}0-9{_SPACE}.'`,\-{_QUOTES}])")
_DOTS = re.compile(r"\.{2,}")
_COMMAS = (re.compile(r"([^0-9]),([^0-9])"), re.compile(r"([0-9]),([^0-9])"), re.compile(r"([^0-9]),([0-9])"))
_DASH_WITHIN = re.compile(rf"([{_LETTER}0-9.])-([{_LETTER}0-9])")
_APOSTROPHES = (
    (re.compile(rf"([^{_LETTER}])'([^{_LETTER}])"), r"\1 ' \2"),
    (re.compile(rf"([^{_LETTER}0-9])'([{_LETTER}])"), r"\1 ' \2"),
    (re.compile(rf"([{_LETTER}])'([^{_LETTER}])"), r"\1 ' \2"),
    (re.compile(rf"([{_LETTER}])'([{_LETTER}])"), r"\1 '\2"),
    (re.compile(r"([0-9])'(s)"), r"\1 '\2"),
)
_WORDS = re.compile(r"[^ \t\n\r\f]+")
_ANY_LETTER = re.compile(rf"[{_LETTER}]")


def normalise(line: str, keeps_dot: Collection[str], keeps_dot_before_number: Collection[str] = ()) -> list[str]:
    """Return the words of a line.

    Symbols, runs of dots, commas outside numbers and quotation marks become words of their own; a hyphen between
    letters or digits becomes a space; ``don't`` becomes ``don 't``. The dot at the end of a word stays with it if the
    word is in ``keeps_dot``, the next word begins with a lower-case ASCII letter, or the word is in
    ``keeps_dot_before_number`` and the next one begins with a digit; words such as ``u.s.`` lose their dots; any
    other last dot is a word of its own. Each replacement goes from left to right and uses up its neighbours, so that
    ``a-b-c`` becomes ``a b-c``: that is the definition.

    A lone surrogate is a symbol like any other. The original reads UTF-8 and never sees one.

    Example:
        >>> normalise("Two well-known U.S. dogs don't run.", keeps_dot=())
        ['two', 'well', 'known', 'us', 'dogs', 'don', "'t", 'run', '.']
    """
    if _PLAIN.match(line):
        return line.split()
    line = f" {line} "
    hidden_dot = next(mark for mark in map(chr, range(0xE000, 0x10000)) if mark not in line)
    line = _DOTS.sub(lambda found: f" {hidden_dot * len(found[0])} ", _SYMBOL.sub(r" \1 ", line))
    words = _WORDS.findall(_set_off(line))
    result: list[str] = []
    for word, following in zip(words, [*words, ""][1:], strict=True):
        result += _last_dot(word, following, keeps_dot, keeps_dot_before_number)
    line = " ".join(result).translate(_WIDE_SPACES).replace(hidden_dot, ".")
    return _WORDS.findall(line.strip(CONTROLS).lower())


def _set_off(line: str) -> str:
    for pattern in _COMMAS:
        line = pattern.sub(r"\1 , \2", line)
    for quote in "`" + _QUOTES:
        line = line.replace(quote, "'")
    line = line.replace("''", ' " ')
    line = line.replace("“", ' " ').replace("”", ' " ')
    line = line.replace("–", "-").replace("--", "-")
    line = _DASH_WITHIN.sub(r"\1 \2", line)
    for pattern, replacement in _APOSTROPHES:
        line = pattern.sub(replacement, line)
    return line


def _last_dot(word: str, following: str, keeps_dot: Collection[str], before_number: Collection[str]) -> list[str]:
    rest = word[:-1]
    if not word.endswith("."):
        return [word]
    if "." in rest and _ANY_LETTER.search(rest):
        return [rest.replace(".", "")]
    if rest in keeps_dot or "a" <= following[:1] <= "z":
        return [word]
    if rest in before_number and "0" <= following[:1] <= "9":
        return [word]
    return [rest, "."] if rest else ["."]
