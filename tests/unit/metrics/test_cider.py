"""CIDEr and CIDEr-D on cases small enough to work out by hand; tests/golden has whole corpora."""

from __future__ import annotations

import re
from math import exp, log, sqrt

import numpy as np
import pytest

from firstsight import _core
from firstsight.errors import MetricUndefinedError, UsageError
from firstsight.metrics import Corpus, Metric
from firstsight.metrics.cider import Cider, CiderD

BOTH = pytest.mark.parametrize("metric", [CiderD(), Cider()], ids=["cider_d", "cider"])


@pytest.fixture(autouse=True, params=["python", "native"])
def core(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "native" and _core._compiled() is None:
        pytest.skip("this installation has no native core")
    monkeypatch.setenv(_core.VARIABLE, request.param)


def corpus(*images: list[str]) -> list[list[list[str]]]:
    return [[reference.split() for reference in references] for references in images]


def captions(references: list[list[list[str]]], candidates: list[list[str]] | None = None) -> Corpus:
    return Corpus.from_tokens(candidates or [[]] * len(references), references)


def prepared(references: list[list[list[str]]], metric: Metric | None = None) -> Metric:
    metric = metric or CiderD()
    metric.prepare(captions(references))
    return metric


def statistics(metric: Metric, candidate: list[str], references: list[list[str]]) -> np.ndarray:
    (row,) = metric.corpus_statistics(Corpus.from_tokens([candidate], [references]))
    np.testing.assert_array_equal(row, metric.statistics(candidate, references))
    return row


def table_of(candidates: list[list[str]], references: list[list[list[str]]]) -> np.ndarray:
    metric = CiderD()
    metric.prepare(captions(references, candidates))
    return metric.corpus_statistics(captions(references, candidates))


def test_derivation_on_one_word():
    # Three images; "a" is in two of them, "b" in one: weights ln(3/2) and ln(3). Candidate "a b", reference "b":
    # one bigram against none. Only n = 1 has anything in common.
    references = corpus(["b"], ["a"], ["a c"])
    metric = prepared(references)
    a, b = log(3) - log(2), log(3)
    cosine = b * b / (sqrt(a * a + b * b) * b)
    expected = 10 * cosine * exp(-1 / 72) / 4
    assert statistics(metric, ["a", "b"], references[0]) == pytest.approx([expected, 1], rel=1e-12)


def test_a_repeated_word_is_clipped_to_the_references_count():
    # Candidate "b b b" has weight 3w, the reference w: min is w, and the norms are 3w and w. Bigrams: 2 against 0.
    references = corpus(["b"], ["c"])
    metric = prepared(references)
    assert statistics(metric, ["b"] * 3, references[0])[0] == pytest.approx(10 / 4 / 3 * exp(-4 / 72), rel=1e-12)


def test_a_word_that_every_image_has_weighs_nothing():
    references = corpus(["a"], ["a"])
    metric = prepared(references)
    assert statistics(metric, ["a"], references[0]).tolist() == [0, 1]


def test_a_word_that_no_reference_has_counts_in_the_norm_only():
    references = corpus(["b"], ["c"])
    metric = prepared(references)
    score = statistics(metric, ["b", "new"], references[0])[0]
    assert score == pytest.approx(10 / 4 / sqrt(2) * exp(-1 / 72), rel=1e-12)


def test_references_are_averaged():
    references = corpus(["a b", "x y"], ["c"])
    metric = prepared(references)
    alone = [statistics(metric, ["a", "b"], [reference])[0] for reference in references[0]]
    assert statistics(metric, ["a", "b"], references[0])[0] == pytest.approx(sum(alone) / 2, rel=1e-12)
    assert alone == pytest.approx([5, 0])  # n = 1 and n = 2 are perfect, there are no longer n-grams


def test_document_frequency_counts_images_not_captions():
    many = CiderD()
    many.prepare(captions(corpus(["a b", "a b", "a"], ["c"], ["c"])))
    one = CiderD()
    one.prepare(captions(corpus(["a b"], ["c"], ["c"])))
    for metric in (many, one):
        assert statistics(metric, ["a", "b"], [["a", "x"]])[0] == pytest.approx(10 / 4 / 2, rel=1e-12)


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
    what_to_do = pytest.raises(MetricUndefinedError, match=re.escape("call prepare(corpus) first"))
    with what_to_do:
        CiderD().statistics(["a"], [["a"]])
    with what_to_do:
        CiderD().corpus_statistics(captions(corpus(["a"])))
    with what_to_do:
        CiderD().learnt()


def test_prepare_again_forgets_the_corpus_before():
    references = corpus(["b"], ["c"])
    used, fresh = CiderD(), CiderD()
    used.prepare(captions(corpus(["b"], ["b"], ["b"])))
    used.prepare(captions(references))
    fresh.prepare(captions(references))
    np.testing.assert_array_equal(statistics(used, ["b"], references[0]), statistics(fresh, ["b"], references[0]))


def test_the_signature_parameters():
    assert CiderD().parameters == {"max_n": 4, "sigma": 6.0, "document_frequency": "references"}


def test_undamped_derivation():
    # "a" is in two of three images, "b" in one: weights ln(3/2) and ln(3). The cosine of "a b" and "b b b", which has
    # only b: its weight over the norm of (a, b). No common bigram: "a b" against "b b".
    references = corpus(["b b b"], ["a"], ["a c"])
    a, b = log(3) - log(2), log(3)
    row = statistics(prepared(references, Cider()), ["a", "b"], references[0])
    assert row == pytest.approx([10 / 4 * b / sqrt(a * a + b * b), 1], rel=1e-12)


def test_undamped_neither_clips_nor_asks_for_the_length():
    # Every n-gram of the repeated word is rare alike, and a candidate of "b" alone has the direction of "b b b".
    metric = prepared(corpus(["b b b b"], ["c"]), Cider())
    assert statistics(metric, ["b"] * 9, [["b"] * 4]) == pytest.approx([10, 1], rel=1e-12)
    assert statistics(metric, ["b"] * 90, [["b"]])[0] == pytest.approx(10 / 4, rel=1e-12)


def test_undamped_counts_may_be_divided_by_their_sum():
    # Paper, definition of g_k: count over the sum of counts. Candidate "b b c" is (2/3, 1/3) times equal weights,
    # reference "b c c" (1/3, 2/3): cosine 4/5; bigrams b-b, b-c and b-c, c-c: 1/2; trigrams differ.
    references = corpus(["b c c"], ["d"])
    row = statistics(prepared(references, Cider()), "b b c".split(), references[0])
    assert row == pytest.approx([10 / 4 * (4 / 5 + 1 / 2), 1], rel=1e-12)


def test_undamped_references_are_averaged():
    references = corpus(["a b", "x y"], ["c"])
    assert statistics(prepared(references, Cider()), ["a", "b"], references[0])[0] == pytest.approx(2.5, rel=1e-12)


def test_words_are_not_stemmed():
    references = corpus(["fishing"], ["c"])
    assert statistics(prepared(references, Cider()), ["fishes"], references[0]).tolist() == [0, 1]
    assert Cider().parameters == {"max_n": 4, "stemming": "none", "document_frequency": "references"}


def test_each_variant_serves_the_other_with_what_it_learnt():
    references = corpus(["b c", "b"], ["c"], ["d"])
    other = Cider()
    other.restore(prepared(references).learnt())
    row = statistics(prepared(references, Cider()), ["b", "c"], references[0])
    np.testing.assert_array_equal(statistics(other, ["b", "c"], references[0]), row)


LEARNT = {
    "words": ["b", "c"],
    "ngrams": np.array([[0, -1, -1, -1], [0, 1, -1, -1], [1, -1, -1, -1]], dtype=np.int32),
    "counts": np.array([1, 1, 2]),
    "n_images": np.array([2]),
}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": ["b"]}, "a word that is none of the 1 words"),
        ({"words": ["b", "b"]}, "not distinct"),
        ({"ngrams": np.array([[0, -2, -1, -1]] * 3)}, "a word that is none of the 2 words"),
        ({"ngrams": np.array([[0, -1, 1, -1]] * 3)}, "behind its end"),
        ({"ngrams": np.full((3, 4), -1)}, "has no word"),
        ({"ngrams": np.zeros((3, 3), dtype=np.int32)}, "got the shapes"),
        ({"ngrams": "dogs"}, "as whole numbers"),
        ({"counts": np.array([1, 1])}, "got the shapes"),
        ({"counts": np.array([1, 1, 3])}, "not from 0 to 2"),
        ({"counts": np.array([1, 1, -1])}, "not from 0 to 2"),
        ({"n_images": np.array([1])}, "at least two images, got [1]"),
        ({"n_images": np.array([2, 2])}, "at least two images"),
        ({"more": ["b"]}, "learns counts, n_images, ngrams, words; got counts, more"),
    ],
)
@BOTH
def test_what_was_not_learnt_is_refused(metric: Metric, change: dict, message: str):
    with pytest.raises(UsageError, match=re.escape(message)):
        metric.restore({**LEARNT, **change})


def test_nothing_is_not_what_it_learns():
    with pytest.raises(UsageError, match="got none"):
        CiderD().restore({})


def test_what_was_learnt_can_be_restored():
    references = corpus(["b c", "b"], ["c"], ["d"])
    metric, other = CiderD(), CiderD()
    metric.prepare(captions(references))
    learnt = metric.learnt()
    assert learnt["words"] == ["c"]  # the others have a frequency of 1 and weigh as n-grams that no image has
    assert learnt["ngrams"].tolist() == [[0, -1, -1, -1]]
    assert learnt["counts"].tolist() == [2]
    assert learnt["n_images"].tolist() == [3]
    other.restore(learnt)
    np.testing.assert_array_equal(
        statistics(other, ["b", "c"], references[0]), statistics(metric, ["b", "c"], references[0])
    )


@BOTH
def test_a_corpus_without_a_common_ngram_can_be_learnt(metric: Metric):
    references = corpus(["a b"], ["c d"])
    metric.prepare(captions(references))
    learnt, other = metric.learnt(), type(metric)()
    assert [len(learnt[key]) for key in ("words", "ngrams", "counts")] == [0, 0, 0]
    other.restore(learnt)
    for candidate in (["a"], ["c", "b"], ["x"]):
        np.testing.assert_array_equal(
            statistics(other, candidate, references[0]), statistics(metric, candidate, references[0])
        )
