"""ROUGE-L on cases small enough to count by hand; tests/golden has whole corpora."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from firstsight import _core
from firstsight.metrics import Corpus
from firstsight.metrics.rouge_l import RougeL

ROUGE_L = RougeL()
BETA_SQUARED = Fraction(144, 100)


@pytest.fixture(autouse=True, params=["python", "native"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "native" and _core._compiled() is None:
        pytest.skip("this installation has no native core")
    monkeypatch.setenv(_core.VARIABLE, request.param)


def statistics(candidate: list[str], references: list[list[str]]) -> np.ndarray:
    (row,) = ROUGE_L.corpus_statistics(Corpus.from_tokens([candidate], [references]))
    np.testing.assert_array_equal(row, ROUGE_L.statistics(candidate, references))
    return row


def score(candidate: str, *references: str) -> float:
    row = statistics(candidate.split(), [reference.split() for reference in references])
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


def test_an_empty_token_equals_an_empty_caption():
    assert statistics([], [[""]]).tolist() == [1, 1]
    assert statistics(["", "a"], [[], ["b"]]).tolist() == [f_measure(Fraction(1, 2), Fraction(1)), 1]


def test_a_caption_of_many_machine_words():
    # 200 words of which the reference has every third, and a word between them that the candidate has not.
    words = [f"w{number}" for number in range(200)]
    reference = [word for third in words[::3] for word in (third, "new")]
    expected = f_measure(Fraction(67, 200), Fraction(67, 134))
    assert statistics(words, [reference])[0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("length", [63, 64, 65, 127, 128, 129])
def test_carries_go_from_one_machine_word_to_the_next(length: int):
    # The longest common subsequence of (ab)^n and (ba)^n leaves one token out at each end.
    ours = (["a", "b"] * length)[:length]
    theirs = (["b", "a"] * length)[:length]
    assert statistics(ours, [theirs])[0] == pytest.approx(float(Fraction(length - 1, length)), rel=1e-12)


def test_a_carry_goes_through_a_machine_word_without_a_match():
    # "a" stands in the first and in the third 64 tokens; one reference has it once, the other has what is between.
    between = [f"w{number}" for number in range(130)]
    row = statistics(["a", *between, "a"], [["a"], between])
    assert row[0] == pytest.approx(f_measure(Fraction(130, 132), Fraction(1)), rel=1e-12)


def test_order_counts():
    assert score("d c b a", "a b c d") == pytest.approx(float(Fraction(1, 4)), rel=1e-12)


def test_a_token_with_a_no_break_space_is_one_token():
    row = statistics(["22\u00a03/4"], [["22", "3/4"]])
    assert row.tolist() == [0, 1]


def test_the_corpus_score_is_the_mean():
    totals = np.array([[1.5, 2.0], [3.0, 4.0]])
    assert ROUGE_L.from_statistics(totals).tolist() == [[0.75], [0.75]]


def test_the_signature_parameters():
    assert ROUGE_L.parameters == {"beta": 1.2}
