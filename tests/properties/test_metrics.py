"""Properties of metrics on random corpora."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight import _core
from firstsight.metrics import METRICS, Corpus, TextMetric, TokenMetric

WORDS = st.sampled_from(["a", "dog", "cat", "runs", "on", "2\u00a01/2", "-lrb-", "가"])
CAPTION = st.lists(WORDS, max_size=7)
IMAGE = st.tuples(CAPTION, st.lists(CAPTION, min_size=1, max_size=3))
CORPUS = st.lists(IMAGE, min_size=2, max_size=6)
# Those that score in this process; models, services and outside programs are too slow for hundreds of random corpora.
EACH_METRIC = pytest.mark.parametrize(
    "name", [name for name in METRICS.names() if issubclass(METRICS.load(name), TokenMetric | TextMetric)]
)


def statistics(name: str, corpus: list) -> np.ndarray:
    if not METRICS.load(name).is_available():
        pytest.skip(f"{name}: what it needs is not installed")
    metric, images = METRICS.load(name)(), Corpus.from_tokens(*zip(*corpus, strict=True))
    metric.prepare(images)
    return metric.corpus_statistics(images)


@EACH_METRIC
@given(corpus=CORPUS)
def test_scores_are_in_range(name: str, corpus: list):
    metric = METRICS.load(name)
    table = statistics(name, corpus)
    scores = metric().from_statistics(np.vstack([table, table.sum(axis=0)]))
    low, high = metric.score_range
    assert np.isfinite(scores).all()
    assert (scores >= low).all()
    assert (scores <= high + 1e-9).all()


@EACH_METRIC
@given(corpus=CORPUS, data=st.data())
def test_order_of_images_does_not_matter(name: str, corpus: list, data: st.DataObject):
    order = data.draw(st.permutations(range(len(corpus))))
    np.testing.assert_array_equal(statistics(name, [corpus[i] for i in order]), statistics(name, corpus)[order])


@EACH_METRIC
@given(corpus=CORPUS, data=st.data())
def test_any_split_into_shards_adds_up(name: str, corpus: list, data: st.DataObject):
    whole_corpus = Corpus.from_tokens(*zip(*corpus, strict=True))
    shards = data.draw(st.lists(st.integers(0, 2), min_size=len(corpus), max_size=len(corpus)))
    totals = []
    for shard in range(3):
        metric = METRICS.load(name)()
        metric.prepare(whole_corpus)  # each worker learns from all references and scores its images
        if part := [image for image, s in zip(corpus, shards, strict=True) if s == shard]:
            rows = metric.corpus_statistics(Corpus.from_tokens(*zip(*part, strict=True)))
            totals.append(rows.sum(axis=0))
    whole = statistics(name, corpus).sum(axis=0)
    np.testing.assert_allclose(np.sum(totals, axis=0), whole, rtol=1e-12, atol=1e-15)
    metric = METRICS.load(name)()
    np.testing.assert_allclose(metric.from_statistics(np.sum(totals, axis=0)), metric.from_statistics(whole), rtol=1e-9)


@EACH_METRIC
@given(corpus=CORPUS, candidate=CAPTION)
def test_another_images_candidate_changes_nothing(name: str, corpus: list, candidate: list[str]):
    changed = [*corpus[:-1], (candidate, corpus[-1][1])]
    np.testing.assert_array_equal(statistics(name, changed)[:-1], statistics(name, corpus)[:-1])


@pytest.mark.skipif(_core._compiled() is None, reason="this installation has no native core")
@pytest.mark.parametrize("name", ["bleu", "cider", "cider_d", "rouge_l"])
@given(corpus=CORPUS, n_threads=st.sampled_from([1, 2, 5]))
def test_the_native_core_gives_the_bits_of_the_python_core(name: str, corpus: list, n_threads: int):
    tables = {}
    for core in ("native", "python"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(_core.VARIABLE, core)
            patch.setenv("OMP_NUM_THREADS", str(n_threads))
            tables[core] = statistics(name, corpus)
    np.testing.assert_array_equal(tables["native"], tables["python"])
