"""Confidence intervals of corpus scores by resampling images."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError
from firstsight.significance._checks import Floats, check_confidence, check_draws, checked_statistics

__all__ = ["bootstrap_interval", "percentile_interval", "resampled_totals"]

BLOCK_VALUES = 2**21
"""How many random counts (16 MiB as float64) are in memory at a time."""


def bootstrap_interval(
    statistics: Floats,
    from_statistics: Callable[[Floats], Floats],
    *,
    n_resamples: int,
    seed: int,
    confidence: float = 0.95,
) -> tuple[Floats, Floats]:
    r"""Return the lower and upper bound of the percentile bootstrap interval of each score.

    Each resample draws as many images as the corpus has, with replacement, sums their statistics and scores the sum.
    The bounds are the :math:`(1 - c) / 2` and :math:`(1 + c) / 2` quantiles of the scores of all resamples, c being
    the confidence, interpolated linearly between neighbours. What the metric learnt of the corpus before, such as
    CIDEr-D's document frequencies, stays as it is.

    Args:
        statistics: Array (image, statistic) float64, finite: what ``Metric.corpus_statistics`` gave.
        from_statistics: Turns sums (..., statistic) into scores (..., score), as ``Metric.from_statistics`` does.
        n_resamples: How many resamples; at least 1. With 1,000 the bounds vary little from seed to seed.
        seed: Seed of the draws, at least 0. The same seed gives the same bounds.
        confidence: The share of resamples between the bounds, above 0 and below 1.

    Returns:
        Two arrays (score,) float64, lower and upper bound, in the range of the scores.

    Raises:
        UsageError: An option has a value that is not allowed, or the statistics are not such an array.

    Example:
        >>> hits = np.array([[1.0, 1.0], [0.0, 1.0], [1.0, 1.0], [1.0, 1.0]])  # (hits, images) of four images
        >>> low, high = bootstrap_interval(hits, lambda t: t[..., :1] / t[..., 1:], n_resamples=500, seed=1)
        >>> float(low[0]), float(high[0])
        (0.25, 1.0)

    Paper: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3; for corpus scores Koehn,
    "Statistical significance tests for machine translation evaluation", EMNLP 2004, section 3.
    """
    statistics = checked_statistics(statistics, ("image", "statistic"))
    check_draws(n_resamples, seed)
    check_confidence(confidence)
    totals = resampled_totals(statistics, n_resamples=n_resamples, seed=seed)
    return percentile_interval(from_statistics(totals), confidence)


def resampled_totals(statistics: npt.ArrayLike, *, n_resamples: int, seed: int) -> Floats:
    """Return the summed statistics of each bootstrap resample of the images.

    All systems of a comparison are given in one call, ``statistics`` then being (image, system, statistic): each
    resample holds the same images for every system, so that scores of systems can be subtracted resample by resample.
    The sums are matrix products of the counts of the images in a block of resamples with the statistics, so that many
    systems cost little more than one.

    Args:
        statistics: Array (image, ...) float64, finite.
        n_resamples: How many resamples; at least 1.
        seed: Seed of the draws, at least 0.

    Returns:
        Array (resample, ...) float64.

    Raises:
        UsageError: An option has a value that is not allowed, or there is no image.

    Example:
        >>> resampled_totals([[1.0], [1.0], [1.0]], n_resamples=2, seed=0).tolist()
        [[3.0], [3.0]]
    """
    check_draws(n_resamples, seed)
    array = np.asarray(statistics, dtype=np.float64)
    if array.ndim == 0 or len(array) == 0:
        raise UsageError(f"Statistics have shape {array.shape}; allowed is (image, ...) with at least one image.")
    flat = array.reshape(len(array), -1)  # (image, any)
    totals = np.empty((n_resamples, flat.shape[1]))
    for start, counts in resample_counts(len(array), n_resamples=n_resamples, seed=seed):
        totals[start : start + len(counts)] = counts @ flat
    return totals.reshape(n_resamples, *array.shape[1:])


def resample_counts(n_images: int, *, n_resamples: int, seed: int) -> Iterator[tuple[int, Floats]]:
    """Yield how often each image is in each resample, in blocks of resamples: its first number, (resample, image)."""
    rng = np.random.default_rng(seed)
    n_block = max(1, BLOCK_VALUES // n_images)
    for start in range(0, n_resamples, n_block):
        counts = np.empty((min(n_block, n_resamples - start), n_images))
        for row in counts:
            row[:] = np.bincount(rng.integers(n_images, size=n_images), minlength=n_images)
        yield start, counts


def percentile_interval(scores: Floats, confidence: float = 0.95) -> tuple[Floats, Floats]:
    """Return the bounds between which the share ``confidence`` of the resampled ``scores`` (resample, ...) lies.

    Raises:
        UsageError: The confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(scores, [tail, 1.0 - tail], axis=0)
    return low, high
