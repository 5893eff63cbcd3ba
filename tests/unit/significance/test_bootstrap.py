"""Bootstrap intervals: tiny cases worked out by hand, coverage on simulated data, messages of bad options."""

from __future__ import annotations

import doctest
import itertools
import re
from typing import Any

import numpy as np
import pytest

from firstsight.errors import UsageError
from firstsight.significance import bootstrap, bootstrap_interval, resampled_totals


def mean(totals: np.ndarray) -> np.ndarray:
    return totals[..., :1] / totals[..., 1:]


def with_count(values: Any) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    return np.stack([values, np.ones_like(values)], axis=-1)


def test_examples_run():
    assert doctest.testmod(bootstrap).failed == 0


def test_equal_images_have_an_interval_of_no_width():
    low, high = bootstrap_interval(with_count([0.25] * 7), mean, n_resamples=50, seed=3)
    assert (low.tolist(), high.tolist()) == ([0.25], [0.25])


def test_one_image_has_an_interval_of_no_width():
    low, high = bootstrap_interval(with_count([0.5]), mean, n_resamples=10, seed=0)
    assert (low.tolist(), high.tolist()) == ([0.5], [0.5])


def test_derivation_on_three_images():
    # Of the 27 equally likely resamples of 0, 0 and 3 the means are 0 (8 of them), 1 (12), 2 (6) and 3 (1).
    resamples = np.array([np.mean(draw) for draw in itertools.product([0, 0, 3], repeat=3)])
    assert [int((resamples == value).sum()) for value in (0, 1, 2, 3)] == [8, 12, 6, 1]
    low, high = bootstrap_interval(with_count([0, 0, 3]), mean, n_resamples=20_000, seed=5, confidence=0.9)
    expected = np.quantile(np.repeat(resamples, 1000), [0.05, 0.95])
    assert (low[0], high[0]) == tuple(expected) == (0, 2)


def test_the_bounds_are_quantiles_of_the_resamples_of_the_seed():
    values = np.array([0.1, 0.5, 0.9, 0.2])
    rng = np.random.default_rng(11)
    drawn = [values[rng.integers(4, size=4)].mean() for _ in range(200)]
    low, high = bootstrap_interval(with_count(values), mean, n_resamples=200, seed=11)
    assert [low[0], high[0]] == pytest.approx(np.quantile(drawn, [0.025, 0.975]).tolist(), rel=1e-12)


def test_the_seed_decides_everything():
    statistics = with_count(np.random.default_rng(0).normal(size=300))
    first = bootstrap_interval(statistics, mean, n_resamples=100, seed=1)
    np.testing.assert_array_equal(first, bootstrap_interval(statistics.copy(), mean, n_resamples=100, seed=1))
    assert not np.array_equal(first, bootstrap_interval(statistics, mean, n_resamples=100, seed=2))


def test_every_score_has_its_bounds():
    statistics = np.random.default_rng(0).random((40, 5))
    low, high = bootstrap_interval(statistics, lambda totals: totals[..., :3] / 40, n_resamples=100, seed=1)
    assert low.shape == high.shape == (3,)
    assert (low < statistics[:, :3].mean(axis=0)).all()
    assert (high > statistics[:, :3].mean(axis=0)).all()


def test_more_confidence_is_a_wider_interval():
    statistics = with_count(np.random.default_rng(0).normal(size=100))
    widths = [
        np.subtract(*reversed(bootstrap_interval(statistics, mean, n_resamples=500, seed=1, confidence=c)))[0]
        for c in (0.5, 0.9, 0.99)
    ]
    assert widths == sorted(widths)


def test_ninety_percent_intervals_hold_the_truth_about_nine_times_in_ten():
    rng = np.random.default_rng(2024)
    hits = 0
    for seed in range(300):
        low, high = bootstrap_interval(
            with_count(rng.exponential(size=80)), mean, n_resamples=200, seed=seed, confidence=0.9
        )
        hits += bool(low[0] <= 1.0 <= high[0])
    # 300 draws at 0.9 have a standard deviation of 0.017; the percentile interval is a little short on skewed data.
    assert 0.83 <= hits / 300 <= 0.94


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_resamples": 0}, "Number of resamples is 0; allowed is 1 or more."),
        ({"seed": -1}, "Seed is -1; allowed is 0 or more."),
        ({"confidence": 1.0}, "Confidence is 1.0; allowed is a number above 0 and below 1, such as 0.95."),
        ({"confidence": float("nan")}, "Confidence is nan; allowed is a number above 0 and below 1"),
        ({"statistics": np.zeros((0, 2))}, "Statistics have shape (0, 2); allowed is (image, statistic) with at least"),
        ({"statistics": np.zeros(3)}, "Statistics have shape (3,); allowed is (image, statistic)"),
        ({"statistics": np.array([[1.0, np.nan]])}, "Statistics hold a value that is not finite"),
    ],
)
def test_bad_options_are_named(change: dict[str, Any], message: str):
    options: dict[str, Any] = {"statistics": with_count([1.0, 2.0]), "n_resamples": 10, "seed": 0} | change
    with pytest.raises(UsageError, match=re.escape(message)):
        bootstrap_interval(options.pop("statistics"), mean, **options)


def test_totals_of_many_systems_are_those_of_each_alone():
    table = np.random.default_rng(0).random((70, 3, 4))
    together = resampled_totals(table, n_resamples=9, seed=5)
    assert together.shape == (9, 3, 4)
    for system in range(3):
        alone = resampled_totals(table[:, system], n_resamples=9, seed=5)
        np.testing.assert_allclose(together[:, system], alone, rtol=1e-13)


def test_blocks_do_not_change_the_draws(monkeypatch: pytest.MonkeyPatch):
    table = np.random.default_rng(0).integers(0, 9, size=(40, 2)).astype(float)
    whole = resampled_totals(table, n_resamples=25, seed=5)
    monkeypatch.setattr(bootstrap, "BLOCK_VALUES", 80)
    np.testing.assert_array_equal(resampled_totals(table, n_resamples=25, seed=5), whole)


def test_no_images_have_no_totals():
    with pytest.raises(UsageError, match=r"shape \(0, 2\); allowed is \(image, ...\)"):
        resampled_totals(np.zeros((0, 2)), n_resamples=1, seed=0)
