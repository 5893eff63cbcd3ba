"""Which words of a candidate METEOR 1.5 pairs with which words of a reference, by beam search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice

from firstsight.metrics.meteor.vocabulary import Line, Vocabulary

__all__ = ["EXACT", "PARAPHRASE", "STEM", "SYNONYM", "Match", "align"]

EXACT, STEM, SYNONYM, PARAPHRASE = range(4)
BEAM_SIZE = 40
MAX_MATCHES = 1 << 17


@dataclass(slots=True)
class Match:
    """Some words of the reference that can stand for some words of the candidate.

    Attributes:
        start: First word in the reference.
        length: Number of words there.
        candidate_start: First word in the candidate.
        candidate_length: Number of words there.
        module: What says that they match: ``EXACT``, ``STEM``, ``SYNONYM`` or ``PARAPHRASE``.
        weight: What the search counts it.
        distance: Between the two places.
    """

    start: int
    length: int
    candidate_start: int
    candidate_length: int
    module: int
    weight: int = field(init=False)
    distance: int = field(init=False)

    def __post_init__(self) -> None:
        """Work out what the search asks for many times."""
        half = 1 if self.module == EXACT else 2
        self.weight = self.length // half + self.candidate_length // half
        self.distance = abs(self.start - self.candidate_start)

    @property
    def end(self) -> int:
        """The word after the last in the reference."""
        return self.start + self.length

    @property
    def candidate_end(self) -> int:
        """The word after the last in the candidate."""
        return self.candidate_start + self.candidate_length


def align(vocabulary: Vocabulary, candidate: Line, reference: Line) -> list[Match]:
    """Return the matches of the best alignment, in the order of the reference; no word is in two of them.

    All matches of the four modules are collected. Those that compete with no other are taken. A beam search from the
    first to the last word of the reference chooses among the others: more matched words first, then fewer chunks
    (runs of matches that follow each other in both captions), then a shorter sum of distances. It follows the original
    to the letter, where that is surprising too: the search counts a match that is not exact as half its length,
    rounded down; and the distance of a match is added to the alternatives that are tried after it, not to its own.

    To bound the work on hostile captions, words after the 10,000th match nothing, and of more than 131,072 matches the
    first that are found count. The original has no such limits and does not end on such captions.

    Args:
        vocabulary: Where both lines come from.
        candidate: The candidate.
        reference: The reference.
    """
    matches = list(islice(_matches(vocabulary, candidate, reference), MAX_MATCHES))
    at: dict[int, list[Match]] = {}
    for match in matches:
        at.setdefault(match.start, []).append(match)
    fixed = _without_rival(at, matches)
    if len(fixed) == len(matches):
        return sorted(fixed.values(), key=lambda match: match.start)
    return _search(at, fixed, candidate, reference)


def _matches(vocabulary: Vocabulary, candidate: Line, reference: Line) -> Iterator[Match]:
    """Yield all matches in the order in which the original finds them."""
    for j, word in enumerate(reference.words):
        for i in candidate.at_text.get(word.text, ()):
            yield Match(j, 1, i, 1, EXACT)
    if candidate.texts == reference.texts:
        return
    for j, word in enumerate(reference.words):
        for i in candidate.at_stem.get(word.stem, ()):
            if candidate.texts[i] != word.text:
                yield Match(j, 1, i, 1, STEM)
    for j, positions in enumerate(_synonym_positions(candidate, reference)):
        for i in positions:
            yield Match(j, 1, i, 1, SYNONYM)
    for j, length, node in _phrases(reference):
        for other in _paraphrases(vocabulary, node, candidate):
            for i in candidate.at_node[other]:
                yield Match(j, length, i, candidate.length_of_node[other], PARAPHRASE)
    for i, length, node in _phrases(candidate):
        for other in _paraphrases(vocabulary, node, reference):
            for j in reference.at_node[other]:
                yield Match(j, reference.length_of_node[other], i, length, PARAPHRASE)


def _synonym_positions(candidate: Line, reference: Line) -> Iterator[list[int]]:
    """Yield, for each word of the reference, where the candidate has another word of a common synset."""
    known: dict[str, list[int]] = {}
    for word in reference.words:
        if word.text not in known:
            common = {text for synset in word.synsets for text in candidate.texts_of_synset.get(synset, ())}
            known[word.text] = sorted(i for text in common - {word.text} for i in candidate.at_text[text])
        yield known[word.text]


def _phrases(line: Line) -> Iterator[tuple[int, int, int]]:
    for position, phrases in enumerate(line.phrases):
        for length, node in phrases:
            yield position, length, node


def _paraphrases(vocabulary: Vocabulary, node: int, line: Line) -> list[int]:
    """Return the paraphrases of a phrase that stand in the line, in the order of the table."""
    others = vocabulary.others(node)
    return sorted(others.keys() & line.at_node.keys(), key=others.__getitem__) if others else []


def _without_rival(at: dict[int, list[Match]], matches: Iterable[Match]) -> dict[int, Match]:
    """Return, by first word, the matches whose words are in no other match."""
    covers: dict[tuple[bool, int], int] = {}
    for match in matches:
        for word in _words(match):
            covers[word] = covers.get(word, 0) + 1
    single = (found[0] for found in at.values() if len(found) == 1)
    return {match.start: match for match in single if all(covers[word] == 1 for word in _words(match))}


def _words(match: Match) -> Iterator[tuple[bool, int]]:
    """Yield the words of a match: (whether of the reference, position)."""
    yield from ((True, j) for j in range(match.start, match.end))
    yield from ((False, i) for i in range(match.candidate_start, match.candidate_end))


@dataclass(slots=True)
class _Path:
    """A part of an alignment: of the reference's words before ``position``.

    ``taken`` says of each word of the candidate whether it is taken; words of the reference that are taken and not yet
    passed are all before ``position``. ``last_end`` is the candidate word after the last match, or -1 after a word
    without match. ``matches`` is the chain (last match, (the one before, ...)).
    """

    matched: int
    chunks: int
    distance: int
    position: int
    last_end: int
    taken: bytes
    matches: _Chain | None


_Chain = tuple[Match, "_Chain | None"]
_Step = tuple[int, int, int, _Path, Match | None, int]
"""A path to be: -matched, chunks and distance of it, the path before, the match that is added or None, its position."""


def _search(at: dict[int, list[Match]], fixed: dict[int, Match], candidate: Line, reference: Line) -> list[Match]:
    beam = [_Path(0, 0, 0, 0, -1, bytes(len(candidate.texts)), None)]
    covered = {j for found in at.values() for match in found for j in range(match.start, match.end)}
    j, n_words = 0, len(reference.texts)
    while j < n_words:
        following = j + 1
        if j not in covered:
            # From the second word on, a run of words that nothing matches changes no path but its position.
            while following < n_words and following not in covered:
                following += 1
        free = [] if j in fixed else at.get(j, [])
        steps = [step for path in beam for step in _steps(path, j, following, free, fixed.get(j))]
        steps.sort(key=lambda step: step[:3])
        beam = [_take(step) for step in steps[:BEAM_SIZE]]
        j = following
    best = min(beam, key=lambda path: (-path.matched, path.chunks + (path.last_end != -1), path.distance))
    chain, chosen = best.matches, []
    while chain:
        match, chain = chain
        chosen.append(match)
    return chosen[::-1]


def _steps(path: _Path, j: int, following: int, free: list[Match], fixed: Match | None) -> Iterator[_Step]:
    """Yield what can become of a path at word ``j`` of the reference, in the original's order."""
    if j < path.position:
        yield -path.matched, path.chunks, path.distance, path, None, path.position
        return
    if fixed:
        matched, chunks = path.matched + fixed.weight, path.chunks + (path.last_end not in (-1, fixed.candidate_start))
        yield -matched, chunks, path.distance + fixed.distance, path, fixed, fixed.end
        return
    distance = path.distance
    # The distance only grows, so that of each kind of match no more than the beam holds can stay.
    offered: dict[tuple[int, bool], int] = {}
    for match in free:
        first = match.candidate_start
        if path.taken.find(1, first, first + match.candidate_length) == -1:
            kind = match.weight, path.last_end not in (-1, first)
            offered[kind] = n_offered = offered.get(kind, 0) + 1
            if n_offered <= BEAM_SIZE:
                yield -path.matched - kind[0], path.chunks + kind[1], distance, path, match, match.end
            distance += match.distance
    yield -path.matched, path.chunks + (path.last_end != -1), distance, path, None, following


def _take(step: _Step) -> _Path:
    minus_matched, chunks, distance, path, match, position = step
    if match:
        first, end = match.candidate_start, match.candidate_end
        taken = path.taken[:first] + b"\1" * (end - first) + path.taken[end:]
        return _Path(-minus_matched, chunks, distance, position, end, taken, (match, path.matches))
    last_end = path.last_end if position == path.position else -1
    return _Path(-minus_matched, chunks, distance, position, last_end, path.taken, path.matches)
