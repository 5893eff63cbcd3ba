"""What every metric gets from its base class."""

from __future__ import annotations

import doctest
import re
from collections.abc import Sequence

import numpy as np
import pytest

from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.metrics import METRICS, Corpus, TokenMetric, Tokens, _ngrams, base, bleu, cider, corpus, rouge_l


class Length(TokenMetric):
    """Mean number of tokens: a stranger's metric in two methods."""

    name, version, score_names, score_range = "length", "1", ("Length",), (0.0, float("inf"))

    def statistics(self, candidate: Tokens, references: Sequence[Tokens]):
        return np.array([len(candidate), 1.0])

    def from_statistics(self, totals):
        return base.mean_of_images(self.name, totals)


@pytest.mark.parametrize("module", [base, bleu, cider, corpus, rouge_l, _ngrams])
def test_examples_run(module: object):
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


def test_the_built_in_metrics_are_registered():
    classes = {"bleu": bleu.Bleu, "cider_d": cider.CiderD, "rouge_l": rouge_l.RougeL}
    assert set(classes) <= set(METRICS.names())
    assert {name: METRICS.load(name) for name in classes} == classes


def test_a_strangers_metric_gets_the_corpus_form():
    table = Length().corpus_statistics(Corpus.from_tokens([["a"], [], ["b", "c"]], [[["a"]], [["a"]], [["a"]]]))
    assert table.tolist() == [[1, 1], [0, 1], [2, 1]]
    assert Length().from_statistics(table.sum(axis=0)).tolist() == [1.0]
    assert Length().parameters == {}


def test_a_corpus_without_images_is_undefined():
    with pytest.raises(MetricUndefinedError, match=re.escape("length is undefined: the corpus has no images.")):
        Length().prepare(Corpus.from_tokens([], []))


def test_an_image_without_reference_is_named():
    with pytest.raises(UsageError, match=re.escape("Image number 2 has no reference; every image needs at least one.")):
        Corpus.from_tokens([["a"], ["b"]], [[["a"]], []])


def test_lengths_that_differ_are_named():
    with pytest.raises(UsageError, match=re.escape("Got 1 candidates and references of 2 images; give exactly one")):
        Corpus.from_tokens([["a"]], [[["a"]], [["b"]]])


def test_a_mean_over_no_image_is_undefined():
    with pytest.raises(MetricUndefinedError, match="length is undefined: it is a mean over images and there is none"):
        Length().from_statistics(np.array([[1.0, 1.0], [0.0, 0.0]]))
