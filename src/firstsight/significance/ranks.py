"""Ranks of systems with their uncertainty: intervals that hold together, and groups that cannot be told apart."""

from __future__ import annotations

import string
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError
from firstsight.significance._checks import Floats, check_confidence

__all__ = ["group_letters", "indistinguishable_groups", "rank_intervals"]


def rank_intervals(
    scores: Floats, resampled: Floats, *, higher_is_better: bool = True, confidence: float = 0.95
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    r"""Return the best and the worst rank that each system may have; the intervals of all systems hold together.

    With the scores :math:`\theta_j`, the standard errors :math:`s_{jk}` of the differences over the resamples, and c
    the quantile (``confidence``) over the resamples r of

    .. math:: \max_{j \ne k} \frac{|(\theta^r_j - \theta^r_k) - (\theta_j - \theta_k)|}{s_{jk}},

    system k is better than j where :math:`\theta_k - \theta_j > c\,s_{jk}`. The best rank of j is one more than the
    number of systems that are better than j, its worst rank the number of systems less those that j is better than.
    With the probability ``confidence`` the true ranks of *all* systems lie in their intervals. Quantiles of the
    resampled ranks do not have this property: where systems are as good as equal, they are too short.

    Args:
        scores: Array (system,) float64.
        resampled: Array (resample, system) float64: scores of bootstrap resamples, the same images for all systems.
        higher_is_better: Whether the highest score has rank 1.
        confidence: Above 0 and below 1.

    Returns:
        Two arrays (system,) int64, best and worst rank from 1.

    Raises:
        UsageError: The shapes do not fit, or the confidence is not allowed.

    Example:
        >>> draws = np.array([[0.90, 0.50, 0.52], [0.92, 0.53, 0.49], [0.88, 0.47, 0.49]])
        >>> best, worst = rank_intervals(np.array([0.9, 0.5, 0.5]), draws)
        >>> list(zip(best.tolist(), worst.tolist()))
        [(1, 1), (2, 3), (2, 3)]

    Paper: Mogstad, Romano, Shaikh and Wilhelm, "Inference for ranks with applications to mobility across neighbourhoods
    and academic achievement across countries", Review of Economic Studies 91, 2024, section 3 (the single step).
    """
    check_confidence(confidence)
    scores, resampled = np.asarray(scores, dtype=np.float64), np.asarray(resampled, dtype=np.float64)
    if scores.ndim != 1 or resampled.ndim != 2 or resampled.shape[1] != len(scores) or 0 in resampled.shape:
        raise UsageError(
            f"Scores {scores.shape} and resampled scores {resampled.shape} must be (system,) and (r, system)."
        )
    errors = np.zeros((len(scores), len(scores)))
    largest = np.zeros(len(resampled))  # (resample,)
    for system, score in enumerate(scores):
        deviations = (resampled[:, system, None] - resampled) - (score - scores)  # (resample, system)
        errors[system] = deviations.std(axis=0)
        largest = np.maximum(largest, _ratios(np.abs(deviations), errors[system]).max(axis=1))
    critical = np.quantile(largest, confidence, method="higher")
    ahead = (scores[:, None] - scores[None, :]) * (1 if higher_is_better else -1)  # (system, system)
    width = critical * errors + 1e-12 * np.abs(scores).max(initial=0.0)
    better = ahead > width
    return 1 + better.sum(axis=0), len(scores) - better.sum(axis=1)


def indistinguishable_groups(is_different: npt.NDArray[np.bool_], order: Sequence[int]) -> list[tuple[int, ...]]:
    """Return the largest groups of systems of which no two differ, the best group first.

    A system may stand in several groups: a may not be told from b, and b not from c, while a and c differ. Two systems
    share a group exactly where they do not differ.

    Args:
        is_different: Array (system, system) bool, symmetric: whether a test tells the two apart.
        order: All systems, best first.

    Returns:
        For each group its systems, best first.

    Example:
        >>> differ = np.array([[False, False, True], [False, False, False], [True, False, False]])
        >>> indistinguishable_groups(differ, [0, 1, 2])
        [(0, 1), (1, 2)]

    Algorithm: Bron and Kerbosch, "Algorithm 457: finding all cliques of an undirected graph", 1973, with pivots.
    """
    place = {system: at for at, system in enumerate(order)}
    alike = {
        system: {other for other in order if other != system and not is_different[system][other]} for system in order
    }
    groups: list[tuple[int, ...]] = []
    stack: list[tuple[tuple[int, ...], set[int], set[int]]] = [((), set(order), set())]
    while stack:
        group, possible, done = stack.pop()
        if not possible and not done:
            groups.append(tuple(sorted(group, key=place.__getitem__)))
            continue
        pivot = max(possible | done, key=lambda system: (len(possible & alike[system]), -place[system]))
        for system in sorted(possible - alike[pivot], key=place.__getitem__):
            stack.append(((*group, system), possible & alike[system], done & alike[system]))
            possible = possible - {system}
            done = done | {system}
    return sorted((group for group in groups if group), key=lambda group: [place[system] for system in group])


def group_letters(groups: Sequence[Sequence[int]], n_systems: int) -> list[str]:
    """Return the letters of each system: two systems share a letter exactly where they share a group.

    Example:
        >>> group_letters([(0, 1), (1, 2)], 3)
        ['a', 'ab', 'b']
    """
    letters = [""] * n_systems
    for number, group in enumerate(groups):
        for system in group:
            letters[system] += _letter(number)
    return letters


def _letter(number: int) -> str:
    """Return a to z, then a2 to z2 and so on."""
    turn, at = divmod(number, len(string.ascii_lowercase))
    return string.ascii_lowercase[at] + (str(turn + 1) if turn else "")


def _ratios(values: Floats, errors: Floats) -> Floats:
    """Return values / errors, 0 where there is no error: two systems whose difference never varies."""
    return np.divide(values, errors, out=np.zeros_like(values), where=errors > 1e-12 * values.max(initial=0.0))
