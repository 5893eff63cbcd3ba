"""Confidence intervals of corpus scores by resampling images."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError

__all__ = ["bootstrap_interval"]

Floats: TypeAlias = npt.NDArray[np.float64]


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
        statistics: Array (image, statistic) float64, finite: what ``Metric.statistics`` gave for each image.
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
    statistics = _checked(statistics, n_resamples, seed, confidence)
    rng = np.random.default_rng(seed)
    totals = np.stack([_resampled_total(rng, statistics) for _ in range(n_resamples)])  # (resample, statistic)
    tail = (1.0 - confidence) / 2.0
    low, high = np.quantile(from_statistics(totals), [tail, 1.0 - tail], axis=0)
    return low, high


def _resampled_total(rng: np.random.Generator, statistics: Floats) -> Floats:
    n_images = len(statistics)
    # How often each image is in the resample: (image,). Only one resample is in memory at a time.
    counts = np.bincount(rng.integers(n_images, size=n_images), minlength=n_images)
    total: Floats = counts.astype(np.float64) @ statistics
    return total


def _checked(statistics: Floats, n_resamples: int, seed: int, confidence: float) -> Floats:
    statistics = np.asarray(statistics, dtype=np.float64)
    if statistics.ndim != 2 or len(statistics) == 0:
        raise UsageError(
            f"Statistics have shape {statistics.shape}; allowed is (image, statistic) with at least one image."
        )
    if not np.isfinite(statistics).all():
        raise UsageError("Statistics hold a value that is not finite; give finite statistics of every image.")
    if n_resamples < 1:
        raise UsageError(f"Number of resamples is {n_resamples}; allowed is 1 or more. Leave the interval out for 0.")
    if seed < 0:
        raise UsageError(f"Seed is {seed}; allowed is 0 or more.")
    if not 0.0 < confidence < 1.0:
        raise UsageError(f"Confidence is {confidence}; allowed is a number above 0 and below 1, such as 0.95.")
    return statistics
