"""What is measured of captions by themselves, on cases that are counted by hand."""

from __future__ import annotations

import math
from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.errors import UsageError
from firstsight.metrics.diversity import (
    CaptionGroups,
    Measure,
    diversity_measures,
    most_frequent_captions,
    ngram_codes,
    self_cider,
)
from firstsight.tokenizers import TokenTable

WORD = st.sampled_from(["a", "dog", "cat", "runs"])
GROUPS = st.lists(st.lists(st.lists(WORD, max_size=6), min_size=1, max_size=3), min_size=1, max_size=5)


def groups_of(*groups: list[str]) -> CaptionGroups:
    return CaptionGroups.from_tokens([[caption.split() for caption in group] for group in groups])


def measured(*groups: list[str]) -> dict[str, Measure]:
    return {measure.name: measure for measure in diversity_measures(groups_of(*groups))}


def test_lengths():
    found = measured(["a dog", "a dog runs on"], ["cats"])
    lengths = [2, 4, 1]
    assert found["length"].value == pytest.approx(7 / 3)
    assert found["length_sd"].value == pytest.approx(np.std(lengths))
    assert found["length_p50"].value == 2
    assert found["length_p95"].value == pytest.approx(2 + 0.9 * 2)
    assert found["length_p95"].statistics is None


def test_vocabulary_and_distinct_ngrams():
    found = measured(["a dog and a dog"], ["a cat"])
    assert found["vocabulary"].value == 4  # a dog and cat
    assert found["distinct_1"].value == float(Fraction(4, 7))
    assert found["distinct_2"].value == float(Fraction(4, 7))  # a-dog dog-and and-a a-cat
    assert found["distinct_1"].statistics is None


def test_white_space_inside_a_token_separates_words():
    groups = CaptionGroups.from_tokens([[["22\u00a03/4", "lb"]]])
    assert diversity_measures(groups)[0].value == 3


def test_repeats_are_captions_of_another_image_word_for_word():
    found = measured(["a dog", "a dog"], ["a dog", "dogs"], ["a cat", "a cat"])
    # Three times "a dog", which two images have; twice "a cat", which one image has.
    assert found["repeats"].value == float(Fraction(3, 6))


def test_the_most_frequent_captions_count_images():
    groups = groups_of(["a cat"], ["a dog", "a dog"], ["a cat", "dogs"], ["a dog"], ["a cat"], ["dogs"], ["x", "x"])
    assert most_frequent_captions(groups, 9) == [(0, 3), (1, 2), (4, 2)]
    assert most_frequent_captions(groups, 1) == [(0, 3)]


def test_div_is_distinct_within_an_image_and_its_mean():
    found = measured(["a dog", "a cat"], ["a", "a"], ["alone"])
    assert found["div_1"].value == float((Fraction(3, 4) + Fraction(1, 2)) / 2)
    assert found["div_2"].value == float((Fraction(2, 4) + 0) / 2)
    assert found["div_1"].statistics is not None
    assert len(found["div_1"].statistics) == 2, "an image with one caption does not count"


def test_mbleu_is_bleu_of_each_against_the_others():
    same = ["a dog runs on grass"] * 3
    other = ["two cats sleep here now", "some birds fly over town"]
    assert measured(same)["mbleu_4"].value == pytest.approx(1)
    assert measured(same, other)["mbleu_4"].value == pytest.approx(0.5)
    # Four of five words in a row: precisions 4/5, 3/4, 2/3, 1/2, no penalty; the other way the same.
    near = measured(["a dog runs on grass", "a dog runs on sand"])["mbleu_4"].value
    assert near == pytest.approx(float(Fraction(4, 5) * Fraction(3, 4) * Fraction(2, 3) * Fraction(1, 2)) ** 0.25)


def ones(ngram: tuple[str, ...]) -> float:
    return 1.0


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        (["a dog runs fast", "a dog runs fast"], 0.0),
        (["a b c d", "e f g h"], 1.0),
        (["a b c d", "a b c d", "e f g h"], -math.log(math.sqrt(2) / (math.sqrt(2) + 1), 3)),  # eigenvalues 2, 1, 0
    ],
)
def test_self_cider_of_equal_and_of_disjoint_captions(captions: list[str], expected: float):
    assert self_cider([caption.split() for caption in captions], ones) == pytest.approx(expected, abs=1e-12)


def test_self_cider_of_two_captions_with_half_in_common():
    # 1-grams: cosine 1/2; 2-grams none in common; no longer ones. K = [[1/2, 1/8], [1/8, 1/2]].
    roots = [math.sqrt(5 / 8), math.sqrt(3 / 8)]
    expected = -math.log2(roots[0] / sum(roots))
    assert self_cider([["a", "b"], ["c", "a"]], ones) == pytest.approx(expected, rel=1e-12)


def test_self_cider_weighs_ngrams_by_how_few_images_have_them():
    # "a" is in both images: its weight is ln 2 - ln 2 = 0, so that of "a dog" and "a cat" nothing common is left.
    assert measured(["a dog", "a cat"], ["a bird", "a bird"])["self_cider"].value == pytest.approx((1 + 0) / 2)
    documents = groups_of(["a"], ["dog"])  # N = 2, each of one image
    counted = {m.name: m for m in diversity_measures(groups_of(["a dog", "a cat"]), documents)}
    assert 0 < counted["self_cider"].value < 1


def test_an_image_whose_captions_have_no_weight_is_left_out():
    found = measured(["a", "a"], ["a", "a b"])
    assert found["self_cider"].statistics is not None
    assert len(found["self_cider"].statistics) == 1


def test_what_needs_several_captions_is_undefined_without():
    found = measured(["a dog"], ["a cat"])
    for name in ("div_1", "div_2", "mbleu_4", "self_cider"):
        assert (found[name].value, found[name].reason) == (None, "No image has several captions.")
    assert measured(["a dog", "a cat"])["self_cider"].value is None
    assert "With one image" in str(measured(["a dog", "a cat"])["self_cider"].reason)


def test_captions_without_words():
    found = measured(["", ""], [""])
    assert (found["length"].value, found["vocabulary"].value, found["repeats"].value) == (0, 0, 1)
    assert found["distinct_1"].value is None
    assert found["div_1"].value is None


def test_there_must_be_captions():
    with pytest.raises(UsageError, match="Image number 2 has no caption"):
        CaptionGroups.from_tokens([[["a"]], []])
    with pytest.raises(UsageError, match="There is no caption"):
        diversity_measures(CaptionGroups.from_tokens([]))


@given(GROUPS)
def test_ngrams_are_equal_where_their_words_are(groups: list[list[list[str]]]):
    captions = [caption for group in groups for caption in group]
    for n, (codes, owners) in enumerate(ngram_codes(TokenTable.from_tokens(captions)), 1):
        plain = [
            (tuple(words[i : i + n]), owner) for owner, words in enumerate(captions) for i in range(len(words) - n + 1)
        ]
        assert owners.tolist() == [owner for _, owner in plain]
        pairs = set(zip(codes.tolist(), (ngram for ngram, _ in plain), strict=True))
        assert len(pairs) == len({code for code, _ in pairs}) == len({ngram for _, ngram in pairs})


@given(GROUPS)
def test_measures_are_in_range_and_equal_those_of_their_statistics(groups: list[list[list[str]]]):
    for measure in diversity_measures(CaptionGroups.from_tokens(groups)):
        assert (measure.value is None) == (measure.reason is not None)
        if measure.value is None:
            continue
        assert measure.value >= 0
        if not measure.name.startswith(("length", "vocabulary")):
            assert measure.value <= 1 + 1e-12
        if measure.statistics is not None:
            assert measure.from_statistics is not None
            again = measure.from_statistics(measure.statistics.sum(axis=0))
            assert again[0] == pytest.approx(measure.value, rel=1e-12)


@given(GROUPS)
def test_the_order_of_images_changes_nothing(groups: list[list[list[str]]]):
    there = diversity_measures(CaptionGroups.from_tokens(groups))
    back = diversity_measures(CaptionGroups.from_tokens(groups[::-1]))
    assert [m.value for m in there] == [m.value if m.value is None else pytest.approx(m.value, abs=1e-9) for m in back]
    repeated = Counter(tuple(c) for group in groups for c in {tuple(c) for c in group})
    n_repeated = sum(repeated[tuple(c)] > 1 for group in groups for c in group)
    found = {m.name: m.value for m in there}
    assert found["repeats"] == pytest.approx(n_repeated / sum(map(len, groups)))
