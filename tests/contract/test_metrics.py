"""What every registered metric must hold, a stranger's plug-in too."""

from __future__ import annotations

import numpy as np
import pytest

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import METRICS, Corpus, Metric

CANDIDATES = [
    ["a", "red", "kite", "flies", "over", "the", "beach"],
    ["two", "dogs"],
    [],
    ["the", "the", "the", "the", "the"],
    ["a", "recipe", "for", "2\xa01/2", "cups", "of", "flour"],
    ["one", "woman", "sells", "fresh", "fruit", "at", "the", "market"],
]
REFERENCES = [
    [
        ["a", "red", "kite", "flies", "over", "a", "sandy", "beach"],
        ["somebody", "'s", "kite", "is", "high", "above", "the", "sea"],
    ],
    [["two", "brown", "dogs", "run", "on", "grass"]],
    [["an", "empty", "bench"], ["a", "bench", "under", "a", "tree"]],
    [["the", "dog", "is", "in", "the", "garden"]],
    [["the", "card", "asks", "for", "2\xa01/2", "cups", "of", "flour"], ["flour"]],
    [["one", "woman", "sells", "fresh", "fruit", "at", "the", "market"]],
]
PERFECT = 5
EMPTY = 2
WEIGHTS = np.random.default_rng(7).integers(0, 4, size=(20, len(CANDIDATES))) + np.eye(20, len(CANDIDATES))


def table_of(metric: Metric, candidates, references) -> np.ndarray:
    corpus = Corpus.from_tokens(candidates, references)
    metric.prepare(corpus)
    return metric.corpus_statistics(corpus)


@pytest.fixture(params=METRICS.names())
def metric(request: pytest.FixtureRequest) -> Metric:
    return METRICS.load(request.param)()


@pytest.fixture
def table(metric: Metric) -> np.ndarray:
    return table_of(metric, CANDIDATES, REFERENCES)


def test_it_names_itself_and_its_scores(metric: Metric):
    assert metric.name in METRICS.names()
    assert METRICS.load(metric.name) is type(metric)
    assert metric.version
    assert len(metric.score_names) == len(set(metric.score_names)) > 0
    low, high = metric.score_range
    assert low < high


def test_no_two_metrics_give_a_score_of_one_name():
    names = [score for name in METRICS.names() for score in METRICS.load(name).score_names]
    assert len(names) == len(set(names))


def test_parameters_can_be_written_in_a_signature(metric: Metric):
    assert all(
        isinstance(key, str) and isinstance(value, str | int | float) for key, value in metric.parameters.items()
    )


def test_statistics_are_finite_float64_of_one_length(metric: Metric, table: np.ndarray):
    assert table.dtype == np.float64
    assert table.shape[0] == len(CANDIDATES)
    assert np.isfinite(table).all()


def test_scores_are_in_range_for_any_weights_of_the_images(metric: Metric, table: np.ndarray):
    low, high = metric.score_range
    scores = metric.from_statistics(WEIGHTS @ table)
    assert scores.shape == (20, len(metric.score_names))
    assert scores.dtype == np.float64
    assert (scores >= low).all()
    assert (scores <= high + 1e-12).all()


def test_scores_of_many_totals_equal_those_of_each(metric: Metric, table: np.ndarray):
    together = metric.from_statistics(WEIGHTS @ table)
    for weights, scores in zip(WEIGHTS, together, strict=True):
        np.testing.assert_allclose(metric.from_statistics(weights @ table), scores, rtol=1e-12)


def test_order_of_images_changes_nothing(metric: Metric, table: np.ndarray):
    order = [3, 1, 5, 0, 4, 2]
    other = table_of(type(metric)(), [CANDIDATES[i] for i in order], [REFERENCES[i] for i in order])
    np.testing.assert_array_equal(other, table[order])


def test_order_of_references_changes_nothing(metric: Metric, table: np.ndarray):
    other = table_of(type(metric)(), CANDIDATES, [group[::-1] for group in REFERENCES])
    np.testing.assert_allclose(other, table, rtol=1e-12)


def test_the_same_input_gives_the_same_bits(metric: Metric, table: np.ndarray):
    np.testing.assert_array_equal(table_of(type(metric)(), CANDIDATES, REFERENCES), table)
    np.testing.assert_array_equal(table_of(metric, CANDIDATES, REFERENCES), table)


def test_the_input_is_left_as_it_was(metric: Metric):
    candidates, references = [list(c) for c in CANDIDATES], [[list(r) for r in group] for group in REFERENCES]
    totals = table_of(metric, candidates, references).sum(axis=0)
    before = totals.copy()
    metric.from_statistics(totals)
    assert (candidates, references) == (CANDIDATES, REFERENCES)
    np.testing.assert_array_equal(totals, before)


def test_a_candidate_that_is_the_only_reference_scores_best(metric: Metric, table: np.ndarray):
    best = metric.score_range[1] if metric.higher_is_better else metric.score_range[0]
    np.testing.assert_allclose(metric.from_statistics(table[PERFECT]), best, rtol=1e-8)


def test_an_empty_candidate_has_a_score_and_it_is_the_worst(metric: Metric, table: np.ndarray):
    worst = metric.score_range[0] if metric.higher_is_better else metric.score_range[1]
    np.testing.assert_array_equal(metric.from_statistics(table[EMPTY]), worst)


def test_candidates_that_are_all_empty_have_a_score(metric: Metric):
    table = table_of(metric, [[]] * len(REFERENCES), REFERENCES)
    worst = metric.score_range[0] if metric.higher_is_better else metric.score_range[1]
    np.testing.assert_array_equal(metric.from_statistics(table.sum(axis=0)), worst)


def test_a_better_caption_never_scores_worse(metric: Metric):
    worse, better = [CANDIDATES[1]] * 6, [group[0] for group in REFERENCES]
    low = metric.from_statistics(table_of(metric, worse, REFERENCES).sum(axis=0))
    high = metric.from_statistics(table_of(metric, better, REFERENCES).sum(axis=0))
    assert (low <= high).all() if metric.higher_is_better else (high <= low).all()


def test_one_image_changes_no_other_images_statistics(metric: Metric, table: np.ndarray):
    candidates = [*CANDIDATES[:-1], ["\x00\u2028\r", "\u00a0", "\ufffd" * 50]]
    other = table_of(type(metric)(), candidates, REFERENCES)
    np.testing.assert_array_equal(other[:-1], table[:-1])


def test_an_empty_corpus_is_undefined(metric: Metric):
    with pytest.raises(MetricUndefinedError, match=f"{metric.name} is undefined: the corpus has no images"):
        table_of(metric, [], [])
