"""METEOR's statistics of one alignment, and the score of any sum of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firstsight.metrics.meteor.align import Match
from firstsight.metrics.meteor.vocabulary import Line

__all__ = ["ALPHA", "BETA", "DELTA", "GAMMA", "N_STATISTICS", "WEIGHTS", "score", "statistics"]

ALPHA, BETA, GAMMA, DELTA = 0.85, 0.2, 0.6, 0.75
WEIGHTS = (1.0, 0.6, 0.8, 0.6)
"""Of exact, stem, synonym and paraphrase matches."""
N_STATISTICS = 24


def statistics(candidate: Line, reference: Line, matches: Sequence[Match]) -> npt.NDArray[np.float64]:
    """Return the statistics (24,) float64 of one alignment: the 23 of the original's ``-stdio`` output, and one more.

    0 to 3: words of the candidate, of the reference; function words of the candidate, of the reference. 4 to 19: for
    each module (exact, stem, synonym, paraphrase) the content words that it matches in the candidate and in the
    reference, then the function words. 20: chunks. 21, 22: words matched in the candidate, in the reference.

    23: the chunks that are penalised, 0 if all words of both are matched in one chunk. The original drops such chunks
    from its sums, too, so that this has to be known of each image.
    """
    row = np.zeros(N_STATISTICS)
    row[:4] = candidate.n_words, reference.n_words, candidate.n_function, reference.n_function
    for match in matches:
        first = 4 + 4 * match.module
        for word in candidate.words[match.candidate_start : match.candidate_end]:
            row[first + 2 * word.is_function] += 1
        for word in reference.words[match.start : match.end]:
            row[first + 1 + 2 * word.is_function] += 1
    row[20] = _chunks(matches)
    row[21] = sum(match.candidate_length for match in matches)
    row[22] = sum(match.length for match in matches)
    is_whole = row[20] == 1 and row[21] == row[0] and row[22] == row[1]
    row[23] = 0 if is_whole else row[20]
    return row


def _chunks(matches: Sequence[Match]) -> int:
    """Return the number of runs of matches that follow each other in both captions."""
    ends = [(-1, -1), *((match.end, match.candidate_end) for match in matches)]
    starts = [(match.start, match.candidate_start) for match in matches]
    return sum(start != end for start, end in zip(starts, ends, strict=False))


def score(totals: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the scores (..., 1) float64 of summed statistics ``totals`` (..., 24): 0 to 1, 0 where nothing matches."""
    totals = np.asarray(totals, dtype=np.float64)
    n_words, n_function = totals[..., 0:2], totals[..., 2:4]  # (..., side): candidate, reference
    matches = totals[..., 4:20].reshape(*totals.shape[:-1], 4, 2, 2)  # (..., module, content or function, side)
    kinds = np.array([DELTA, 1 - DELTA])
    length = kinds[0] * (n_words - n_function) + kinds[1] * n_function
    matched = (np.multiply.outer(np.array(WEIGHTS), kinds)[..., None] * matches).sum(axis=(-3, -2))
    ratio = np.divide(matched, length, out=np.zeros_like(matched), where=length > 0)
    found = (ratio > 0).all(axis=-1)
    safe = np.where(found[..., None], ratio, 1.0)
    f_mean = 1 / ((1 - ALPHA) / safe[..., 0] + ALPHA / safe[..., 1])
    n_matched = np.where(found, totals[..., 21:23].mean(axis=-1), 1.0)
    penalty = GAMMA * (totals[..., 23] / n_matched) ** BETA
    result: npt.NDArray[np.float64] = np.where(found, f_mean * (1 - penalty), 0.0)
    return np.maximum(result, 0.0)[..., None]
