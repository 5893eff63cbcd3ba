"""BLEU on cases small enough to count by hand; tests/golden has whole corpora."""

from __future__ import annotations

from fractions import Fraction
from math import exp, sqrt

import numpy as np
import pytest

from firstsight import _core
from firstsight.metrics import Corpus
from firstsight.metrics.bleu import Bleu

BLEU = Bleu()


@pytest.fixture(autouse=True, params=["python", "native"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "native" and _core._compiled() is None:
        pytest.skip("this installation has no native core")
    monkeypatch.setenv(_core.VARIABLE, request.param)


def statistics(candidate: list[str], references: list[list[str]]) -> np.ndarray:
    (row,) = BLEU.corpus_statistics(Corpus.from_tokens([candidate], [references]))
    np.testing.assert_array_equal(row, BLEU.statistics(candidate, references))
    return row


def scores(candidate: str, *references: str) -> list[float]:
    row = statistics(candidate.split(), [reference.split() for reference in references])
    return BLEU.from_statistics(row).tolist()


def test_statistics_are_counts():
    row = statistics(
        ["the", "the", "the", "cat", "sat"], [["the", "the", "cat"], ["a", "cat", "sat", "on", "the", "mat"]]
    )
    # Lengths 3 and 6 are 2 and 1 away from 5. "the" counts twice at most; 2-grams: the-the, the-cat, cat-sat.
    assert row.tolist() == [5, 6, 4, 3, 1, 0, 5, 4, 3, 2]
    assert row.dtype == np.float64


@pytest.mark.parametrize(
    ("candidate_length", "reference_lengths", "closest"),
    [(5, [4, 6], 4), (5, [6, 4], 4), (5, [7, 6], 6), (5, [2, 9], 2), (5, [5, 4], 5), (0, [3, 1], 1)],
)
def test_the_closest_length_counts_and_the_shorter_one_at_a_tie(candidate_length, reference_lengths, closest):
    row = statistics(["x"] * candidate_length, [["y"] * length for length in reference_lengths])
    assert row[1] == closest


def test_a_clipped_match_takes_the_reference_that_has_most():
    # The classic example of the paper, section 2.1: 7 times "the" matches twice, not three times.
    row = statistics(
        ["the"] * 7, [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    )
    assert row[2] == 2
    assert BLEU.from_statistics(row)[0] == pytest.approx(float(Fraction(2, 7)))


def test_derivation_with_brevity_penalty():
    # 3 words against 4: penalty exp(1 - 4/3); 1-grams 2/3, 2-grams 1/2.
    expected = [2 / 3 * exp(-1 / 3), sqrt(2 / 3 * 1 / 2) * exp(-1 / 3)]
    assert scores("a dog runs", "a dog is running")[:2] == pytest.approx(expected, rel=1e-8)


def test_a_corpus_score_comes_from_sums_not_from_a_mean():
    rows = [
        statistics(["a", "b"], [["a", "b"]]),
        statistics(["c", "d", "e", "f", "g", "h"], [["c", "x", "y", "z", "v", "w"]]),
    ]
    assert BLEU.from_statistics(np.sum(rows, axis=0))[0] == pytest.approx(float(Fraction(3, 8)), rel=1e-8)


def test_an_empty_candidate_scores_zero():
    assert scores("", "a dog") == [0, 0, 0, 0]


def test_a_word_is_split_at_a_no_break_space():
    assert statistics(["22\u00a03/4"], [["22", "3/4"]]).tolist() == statistics(["22", "3/4"], [["22", "3/4"]]).tolist()


def test_scores_of_many_sums_at_once():
    rows = np.array([[3.0, 4, 2, 1, 0, 0, 3, 2, 1, 0], [4, 4, 4, 3, 2, 1, 4, 3, 2, 1]])
    cube = np.stack([rows, rows[::-1]])
    assert BLEU.from_statistics(cube).shape == (2, 2, 4)
    np.testing.assert_array_equal(BLEU.from_statistics(cube)[0, 1], BLEU.from_statistics(rows[1]))


def test_the_signature_parameters():
    assert BLEU.parameters == {"max_n": 4, "reference_length": "closest"}
