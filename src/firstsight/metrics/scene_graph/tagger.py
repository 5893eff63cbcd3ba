"""Parts of speech of caption words: a dictionary says which tags a word can have, a hidden Markov model chooses."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from firstsight.metrics.scene_graph._closed_words import CLOSED, PHRASES
from firstsight.metrics.scene_graph.lemmas import Lexicon, lexicon

__all__ = ["END", "START", "TAGS", "Tagger", "join_phrases", "tag_shares", "tagger"]

TAGS = "nNARDSQpvzgebhmtcwxo's!"
"""The tags, one character each, so that the tags of a caption are a string that patterns can search.

n noun, N plural noun, A adjective, R adverb, D determiner, S possessive pronoun, Q number or quantity, p preposition or
particle, v verb in its base form, z verb with -s, g verb with -ing, e verb with -ed or irregular past, b form of be,
h form of have or do, m modal, t to, c and/or/but, w who/which/that, x there, o pronoun, ' possessive mark, s while/as/
when, ! anything else.
"""

START = "^"
"""Stands before the first word in the table of moves from tag to tag."""
END = "$"
"""Stands after the last word there."""
_TABLE = Path(__file__).with_name("tagger.tsv")
_FORM_SHARE = {"v": 0.2, "z": 0.2, "g": 0.35, "e": 0.25}
_MAX_WORD = 64
_FLOOR = 1e-6
_LONGEST_PHRASE = 3
_PHRASE_STARTS = frozenset(phrase.split(" ", 1)[0] for phrase in PHRASES)


def join_phrases(tokens: Sequence[str]) -> list[str]:
    """Return the tokens with fixed phrases such as "in front of" joined by spaces into one.

    Example:
        >>> join_phrases("a dog in front of a door".split())
        ['a', 'dog', 'in front of', 'a', 'door']
    """
    if _PHRASE_STARTS.isdisjoint(tokens):
        return list(tokens)
    joined: list[str] = []
    index, n_tokens = 0, len(tokens)
    while index < n_tokens:
        token = tokens[index]
        if token in _PHRASE_STARTS:
            for length in range(_LONGEST_PHRASE, 1, -1):
                phrase = " ".join(tokens[index : index + length])
                if phrase in PHRASES and index + length <= n_tokens:
                    token = phrase
                    index += length - 1
                    break
        joined.append(token)
        index += 1
    return joined


def tag_shares(word: str, words: Lexicon) -> dict[str, float]:
    """Return the tags that a word can have, with shares that sum to 1, before anything is learnt from captions.

    Closed-class words have theirs by hand. Others have those of every WordNet entry that the word is a form of,
    weighted by how often WordNet's tagged texts use it so. A word in no dictionary is judged by its ending.
    """
    if word in CLOSED:
        weights = CLOSED[word]
    elif word in PHRASES:
        weights = {PHRASES[word]: 1.0}
    else:
        weights = _open_tags(word, words) or _tags_by_ending(word)
    total = sum(weights.values())
    return {tag: weight / total for tag, weight in weights.items()}


def _open_tags(word: str, words: Lexicon) -> dict[str, float]:
    if len(word) > _MAX_WORD:
        return {}
    weights: dict[str, float] = {}

    def add(tag: str, weight: float) -> None:
        weights[tag] = weights.get(tag, 0.0) + weight

    entry = words.word(word)
    if entry is not None:
        for part, tag in (("n", "n"), ("a", "A"), ("r", "R")):
            if part in entry.counts:
                add(tag, entry.counts[part] + 0.5)
        if "v" in entry.counts:
            add("v", (entry.counts["v"] + 0.5) * _FORM_SHARE["v"])
    singular = words.noun_lemma(word)
    if singular != word and words.has(singular, "n"):
        add("N", (words.count(singular, "n") + 0.5) * 0.5)
        weights.pop("n", None)
    for tag, endings in (("z", ("s",)), ("g", ("ing",)), ("e", ())):
        if endings and not word.endswith(endings):
            continue
        if tag == "e" and not word.endswith("ed") and word not in words.exceptions["v"]:
            continue
        if tag == "e" and word.endswith(("ing", "s")):
            continue
        base = words.verb_lemma(word, tag)
        if base != word and words.has(base, "v"):
            add(tag, (words.count(base, "v") + 0.5) * _FORM_SHARE[tag])
    if word in words.exceptions["a"] or _is_comparison(word, words):
        add("A", 1.0)
    return weights


def _is_comparison(word: str, words: Lexicon) -> bool:
    if not word.endswith(("er", "est")):
        return False
    bases = (word[:-2], word[:-1], word[:-3], word[:-3] + "y", word[:-4] + "y")
    return any(words.has(base, "a") for base in bases)


def _tags_by_ending(word: str) -> dict[str, float]:
    if any(character.isdigit() for character in word):
        return {"Q": 0.8, "n": 0.2}
    if not any(character.isalpha() for character in word):
        return {"!": 1.0}
    if "-" in word:
        return {"A": 0.7, "n": 0.3}
    for ending, weights in (
        ("ing", {"g": 0.8, "n": 0.2}),
        ("ed", {"e": 0.7, "A": 0.3}),
        ("ly", {"R": 0.8, "A": 0.2}),
        ("ss", {"n": 1.0}),
        ("s", {"N": 0.8, "z": 0.1, "n": 0.1}),
        (("ful", "ous", "ish", "able", "less", "ive"), {"A": 0.9, "n": 0.1}),
        ("y", {"A": 0.5, "n": 0.5}),
    ):
        if word.endswith(ending):
            return weights
    return {"n": 0.85, "A": 0.15}


class Tagger:
    r"""Finds the likeliest tags of a caption under a bigram hidden Markov model whose tags a dictionary limits.

    The score of tags :math:`t` for words :math:`w` is :math:`\prod_i P(t_i \mid t_{i-1}) P(t_i \mid w_i) / P(t_i)`.
    Both tables were learnt from captions without any label (expectation maximisation, Merialdo 1994).

    Example:
        >>> tagger().tag("two dogs chase the red ball".split())
        'QNvDAn'
    """

    def __init__(self, path: Path = _TABLE) -> None:
        """Read the tables that ``tools/make_scene_graph_data.py`` wrote."""
        self._lexicon = lexicon()
        self._moves: dict[str, dict[str, float]] = {}
        self._tag_share: dict[str, float] = {}
        self._learnt: dict[str, dict[str, float]] = {}
        self._lattice: dict[str, tuple[tuple[str, float], ...]] = {}
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, _, rest = line.partition("\t")
            if kind == "move":
                tag, values = rest.split("\t")
                self._moves[tag] = {
                    after: math.log(max(float(value), _FLOOR))
                    for after, value in zip(TAGS + END, values.split(" "), strict=True)
                }
            elif kind == "tags":
                self._tag_share = dict(zip(TAGS, map(float, rest.split(" ")), strict=True))
            elif kind == "word":
                word, values = rest.split("\t")
                self._learnt[word] = {field[0]: float(field[1:]) for field in values.split(" ")}

    def tag(self, tokens: Sequence[str]) -> str:
        """Return one tag of ``TAGS`` for each token, as a string; time is linear in the number of tokens."""
        lattice = self._lattice
        done: list[str] = []
        paths: list[tuple[str, float, str]] = [(START, 0.0, "")]  # last tag, log score, tags since the last sure word
        moves = self._moves
        for token in tokens:
            options = lattice.get(token) or self._options(token)
            if len(options) == 1:
                tag = options[0][0]
                if len(paths) == 1:
                    done.append(paths[0][2])
                else:
                    done.append(max((score + moves[last][tag], tags) for last, score, tags in paths)[1])
                paths = [(tag, 0.0, tag)]
            elif len(paths) == 1:
                last, score, tags = paths[0]
                after = moves[last]
                paths = [(tag, score + after[tag] + share, tags + tag) for tag, share in options]
            else:
                step = []
                for tag, share in options:
                    score, tags = max((score + moves[last][tag], tags) for last, score, tags in paths)
                    step.append((tag, score + share, tags + tag))
                paths = step
            if len(paths[0][2]) > 200:
                paths = [max(paths, key=lambda path: path[1])]
        done.append(max((score + moves[last][END], tags) for last, score, tags in paths)[1])
        return "".join(done)

    def _options(self, word: str) -> tuple[tuple[str, float], ...]:
        shares = self._learnt.get(word) or tag_shares(word, self._lexicon)
        options = tuple(
            (tag, math.log(share) - math.log(self._tag_share[tag])) for tag, share in shares.items() if share > 0
        )
        if len(self._lattice) < 100_000 and len(word) <= _MAX_WORD:
            self._lattice[word] = options
        return options


@cache
def tagger() -> Tagger:
    """Return the tagger of this package, read once."""
    return Tagger()
