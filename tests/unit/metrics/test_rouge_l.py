"""ROUGE-L on cases small enough to count by hand; tests/golden has whole corpora."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from firstsight.metrics.rouge_l import RougeL

ROUGE_L = RougeL()
BETA_SQUARED = Fraction(144, 100)


def score(candidate: str, *references: str) -> float:
    row = ROUGE_L.statistics(candidate.split(), [reference.split() for reference in references])
    assert row.shape == (2,)
    assert row[1] == 1
    return float(row[0])


def f_measure(precision: Fraction, recall: Fraction) -> float:
    return float((1 + BETA_SQUARED) * precision * recall / (recall + BETA_SQUARED * precision))


def test_derivation():
    # Longest common subsequence of a-b-c-d and a-x-c-d-y is a-c-d.
    assert score("a b c d", "a x c d y") == pytest.approx(f_measure(Fraction(3, 4), Fraction(3, 5)), rel=1e-12)


def test_best_precision_and_best_recall_may_come_from_different_references():
    # Precision 2/3 from the first reference, recall 1/1 from the second.
    expected = f_measure(Fraction(2, 3), Fraction(1))
    assert score("a b c", "a b x y z", "c") == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("candidate", "reference"), [("a", "b"), ("", "b"), ("a", "")])
def test_nothing_in_common_scores_zero(candidate: str, reference: str):
    assert score(candidate, reference) == 0


def test_two_empty_captions_are_equal_as_in_the_original():
    assert score("", "") == 1


def test_order_counts():
    assert score("d c b a", "a b c d") == pytest.approx(float(Fraction(1, 4)), rel=1e-12)


def test_a_token_with_a_no_break_space_is_one_token():
    row = ROUGE_L.statistics(["22\u00a03/4"], [["22", "3/4"]])
    assert row.tolist() == [0, 1]


def test_the_corpus_score_is_the_mean():
    totals = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert ROUGE_L.from_statistics(totals).tolist() == [[0.75], [0.75]]


def test_the_signature_parameters():
    assert ROUGE_L.parameters == {"beta": 1.2}
