"""Beam search with length normalisation and repetition control."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firstsight.captioners.decoding.steps import Floats, Ints, Steps
from firstsight.errors import UsageError

__all__ = ["BeamOptions", "Sentence", "beam_search"]

_NEVER = np.float32(-1e9)


@dataclass(frozen=True, slots=True)
class BeamOptions:
    """How the search weighs and limits sentences.

    ``length_penalty`` is the power a of the length by which a sentence's log-probability is divided (Wu et al. 2016,
    https://arxiv.org/abs/1609.08144, without its constant): 0 prefers short sentences, 1 the best mean. A sentence
    holds no run of ``no_repeat_ngram`` words twice (0: may), no word twice in a row, and at least ``min_words`` words.
    """

    beam_size: int = 3
    length_penalty: float = 1.0
    no_repeat_ngram: int = 3
    min_words: int = 4
    forbidden: tuple[int, ...] = ()
    """Words that are never said, by number."""

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name, low, high in (
            ("beam_size", 1, 64),
            ("length_penalty", 0, 5),
            ("no_repeat_ngram", 0, 20),
            ("min_words", 0, 100),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise UsageError(f"{name} is {value}; allowed are values from {low} to {high}.")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A finished sentence: word numbers without start and end, and mean log-probability a token, the end counted."""

    words: tuple[int, ...]
    score: float


@dataclass(slots=True)
class _Finished:
    words: tuple[int, ...]
    total: float
    rank: float


def beam_search(steps: Steps, options: BeamOptions) -> list[list[Sentence]]:
    """Return the finished sentences of every image, best first, at least one each.

    Each step keeps the ``beam_size`` best unfinished beams; an image is done when none of its unfinished beams can
    still beat its ``beam_size`` best finished sentences at the same length or when the longest length is reached.
    """
    n, size = steps.n_images, options.beam_size
    totals = np.full((n, size), _NEVER)
    totals[:, 0] = 0.0
    histories: list[list[list[int]]] = [[[] for _ in range(size)] for _ in range(n)]
    finished: list[list[_Finished]] = [[] for _ in range(n)]
    words = np.full((n, size), steps.start, np.int64)
    parents: Ints | None = None
    is_done = np.zeros(n, bool)
    for length in range(1, steps.max_words + 1):
        log_probs = steps.advance(words, parents).copy()
        _restrict(log_probs, histories, steps, options, is_last=length == steps.max_words)
        scores = totals[:, :, None] + log_probs
        words, parents = np.full((n, size), steps.end, np.int64), np.zeros((n, size), np.int64)
        for image in np.flatnonzero(~is_done):
            kept = _extend(scores[image], histories[image], finished[image], steps.end, options)
            if not kept or _is_settled(finished[image], kept[0][0], length, options):
                is_done[image] = True
                continue
            before = histories[image]
            histories[image] = [[*before[beam], word] for _, beam, word in kept]
            totals[image] = _NEVER
            for place, (total, beam, word) in enumerate(kept):
                totals[image, place], parents[image, place], words[image, place] = total, beam, word
            histories[image] += [[] for _ in range(size - len(kept))]
        if is_done.all():
            break
    return [_ranked(image) for image in finished]


def _restrict(
    log_probs: Floats, histories: list[list[list[int]]], steps: Steps, options: BeamOptions, *, is_last: bool
) -> None:
    """Make impossible, in place, what the options forbid; on the last step only the end is possible."""
    if is_last:
        ends = log_probs[:, :, steps.end].copy()
        log_probs[:] = _NEVER
        log_probs[:, :, steps.end] = ends
        return
    log_probs[:, :, [*options.forbidden, steps.start]] = _NEVER
    for image, beams in enumerate(histories):
        for beam, history in enumerate(beams):
            if len(history) < options.min_words:
                log_probs[image, beam, steps.end] = _NEVER
            if history:
                log_probs[image, beam, [history[-1], *_repeats(history, options.no_repeat_ngram)]] = _NEVER


def _repeats(history: list[int], n: int) -> list[int]:
    """Return the words that would complete a run of ``n`` words which ``history`` holds already."""
    if n == 0 or len(history) < n:
        return []
    tail = history[len(history) - n + 1 :]
    return [history[i + n - 1] for i in range(len(history) - n + 1) if history[i : i + n - 1] == tail]


def _extend(
    scores: Floats, histories: list[list[int]], finished: list[_Finished], end: int, options: BeamOptions
) -> list[tuple[float, int, int]]:
    """Move ended sentences among the 2 · beam_size best continuations to ``finished``; return the best others."""
    flat = scores.ravel()
    n_best = min(2 * options.beam_size, flat.size)
    best = np.argpartition(-flat, n_best - 1)[:n_best]
    best = best[np.lexsort((best, -flat[best]))]
    kept: list[tuple[float, int, int]] = []
    for index in best:
        total = float(flat[index])
        if total <= _NEVER / 2:
            break
        beam, word = divmod(int(index), scores.shape[1])
        if word == end:
            history = tuple(histories[beam])
            finished.append(_Finished(history, total, total / (len(history) + 1) ** options.length_penalty))
        elif len(kept) < options.beam_size:
            kept.append((total, beam, word))
    return kept


def _is_settled(finished: list[_Finished], best_total: float, length: int, options: BeamOptions) -> bool:
    """Say whether no unfinished beam, were it to end now, could enter the ``beam_size`` best finished sentences."""
    if len(finished) < options.beam_size:
        return False
    ranks = sorted((sentence.rank for sentence in finished), reverse=True)
    return bool(best_total / (length + 1) ** options.length_penalty <= ranks[options.beam_size - 1])


def _ranked(finished: list[_Finished]) -> list[Sentence]:
    finished.sort(key=lambda sentence: (-sentence.rank, sentence.words))
    return [Sentence(sentence.words, sentence.total / (len(sentence.words) + 1)) for sentence in finished]
