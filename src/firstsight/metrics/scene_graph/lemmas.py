"""Words of WordNet: their parts of speech, base forms and synonyms."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from firstsight.metrics.scene_graph._closed_words import PLURAL_ONLY

__all__ = ["Lexicon", "Word", "lexicon"]

_FOLDER = Path(__file__).parent
_NO_SYNSETS: frozenset[str] = frozenset()
_NOUN_ENDINGS = (("ies", "y"), ("men", "man"), ("s", ""), ("es", ""))
_BEFORE_ES = ("s", "x", "z", "ch", "sh", "o")
_VERB_ENDINGS = {
    "z": (("ies", "y"), ("s", ""), ("es", "")),
    "g": (("ing", "e"), ("ing", "")),
    "e": (("ied", "y"), ("ed", "e"), ("ed", "")),
}


class Word(NamedTuple):
    """What WordNet says of one base form."""

    counts: dict[str, int]
    """How often the tagged texts of WordNet have it as n(oun), v(erb), a(djective), r (adverb); 0 is never."""
    is_living: bool
    """Its first sense as a noun is a person, an animal or a group of them."""
    synsets: frozenset[str]
    """The sets of synonyms that it is in, over all parts of speech and senses."""


class Lexicon:
    """Looks words up in the tables beside this file; the tables are read once, an entry is parsed when asked for.

    Example:
        >>> words = lexicon()
        >>> words.noun_lemma("wolves"), words.verb_lemma("lying", "g")
        ('wolf', 'lie')
        >>> words.are_synonyms("sofa", "couch")
        True
    """

    def __init__(self, folder: Path = _FOLDER) -> None:
        """Read ``words.tsv`` and ``exceptions.tsv`` of a folder."""
        lines = (folder / "words.tsv").read_text(encoding="utf-8").splitlines()
        self._lines: dict[str, str] = dict(line.split("\t", 1) for line in lines if line[:1] != "#")
        self._words: dict[str, Word | None] = {}
        self.exceptions: dict[str, dict[str, str]] = {"n": {}, "v": {}, "a": {}, "r": {}}
        for line in (folder / "exceptions.tsv").read_text(encoding="utf-8").splitlines():
            if line[:1] != "#":
                part, form, lemma = line.split("\t")
                self.exceptions[part][form] = lemma
        self._noun_lemmas: dict[str, str] = {}

    def word(self, lemma: str) -> Word | None:
        """Return the entry of a base form, or None where WordNet has none."""
        try:
            return self._words[lemma]
        except KeyError:
            line = self._lines.get(lemma)
            found = None if line is None else _parse(line)
            if found is not None:
                self._words[lemma] = found
            return found

    def has(self, lemma: str, part: str) -> bool:
        """Return whether the base form exists as this part of speech: n, v, a or r."""
        word = self.word(lemma)
        return word is not None and part in word.counts

    def count(self, lemma: str, part: str) -> int:
        """Return how often WordNet's tagged texts have the base form as this part of speech; 0 where never."""
        word = self.word(lemma)
        return 0 if word is None else word.counts.get(part, 0)

    def synsets(self, lemma: str) -> frozenset[str]:
        """Return the sets of synonyms of a base form; empty where it has no synonym."""
        word = self.word(lemma)
        return _NO_SYNSETS if word is None else word.synsets

    def are_synonyms(self, left: str, right: str) -> bool:
        """Return whether two base forms are the same or share a set of synonyms in any sense."""
        return left == right or not self.synsets(left).isdisjoint(self.synsets(right))

    def is_living(self, lemma: str) -> bool:
        """Return whether the noun's first sense is a person, an animal or a group of them."""
        word = self.word(lemma)
        return word is not None and word.is_living

    def noun_lemma(self, form: str) -> str:
        """Return the singular of a noun; a word that is no plural comes back as it is."""
        if form in PLURAL_ONLY:
            return form
        if form in self.exceptions["n"]:
            return self.exceptions["n"][form]
        if form[-1:] != "s" and form[-3:] != "men":
            return form
        if form.endswith(("ss", "us", "is")):
            return form
        found = [base for base in _strip(form, _NOUN_ENDINGS) if self.has(base, "n")]
        if found:
            base = max(found, key=lambda lemma: self.count(lemma, "n"))
            return form if self.count(form, "n") > self.count(base, "n") else base
        if self.has(form, "n") or form[-1:] != "s":
            return form
        return _plain_singular(form)

    def verb_lemma(self, form: str, tag: str) -> str:
        """Return the base form of a verb whose tag is v (base), z (-s), g (-ing) or e (-ed and irregular)."""
        if tag == "v":
            return form
        if form in self.exceptions["v"]:
            return self.exceptions["v"][form]
        bases = list(_strip(form, _VERB_ENDINGS[tag]))
        found = [base for base in bases if self.has(base, "v")]
        if found:
            return max(found, key=lambda lemma: self.count(lemma, "v"))
        return bases[-1] if bases else form


@cache
def lexicon() -> Lexicon:
    """Return the lexicon of this package, read once."""
    return Lexicon()


def _strip(form: str, endings: tuple[tuple[str, str], ...]) -> Iterator[str]:
    for ending, instead in endings:
        if form.endswith(ending) and len(form) > len(ending) + 1:
            base = form[: -len(ending)] + instead
            if ending == "es" and not base.endswith(_BEFORE_ES):
                continue
            yield base
            if ending in ("ing", "ed") and not instead and len(base) > 3 and base[-1] == base[-2]:
                yield base[:-1]


def _plain_singular(form: str) -> str:
    if form.endswith("ies") and len(form) > 4:
        return form[:-3] + "y"
    if form.endswith(("ches", "shes", "sses", "xes", "zes")):
        return form[:-2]
    return form[:-1] if len(form) > 3 else form


def _parse(line: str) -> Word:
    # "np42=4fo,49a v2=": part of speech, p where living, count, "=", the sets of synonyms by sense.
    counts: dict[str, int] = {}
    synsets: set[str] = set()
    is_living = False
    for field in line.split(" "):
        head, _, ids = field.partition("=")
        number = head[1:]
        if number[:1] == "p":
            is_living, number = True, number[1:]
        counts[head[0]] = int(number or 0)
        if ids:
            synsets.update(ids.split(","))
    return Word(counts, is_living, frozenset(synsets))
