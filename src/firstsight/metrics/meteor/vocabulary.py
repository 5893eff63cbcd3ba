"""Lines of words as the aligner wants them: each word with its stem, synsets and phrases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from firstsight.metrics.meteor.index import MeteorIndex, WordRecord
from firstsight.metrics.meteor.morphology import base_forms
from firstsight.metrics.meteor.normalise import CONTROLS, normalise
from firstsight.metrics.meteor.stemmer import stem

__all__ = ["Line", "Vocabulary", "Word", "line_of"]

_CACHED_WORDS = 1 << 16
_CACHED_PHRASES = 1 << 14


@dataclass(frozen=True, slots=True)
class Word:
    """What METEOR compares of one word.

    Attributes:
        text: The word itself, lower-case.
        stem: Its stem.
        synsets: The synsets it stands for.
        is_function: Whether it is a function word.
        number: Its id in the index; -1 if it is not there.
        node: Its node of the trie of phrases; 0 if none begins with it.
    """

    text: str
    stem: str
    synsets: frozenset[int]
    is_function: bool
    number: int
    node: int


def line_of(tokens: Sequence[str], *, is_candidate: bool) -> str:
    """Return the text of a caption as the original is given it: its separator is taken out."""
    text = " ".join(tokens).replace("|||", "")
    return text.replace("  ", " ") if is_candidate else text


class Vocabulary:
    """Knows words by the index, and those that the index lacks by rule."""

    def __init__(self, index: MeteorIndex) -> None:
        """Look everything up in ``index``."""
        self.index = index
        self.word = lru_cache(_CACHED_WORDS)(self._word)
        self.child = lru_cache(_CACHED_WORDS)(index.child)
        self.others = lru_cache(_CACHED_PHRASES)(self._others)

    def words(self, text: str) -> list[str]:
        """Return the normalised words of one caption."""
        index = self.index
        return normalise(text.strip(CONTROLS), index.keeps_dot, index.keeps_dot_before_number)

    def line(self, text: str) -> Line:
        """Return the normalised words of one caption, looked up."""
        return Line(self, self.words(text))

    def _word(self, text: str) -> Word:
        record = self.index.word(text)
        if record is None:
            return Word(text, stem(text), self._synsets_by_rule(text), is_function=False, number=-1, node=0)
        return Word(text, self.index.text(record.stem), record.synsets, record.is_function, record.number, record.node)

    def _synsets_by_rule(self, text: str) -> frozenset[int]:
        records: list[WordRecord | None] = [self.index.word(form) for form in base_forms(text)]
        return next((record.own for record in records if record and record.own), frozenset())

    def _others(self, node: int) -> dict[int, int]:
        """Return the paraphrases of a phrase, as nodes, each with its place in the order of the table."""
        return {other: place for place, other in enumerate(self.index.others(node))}


class Line:
    """The words of one caption and where each thing that can match stands.

    Attributes:
        words: The words.
        texts: Their texts.
        at_text: Positions of each text, ascending.
        at_stem: Positions of each stem, ascending.
        texts_of_synset: The distinct texts that are in each synset.
        phrases: For each position, the phrases or beginnings of phrases that start there, as (length, node), shorter
            ones first.
        at_node: Positions of each of those nodes, ascending.
        length_of_node: Its number of words.
    """

    def __init__(self, vocabulary: Vocabulary, texts: Sequence[str], limit: int = 10_000) -> None:
        """Look up the first ``limit`` words; later ones count as words and match nothing."""
        self.n_words = len(texts)
        self.n_function = sum(vocabulary.word(text).is_function for text in texts)
        self.texts = list(texts[:limit])
        self.words = [vocabulary.word(text) for text in self.texts]
        self.at_text: dict[str, list[int]] = {}
        self.at_stem: dict[str, list[int]] = {}
        self.texts_of_synset: dict[int, list[str]] = {}
        self.phrases: list[list[tuple[int, int]]] = []
        self.at_node: dict[int, list[int]] = {}
        self.length_of_node: dict[int, int] = {}
        for position, word in enumerate(self.words):
            if word.text not in self.at_text:
                for synset in word.synsets:
                    self.texts_of_synset.setdefault(synset, []).append(word.text)
            self.at_text.setdefault(word.text, []).append(position)
            self.at_stem.setdefault(word.stem, []).append(position)
            self.phrases.append(self._phrases_at(vocabulary, position))
            for length, node in self.phrases[-1]:
                self.at_node.setdefault(node, []).append(position)
                self.length_of_node[node] = length

    def _phrases_at(self, vocabulary: Vocabulary, position: int) -> list[tuple[int, int]]:
        found = []
        node, end = self.words[position].node, position + 1
        while node:
            found.append((end - position, node))
            if end == len(self.words) or self.words[end].number < 0:
                break
            node = vocabulary.child(node, self.words[end].number)
            end += 1
        return found
