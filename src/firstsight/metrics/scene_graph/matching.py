"""Compares what a candidate says with what the references say: sets of tuples, words matched by synonym."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from firstsight.metrics.scene_graph.lemmas import Lexicon
from firstsight.metrics.scene_graph.parser import SceneGraphTuples

__all__ = ["Counts", "compare"]

Synsets: TypeAlias = Callable[[str], frozenset[str]]
Key: TypeAlias = tuple[str, ...]


class Counts(NamedTuple):
    """How many tuples of one category match."""

    n_candidate: int
    n_references: int
    n_candidate_matched: int
    n_references_matched: int


class _Groups:
    """Words that mean one thing: the closure of "share a set of synonyms" over the words given."""

    def __init__(self, words: Iterable[str], synsets: Synsets) -> None:
        self.group: dict[str, str] = {}
        self.by_synset: dict[str, str] = {}
        parent: dict[str, str] = {}

        def root(word: str) -> str:
            while parent[word] != word:
                parent[word] = parent[parent[word]]
                word = parent[word]
            return word

        for word in words:
            if word in parent:
                continue
            parent[word] = word
            for synset in synsets(word):
                other = self.by_synset.setdefault(synset, word)
                if other is not word:
                    first, second = root(other), root(word)
                    if first != second:
                        parent[second] = first
        self.group = {word: root(word) for word in parent}
        self.by_synset = {synset: self.group[word] for synset, word in self.by_synset.items()}

    def matching(self, words: Iterable[str], synsets: Synsets) -> set[str]:
        """Return the groups that hold one of the words or a synonym of one."""
        found: set[str] = set()
        for word in words:
            if word in self.group:
                found.add(self.group[word])
            found.update([self.by_synset[synset] for synset in synsets(word) if synset in self.by_synset])
        return found


def compare(
    candidate: SceneGraphTuples, references: Sequence[SceneGraphTuples], lexicon: Lexicon
) -> tuple[Counts, Counts, Counts]:
    """Return the counts of objects, of attributes and of relations.

    Words of one side that share a set of synonyms are one node, so that the tuples of all references are one set
    without doubles. A candidate tuple matches a tuple of the references when each of its words, at its place, is the
    same base form or a synonym. A relation of several words ("sit on") matches when its first word does and the others
    are the same.
    """
    synsets = lexicon.synsets
    verbs = _heads_of_relations(references)
    objects = _Groups([word for graph in references for word in graph.objects], synsets)
    attributes = _Groups([word for graph in references for _, word in graph.attributes], synsets)
    relations = _Groups(verbs, synsets)
    own_objects = _options(candidate.objects, objects, synsets)
    own_attributes = _options([word for _, word in candidate.attributes], attributes, synsets)
    own_relations = _options(_heads_of_relations([candidate]), relations, synsets)
    group, name = objects.group, attributes.group
    return (
        _count(
            {(own_objects[word][0],): (own_objects[word][1],) for word in candidate.objects},
            {(group[word],) for graph in references for word in graph.objects},
        ),
        _count(
            {
                (own_objects[thing][0], own_attributes[word][0]): (own_objects[thing][1], own_attributes[word][1])
                for thing, word in candidate.attributes
            },
            {(group[thing], name[word]) for graph in references for thing, word in graph.attributes},
        ),
        _count(
            {
                (own_objects[one][0], *_split(relation, own_relations)[0], own_objects[two][0]): (
                    own_objects[one][1],
                    *_split(relation, own_relations)[1],
                    own_objects[two][1],
                )
                for one, relation, two in candidate.relations
            },
            {
                (group[one], *_grouped(relation, relations), group[two])
                for graph in references
                for one, relation, two in graph.relations
            },
        ),
    )


def _heads_of_relations(graphs: Sequence[SceneGraphTuples]) -> list[str]:
    return [relation.partition(" ")[0] for graph in graphs for _, relation, _ in graph.relations]


def _grouped(relation: str, groups: _Groups) -> tuple[str, str]:
    head, _, rest = relation.partition(" ")
    return groups.group[head], rest


Options: TypeAlias = "dict[str, tuple[str, set[str]]]"


def _split(relation: str, options: Options) -> tuple[tuple[str, str], tuple[set[str], set[str]]]:
    head, _, rest = relation.partition(" ")
    return (options[head][0], rest), (options[head][1], {rest})


def _options(words: Sequence[str], groups: _Groups, synsets: Synsets) -> Options:
    # Each word of the candidate: its own group, and the groups of the references that it matches.
    own = _Groups(words, synsets)
    members: dict[str, list[str]] = {}
    for word, group in own.group.items():
        members.setdefault(group, []).append(word)
    matched = {group: groups.matching(together, synsets) for group, together in members.items()}
    return {word: (group, matched[group]) for word, group in own.group.items()}


def _count(candidate: dict[Key, tuple[set[str], ...]], references: set[Key]) -> Counts:
    n_matched = 0
    found: set[Key] = set()
    for options in candidate.values():
        keys: list[Key] = [()]
        for groups in options:
            keys = [(*key, group) for key in keys for group in groups]
        here = references.intersection(keys)
        n_matched += bool(here)
        found |= here
    return Counts(len(candidate), len(references), n_matched, len(found))
