"""Running scores are the scores of the whole, whatever the batches and the workers."""

from __future__ import annotations

import itertools
import pickle
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.errors import MetricUndefinedError, UnknownNameError, UsageError
from firstsight.metrics import METRICS, Corpus, Running
from firstsight.significance import bootstrap_interval
from firstsight.tokenizers import TOKENIZERS

CANDIDATES = ["A dog runs.", "Two cats on a sofa.", "A man surfing.", "", "A bowl of soup."]
REFERENCES = [
    ["A dog runs on the grass.", "A brown dog runs."],
    ["Two cats sleep on a red sofa."],
    ["A man rides a wave.", "A surfer in the sea."],
    ["A bird."],
    ["A plate with a slice of pizza.", "Pizza.", "A slice of pizza."],
]
NAMES = ["bleu", "rouge_l", "cider_d"]


def corpus() -> Corpus:
    return Corpus(CANDIDATES, REFERENCES, TOKENIZERS.load("ptb")())


def running(name: str, **options: Any) -> Running:
    return Running(name, corpus=corpus(), **options)


def whole(name: str) -> tuple[dict[str, float], np.ndarray]:
    metric = METRICS.load(name)()
    metric.prepare(corpus())
    table = metric.corpus_statistics(corpus())
    values = metric.from_statistics(table.sum(axis=0)).tolist()
    return dict(zip(metric.score_names, values, strict=True)), table


@pytest.mark.parametrize("name", NAMES)
@given(cuts=st.lists(st.integers(0, 5), max_size=4))
@settings(max_examples=15, deadline=None)
def test_any_batches_on_any_workers_give_the_score_of_the_whole(name: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(cuts), len(CANDIDATES)]
    total = running(name)
    for start, end in itertools.pairwise(bounds):
        worker = pickle.loads(pickle.dumps(running(name)))
        worker.update(CANDIDATES[start:end], REFERENCES[start:end])
        total.merge(pickle.loads(pickle.dumps(worker)))
    assert total.n_images == len(CANDIDATES)
    assert total.compute() == pytest.approx(whole(name)[0], rel=1e-12)


def test_the_interval_is_that_of_the_bootstrap() -> None:
    kept = running("rouge_l", keep_images=True)
    for candidate, group in zip(CANDIDATES, REFERENCES, strict=True):
        kept.update([candidate], [group])
    low, high = bootstrap_interval(
        whole("rouge_l")[1], METRICS.load("rouge_l")().from_statistics, n_resamples=100, seed=3
    )
    assert kept.interval(n_resamples=100, seed=3) == {"ROUGE-L": (float(low[0]), float(high[0]))}
    with pytest.raises(UsageError, match=r"make Running\(\.\.\., keep_images=True\)"):
        running("rouge_l").interval()
    with pytest.raises(MetricUndefinedError, match="no image has been seen"):
        running("rouge_l", keep_images=True).interval()


def test_rows_are_merged_and_forgotten() -> None:
    one, other = running("bleu", keep_images=True), running("bleu", keep_images=True)
    one.update(CANDIDATES[:2], REFERENCES[:2])
    other.update(CANDIDATES[2:], REFERENCES[2:])
    one.merge(other)
    assert list(one.interval(n_resamples=10)) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]
    one.reset()
    assert one.n_images == 0
    assert other.n_images == 3
    one.update(CANDIDATES, REFERENCES)
    assert one.compute() == pytest.approx(whole("bleu")[0], rel=1e-12)


def test_a_metric_that_learns_needs_something_to_learn_of() -> None:
    with pytest.raises(UsageError, match=r"cider_d learns of a reference set .* Give card=read_card\(FILE\)"):
        Running("cider_d")
    with pytest.raises(MetricUndefinedError, match=r"call prepare\(corpus\) first"):
        Running(METRICS.load("cider_d")()).update(CANDIDATES, REFERENCES)
    prepared = METRICS.load("cider_d")()
    prepared.prepare(corpus())
    given_prepared = Running(prepared)
    given_prepared.update(CANDIDATES, REFERENCES)
    assert given_prepared.compute() == pytest.approx(whole("cider_d")[0])


def test_what_is_no_score_is_an_error() -> None:
    with pytest.raises(MetricUndefinedError, match="bleu is undefined: no image has been seen"):
        Running("bleu").compute()
    empty = Running("bleu")
    empty.update([], [])
    assert empty.n_images == 0
    empty.merge(Running("bleu"))
    with pytest.raises(UsageError, match="give exactly one candidate for each image"):
        empty.update(["a"], [])
    with pytest.raises(UsageError, match="Got 1 candidates and 0 image files"):
        empty.update(["a"], [["a"]], images=[])


class OneCard:
    tokenizer = "ptb@0"

    def restore(self, metric: object) -> None:
        raise AssertionError


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(UsageError, match="Only scores of one kind can be merged: here is bleu version 1"):
        Running("bleu").merge(Running("rouge_l"))
    with pytest.raises(UsageError, match="make both alike"):
        Running("bleu").merge(Running("bleu", keep_images=True))
    with pytest.raises(UsageError, match="Got a card and a corpus"):
        Running("bleu", card=OneCard(), corpus=corpus())
    with pytest.raises(UsageError, match="was made with the tokenizer ptb@0, not ptb@1"):
        Running("bleu", card=OneCard())
    with pytest.raises(UnknownNameError, match="Unknown metric 'blue'"):
        Running("blue")
    with pytest.raises(UsageError, match="The metric 'bleu' takes no model, got 'big'"):
        Running("bleu:big")


def test_a_metric_that_cannot_be_pickled_goes_to_a_worker_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    class Holding(METRICS.load("bleu")):  # type: ignore[misc]
        def __init__(self) -> None:
            self.lock = threading.Lock()

    load = METRICS.load
    monkeypatch.setattr(METRICS, "load", lambda name: Holding if name == "holding" else load(name))
    with pytest.raises(TypeError, match="cannot pickle"):
        pickle.dumps(Holding().lock)
    worker = Running("holding")
    worker.update(CANDIDATES, REFERENCES)
    assert pickle.loads(pickle.dumps(worker)).compute() == worker.compute()


def test_images_reach_the_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Path] = []
    statistics = METRICS.load("bleu").corpus_statistics

    class Looking(METRICS.load("bleu")):  # type: ignore[misc]
        def corpus_statistics(self, corpus: Corpus) -> Any:
            assert corpus.images is not None
            seen.extend(corpus.images[image_id] for image_id in corpus.image_ids)
            return statistics(self, corpus)

    Running(Looking()).update(["a", "b"], [["a"], ["b"]], images=[Path("x.jpg"), Path("y.jpg")])
    assert seen == [Path("x.jpg"), Path("y.jpg")]
