"""CIDEr-D on cases small enough to work out by hand; tests/golden has whole corpora."""

from __future__ import annotations

import re
from math import exp, log, sqrt

import numpy as np
import pytest

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import Corpus
from firstsight.metrics.cider import CiderD


def corpus(*images: list[str]) -> list[list[list[str]]]:
    return [[reference.split() for reference in references] for references in images]


def captions(references: list[list[list[str]]], candidates: list[list[str]] | None = None) -> Corpus:
    return Corpus.from_tokens(candidates or [[]] * len(references), references)


def table_of(candidates: list[list[str]], references: list[list[list[str]]]) -> np.ndarray:
    metric = CiderD()
    metric.prepare(captions(references, candidates))
    return metric.corpus_statistics(captions(references, candidates))


def test_derivation_on_one_word():
    # Three images; "a" is in two of them, "b" in one: weights ln(3/2) and ln(3). Candidate "a b", reference "b":
    # one bigram against none. Only n = 1 has anything in common.
    references = corpus(["b"], ["a"], ["a c"])
    metric = CiderD()
    metric.prepare(captions(references))
    a, b = log(3) - log(2), log(3)
    cosine = b * b / (sqrt(a * a + b * b) * b)
    expected = 10 * cosine * exp(-1 / 72) / 4
    assert metric.statistics(["a", "b"], references[0]) == pytest.approx([expected, 1], rel=1e-12)


def test_a_repeated_word_is_clipped_to_the_references_count():
    # Candidate "b b b" has weight 3w, the reference w: min is w, and the norms are 3w and w. Bigrams: 2 against 0.
    references = corpus(["b"], ["c"])
    metric = CiderD()
    metric.prepare(captions(references))
    assert metric.statistics(["b"] * 3, references[0])[0] == pytest.approx(10 / 4 / 3 * exp(-4 / 72), rel=1e-12)


def test_a_word_that_every_image_has_weighs_nothing():
    references = corpus(["a"], ["a"])
    metric = CiderD()
    metric.prepare(captions(references))
    assert metric.statistics(["a"], references[0]).tolist() == [0, 1]


def test_a_word_that_no_reference_has_counts_in_the_norm_only():
    references = corpus(["b"], ["c"])
    metric = CiderD()
    metric.prepare(captions(references))
    score = metric.statistics(["b", "new"], references[0])[0]
    assert score == pytest.approx(10 / 4 / sqrt(2) * exp(-1 / 72), rel=1e-12)


def test_references_are_averaged():
    references = corpus(["a b", "x y"], ["c"])
    metric = CiderD()
    metric.prepare(captions(references))
    alone = [metric.statistics(["a", "b"], [reference])[0] for reference in references[0]]
    assert metric.statistics(["a", "b"], references[0])[0] == pytest.approx(sum(alone) / 2, rel=1e-12)
    assert alone == pytest.approx([5, 0])  # n = 1 and n = 2 are perfect, there are no longer n-grams


def test_document_frequency_counts_images_not_captions():
    many = CiderD()
    many.prepare(captions(corpus(["a b", "a b", "a"], ["c"], ["c"])))
    one = CiderD()
    one.prepare(captions(corpus(["a b"], ["c"], ["c"])))
    for metric in (many, one):
        assert metric.statistics(["a", "b"], [["a", "x"]])[0] == pytest.approx(10 / 4 / 2, rel=1e-12)


def test_an_empty_candidate_and_an_empty_reference_score_zero():
    references = corpus([""], ["a"])
    assert table_of([["a"], []], references).tolist() == [[0, 1], [0, 1]]


def test_a_word_is_split_at_a_no_break_space():
    assert table_of([["22\u00a03/4"], ["a"]], [[["22", "3/4"]], [["a"]]])[0, 0] == pytest.approx(5)


def test_one_image_is_undefined():
    message = "cider_d is undefined: it weighs words by how few of the images have them, and the corpus has one image"
    with pytest.raises(MetricUndefinedError, match=re.escape(message)):
        CiderD().prepare(captions(corpus(["a b"])))


def test_statistics_before_prepare_say_what_to_do():
    with pytest.raises(MetricUndefinedError, match=re.escape("call prepare(corpus) first")):
        CiderD().statistics(["a"], [["a"]])


def test_prepare_again_forgets_the_corpus_before():
    references = corpus(["b"], ["c"])
    used, fresh = CiderD(), CiderD()
    used.prepare(captions(corpus(["b"], ["b"], ["b"])))
    used.prepare(captions(references))
    fresh.prepare(captions(references))
    np.testing.assert_array_equal(used.statistics(["b"], references[0]), fresh.statistics(["b"], references[0]))


def test_the_signature_parameters():
    assert CiderD().parameters == {"max_n": 4, "sigma": 6.0, "document_frequency": "references"}


def test_what_was_learnt_can_be_restored():
    references = corpus(["b c", "b"], ["c"], ["d"])
    metric, other = CiderD(), CiderD()
    metric.prepare(captions(references))
    learnt = metric.learnt()
    assert learnt["words"] == ["b", "c", "d"]
    assert learnt["ngrams"].tolist() == [[0, -1, -1, -1], [0, 1, -1, -1], [1, -1, -1, -1], [2, -1, -1, -1]]
    assert learnt["counts"].tolist() == [1, 1, 2, 1]
    assert learnt["n_images"].tolist() == [3]
    other.restore(learnt)
    np.testing.assert_array_equal(
        other.statistics(["b", "c"], references[0]), metric.statistics(["b", "c"], references[0])
    )
