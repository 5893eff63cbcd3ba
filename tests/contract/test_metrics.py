"""What every registered metric must hold, a stranger's plug-in too.

A metric that needs a model or a service runs on a tiny stand-in; one whose packages are not there is skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from firstsight.errors import BackendError, MetricUndefinedError, MissingDependencyError
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


IDS = [f"image-{number}" for number in range(len(CANDIDATES))]
IMAGES: dict[str, Path] = {}
TOO_SLOW = {"spice": "starts Java for every corpus; its own tests compare it with recorded results"}


def table_of(metric: Metric, candidates, references, ids=IDS) -> np.ndarray:
    corpus = Corpus.from_tokens(candidates, references)
    corpus.image_ids, corpus.images = tuple(ids), IMAGES
    metric.prepare(corpus)
    return metric.corpus_statistics(corpus)


@pytest.fixture(scope="module", autouse=True)
def _images(tmp_path_factory: pytest.TempPathFactory) -> None:
    from PIL import Image

    random, folder = np.random.default_rng(3), tmp_path_factory.mktemp("images")
    for name in IDS:
        IMAGES[name] = folder / f"{name}.png"
        Image.fromarray(random.integers(0, 256, (20, 30, 3), np.uint8)).save(IMAGES[name])


@pytest.fixture(params=METRICS.names())
def make_metric(request: pytest.FixtureRequest) -> Callable[[], Metric]:
    name = request.param
    if name in TOO_SLOW:
        pytest.skip(f"{name}: {TOO_SLOW[name]}")
    metric_class = METRICS.load(name)
    if not metric_class.is_available():
        pytest.skip(f"{name}: what it needs is not installed")
    if name == "clipscore":
        # One at a time: in larger batches the last digits hang on the neighbours.
        return partial(metric_class, str(request.getfixturevalue("tiny_clip")), batch_size=1)
    if name in ("clair", "fleur"):
        return partial(metric_class, "stub", options=request.getfixturevalue("stub_judge").options)
    try:
        table_of(metric_class(), CANDIDATES, REFERENCES)
    except (MissingDependencyError, BackendError) as error:
        pytest.skip(f"{name}: {error}")
    return metric_class


@pytest.fixture
def metric(make_metric: Callable[[], Metric]) -> Metric:
    return make_metric()


@pytest.fixture
def table(metric: Metric) -> np.ndarray:
    return table_of(metric, CANDIDATES, REFERENCES)


@pytest.fixture
def quality(metric: Metric) -> Metric:
    """A metric that says of words alone how good they are."""
    if not metric.is_quality:
        pytest.skip(f"{metric.name} is a description: no value is better")
    if metric.needs_images:
        pytest.skip(f"{metric.name} looks at images, of which its stand-in knows nothing")
    return metric


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


def test_parameters_are_known_before_anything_is_scored(make_metric: Callable[[], Metric]):
    fresh = make_metric()
    stated = dict(fresh.parameters)
    assert dict(fresh.parameters) == stated
    table_of(fresh, CANDIDATES, REFERENCES)
    assert dict(fresh.parameters) == stated == dict(make_metric().parameters)


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


def test_order_of_images_changes_nothing(make_metric: Callable[[], Metric], table: np.ndarray):
    order = [3, 1, 5, 0, 4, 2]
    candidates, references = [CANDIDATES[i] for i in order], [REFERENCES[i] for i in order]
    other = table_of(make_metric(), candidates, references, [IDS[i] for i in order])
    np.testing.assert_array_equal(other, table[order])


def test_order_of_references_changes_no_images_score(
    make_metric: Callable[[], Metric], metric: Metric, table: np.ndarray
):
    other = table_of(make_metric(), CANDIDATES, [group[::-1] for group in REFERENCES])
    # Statistics may differ: where references tie, METEOR takes those of the first, as its original does.
    np.testing.assert_allclose(metric.from_statistics(other), metric.from_statistics(table), rtol=1e-12)


def test_the_same_input_gives_the_same_bits(make_metric: Callable[[], Metric], metric: Metric, table: np.ndarray):
    np.testing.assert_array_equal(table_of(make_metric(), CANDIDATES, REFERENCES), table)
    np.testing.assert_array_equal(table_of(metric, CANDIDATES, REFERENCES), table)


def test_the_input_is_left_as_it_was(metric: Metric):
    candidates, references = [list(c) for c in CANDIDATES], [[list(r) for r in group] for group in REFERENCES]
    totals = table_of(metric, candidates, references).sum(axis=0)
    before = totals.copy()
    metric.from_statistics(totals)
    assert (candidates, references) == (CANDIDATES, REFERENCES)
    np.testing.assert_array_equal(totals, before)


def test_a_candidate_that_is_the_only_reference_scores_best(quality: Metric, table: np.ndarray):
    metric = quality
    best = metric.score_range[1] if metric.higher_is_better else metric.score_range[0]
    np.testing.assert_allclose(metric.from_statistics(table[PERFECT]), best, rtol=1e-8)


def test_an_empty_candidate_has_a_score_and_it_is_the_worst(quality: Metric, table: np.ndarray):
    metric = quality
    worst = metric.score_range[0] if metric.higher_is_better else metric.score_range[1]
    np.testing.assert_array_equal(metric.from_statistics(table[EMPTY]), worst)


def test_candidates_that_are_all_empty_have_a_score(quality: Metric):
    metric = quality
    table = table_of(metric, [[]] * len(REFERENCES), REFERENCES)
    worst = metric.score_range[0] if metric.higher_is_better else metric.score_range[1]
    np.testing.assert_array_equal(metric.from_statistics(table.sum(axis=0)), worst)


def test_a_better_caption_never_scores_worse(quality: Metric):
    metric = quality
    worse, better = [CANDIDATES[1]] * 6, [group[0] for group in REFERENCES]
    low = metric.from_statistics(table_of(metric, worse, REFERENCES).sum(axis=0))
    high = metric.from_statistics(table_of(metric, better, REFERENCES).sum(axis=0))
    assert (low <= high).all() if metric.higher_is_better else (high <= low).all()


def test_one_image_changes_no_other_images_statistics(make_metric: Callable[[], Metric], table: np.ndarray):
    candidates = [*CANDIDATES[:-1], ["\x00\u2028\r", "\u00a0", "\ufffd" * 50]]
    other = table_of(make_metric(), candidates, REFERENCES)
    np.testing.assert_array_equal(other[:-1], table[:-1])


def test_an_empty_corpus_is_undefined(metric: Metric):
    with pytest.raises(MetricUndefinedError, match=f"{metric.name} is undefined: the corpus has no images"):
        table_of(metric, [], [], [])
