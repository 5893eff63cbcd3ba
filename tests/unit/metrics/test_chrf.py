"""ChrF2 against recorded outputs of sacrebleu, and on cases that are counted by hand."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.metrics import Corpus
from firstsight.metrics.chrf import ChrF
from firstsight.tokenizers.words import WordsTokenizer

# Written by tests/golden/make_chrf.py with sacrebleu 2.6.0.
ORIGINAL: dict[str, Any] = json.loads(
    (Path(__file__).resolve().parents[2] / "golden" / "chrf.json").read_text(encoding="utf-8")
)
CHRF = ChrF()


def score(candidate: str, *references: str) -> float:
    return float(CHRF.from_statistics(CHRF.statistics(candidate, references))[0])


def test_the_values_say_where_they_come_from():
    provenance = ORIGINAL["provenance"]
    assert (provenance["tool"], provenance["version"]) == ("sacrebleu", "2.6.0")
    assert provenance["signature"].startswith("nrefs:var|case:mixed|eff:yes|nc:6|nw:0|space:no|")


def test_scores_equal_sacrebleu():
    corpus = Corpus(ORIGINAL["candidates"], ORIGINAL["references"], WordsTokenizer())
    table = CHRF.corpus_statistics(corpus)
    np.testing.assert_allclose(100 * CHRF.from_statistics(table)[:, 0], ORIGINAL["images"], rtol=1e-12)
    np.testing.assert_allclose(100 * CHRF.from_statistics(table.sum(axis=0))[0], ORIGINAL["corpus"], rtol=1e-12)


def test_derivation():
    # "abcd" and "abd": 1-grams 3 of 4 and 3, 2-grams 1 (ab) of 3 and 2, 3-grams 0 of 2 and 1; no 4-gram in "abd".
    precision = (Fraction(3, 4) + Fraction(1, 3) + 0) / 3
    recall = (Fraction(3, 3) + Fraction(1, 2) + 0) / 3
    expected = 5 * precision * recall / (4 * precision + recall)
    assert score("ab cd", "a bd") == pytest.approx(float(expected), rel=1e-15)


@pytest.mark.parametrize(
    ("candidate", "references", "expected"),
    [("", ["a kite"], 0), ("a kite", [""], 0), ("", [""], 0), ("xyz", ["abc"], 0), ("a kite", ["dogs", "a kite"], 1)],
)
def test_limits(candidate: str, references: list[str], expected: float):
    assert score(candidate, *references) == expected


def test_case_counts_and_white_space_does_not():
    assert score("A KITE", "a kite") == 0
    assert score("a\u00a0ki te\n", "akite") == 1


def test_a_tie_goes_to_the_reference_with_the_fewest_ngrams_whatever_the_order():
    rows = [CHRF.statistics("xyz", group) for group in (["abc", "ab"], ["ab", "abc"])]
    np.testing.assert_array_equal(rows[0], rows[1])
    assert rows[0][:3].tolist() == [3, 2, 0]


@given(st.text(max_size=20), st.lists(st.text(max_size=20), min_size=1, max_size=3))
def test_any_text_has_a_score_and_the_best_reference_counts(candidate: str, references: list[str]):
    best = max(score(candidate, reference) for reference in references)
    assert score(candidate, *references) == best
    assert 0 <= best <= 1
