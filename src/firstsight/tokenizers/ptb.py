"""The PTB tokenizer of the coco-caption tools, in Python."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import ClassVar, NamedTuple

from firstsight import _core
from firstsight.tokenizers._ptb_characters import SYMBOLS, character_class
from firstsight.tokenizers._ptb_rules import (
    ALNUM,
    ASCII_RULES,
    DIGIT,
    GAP,
    IN_WORD,
    KEEPS_PERIOD,
    MAY_KEEP_PERIOD,
    RULES,
    SPACE,
    Rule,
    ascii_part,
    plain_quotes,
)
from firstsight.tokenizers.base import Tokenizer
from firstsight.tokenizers.table import TokenTable

__all__ = ["PtbTokenizer"]

# What coco-caption drops after tokenizing. The brackets are named in upper case while tokens are lower case, so that
# -lrb- and -rrb- stay: that is part of the definition.
PUNCTUATION = frozenset(
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"]
)

REPLACED = {
    "(": "-LRB-",
    ")": "-RRB-",
    "[": "-LSB-",
    "]": "-RSB-",
    "{": "-LCB-",
    "}": "-RCB-",
    "\u00a2": "cents",
    "\u00a3": "#",
    "\u00ad": "-",
    "\u00bc": "1/4",
    "\u00bd": "1/2",
    "\u00be": "3/4",
    "\u2153": "1/3",
    "\u2154": "2/3",
    **dict.fromkeys("\u0080\u00a4\u20a0\u20ac", "$"),
    **dict.fromkeys("\u0085\u2026", "..."),
    **dict.fromkeys("\u0096\u0097\u2013\u2014\u2015", "--"),
}
ENTITIES = {
    "&amp;": "&",
    "&lt;": "<",
    "&gt;": ">",
    "&quot;": "''",
    "&apos;": "'",
    "&nbsp;": "",
    "&mdash;": "--",
    "&ndash;": "--",
}
# With a capital and white space after it, such a word begins a sentence after initials.
STARTERS = (
    r"a|about|according|additionally|after|an|as|at|but|earlier|he|her|here|however|if|in|it|last|"
    r"many|more|now|once|one|other|our|she|since|so|some|such|that|the|their|then|there|these|they|"
    r"this|we|what|when|while|yet|you|mr\.|ms\."
)

_ENTITY = re.compile("&(?:amp|lt|gt|quot|apos|nbsp|mdash|ndash);", re.IGNORECASE)
_SURROGATE = re.compile("[\ud800-\udfff]")
_GAP = re.compile(f"[{GAP}]+")
# The common case, to which no rule but that for words applies: letters, then a space or the end.
_PLAIN_WORD = re.compile(r"(?!(?:cannot|gonna|gotta|wanna|gimme|lemme)(?![A-Za-z]))[A-Za-z]+(?= |$)", re.IGNORECASE)
_NEW_SENTENCE = re.compile(rf"[{SPACE}]+(?=[A-Z])(?i:{STARTERS})(?:[{SPACE}]|\Z)")
_CAPITAL_OR_END = re.compile(rf"[{SPACE}]*\Z|[{SPACE}]+[A-Z]")
_END = re.compile(rf"[{SPACE}]*\Z")

_Match = Callable[[str, int], "re.Match[str] | None"]


class _Characters(NamedTuple):
    """What tells the kind of the character at a place of a text."""

    is_letter: _Match
    is_digit: _Match
    is_alnum: _Match
    is_symbol: _Match


@cache
def _characters(*, is_ascii: bool) -> _Characters:
    """Return the tests for texts of ASCII alone, or of all characters, which take longer to compile."""
    symbols = r"!-/:-@\[-`{-~" + ("" if is_ascii else character_class(SYMBOLS))
    letter, digit, alnum = map(ascii_part if is_ascii else str, (IN_WORD, DIGIT, ALNUM))
    return _Characters(*(re.compile(f"[{inside}]").match for inside in (letter, digit, alnum, symbols)))


class PtbTokenizer(Tokenizer):
    r"""The tokens of Stanford CoreNLP 3.4.1's ``PTBTokenizer -preserveLines -lowerCase``, without punctuation.

    At each place of the caption the rule that matches the longest text makes the next token (``_ptb_rules``);
    brackets, quotes, dashes, currency signs and fractions are written in ASCII (``(`` as ``-lrb-``, the euro sign as
    ``$``); characters that the original cannot tokenize are dropped. Then the punctuation list of coco-caption is
    removed. Brackets stay, as ``-lrb-`` and ``-rrb-``: the list names them in upper case. A line feed is a space.

    A mixed number or a phone number written with spaces is one token with no-break spaces (U+00A0) inside.

    Example:
        >>> PtbTokenizer().tokenize("A man's dog doesn't like cats (or 22 3/4 birds).")
        ['a', 'man', "'s", 'dog', 'does', "n't", 'like', 'cats', '-lrb-', 'or', '22\xa03/4', 'birds', '-rrb-']

    Differences from the original, all of them because here no caption changes the tokens of another:

    - The original reads all captions as one text. Carriage return, vertical tab, form feed, U+2028 and U+2029 there
      shift every later caption by a line; here they are white space.
    - The period of a single letter at the end of a caption (``... of 12th Ave S.``) is cut off there if the *next*
      caption begins with one of some forty words such as "A" or "The". Here it is always cut off, as if that were so.
    - It knows Java's UTF-16; a lone surrogate cannot reach it. Here it is dropped, as other unknown characters are.
    - Addresses, e-mail addresses and mark-up of more than about a thousand characters may be cut otherwise.

    Reproduces ``PTBTokenizer`` of coco-caption as packaged in pycocoevalcap 1.2 with stanford-corenlp-3.4.1.jar.
    """

    name: ClassVar[str] = "ptb"
    version: ClassVar[str] = "1"

    def tokenize(self, caption: str) -> list[str]:
        """Return the tokens that metrics count, in order; never fails, whatever the caption holds.

        Args:
            caption: Any text.

        Returns:
            Lower-case tokens without punctuation. None is empty or has a space inside.
        """
        return [token for token in self.tokenize_with_punctuation(caption) if token not in PUNCTUATION]

    def table(self, captions: Iterable[str]) -> TokenTable:
        """Return the tokens of every caption, in order.

        The native core cuts common captions itself, where it is certain of what the rules say, and asks the rules for
        the others.
        """
        core = _core.native()
        if core is None or type(self) is not PtbTokenizer:  # a subclass may cut otherwise
            return super().table(captions)
        abbreviations = core.Abbreviations(KEEPS_PERIOD, MAY_KEEP_PERIOD)
        return TokenTable(*core.tokenize(list(captions), self._tokenize_all, abbreviations, _core.n_threads()))

    def _tokenize_all(self, captions: list[str]) -> list[list[str]]:
        known = {caption: self.tokenize(caption) for caption in dict.fromkeys(captions)}
        return [known[caption] for caption in captions]

    def tokenize_with_punctuation(self, caption: str) -> list[str]:
        """Return every token of one caption, punctuation included, as the Java program prints them.

        Example:
            >>> PtbTokenizer().tokenize_with_punctuation('A "photo" of St. Ives...')
            ['a', '``', 'photo', "''", 'of', 'st.', 'ives', '...']
        """
        text = _SURROGATE.sub("\ufffd", caption).replace("\n", " ")
        tokens = _Scanner(text).tokens()
        return [part for part in " ".join(tokens).lower().rstrip().split(" ") if part]


class _Scanner:
    """Cuts one text into tokens, from its beginning to its end."""

    def __init__(self, text: str) -> None:
        self.text = text
        is_ascii = text.isascii()
        self.characters = _characters(is_ascii=is_ascii)
        present = set(text)
        rules = [
            rule
            for rule in (ASCII_RULES if is_ascii else RULES)
            if not rule.needs or not present.isdisjoint(rule.needs)
        ]
        self.rules = {kind: [rule for rule in rules if kind in rule.starts] for kind in "ldo"}

    def tokens(self) -> list[str]:
        tokens: list[str] = []
        position = 0
        while position < len(self.text):
            if gap := _GAP.match(self.text, position):
                position = gap.end()
            elif plain := _PLAIN_WORD.match(self.text, position):
                tokens.append(plain.group())
                position = plain.end()
            else:
                found, position = self._next(position)
                tokens += [token for token in found if token]
        return tokens

    def _next(self, position: int) -> tuple[list[str], int]:
        """Return the token, or tokens, that begin at ``position``, and where the text goes on."""
        character = self.text[position]
        is_letter, is_digit, *_ = self.characters
        kind = "l" if is_letter(self.text, position) else "d" if is_digit(self.text, position) else "o"
        best: tuple[re.Match[str], Rule] | None = None
        length = 0
        for rule in self.rules[kind]:
            match = rule.match(self.text, position)
            if match and match.end() - position > length:
                best, length = (match, rule), match.end() - position
        entity = _ENTITY.match(self.text, position) if character == "&" else None
        if entity and len(entity.group()) > length:
            return [ENTITIES[entity.group().lower()]], entity.end()
        if best is None or (kind == "o" and length == 1):
            return [self._single(character, position)], position + 1
        return self._written(*best)

    def _written(self, match: re.Match[str], rule: Rule) -> tuple[list[str], int]:
        token, end = match.group(1), match.end(1)
        if rule.sentence == "initials":
            is_new_sentence = bool(_NEW_SENTENCE.match(self.text, end))
            if len(token) == 2 and (is_new_sentence or self._is_last_word(match)):
                return [token[0]], end - 1
            return [token, "."] if is_new_sentence else [token], end
        if rule.sentence == "ending" and _CAPITAL_OR_END.match(self.text, end):
            return [token, "."], end
        if rule.normalise:
            token = rule.normalise(token)
        if not rule.keeps_soft_hyphen:
            token = token.replace("\u00ad", "") or "-"
        return [token], end

    def _is_last_word(self, match: re.Match[str]) -> bool:
        stands_alone = match.start() > 0 and _GAP.match(self.text[match.start() - 1])
        return bool(stands_alone and _END.match(self.text, match.end(1)))

    def _single(self, character: str, position: int) -> str:
        if character == '"':
            return "``" if self.characters.is_alnum(self.text, position + 1) else "''"
        if (plain := REPLACED.get(character, plain_quotes(character))) != character:
            return plain
        return character if self.characters.is_symbol(character, 0) else ""
