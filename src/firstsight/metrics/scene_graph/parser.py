"""Reads captions: noun phrases by patterns over the tags, then one pass that says what belongs to what."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from firstsight.metrics.scene_graph._closed_words import (
    INDEFINITE_PRONOUNS,
    NUMBERS,
    PLACES,
    PLURAL_ONLY,
    QUANTITY_NOUNS,
)
from firstsight.metrics.scene_graph.lemmas import Lexicon, lexicon
from firstsight.metrics.scene_graph.tagger import join_phrases, tagger

__all__ = ["SceneGraphTuples", "nouns", "parse_tokens"]

# Patterns over the string of tags. Every repetition is possessive and has a limit, so that each word costs a bounded
# time; no noun phrase of English comes near the limit.
_MANY = "{0,24}+"
# Modifiers: adjectives and numbers, also joined by "and"; participles where a noun follows.
_MODIFIERS = rf"(?:R?[AQ]|R?[ge](?=[AQRge]{_MANY}[nN])|c(?=R?[AQ][AQ]{_MANY}[nN])){_MANY}"
# Nouns: a compound ("tennis ball"), a possessive ("man 's hat"), or a noun with its participle ("snow covered hill").
_NOUNS = rf"[nN](?:[nN]|'R?[AQ]{{0,4}}+[nN]|e(?=A?[nN](?![nN]{_MANY}[DS]))A?[nN]){_MANY}"
_PHRASE = re.compile(
    rf"(?P<shared>[DS]R?[AQ][AQ]{_MANY}c)(?=[DS]R?[AQ])"  # a black and | a white dog
    rf"|R?[DSQ](?:R?[DSQ]){_MANY}{_MODIFIERS}(?P<a>{_NOUNS})"  # the two very small dogs
    rf"|(?<![nNRo])(?:e(?=[AQ]{_MANY}[nN]))?R?[AQ]{_MODIFIERS}(?P<b>{_NOUNS})"  # small stuffed animals
    rf"|(?<![nNRobhwst'])e(?P<c>{_NOUNS})"  # parked cars
    rf"|(?<=p)g(?P<d>{_NOUNS})"  # with | glowing eyes
    rf"|(?P<f>{_NOUNS})"
    rf"|[DS]R?[AQ][AQ]{_MANY}(?![nN])"  # in | the wild
    rf"|(?<=p)AA{_MANY}(?![nNcAp])"  # at | sunset
    r"|Q(?=[bzhp]|$)"  # two | are
    r"|o"
)
_FINITE = frozenset("bzhmv")
_MOST_JOINED = 64
_LONGEST_RELATION = 64  # characters
_NO_OBJECT_AFTER = frozenset("cwsbzvhm!xt")


class SceneGraphTuples(NamedTuple):
    """What one caption says there is, in the order of the caption; every tuple once, every word in its base form."""

    objects: tuple[str, ...]
    """Nouns, and the places in "in front of" and "on top of", as in SPICE."""
    attributes: tuple[tuple[str, str], ...]
    """Pairs (object, attribute): adjectives, numbers, nouns before a noun, verbs that have nothing but a subject."""
    relations: tuple[tuple[str, str, str], ...]
    """Triples (subject, relation, object): a verb, a preposition, both ("sit on"), or "have" for a possessive."""


def nouns(tokens: Sequence[str]) -> list[str]:
    """Return the base forms of the common nouns of a tokenised caption, in order, repeats kept.

    Words such as "someone" are left out, as are the nouns inside "in front of" and "on top of".

    Args:
        tokens: One caption as the tokenizer ``ptb`` gives it: lower case.

    Example:
        >>> nouns("two dogs chase a tennis ball in front of someone".split())
        ['dog', 'tennis', 'ball']
    """
    words = join_phrases(tokens)
    lemma = lexicon().noun_lemma
    return [
        lemma(word)
        for word, tag in zip(words, tagger().tag(words), strict=True)
        if tag in "nN" and word not in INDEFINITE_PRONOUNS
    ]


def parse_tokens(tokens: Sequence[str]) -> SceneGraphTuples:
    """Return the tuples of a tokenised caption; never fails, in time linear in the number of tokens."""
    words = join_phrases(tokens)
    return _Reader(words, tagger().tag(words), lexicon()).read()


@dataclass(slots=True)
class _Clause:
    """What is known of the clause that is being read. A thing is its base form."""

    subjects: list[str] = field(default_factory=list)
    verb: str = ""
    actors: list[str] = field(default_factory=list)  # who does what `verb` says
    is_used: bool = False  # the verb has an object or a preposition
    last: list[str] = field(default_factory=list)  # the noun phrase that came last, with those joined to it
    role: tuple[str, list[str]] | None = None  # relation and governors that brought in `last`; None for subjects


class _Reader:
    """One pass over one caption.

    A preposition after a verb without an object belongs to the verb, any other to the noun before it. A participle
    belongs to the noun before it, unless that is no living thing and the subject is one.
    """

    def __init__(self, words: list[str], tags: str, words_known: Lexicon) -> None:
        self.words = words
        self.tags = tags
        self.lexicon = words_known
        self.objects: dict[str, None] = {}
        self.attributes: dict[tuple[str, str], None] = {}
        self.relations: dict[tuple[str, str, str], None] = {}
        self.clause = _Clause()
        self.preposition = ""  # waits for its object
        self.governors: list[str] = []  # what that preposition belongs to
        self.carriers: list[str] | None = None  # whose state or action a form of be, or of have, announces
        self.shared: list[str] = []  # adjectives that wait for the noun of the next phrase
        self.is_joined = False  # "and" stands before
        self.is_relative = False  # "that" or "who" stands before
        self.is_there = False  # "there" stands before

    def read(self) -> SceneGraphTuples:
        index, tags = 0, self.tags
        n_words, match = len(tags), _PHRASE.match
        while index < n_words:
            found = match(tags, index)
            if found is not None:
                self._phrase(found)
                index = found.end()
            else:
                handle = _HANDLERS.get(tags[index])
                if handle is not None:
                    handle(self, index)
                index += 1
        self._close_verb()
        return SceneGraphTuples(tuple(self.objects), tuple(self.attributes), tuple(self.relations))

    # Noun phrases

    def _phrase(self, found: re.Match[str]) -> None:
        start, end = found.span()
        group = found.lastgroup
        if group == "shared":
            self.shared = [self.words[at] for at in range(start, end) if self.tags[at] == "A"]
            return
        if self.tags[start:end] == "o":
            self._pronoun(start)
            return
        first, _ = found.span(group) if group is not None else (end - 1, end)
        heads = []
        for since, until in self._split(first, end):
            head = self._head(until - 1)
            self._modify(start if since == first else since, since, until - 1, head)
            heads.append(head)
        for adjective in self.shared:
            self._describe(heads[0], adjective)
        self.shared = []
        self._place(heads, is_finite_next=self.tags[end : end + 1] in _FINITE and end < len(self.tags))

    def _split(self, first: int, end: int) -> list[tuple[int, int]]:
        # A plural does not stand before a noun: "lamps clocks and vases" without its commas is three things.
        tags, parts = self.tags, []
        since = first
        for index in range(first, end - 1):
            if tags[index] == "N" and tags[index + 1] in "nN" and self.words[index] not in PLURAL_ONLY:
                parts.append((since, index + 1))
                since = index + 1
        parts.append((since, end))
        return parts

    def _head(self, index: int) -> str:
        word = self.words[index]
        head = self.lexicon.noun_lemma(word) if self.tags[index] in "nN" else NUMBERS.get(word, word)
        self.objects[head] = None
        return head

    def _modify(self, start: int, first_noun: int, head_at: int, head: str) -> None:
        tags, words = self.tags, self.words
        mark = tags.rfind("'", start, head_at)
        if mark > first_noun:  # what stands before a possessor belongs to it: "a young girl 's hair"
            owner = self._head(mark - 1)
            self._modify(start, first_noun, mark - 1, owner)
            self._relate(owner, "have", head)
            start = mark + 1
        for index in range(start, head_at):
            tag, word = tags[index], words[index]
            if tag in "nN":
                self._noun_before(index, head)
            elif tag in "AQ":
                self._describe(head, NUMBERS.get(word, word))
            elif tag in "ge" and index < first_noun:
                self._describe(head, word)
            elif tag == "S":
                for owner in self._owners():
                    if owner != head:
                        self._relate(owner, "have", head)

    def _noun_before(self, index: int, head: str) -> None:
        lemma = self.lexicon.noun_lemma(self.words[index])
        if self.tags[index + 1] == "e":
            self.objects[lemma] = None
            self._relate(lemma, self.lexicon.verb_lemma(self.words[index + 1], "e"), head)
        else:
            self._describe(head, lemma)

    def _owners(self) -> list[str]:
        clause = self.clause
        return clause.actors if clause.verb and clause.actors else clause.subjects or clause.last

    def _pronoun(self, index: int) -> None:
        clause = self.clause
        if self.preposition:
            self.preposition, clause.role = "", None
        elif clause.verb and not clause.is_used:
            clause.is_used = True
        elif self.tags[index + 1 : index + 2] not in _FINITE:
            return
        self.is_joined = False

    def _place(self, heads: list[str], *, is_finite_next: bool) -> None:
        clause = self.clause
        if self.preposition:
            self._object_of_preposition(heads)
        elif self.carriers is not None:
            self.carriers = None
            clause.last, clause.role = heads, None
        elif clause.verb and not clause.is_used and not (is_finite_next and self.is_joined):
            clause.is_used = True
            self._give(heads, clause.verb, clause.actors)
        elif is_finite_next and (clause.verb or self.is_relative):
            self._close_verb()
            self.clause = _Clause(subjects=heads, last=heads)
            self.is_relative = False
        elif not clause.last:
            clause.subjects = clause.last = heads
        else:
            self._join(heads)
        self.is_joined = False

    def _object_of_preposition(self, heads: list[str]) -> None:
        clause, preposition, governors = self.clause, self.preposition, self.governors
        for phrase, place in PLACES.items():
            if preposition.endswith(phrase):
                self.objects[place] = None
        self._give(heads, preposition, governors)
        is_quantity = preposition == "of" and bool(governors) and governors[-1] in QUANTITY_NOUNS
        if is_quantity and clause.subjects == governors and not clause.verb:
            clause.subjects = list(heads)  # "a herd of cows": what follows is said of the cows
        self.preposition = ""

    def _join(self, heads: list[str]) -> None:
        clause = self.clause
        if len(clause.last) >= _MOST_JOINED:
            return
        joined = [*clause.last, *heads]
        if clause.role is not None:
            relation, governors = clause.role
            self._give(heads, relation, governors)
        elif clause.last == clause.subjects:
            clause.subjects = joined
        clause.last = joined

    def _give(self, heads: list[str], relation: str, governors: list[str]) -> None:
        for governor in governors:
            for head in heads:
                self._relate(governor, relation, head)
        self.clause.last, self.clause.role = heads, (relation, governors)

    # Verbs

    def _close_verb(self) -> None:
        clause = self.clause
        if clause.verb and not clause.is_used:
            for actor in clause.actors:
                self._describe(actor, clause.verb)
        clause.verb = ""

    def _start_verb(self, verb: str, actors: list[str]) -> None:
        self._close_verb()
        clause = self.clause
        clause.verb, clause.actors, clause.is_used, clause.role = verb, actors, False, None
        self.preposition, self.carriers = "", None
        self.is_joined = self.is_relative = False

    def _finite_actors(self) -> list[str]:
        clause = self.clause
        if self.is_relative:
            return clause.last
        if self.is_joined and clause.verb:
            return clause.actors
        return clause.subjects or clause.last

    def _finite(self, index: int) -> None:
        tag, clause = self.tags[index], self.clause
        if self.carriers is not None:
            actors = self.carriers
        elif self.tags[index - 1 : index] == "t" and clause.verb:
            actors = clause.actors
            clause.is_used = True
        else:
            actors = self._finite_actors()
        self._start_verb(self.lexicon.verb_lemma(self.words[index], tag), actors)

    def _participle(self, index: int) -> None:
        clause, tag = self.clause, self.tags[index]
        before = self.tags[index - 1] if index else ""
        if self.carriers is not None:
            actors = self.carriers
        elif self.is_relative:
            actors = clause.last
        elif before in ("s", "p", "t") or self.is_joined:
            actors = clause.actors if clause.verb else clause.subjects
        else:
            actors = self._nearest_actors(tag)
        self._start_verb(self.lexicon.verb_lemma(self.words[index], tag), actors)

    def _nearest_actors(self, tag: str) -> list[str]:
        clause, is_living = self.clause, self.lexicon.is_living
        if tag == "g" and not any(map(is_living, clause.last)):
            for others in (clause.actors if clause.verb else [], clause.subjects):
                if any(map(is_living, others)):
                    return others
        return clause.last

    def _be(self, _index: int) -> None:
        if self.is_there:
            self.clause, self.is_there = _Clause(), False
            return
        actors = self.carriers if self.carriers is not None else self._finite_actors()
        self._close_verb()
        self.carriers = actors
        self.is_relative = self.is_joined = False

    def _have(self, index: int) -> None:
        following = self.tags[index + 1 : index + 4].lstrip("R")[:1]
        if following in ("e", "b", "v", "h"):
            actors = self._finite_actors()
            self._close_verb()
            self.carriers = actors
            self.is_relative = self.is_joined = False
        elif self.words[index] in ("has", "have", "had"):
            self._start_verb("have", self._finite_actors() if self.carriers is None else self.carriers)

    # The small words

    def _to(self, index: int) -> None:
        if self.tags[index + 1 : index + 2] not in ("v", "b", "h"):
            self._preposition(index)

    def _preposition(self, index: int) -> None:
        clause, word, tags = self.clause, self.words[index], self.tags
        following = tags[index + 1 : index + 4].lstrip("R")[:1]
        if (
            not following
            or following in _NO_OBJECT_AFTER
            or (following in "ge" and _PHRASE.match(tags, index + 1) is None)
        ):
            return
        if self.preposition:
            if len(self.preposition) < _LONGEST_RELATION:
                self.preposition = f"{self.preposition} {word}"
        elif clause.verb and not clause.is_used:
            clause.is_used = True
            self.preposition, self.governors = f"{clause.verb} {word}", clause.actors
        elif self.carriers is not None:
            self.preposition, self.governors, self.carriers = word, self.carriers, None
        else:
            self.preposition, self.governors = word, clause.last
        self.is_joined = False

    def _adjective(self, index: int) -> None:
        clause, word = self.clause, self.words[index]
        if clause.verb == "wear" and not clause.is_used:
            self.objects[word] = None
            self._place([word], is_finite_next=False)
            return
        for thing in self.carriers if self.carriers is not None else clause.last:
            self._describe(thing, word)

    def _and(self, _index: int) -> None:
        self.is_joined = True

    def _who(self, _index: int) -> None:
        self._close_verb()
        self.is_relative = True
        self.carriers = None

    def _while(self, _index: int) -> None:
        subjects = self.clause.subjects
        self._close_verb()
        self.clause = _Clause(subjects=subjects)
        self.preposition, self.carriers = "", None

    def _there(self, _index: int) -> None:
        self._close_verb()
        self.is_there = True

    # Tuples

    def _describe(self, thing: str, attribute: str) -> None:
        if thing != attribute:
            self.attributes[thing, attribute] = None

    def _relate(self, subject: str, relation: str, thing: str) -> None:
        self.relations[subject, relation, thing] = None


_HANDLERS: dict[str, Callable[[_Reader, int], None]] = {
    "v": _Reader._finite,
    "z": _Reader._finite,
    "g": _Reader._participle,
    "e": _Reader._participle,
    "b": _Reader._be,
    "h": _Reader._have,
    "t": _Reader._to,
    "p": _Reader._preposition,
    "A": _Reader._adjective,
    "c": _Reader._and,
    "w": _Reader._who,
    "s": _Reader._while,
    "x": _Reader._there,
}
