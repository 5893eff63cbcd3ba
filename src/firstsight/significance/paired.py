"""Is one system better than another on the same images: paired tests of corpus scores, and wins by image."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from firstsight.significance._checks import Floats, check_draws, checked_statistics
from firstsight.significance.bootstrap import BLOCK_VALUES, resampled_totals

__all__ = ["PairedTests", "WinTieLoss", "paired_bootstrap_test", "paired_permutation_test", "win_tie_loss"]

_AXES = ("image", "system", "statistic")
_ROUNDING = 1e-12  # of the largest score: differences that equal the observed one but for rounding count as equal


@dataclass(frozen=True, slots=True, eq=False)
class PairedTests:
    """Every system against every other.

    Attributes:
        differences: Array (system, system, score) float64: the score of the row's system minus that of the column's.
        p_values: Array (system, system, score) float64, above 0 and at most 1, symmetric, 1 on the diagonal: how
            often chance alone gives a difference at least as large. Not corrected for the number of pairs.
    """

    differences: Floats
    p_values: Floats


def paired_permutation_test(
    statistics: Floats, from_statistics: Callable[[Floats], Floats], *, n_resamples: int, seed: int
) -> PairedTests:
    r"""Return the two-sided p-values of the paired permutation test of each two systems.

    If two systems were equally good, it would not matter which of them wrote which candidate. Each resample swaps
    their statistics on a random half of the images, sums them and scores both sums, so the test holds for corpus
    scores that are no means over images, such as BLEU. With R resamples of which c give a difference at least as
    large as the observed one,

    .. math:: p = \frac{1 + c}{1 + R}.

    All pairs share the same random swaps, so that 50 systems cost one matrix product; each p-value is that of a test
    of its two systems alone.

    Args:
        statistics: Array (image, system, statistic) float64, finite, the systems on the same images.
        from_statistics: Turns sums (..., statistic) into scores (..., score), as ``Metric.from_statistics`` does.
        n_resamples: How many random swaps; at least 1. The smallest p-value is 1 / (1 + n_resamples).
        seed: Seed of the swaps, at least 0.

    Raises:
        UsageError: An option has a value that is not allowed, or the statistics are not such an array.

    Example:
        >>> better, worse = np.full(20, 0.75), np.full(20, 0.25)
        >>> table = np.stack([np.stack([s, np.ones(20)], axis=-1) for s in (better, worse)], axis=1)
        >>> tests = paired_permutation_test(table, lambda t: t[..., :1] / t[..., 1:], n_resamples=999, seed=0)
        >>> float(tests.differences[0, 1, 0]), float(tests.p_values[0, 1, 0])
        (0.5, 0.001)

    Paper: Noreen, "Computer-Intensive Methods for Testing Hypotheses", 1989, chapter 2; for corpus scores Riezler and
    Maxwell, "On some pitfalls in automatic evaluation and significance testing for MT", ACL workshop 2005, section 4;
    for the 1 in p Phipson and Smyth, "Permutation p-values should never be zero", 2010.
    """
    statistics = checked_statistics(statistics, _AXES)
    check_draws(n_resamples, seed)
    swapped = _swapped_totals(statistics, n_resamples, seed)  # (resample, system, statistic)
    totals = statistics.sum(axis=0)
    scores = np.asarray(from_statistics(totals))  # (system, score)

    def permuted(first: int, second: int) -> Floats:
        moved = swapped[:, second] - swapped[:, first]  # (resample, statistic)
        return from_statistics(totals[first] + moved) - from_statistics(totals[second] - moved)

    return _tests(scores, permuted, n_resamples)


def paired_bootstrap_test(
    statistics: Floats, from_statistics: Callable[[Floats], Floats], *, n_resamples: int, seed: int
) -> PairedTests:
    r"""Return the two-sided p-values of the paired bootstrap test of each two systems.

    Each resample draws images with replacement, the same for all systems. Shifted to the mean 0, the differences of the
    resamples are what chance gives; with R resamples, the observed difference d and the resampled ones
    :math:`d_r`

    .. math:: p = \frac{1 + |\{r : |d_r - \bar d| \ge |d|\}|}{1 + R}.

    The permutation test asks for less (no approximation by a distribution that is shifted) and is the default.

    Args:
        statistics: Array (image, system, statistic) float64, finite, the systems on the same images.
        from_statistics: Turns sums (..., statistic) into scores (..., score), as ``Metric.from_statistics`` does.
        n_resamples: How many resamples; at least 1.
        seed: Seed of the draws, at least 0.

    Raises:
        UsageError: An option has a value that is not allowed, or the statistics are not such an array.

    Paper: Riezler and Maxwell, "On some pitfalls in automatic evaluation and significance testing for MT", ACL
    workshop 2005, section 4, which corrects Koehn, EMNLP 2004, section 4. sacreBLEU 2 tests so with ``--paired-bs``.
    """
    statistics = checked_statistics(statistics, _AXES)
    check_draws(n_resamples, seed)
    resampled: Floats = from_statistics(resampled_totals(statistics, n_resamples=n_resamples, seed=seed))
    scores = np.asarray(from_statistics(statistics.sum(axis=0)))

    def shifted(first: int, second: int) -> Floats:
        drawn = resampled[:, first] - resampled[:, second]  # (resample, score)
        moved: Floats = drawn - drawn.mean(axis=0)
        return moved

    return _tests(scores, shifted, n_resamples)


@dataclass(frozen=True, slots=True)
class WinTieLoss:
    """On how many images the first of two systems has the better, the same and the worse score."""

    wins: int
    ties: int
    losses: int


def win_tie_loss(first: Floats, second: Floats, *, higher_is_better: bool = True) -> WinTieLoss:
    """Return on how many images ``first`` (image,) is better than ``second`` (image,), equal to it, and worse.

    Two scores are equal where they differ by rounding alone, 1e-12 of the larger one.

    Example:
        >>> win_tie_loss(np.array([0.5, 0.2, 0.1]), np.array([0.1, 0.2, 0.0]))
        WinTieLoss(wins=2, ties=1, losses=0)
    """
    first, second = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    ahead = (first - second) if higher_is_better else (second - first)
    width = _ROUNDING * np.maximum(np.abs(first), np.abs(second))
    wins, losses = int((ahead > width).sum()), int((ahead < -width).sum())
    return WinTieLoss(wins, ahead.size - wins - losses, losses)


def _tests(scores: Floats, null: Callable[[int, int], Floats], n_resamples: int) -> PairedTests:
    """Return the tests of all pairs.

    Args:
        scores: Array (system, score).
        null: Gives the differences (resample, score) that chance gives between two systems.
        n_resamples: Their number.
    """
    differences = scores[:, None] - scores[None, :]
    p_values = np.ones_like(differences)
    width = _ROUNDING * np.abs(scores).max(axis=0)
    for first, second in _pairs(len(scores)):
        observed = np.abs(differences[first, second])
        is_smaller = np.abs(null(first, second)) < observed - width  # False where a resample has no value
        n_extreme = (~is_smaller).sum(axis=0)
        p_values[first, second] = p_values[second, first] = (1 + n_extreme) / (1 + n_resamples)
    return PairedTests(differences, p_values)


def _swapped_totals(statistics: Floats, n_resamples: int, seed: int) -> Floats:
    """Return the sum of each system's statistics over the images that a resample swaps: (resample, system, k)."""
    rng = np.random.default_rng(seed)
    n_images = len(statistics)
    flat = statistics.reshape(n_images, -1)
    totals = np.empty((n_resamples, flat.shape[1]))
    n_block = max(1, BLOCK_VALUES // n_images)
    for start in range(0, n_resamples, n_block):
        swaps = np.empty((min(n_block, n_resamples - start), n_images))
        for row in swaps:
            row[:] = np.unpackbits(np.frombuffer(rng.bytes(n_images // 8 + 1), dtype=np.uint8), count=n_images)
        totals[start : start + len(swaps)] = swaps @ flat
    return totals.reshape(n_resamples, *statistics.shape[1:])


def _pairs(n_systems: int) -> Iterator[tuple[int, int]]:
    return ((first, second) for first in range(n_systems) for second in range(first + 1, n_systems))
