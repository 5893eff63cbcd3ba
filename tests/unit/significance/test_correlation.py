"""Agreement with ratings: fractions by hand, the slow definition over all pairs, and intervals over groups."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.errors import MetricUndefinedError, UnknownNameError, UsageError
from firstsight.significance import (
    agreement,
    kendall_tau_b,
    kendall_tau_c,
    pairwise_accuracy,
    pearson,
    spearman,
)

FEW = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3)), min_size=2, max_size=14)


def slow_counts(first, second) -> dict[str, int]:
    """Count the pairs of every kind one by one."""
    counts = dict.fromkeys(("concordant", "discordant", "first", "second", "both"), 0)
    for (a, b), (c, d) in itertools.combinations(list(zip(first, second, strict=True)), 2):
        kind = ("both" if b == d else "first") if a == c else "second" if b == d else None
        counts[kind or ("concordant" if (a < c) == (b < d) else "discordant")] += 1
    return counts


def slow_tau_b(first, second) -> float:
    n = slow_counts(first, second)
    untied = n["concordant"] + n["discordant"]
    return (n["concordant"] - n["discordant"]) / math.sqrt((untied + n["first"]) * (untied + n["second"]))


def slow_tau_c(first, second) -> Fraction:
    n, m = slow_counts(first, second), min(len(set(first)), len(set(second)))
    return Fraction(2 * (n["concordant"] - n["discordant"]), len(first) ** 2) * Fraction(m, m - 1)


def slow_accuracy(first, second) -> Fraction:
    n = slow_counts(first, second)
    return Fraction(n["concordant"] + n["both"], sum(n.values()))


def test_by_hand():
    # Pairs of the items (1,1) (2,1) (2,2) (3,2): 3 concordant, none discordant, 1 tied first, 2 tied second.
    first, second = [1, 2, 2, 3], [1, 1, 2, 2]
    assert slow_counts(first, second) == {"concordant": 3, "discordant": 0, "first": 1, "second": 2, "both": 0}
    assert kendall_tau_b(first, second) == pytest.approx(3 / math.sqrt((3 + 1) * (3 + 2)), rel=1e-15)
    assert kendall_tau_c(first, second) == Fraction(2 * 3 * 2, 4**2 * 1)  # two different second values: m = 2
    assert pairwise_accuracy(first, second) == Fraction(3, 6)


def test_by_hand_with_ties_of_both_and_disorder():
    # (1,2) (1,2) (2,1) (3,3): the first two are tied in both; each of them is discordant with the third and
    # concordant with the fourth, and the third is concordant with the fourth.
    first, second = [1, 1, 2, 3], [2, 2, 1, 3]
    assert kendall_tau_b(first, second) == pytest.approx((3 - 2) / 5, rel=1e-15)
    assert kendall_tau_c(first, second) == pytest.approx(Fraction(2 * 1 * 3, 4**2 * 2), rel=1e-15)
    assert pairwise_accuracy(first, second) == (3 + 1) / 6


def test_published_values():
    # The worked example of scipy.stats.kendalltau and spearmanr in their documentation.
    assert kendall_tau_b([12, 2, 1, 12, 2], [1, 4, 7, 1, 0]) == pytest.approx(-0.47140452079103173, rel=1e-14)
    assert spearman([1, 2, 3, 4, 5], [5, 6, 7, 8, 7]) == pytest.approx(0.8207826816681233, rel=1e-14)


@given(FEW)
def test_the_fast_count_is_the_slow_one(items):
    first, second = zip(*items, strict=True)
    assert pairwise_accuracy(first, second) == pytest.approx(float(slow_accuracy(first, second)), rel=1e-14)
    if len(set(first)) > 1 and len(set(second)) > 1:
        assert kendall_tau_b(first, second) == pytest.approx(slow_tau_b(first, second), rel=1e-14)
        assert kendall_tau_c(first, second) == pytest.approx(float(slow_tau_c(first, second)), rel=1e-14)


@given(FEW)
def test_order_of_the_items_and_of_the_lists_does_not_matter(items):
    first, second = zip(*items, strict=True)
    assert pairwise_accuracy(first, second) == pairwise_accuracy(second, first)
    assert pairwise_accuracy(first, second) == pairwise_accuracy(first[::-1], second[::-1])
    if len(set(first)) > 1 and len(set(second)) > 1:
        for measure in (kendall_tau_b, kendall_tau_c, spearman, pearson):
            assert measure(first, second) == pytest.approx(measure(second, first), abs=1e-12)
            assert -1 - 1e-12 <= measure(first, second) <= 1 + 1e-12
            negative = [-value for value in second]
            assert measure(first, negative) == pytest.approx(-measure(first, second), abs=1e-12)


def test_many_different_values():
    rng = np.random.default_rng(6)
    first = rng.normal(size=300)
    second = first + rng.normal(size=300)
    assert kendall_tau_b(first, second) == pytest.approx(slow_tau_b(first, second), rel=1e-14)
    assert kendall_tau_c(first, second) == pytest.approx(float(slow_tau_c(first, second)), rel=1e-14)


def test_pearson_and_spearman_are_those_of_numpy():
    rng = np.random.default_rng(6)
    first, second = rng.integers(0, 9, size=(2, 80)).astype(float)
    ranks = [[(np.sum(v < x) + np.sum(v <= x) + 1) / 2 for x in v] for v in (first, second)]
    assert pearson(first, second) == pytest.approx(np.corrcoef(first, second)[0, 1], rel=1e-12)
    assert spearman(first, second) == pytest.approx(np.corrcoef(*ranks)[0, 1], rel=1e-12)


def test_the_interval_is_that_of_resampled_groups():
    rng = np.random.default_rng(9)
    images = np.repeat(np.arange(12), 3)
    first = rng.integers(0, 6, size=36).astype(float)
    second = np.clip(first // 2 + rng.integers(-1, 2, size=36), 0, 3)
    found = agreement(first, second, list(images), n_resamples=60, seed=4, confidence=0.8)
    draws = np.random.default_rng(4)
    slow: dict[str, list[float]] = {name: [] for name in found}
    for _ in range(60):
        chosen = np.concatenate([np.flatnonzero(images == image) for image in draws.integers(12, size=12)])
        pairs = [(i, j) for i, j in itertools.combinations(chosen, 2) if i != j]  # no pair of an item with itself
        sign = [(np.sign(first[i] - first[j]), np.sign(second[i] - second[j])) for i, j in pairs]
        difference = sum(a * b for a, b in sign)
        untied = [sum(s[axis] != 0 for s in sign) for axis in (0, 1)]
        m = min(len(set(first[chosen])), len(set(second[chosen])))
        ranks = [
            [(np.sum(v[chosen] < v[i]) + np.sum(v[chosen] <= v[i]) + 1) / 2 for i in chosen] for v in (first, second)
        ]
        slow["tau-b"].append(difference / math.sqrt(untied[0] * untied[1]))
        slow["tau-c"].append(2 * difference * m / (36**2 * (m - 1)))
        slow["accuracy"].append(sum(a == b for a, b in sign) / len(sign))
        slow["pearson"].append(np.corrcoef(first[chosen], second[chosen])[0, 1])
        slow["spearman"].append(np.corrcoef(*ranks)[0, 1])
    for name, coefficient in found.items():
        expected = np.quantile(slow[name], [0.1, 0.9])
        assert [coefficient.low, coefficient.high] == pytest.approx(expected.tolist(), rel=1e-10), name


def test_groups_make_intervals_wider():
    rng = np.random.default_rng(2)
    image = np.repeat(np.arange(40), 10)
    effect = rng.normal(size=40)[image]  # what all captions of an image share
    first, second = effect + 0.3 * rng.normal(size=400), effect + 0.3 * rng.normal(size=400)
    by_image = agreement(first, second, list(image), names=["pearson"], n_resamples=300)["pearson"]
    by_item = agreement(first, second, list(range(400)), names=["pearson"], n_resamples=300)["pearson"]
    assert by_image.high - by_image.low > 1.5 * (by_item.high - by_item.low)


def test_no_resamples_and_a_resample_without_a_value_give_no_interval():
    assert agreement([1, 2], [1, 2], ["a", "b"])["tau-b"].low is None
    found = agreement([1, 2], [1, 2], ["a", "b"], n_resamples=50, names=["tau-b"])["tau-b"]
    assert (found.value, found.low, found.high) == (1.0, None, None)  # some resamples have one image only


@pytest.mark.parametrize("measure", [kendall_tau_b, kendall_tau_c, pearson, spearman])
def test_equal_values_have_no_correlation(measure):
    with pytest.raises(MetricUndefinedError, match="undefined: all 3 values of the second list are 2"):
        measure([1, 2, 3], [2, 2, 2])
    assert pairwise_accuracy([1, 2, 3], [2, 2, 2]) == 0


def test_what_is_not_allowed_is_told():
    with pytest.raises(UsageError, match=r"shapes \(2,\) and \(3,\)"):
        kendall_tau_b([1, 2], [1, 2, 3])
    with pytest.raises(UsageError, match="not finite"):
        kendall_tau_b([1, math.nan], [1, 2])
    with pytest.raises(MetricUndefinedError, match="compares at least two"):
        pairwise_accuracy([1], [1])
    with pytest.raises(UsageError, match="2 items and 1 groups"):
        agreement([1, 2], [1, 2], ["a"])
    with pytest.raises(UnknownNameError, match="Unknown measure of agreement 'tau'"):
        agreement([1, 2], [1, 2], ["a", "b"], names=["tau"])
