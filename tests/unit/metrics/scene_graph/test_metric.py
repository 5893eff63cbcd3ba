"""Scores derived as fractions, and what holds for any captions."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import Corpus
from firstsight.metrics.scene_graph import SceneGraph
from firstsight.metrics.scene_graph.parser import parse_tokens

METRIC = SceneGraph()
WORDS = (
    "a the two red black small man dog cat table kite sits holds holding sitting parked is on in of with and that "
    "there next to in front running beach group people very 's his"
).split()
captions = st.lists(st.sampled_from(WORDS), max_size=12)
groups = st.lists(captions, min_size=1, max_size=4)


def scores(candidate: str, *references: str) -> dict[str, float]:
    row = METRIC.statistics(candidate.split(), [reference.split() for reference in references])
    return dict(zip(METRIC.score_names, METRIC.from_statistics(row).tolist(), strict=True))


def test_scores_of_one_image_are_the_fractions_derived_by_hand():
    # Candidate: dog, sofa; dog black; dog sleep on sofa: 4 tuples.
    # References: dog, couch, blanket; dog black, dog small, blanket green; dog sleep on couch, dog under blanket: 8.
    found = scores(
        "a black dog sleeps on a sofa",
        "a small black dog sleeping on a couch",
        "a dog under a green blanket",
    )
    precision, recall = Fraction(4, 4), Fraction(4, 8)
    assert found["SceneGraph-precision"] == float(precision)
    assert found["SceneGraph-recall"] == float(recall)
    assert found["SceneGraph"] == pytest.approx(float(2 * precision * recall / (precision + recall)), rel=1e-15)
    assert found["SceneGraph-object"] == pytest.approx(float(2 * Fraction(1) * Fraction(2, 3) / (1 + Fraction(2, 3))))
    assert found["SceneGraph-attribute"] == pytest.approx(float(2 * Fraction(1, 3) / (1 + Fraction(1, 3))))
    assert found["SceneGraph-relation"] == pytest.approx(float(2 * Fraction(1, 2) / (1 + Fraction(1, 2))))


def test_a_wrong_object_lowers_precision_and_a_missing_one_recall():
    whole = scores("a dog and a cat", "a dog and a cat")
    wrong = scores("a dog a cat and a lamp", "a dog and a cat")
    missing = scores("a dog", "a dog and a cat")
    assert whole["SceneGraph"] == 1
    assert wrong["SceneGraph-precision"] == 2 / 3
    assert wrong["SceneGraph-recall"] == 1
    assert missing["SceneGraph-precision"] == 1
    assert missing["SceneGraph-recall"] == 1 / 2


def test_empty_sets_agree_with_empty_sets_alone():
    assert set(scores("", "").values()) == {1.0}
    assert set(scores("", "a red kite").values()) == {0.0}
    assert scores("a kite", "a red kite")["SceneGraph-relation"] == 1  # neither side states a relation
    assert scores("a kite", "a red kite")["SceneGraph-attribute"] == 0
    assert scores("a red kite", "of the")["SceneGraph"] == 0


def test_a_corpus_is_the_mean_over_its_images():
    candidates = ["a dog".split(), "a red kite".split()]
    references = [["a dog and a cat".split()], ["a red kite".split()]]
    table = METRIC.corpus_statistics(Corpus.from_tokens(candidates, references))
    assert table.shape == (2, 7)
    assert METRIC.from_statistics(table.sum(axis=0))[0] == pytest.approx((2 / 3 + 1) / 2)
    assert METRIC.from_statistics(table).shape == (2, 6)


def test_no_image_has_no_score():
    with pytest.raises(MetricUndefinedError, match="scene_graph"):
        METRIC.from_statistics(np.zeros(7))


def test_a_second_metric_gives_the_same():
    again = SceneGraph()
    one = again.statistics("a man holds a kite".split(), ["a man with a kite".split()])
    assert one.tolist() == METRIC.statistics("a man holds a kite".split(), ["a man with a kite".split()]).tolist()


@given(captions, groups)
@settings(deadline=None)
def test_scores_lie_between_0_and_1(candidate: list[str], references: list[list[str]]):
    found = METRIC.from_statistics(METRIC.statistics(candidate, references))
    assert np.all((found >= 0) & (found <= 1))


@given(captions)
@settings(deadline=None)
def test_a_caption_scores_1_against_itself(caption: list[str]):
    assert METRIC.from_statistics(METRIC.statistics(caption, [caption])).tolist() == [1.0] * 6


@given(captions, groups, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_the_order_of_the_references_does_not_matter(candidate, references, random):
    shuffled = list(references)
    random.shuffle(shuffled)
    first, second = METRIC.statistics(candidate, references), METRIC.statistics(candidate, shuffled)
    assert first.tolist() == second.tolist()


def stated(caption: list[str]) -> set[object]:
    tuples = parse_tokens(caption)
    return {*tuples.objects, *tuples.attributes, *tuples.relations}


@given(captions, groups)
@example("two sits two".split(), ["two sits".split()])
@settings(deadline=None)
def test_a_wrong_object_never_raises_precision(candidate, references):
    before = METRIC.statistics(candidate, references)
    if METRIC.statistics(candidate, [[]])[0] == 1:
        return  # the candidate states nothing: its precision says nothing
    longer = [*candidate, "while", "a", "spaceship"]
    # Words that follow may change how the last ones are read ("two" at the end is an object): another caption then.
    assume(stated(candidate) < stated(longer))
    assert METRIC.statistics(longer, references)[1] <= before[1]


@given(captions, groups)
@settings(deadline=None)
def test_a_reference_more_never_lowers_precision(candidate, references):
    fewer = METRIC.statistics(candidate, references[:1])
    more = METRIC.statistics(candidate, references)
    if METRIC.statistics([], references[:1])[0] == 1:
        return  # the one reference states nothing
    assert more[1] >= fewer[1]


@given(st.text(max_size=200), st.text(max_size=200))
@settings(deadline=None)
def test_any_text_has_a_score(candidate: str, reference: str):
    found = METRIC.from_statistics(METRIC.statistics(candidate.split(), [reference.split()]))
    assert np.all(np.isfinite(found))
