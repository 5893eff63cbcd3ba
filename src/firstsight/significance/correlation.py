"""How well scores agree with human ratings: rank correlations, correlations and pairwise accuracy, with intervals."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError, UnknownNameError, UsageError
from firstsight.significance._checks import Floats, check_confidence, check_draws
from firstsight.significance._pairs import TwoOrders
from firstsight.significance.bootstrap import BLOCK_VALUES, percentile_interval, resample_counts

__all__ = [
    "COEFFICIENTS",
    "Coefficient",
    "agreement",
    "kendall_tau_b",
    "kendall_tau_c",
    "pairwise_accuracy",
    "pearson",
    "spearman",
]


_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Coefficient:
    """One measure of agreement.

    ``low`` and ``high`` bound its confidence interval; they are None without resamples, and where one of the resamples
    has no value.
    """

    name: str
    value: float
    low: float | None = None
    high: float | None = None


def kendall_tau_b(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Return Kendall's tau-b of two lists of values, -1 to 1, in O(n log n).

    With C concordant and D discordant pairs of items, and X and Y pairs tied in the first and in the second alone,

    .. math:: \tau_b = \frac{C - D}{\sqrt{(C + D + X)(C + D + Y)}}.

    Args:
        first: Array (item,), such as the scores of a metric.
        second: Array (item,), such as human ratings.

    Raises:
        MetricUndefinedError: All values of a list are equal.
        UsageError: The lists differ in length, are empty or hold a value that is not finite.

    Example:
        >>> kendall_tau_b([1, 2, 3, 4], [1, 3, 2, 4]).__round__(3)  # of 6 pairs, 5 in order
        0.667

    Paper: Kendall, "The treatment of ties in ranking problems", Biometrika 33, 1945. ``scipy.stats.kendalltau`` gives
    the same.
    """
    return _one("tau-b", first, second)


def kendall_tau_c(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Return Kendall's tau-c (Stuart's) of two lists of values, -1 to 1, in O(n log n).

    With C concordant and D discordant pairs of n items, and m the smaller number of different values of the two lists,

    .. math:: \tau_c = \frac{2 (C - D)}{n^2 (m - 1) / m}.

    It suits a scale of few ratings against a metric of many values, which tau-b can never give 1.

    Args:
        first: Array (item,), such as the scores of a metric.
        second: Array (item,), such as human ratings.

    Raises:
        MetricUndefinedError: All values of a list are equal.
        UsageError: The lists differ in length, are empty or hold a value that is not finite.

    Example:
        >>> kendall_tau_c([0.1, 0.2, 0.3, 0.4], [1, 1, 2, 2])
        1.0

    Paper: Stuart, "The estimation and comparison of strengths of association in contingency tables", Biometrika 40,
    1953. ``scipy.stats.kendalltau(variant="c")`` gives the same.
    """
    return _one("tau-c", first, second)


def pairwise_accuracy(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    r"""Return the share of pairs of items that two lists put in the same relation, 0 to 1.

    The relation of a pair is "less", "equal" or "greater". With C concordant and D discordant pairs and those tied in
    the first alone (X), in the second alone (Y) and in both (B),

    .. math:: \text{acc}_{eq} = \frac{C + B}{C + D + X + Y + B}.

    Each tie of the people that the metric has too counts as right, each tie of one of them alone as wrong. Scores count
    as equal only where they are; the width of ties is not tuned to the ratings as the paper's tie calibration does.

    Args:
        first: Array (item,), such as the scores of a metric.
        second: Array (item,), such as human ratings.

    Raises:
        MetricUndefinedError: There is one item only.
        UsageError: The lists differ in length, are empty or hold a value that is not finite.

    Example:
        >>> pairwise_accuracy([0.1, 0.2, 0.2], [1, 2, 2])
        1.0

    Paper: Deutsch, Foster and Freitag, "Ties matter: meta-evaluating modern metrics with pairwise accuracy and tie
    calibration", EMNLP 2023, section 4.
    """
    return _one("accuracy", first, second)


def pearson(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Pearson's correlation of two lists of values, -1 to 1: how close they are to a straight line.

    Raises:
        MetricUndefinedError: All values of a list are equal.
        UsageError: The lists differ in length, are empty or hold a value that is not finite.

    Example:
        >>> round(pearson([1, 2, 3], [2, 4, 6]), 12)
        1.0
    """
    return _one("pearson", first, second)


def spearman(first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    """Return Spearman's correlation, -1 to 1: Pearson's of the ranks, ties sharing their mean rank.

    Raises:
        MetricUndefinedError: All values of a list are equal.
        UsageError: The lists differ in length, are empty or hold a value that is not finite.

    Example:
        >>> round(spearman([1, 2, 3], [1, 10, 1000]), 12)
        1.0
    """
    return _one("spearman", first, second)


def agreement(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: Sequence[Hashable],
    *,
    names: Sequence[str] = ("tau-b", "tau-c", "accuracy", "pearson", "spearman"),
    n_resamples: int = 0,
    seed: int = 0,
    confidence: float = 0.95,
) -> dict[str, Coefficient]:
    """Return each measure of agreement with the percentile bootstrap interval over groups of items.

    Captions of one image are not independent of each other, so images are drawn, each with all of its items. The copies
    of an item that is drawn twice make no pair.

    Args:
        first: Array (item,), such as the scores of a metric.
        second: Array (item,), such as human ratings.
        groups: The group of each item, such as its image_id.
        names: Which of ``COEFFICIENTS``.
        n_resamples: Bootstrap resamples; 0 leaves the intervals out.
        seed: Seed of the draws, at least 0.
        confidence: The share of resamples between the bounds, above 0 and below 1.

    Raises:
        MetricUndefinedError: All values of a list are equal, or there is one item only.
        UsageError: An option has a value that is not allowed, or the lists do not fit.

    Example:
        >>> scores, ratings, images = [0.1, 0.4, 0.2, 0.9], [1, 2, 1, 4], ["a", "a", "b", "b"]
        >>> agreement(scores, ratings, images, names=["tau-c"])["tau-c"].value.__round__(3)
        0.938
    """
    items = _Items(*_checked(first, second))
    if len(groups) != items.n:
        raise UsageError(f"There are {items.n} items and {len(groups)} groups; give the group of each item.")
    for name in names:
        if name not in COEFFICIENTS:
            raise UnknownNameError("measure of agreement", name, COEFFICIENTS)
    values = {name: _value(name, items) for name in names}
    if n_resamples == 0:
        return {name: Coefficient(name, value) for name, value in values.items()}
    check_draws(n_resamples, seed)
    check_confidence(confidence)
    numbers: dict[Hashable, int] = {}
    group = np.array([numbers.setdefault(key, len(numbers)) for key in groups])
    drawn: dict[str, list[Floats]] = {name: [] for name in names}
    n_block = max(1, BLOCK_VALUES // items.n)
    for _, counts in resample_counts(len(numbers), n_resamples=n_resamples, seed=seed):
        for start in range(0, len(counts), n_block):
            weighted = _Weighted(items, np.ascontiguousarray(counts[start : start + n_block].T)[group])
            for name in names:
                drawn[name].append(COEFFICIENTS[name](weighted))
    return {name: _with_interval(name, values[name], np.concatenate(drawn[name]), confidence) for name in names}


class _Items:
    """Items with two values each."""

    def __init__(self, first: Floats, second: Floats) -> None:
        self.first, self.second, self.n = first, second, len(first)
        # The list with fewer values goes second, where few values make the count of pairs fast.
        self.is_swapped = len(np.unique(first)) < len(np.unique(second))
        self.orders = TwoOrders(second, first) if self.is_swapped else TwoOrders(first, second)


class _Weighted:
    """Items under weights (item, weighting); what several coefficients need is computed once."""

    def __init__(self, items: _Items, weights: Floats) -> None:
        self.items, self.weights = items, weights
        self.n_items = weights.sum(axis=0)
        self.pairs = items.orders.counts(weights)


def _tau_b(items: _Weighted) -> Floats:
    pairs = items.pairs
    untied = pairs.concordant + pairs.discordant
    product = (untied + pairs.tied_first) * (untied + pairs.tied_second)
    return _divided(pairs.concordant - pairs.discordant, np.sqrt(product))


def _tau_c(items: _Weighted) -> Floats:
    smaller = np.minimum(*items.items.orders.n_values(items.weights))
    difference = items.pairs.concordant - items.pairs.discordant
    return _divided(2.0 * difference * smaller, items.n_items**2 * (smaller - 1))


def _accuracy(items: _Weighted) -> Floats:
    return _divided(items.pairs.concordant + items.pairs.tied_both, items.pairs.total)


def _pearson(items: _Weighted) -> Floats:
    first = items.items.first - items.items.first.mean()  # near 0, so that the squares below lose no digits
    second = items.items.second - items.items.second.mean()
    moments = np.stack([first, second, first * second, first**2, second**2]) @ items.weights / items.n_items
    mean_first, mean_second, product, square_first, square_second = moments  # (weighting,) each
    variances = (square_first - mean_first**2) * (square_second - mean_second**2)
    variances[variances <= _ROUNDING * first.var() * second.var()] = 0.0  # one value alone has the weight
    return _divided(product - mean_first * mean_second, np.sqrt(variances))


def _spearman(items: _Weighted) -> Floats:
    first, second = items.items.orders.mid_ranks(items.weights)  # (item, weighting)
    middle = (items.n_items + 1.0) / 2.0
    first -= middle
    second -= middle
    weighted = items.weights * first
    product = np.einsum("nr,nr->r", weighted, second)
    square_first = np.einsum("nr,nr->r", weighted, first)
    square_second = np.einsum("nr,nr->r", items.weights * second, second)
    return _divided(product, np.sqrt(square_first * square_second))


COEFFICIENTS: Mapping[str, Callable[[_Weighted], Floats]] = {
    "tau-b": _tau_b,
    "tau-c": _tau_c,
    "accuracy": _accuracy,
    "pearson": _pearson,
    "spearman": _spearman,
}
"""The measures of agreement by name; NaN in an array (weighting,) where one is undefined."""


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    return np.divide(numerator, denominator, out=np.full_like(denominator, np.nan), where=denominator > 0)


def _one(name: str, first: npt.ArrayLike, second: npt.ArrayLike) -> float:
    return _value(name, _Items(*_checked(first, second)))


def _value(name: str, items: _Items) -> float:
    if items.n < 2:
        raise MetricUndefinedError(f"{name} is undefined for {items.n} item; it compares at least two.")
    for kind, values in (("first", items.first), ("second", items.second)):
        if name != "accuracy" and (values == values[0]).all():
            raise MetricUndefinedError(
                f"{name} is undefined: all {items.n} values of the {kind} list are {values[0]:g}."
            )
    return float(COEFFICIENTS[name](_Weighted(items, np.ones((items.n, 1))))[0])


def _with_interval(name: str, value: float, drawn: Floats, confidence: float) -> Coefficient:
    if not np.isfinite(drawn).all():
        return Coefficient(name, value)
    low, high = percentile_interval(drawn, confidence)
    return Coefficient(name, value, float(low), float(high))


def _checked(first: npt.ArrayLike, second: npt.ArrayLike) -> tuple[Floats, Floats]:
    arrays = [np.asarray(values, dtype=np.float64) for values in (first, second)]
    if arrays[0].ndim != 1 or arrays[0].shape != arrays[1].shape or arrays[0].size == 0:
        raise UsageError(
            f"The two lists have shapes {arrays[0].shape} and {arrays[1].shape}; allowed is (item,) twice."
        )
    if not all(np.isfinite(values).all() for values in arrays):
        raise UsageError("The lists hold a value that is not finite; leave such items out.")
    return arrays[0], arrays[1]
