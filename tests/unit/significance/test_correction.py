"""Corrections for many tests: worked by hand as fractions, and against their definitions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from firstsight.errors import UnknownNameError, UsageError
from firstsight.significance import benjamini_hochberg, corrected, holm

# Four p-values in hundredths: 1, 2, 3 and 50, shuffled.
P_VALUES = [Fraction(3, 100), Fraction(1, 100), Fraction(1, 2), Fraction(2, 100)]


def test_holm_by_hand():
    # 4 * 1, 3 * 2, 2 * 3, 1 * 50 hundredths, never falling.
    expected = [Fraction(6, 100), Fraction(4, 100), Fraction(1, 2), Fraction(6, 100)]
    assert holm([float(p) for p in P_VALUES]) == pytest.approx([float(p) for p in expected], rel=1e-12)


def test_benjamini_hochberg_by_hand():
    # 4/1 * 1, 4/2 * 2, 4/3 * 3, 4/4 * 50 hundredths, never falling towards the smallest.
    expected = [Fraction(4, 100), Fraction(4, 100), Fraction(1, 2), Fraction(4, 100)]
    assert benjamini_hochberg([float(p) for p in P_VALUES]) == pytest.approx([float(p) for p in expected], rel=1e-12)


@pytest.mark.parametrize("correction", [holm, benjamini_hochberg])
def test_they_reject_as_their_step_procedures_do(correction):
    rng = np.random.default_rng(4)
    for _ in range(50):
        p_values = rng.random(12) ** 3
        ordered = np.sort(p_values)
        m = len(p_values)
        if correction is holm:  # reject while p_(i) <= alpha / (m - i + 1)
            passed = ordered <= 0.05 / np.arange(m, 0, -1)
            n_rejected = m if passed.all() else int(np.argmin(passed))
        else:  # reject up to the last p_(i) <= i alpha / m
            passed = ordered <= 0.05 * np.arange(1, m + 1) / m
            n_rejected = int(np.flatnonzero(passed).max(initial=-1)) + 1
        assert int((correction(p_values) <= 0.05).sum()) == n_rejected


@pytest.mark.parametrize("correction", [holm, benjamini_hochberg])
def test_no_p_value_falls_or_passes_1(correction):
    p_values = np.array([1.0, 0.9, 0.5, 0.5])
    assert (correction(p_values) >= p_values).all()
    assert correction(p_values).max() == 1.0
    assert correction([0.03]).tolist() == [0.03]
    assert correction([]).tolist() == []


def test_a_table_is_corrected_once_for_each_pair():
    table = np.array([[1.0, 0.01, 0.2], [0.01, 1.0, 0.02], [0.2, 0.02, 1.0]])
    np.testing.assert_allclose(corrected(table, "holm"), [[1, 0.03, 0.2], [0.03, 1, 0.04], [0.2, 0.04, 1]], rtol=1e-12)
    np.testing.assert_array_equal(corrected(table, "none"), table)


def test_what_is_not_allowed_is_told():
    with pytest.raises(UsageError, match="numbers from 0 to 1"):
        holm([1.2])
    with pytest.raises(UnknownNameError, match=r"Unknown correction 'bonferroni'. .*Available: bh, holm, none"):
        corrected(np.ones((2, 2)), "bonferroni")
