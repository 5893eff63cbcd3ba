"""The stems that METEOR 1.5 compares: Porter's second English stemmer, in the release of its time.

The algorithm is described at https://snowballstem.org/algorithms/english/stemmer.html. Later releases added rules
(``-ogist``, ``-ied`` after short words, more exceptions), so that a current ``snowballstemmer`` gives other stems for
some words. This one gives what ``englishStemmer`` in the METEOR 1.5 jar gives.

Words: a *vowel* is one of ``a e i o u y``; a ``y`` that begins a word or follows a vowel is a consonant and written
``Y`` meanwhile. *R1* is what follows the first consonant after a vowel, *R2* is R1 of R1.
"""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["stem"]

_WHOLE = {
    "skis": "ski",
    "skies": "sky",
    "dying": "die",
    "lying": "lie",
    "tying": "tie",
    "idly": "idl",
    "gently": "gentl",
    "ugly": "ugli",
    "early": "earli",
    "only": "onli",
    "singly": "singl",
} | {word: word for word in ("sky", "news", "howe", "atlas", "cosmos", "bias", "andes")}
_DONE_AFTER_PLURAL = frozenset({"inning", "outing", "canning", "herring", "earring", "proceed", "exceed", "succeed"})

_VOWEL_THEN_CONSONANT = re.compile(r".*?[aeiouy][^aeiouy]", re.DOTALL)
_LONG_PREFIX = re.compile(r"gener|commun|arsen")
_VOWEL = re.compile(r"[aeiouy]")
_SHORT_SYLLABLE = re.compile(r"(?:[^aeiouy][aeiouy][^aeiouywxY]|\A[aeiouy][^aeiouy])\Z")
_CONSONANT_Y = re.compile(r"(?<=[aeiouy])y")

_PAST = ("eedly", "ingly", "edly", "eed", "ing", "ed")
_DOUBLED = ("bb", "dd", "ff", "gg", "mm", "nn", "pp", "rr", "tt")
_STEP_2 = {
    "ational": "ate",
    "ization": "ize",
    "fulness": "ful",
    "iveness": "ive",
    "ousness": "ous",
    "biliti": "ble",
    "lessli": "less",
    "tional": "tion",
    "alism": "al",
    "aliti": "al",
    "ation": "ate",
    "entli": "ent",
    "fulli": "ful",
    "iviti": "ive",
    "ousli": "ous",
    "abli": "able",
    "alli": "al",
    "anci": "ance",
    "ator": "ate",
    "enci": "ence",
    "izer": "ize",
    "bli": "ble",
    "ogi": "og",
    "li": "",
}
_STEP_3 = {
    "ational": "ate",
    "tional": "tion",
    "alize": "al",
    "ative": "",
    "icate": "ic",
    "iciti": "ic",
    "ical": "ic",
    "ness": "",
    "ful": "",
}
_STEP_4 = (
    *("ement", "able", "ance", "ence", "ible", "ment"),
    *("ant", "ate", "ent", "ion", "ism", "iti", "ive", "ize", "ous", "al", "er", "ic"),
)


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """Return the stem of a lower-case word; words of one or two characters are their own.

    Example:
        >>> [stem(word) for word in ("kites", "flying", "generously", "sky")]
        ['kite', 'fli', 'generous', 'sky']
    """
    if word in _WHOLE:
        return _WHOLE[word]
    if len(word) < 3:
        return word
    word = word.removeprefix("'")
    if word.startswith("y"):
        word = "Y" + word[1:]
    word = _mark_consonant_y(word)
    r1, r2 = _regions(word)
    word = _plural(_possessive(word))
    if word not in _DONE_AFTER_PLURAL:
        word = _past(word, r1)
        if len(word) > 2 and word[-1] in "yY" and word[-2] not in "aeiouy":
            word = word[:-1] + "i"
        word = _replace(word, _STEP_2, r1, r2)
        word = _replace(word, _STEP_3, r1, r2)
        word = _delete(word, r2)
        word = _last_letter(word, r1, r2)
    return word.replace("Y", "y")


def _mark_consonant_y(word: str) -> str:
    # One at a time: a y that has become a consonant does not make a consonant of the next one.
    start = 0
    while found := _CONSONANT_Y.search(word, start):
        word = word[: found.start()] + "Y" + word[found.end() :]
        start = found.end()
    return word


def _regions(word: str) -> tuple[int, int]:
    """Return where R1 and R2 begin; past the end where there is none."""
    first = _LONG_PREFIX.match(word) or _VOWEL_THEN_CONSONANT.match(word)
    if not first:
        return len(word), len(word)
    second = _VOWEL_THEN_CONSONANT.match(word, first.end())
    return first.end(), second.end() if second else len(word)


def _possessive(word: str) -> str:
    for ending in ("'s'", "'s", "'"):
        if word.endswith(ending):
            return word[: -len(ending)]
    return word


def _plural(word: str) -> str:
    if word.endswith("sses"):
        return word[:-2]
    if word.endswith(("ied", "ies")):
        return word[:-2] if len(word) > 4 else word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")) and _VOWEL.search(word[:-2]):
        return word[:-1]
    return word


def _past(word: str, r1: int) -> str:
    ending = next((e for e in _PAST if word.endswith(e)), None)
    if ending is None:
        return word
    rest = word[: -len(ending)]
    if ending.startswith("eed"):
        return rest + "ee" if len(rest) >= r1 else word
    if not _VOWEL.search(rest):
        return word
    if rest.endswith(("at", "bl", "iz")):
        return rest + "e"
    if rest.endswith(_DOUBLED):
        return rest[:-1]
    if len(rest) == r1 and _SHORT_SYLLABLE.search(rest):
        return rest + "e"
    return rest


def _replace(word: str, endings: dict[str, str], r1: int, r2: int) -> str:
    """Replace the longest ending of the table if it lies in R1 (``ative``: in R2) and its letter before allows it."""
    ending = next((e for e in endings if word.endswith(e)), None)
    if ending is None:
        return word
    rest = word[: -len(ending)]
    if len(rest) < (r2 if ending == "ative" else r1):
        return word
    if ending == "ogi" and not rest.endswith("l"):
        return word
    if ending == "li" and not rest.endswith(tuple("cdeghkmnrt")):
        return word
    return rest + endings[ending]


def _delete(word: str, r2: int) -> str:
    ending = next((e for e in _STEP_4 if word.endswith(e)), None)
    if ending is None:
        return word
    rest = word[: -len(ending)]
    if len(rest) < r2 or (ending == "ion" and not rest.endswith(("s", "t"))):
        return word
    return rest


def _last_letter(word: str, r1: int, r2: int) -> str:
    rest = word[:-1]
    if word.endswith("e"):
        long_enough = len(rest) >= r2 or (len(rest) >= r1 and not _SHORT_SYLLABLE.search(rest))
        return rest if long_enough else word
    if word.endswith("ll") and len(rest) >= r2:
        return rest
    return word
