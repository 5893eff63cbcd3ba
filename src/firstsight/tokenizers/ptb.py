"""The PTB tokenizer of the coco-caption tools, in Python."""

from __future__ import annotations

import re
from typing import ClassVar

from firstsight.tokenizers._ptb_characters import SYMBOLS, character_class
from firstsight.tokenizers._ptb_rules import ALNUM, DIGIT, IN_WORD, RULES, SPACE
from firstsight.tokenizers.base import Tokenizer

__all__ = ["PtbTokenizer"]

# What coco-caption drops after tokenizing. Brackets are named in upper case while tokens are lower case, so they stay:
# that is part of the definition.
PUNCTUATION = frozenset(["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"])

REPLACED = {
    "(": "-LRB-",
    ")": "-RRB-",
    "[": "-LSB-",
    "]": "-RSB-",
    "{": "-LCB-",
    "}": "-RCB-",
    "\u00a2": "cents",
    "\u00a3": "#",
    **dict.fromkeys("\u0080\u00a4\u20a0\u20ac", "$"),
    **dict.fromkeys("\u0085\u2026", "..."),
    **dict.fromkeys("\u0096\u0097\u2013\u2014\u2015", "--"),
    **dict.fromkeys("\u0091\u2018\u201b\u2039", "`"),
    **dict.fromkeys("\u0092\u2019\u203a", "'"),
    **dict.fromkeys("\u0093\u201c\u00ab", "``"),
    **dict.fromkeys("\u0094\u201d\u00bb", "''"),
    "\u00ad": "-",
    "\u00bc": "1/4",
    "\u00bd": "1/2",
    "\u00be": "3/4",
    "\u2153": "1/3",
    "\u2154": "2/3",
}
ENTITIES = {"&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": "''", "&apos;": "'", "&nbsp;": "", "&mdash;": "--", "&ndash;": "--"}

_ENTITY = re.compile("&(?:amp|lt|gt|quot|apos|nbsp|mdash|ndash);", re.IGNORECASE)
_LETTER_START = re.compile(f"[{IN_WORD}]")
_DIGIT_START = re.compile(f"[{DIGIT}]")
_SYMBOL = re.compile(rf"[!-/:-@\[-`{{-~{character_class(SYMBOLS)}]")
_ALNUM = re.compile(f"[{ALNUM}]")
_GAP = re.compile(f"[{SPACE}]+")
# The common case, to which no rule but that for words applies: letters, then a space or the end.
_PLAIN_WORD = re.compile(r"(?!(?:cannot|gonna|gotta|wanna|gimme|lemme)(?![A-Za-z]))[A-Za-z]+(?=[ ]|$)", re.IGNORECASE)


class PtbTokenizer(Tokenizer):
    """placeholder."""

    name: ClassVar[str] = "ptb"
    version: ClassVar[str] = "1"

    def tokenize(self, caption: str) -> list[str]:
        """Return the tokens that metrics see."""
        return [token for token in self.tokenize_with_punctuation(caption) if token not in PUNCTUATION]

    def tokenize_with_punctuation(self, caption: str) -> list[str]:
        """Return every token of one caption, punctuation included."""
        tokens = _Scanner(caption).tokens()
        return [part for part in " ".join(tokens).lower().rstrip().split(" ") if part]


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        rules = [rule for rule in RULES if rule.needs in text]
        self.rules = {start: [r for r in rules if start in r.starts] for start in "ldo"}

    def tokens(self) -> list[str]:
        tokens: list[str] = []
        position, end = 0, len(self.text)
        while position < end:
            if gap := _GAP.match(self.text, position):
                position = gap.end()
                continue
            if plain := _PLAIN_WORD.match(self.text, position):
                tokens.append(plain.group())
                position = plain.end()
                continue
            token, position = self._next(position)
            if token:
                tokens.append(token)
        return tokens

    def _next(self, position: int) -> tuple[str, int]:
        text = self.text
        character = text[position]
        kind = "l" if _LETTER_START.match(character) else "d" if _DIGIT_START.match(character) else "o"
        best, length = None, 0
        for rule in self.rules[kind]:
            if (match := rule.pattern.match(text, position)) and match.end() - position > length:
                best, length, normalise = match, match.end() - position, rule.normalise
        if kind == "o" and (entity := _ENTITY.match(text, position)) and len(entity.group()) > length:
            return ENTITIES[entity.group().lower()], entity.end()
        if best is None or (length == 1 and kind == "o"):
            return self._single(character, position), position + 1
        token = best.group(1)
        return (normalise(token) if normalise else token).replace("\u00ad", "") or "-", best.end(1)

    def _single(self, character: str, position: int) -> str:
        following = self.text[position + 1 : position + 3]
        if character == '"':
            return "``" if _ALNUM.match(following) else "''"
        if character == "'":
            is_opening = re.match(rf"[A-Za-z][^{SPACE}]", following)
            return "`" if is_opening else "'"
        if character in REPLACED:
            return REPLACED[character]
        return character if _SYMBOL.match(character) else ""
