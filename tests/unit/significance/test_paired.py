"""Paired tests: exact p-values of small cases by enumeration, error rates on simulated data, wins by image."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import pytest

from firstsight.errors import UsageError
from firstsight.metrics.bleu import Bleu
from firstsight.significance import (
    WinTieLoss,
    paired_bootstrap_test,
    paired_permutation_test,
    win_tie_loss,
)


def mean(totals: np.ndarray) -> np.ndarray:
    return totals[..., :1] / totals[..., 1:]


def systems(*scores: np.ndarray) -> np.ndarray:
    """Return statistics (image, system, (score, 1)) of systems with the given scores of images."""
    return np.stack([np.stack([values, np.ones_like(values)], axis=-1) for values in map(np.asarray, scores)], axis=1)


def test_the_permutation_p_value_is_that_of_all_swaps():
    first, second = [3.0, 5.0, 2.0, 9.0], [1.0, 2.0, 1.0, 12.0]
    differences = [a - b for a, b in zip(first, second, strict=True)]  # 2, 3, 1, -3
    swapped = [abs(sum(s * d for s, d in zip(signs, differences, strict=True))) for signs in _signs(4)]
    exact = Fraction(sum(value >= abs(sum(differences)) for value in swapped), len(swapped))
    assert exact == Fraction(12, 16)  # 2+3-1-3 and 2-3-1+3 and their opposites are 1 and -1, below the observed 3
    tests = paired_permutation_test(systems(first, second), mean, n_resamples=40_000, seed=3)
    assert tests.p_values[0, 1, 0] == pytest.approx(float(exact), abs=0.01)


def _signs(n: int) -> list[tuple[int, ...]]:
    return list(itertools.product([1, -1], repeat=n))


def test_a_corpus_metric_is_scored_from_the_swapped_sums():
    # BLEU-1 is no mean over images: its exact p-value is that of BLEU-1 of each of the 2^5 swapped corpora.
    rng = np.random.default_rng(5)
    vocabulary = "a dog cat runs sleeps on grass the sofa red".split()
    metric = Bleu()
    references = [[list(rng.choice(vocabulary, size=8))] for _ in range(5)]
    rows = [
        np.stack([metric.statistics(list(rng.choice(vocabulary, size=n)), group) for group in references])
        for n in (7, 4)
    ]
    table = np.stack(rows, axis=1)  # (image, system, statistic)
    observed = _bleu_1(metric, table)
    swapped = [
        _bleu_1(metric, np.stack([row[::-1] if swap else row for row, swap in zip(table, swaps, strict=True)]))
        for swaps in itertools.product([False, True], repeat=5)
    ]
    exact = np.mean([abs(value) >= abs(observed) - 1e-12 for value in swapped])
    tests = paired_permutation_test(table, metric.from_statistics, n_resamples=20_000, seed=1)
    assert tests.differences[0, 1, 0] == pytest.approx(observed)
    assert tests.p_values[0, 1, 0] == pytest.approx(exact, abs=0.015)


def _bleu_1(metric: Bleu, table: np.ndarray) -> float:
    scores = metric.from_statistics(table.sum(axis=0))[:, 0]
    return float(scores[0] - scores[1])


@pytest.mark.parametrize("test", [paired_permutation_test, paired_bootstrap_test])
def test_pairs_are_tested_as_if_they_were_alone(test):
    scores = np.random.default_rng(0).normal(size=(3, 60)) + np.array([[0.0], [0.2], [0.4]])
    together = test(systems(*scores), mean, n_resamples=300, seed=8)
    alone = test(systems(scores[0], scores[2]), mean, n_resamples=300, seed=8)
    np.testing.assert_allclose(together.p_values[[0, 2]][:, [0, 2]], alone.p_values, rtol=0, atol=1e-12)
    np.testing.assert_array_equal(together.p_values, together.p_values.transpose(1, 0, 2))
    np.testing.assert_array_equal(np.diagonal(together.p_values), np.ones((1, 3)))


@pytest.mark.parametrize("test", [paired_permutation_test, paired_bootstrap_test])
def test_equal_systems_have_p_1_and_far_ones_the_least_p(test):
    values = np.random.default_rng(1).normal(size=50)
    table = systems(values, values, values - 3 + 0.1 * np.random.default_rng(2).normal(size=50))
    found = test(table, mean, n_resamples=199, seed=0)
    assert found.p_values[0, 1, 0] == 1.0
    assert found.p_values[0, 2, 0] == 1 / 200
    assert found.differences[2, 0, 0] == -found.differences[0, 2, 0]


@pytest.mark.parametrize("test", [paired_permutation_test, paired_bootstrap_test])
def test_of_equally_good_systems_one_in_ten_is_below_a_tenth(test):
    rng = np.random.default_rng(7)
    below = 0
    for seed in range(300):
        values = rng.exponential(size=(2, 60))
        below += test(systems(*values), mean, n_resamples=199, seed=seed).p_values[0, 1, 0] <= 0.1
    assert 0.06 <= below / 300 <= 0.15  # the standard deviation of 300 draws is 0.017


@pytest.mark.parametrize("test", [paired_permutation_test, paired_bootstrap_test])
def test_the_seed_decides_everything(test):
    table = systems(*np.random.default_rng(0).normal(size=(3, 40)))
    first = test(table, mean, n_resamples=50, seed=1).p_values
    np.testing.assert_array_equal(first, test(table.copy(), mean, n_resamples=50, seed=1).p_values)
    assert not np.array_equal(first, test(table, mean, n_resamples=50, seed=2).p_values)


@pytest.mark.parametrize("test", [paired_permutation_test, paired_bootstrap_test])
def test_what_is_not_allowed_is_told(test):
    with pytest.raises(UsageError, match=r"shape \(4, 2\); allowed is \(image, system, statistic\) with at least one"):
        test(np.zeros((4, 2)), mean, n_resamples=1, seed=0)
    with pytest.raises(UsageError, match="resamples is 0"):
        test(systems([1.0], [2.0]), mean, n_resamples=0, seed=0)
    with pytest.raises(UsageError, match="not finite"):
        test(systems([1.0], [np.nan]), mean, n_resamples=1, seed=0)


def test_wins_ties_and_losses():
    first, second = np.array([0.3, 0.2, 0.1, 0.7]), np.array([0.1 + 0.2, 0.1, 0.5, 0.0])
    assert first[0] != second[0]  # by rounding alone: a tie
    assert win_tie_loss(first, second) == WinTieLoss(2, 1, 1)
    assert win_tie_loss(first, second, higher_is_better=False) == WinTieLoss(1, 1, 2)
    assert win_tie_loss(np.zeros(3), np.zeros(3)) == WinTieLoss(0, 3, 0)
