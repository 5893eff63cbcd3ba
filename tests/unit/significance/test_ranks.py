"""Rank intervals and groups: small cases by hand, joint coverage on simulated data, groups against brute force."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.errors import UsageError
from firstsight.significance import group_letters, indistinguishable_groups, rank_intervals, resampled_totals


def test_two_systems_that_never_change_places_have_sure_ranks():
    draws = np.random.default_rng(0).normal(size=(200, 1)) * 0.01 + [[0.1, 0.9, 0.5]]
    best, worst = rank_intervals(np.array([0.1, 0.9, 0.5]), draws)
    assert (best.tolist(), worst.tolist()) == ([3, 1, 2], [3, 1, 2])
    best, worst = rank_intervals(np.array([0.1, 0.9, 0.5]), draws, higher_is_better=False)
    assert (best.tolist(), worst.tolist()) == ([1, 3, 2], [1, 3, 2])


def test_equal_systems_share_all_their_ranks():
    draws = np.repeat(np.random.default_rng(0).normal(size=(50, 1)), 4, axis=1)
    best, worst = rank_intervals(np.full(4, 0.3), draws)
    assert (best.tolist(), worst.tolist()) == ([1] * 4, [4] * 4)


def test_the_constant_is_the_quantile_of_the_largest_studentised_difference():
    rng = np.random.default_rng(3)
    scores = np.array([0.0, 0.55, 1.0])
    draws = scores + rng.normal(size=(400, 3)) * [0.1, 0.2, 0.3]
    largest, errors = np.zeros(400), {}
    for j, k in itertools.permutations(range(3), 2):
        deviation = draws[:, j] - draws[:, k] - (scores[j] - scores[k])
        errors[j, k] = deviation.std()
        largest = np.maximum(largest, np.abs(deviation) / errors[j, k])
    critical = np.sort(largest)[int(np.ceil(0.9 * 399))]
    is_better = {(j, k): scores[j] - scores[k] > critical * error for (j, k), error in errors.items()}
    best, worst = rank_intervals(scores, draws, confidence=0.9)
    assert best.tolist() == [1 + sum(is_better.get((k, j), False) for k in range(3)) for j in range(3)]
    assert worst.tolist() == [3 - sum(is_better.get((j, k), False) for k in range(3)) for j in range(3)]


def test_the_intervals_of_all_systems_hold_together():
    rng = np.random.default_rng(12)
    truth = np.array([0.0, 0.0, 0.05, 0.3, 0.35])  # true ranks: 4 to 5, 4 to 5, 3, 2, 1
    lowest, highest = np.array([4, 4, 3, 2, 1]), np.array([5, 5, 3, 2, 1])
    held = 0
    for seed in range(200):
        values = truth + rng.normal(size=(120, 1)) * 0.5 + rng.normal(size=(120, 5))
        draws = resampled_totals(values, n_resamples=200, seed=seed) / 120
        best, worst = rank_intervals(values.mean(axis=0), draws, confidence=0.9)
        held += bool((best <= lowest).all() and (worst >= highest).all())
    assert held / 200 >= 0.87  # at least 0.9 but for three standard deviations of 0.02 and the error of the bootstrap


def test_what_does_not_fit_is_told():
    with pytest.raises(UsageError, match=r"Scores \(2,\) and resampled scores \(5, 3\)"):
        rank_intervals(np.zeros(2), np.zeros((5, 3)))
    with pytest.raises(UsageError, match="Confidence is 1"):
        rank_intervals(np.zeros(2), np.zeros((5, 2)), confidence=1)


def test_groups_by_hand():
    different = np.zeros((4, 4), dtype=bool)
    for one, other in ((0, 2), (0, 3), (1, 3)):
        different[one, other] = different[other, one] = True
    groups = indistinguishable_groups(different, [0, 1, 2, 3])
    assert groups == [(0, 1), (1, 2), (2, 3)]
    assert group_letters(groups, 4) == ["a", "ab", "bc", "c"]
    assert indistinguishable_groups(different, [3, 2, 1, 0]) == [(3, 2), (2, 1), (1, 0)]


def test_all_alike_are_one_group_and_all_different_are_alone():
    assert indistinguishable_groups(np.zeros((3, 3), dtype=bool), [2, 0, 1]) == [(2, 0, 1)]
    assert indistinguishable_groups(~np.eye(3, dtype=bool), [2, 0, 1]) == [(2,), (0,), (1,)]
    assert indistinguishable_groups(np.zeros((0, 0), dtype=bool), []) == []


def test_letters_after_z():
    letters = group_letters([(number,) for number in range(28)], 28)
    assert letters[25:] == ["z", "a2", "b2"]


@given(st.integers(1, 7), st.randoms(use_true_random=False))
def test_groups_are_all_the_largest_sets_without_a_difference(n_systems: int, random):
    different = np.zeros((n_systems, n_systems), dtype=bool)
    for one, other in itertools.combinations(range(n_systems), 2):
        different[one, other] = different[other, one] = random.random() < 0.5
    alike = [
        set(group)
        for size in range(1, n_systems + 1)
        for group in itertools.combinations(range(n_systems), size)
        if not any(different[one, other] for one, other in itertools.combinations(group, 2))
    ]
    largest = [group for group in alike if not any(group < other for other in alike)]
    order = random.sample(range(n_systems), n_systems)
    found = indistinguishable_groups(different, order)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
    letters = group_letters(found, n_systems)
    for one, other in itertools.combinations(range(n_systems), 2):
        assert bool(set(letters[one]) & set(letters[other])) == (not different[one, other])
