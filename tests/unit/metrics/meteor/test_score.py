"""METEOR of small captions, derived as fractions.

Of lengths and pairs a content word counts 3/4 and a function word (a, the, in, of) 1/4; pairs count 1 (exact), 3/5
(stem, paraphrase) or 4/5 (synonym) of that.
"""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from firstsight.metrics import Corpus
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.score import N_STATISTICS, score


def expected(precision: Fraction, recall: Fraction, chunks: int, n_matched: int) -> float:
    mean = 1 / (Fraction(15, 100) / precision + Fraction(85, 100) / recall)
    return float(mean) * (1 - 0.6 * (chunks / n_matched) ** 0.2)


def score_of(metric: Meteor, *images: tuple[str, ...]) -> float:
    """Return the corpus score of images (candidate, reference, ...) by the core that is chosen."""
    corpus = Corpus.from_tokens(
        [image[0].split() for image in images], [[text.split() for text in image[1:]] for image in images]
    )
    metric.prepare(corpus)
    return metric.from_statistics(metric.corpus_statistics(corpus).sum(axis=0)).item()


CASES = [
    # dog of [a dog] and [the dog runs]: lengths 1/4 + 3/4 and 1/4 + 2 * 3/4
    pytest.param(
        "a dog", "the dog runs", expected(Fraction(3, 4) / 1, Fraction(3, 4) / Fraction(7, 4), 1, 1), id="exact"
    ),
    # a, of 1/4, of [a boat] and [a dog]
    pytest.param("a boat", "a dog", expected(Fraction(1, 4), Fraction(1, 4), 1, 1), id="a function word"),
    # 1 + 3/5 words of 3/4, beside the of 1/4
    pytest.param(
        "dog runs", "the dog run", expected(Fraction(8, 5) / 2, Fraction(6, 5) / Fraction(7, 4), 1, 2), id="stem"
    ),
    # all words in one chunk: no penalty
    pytest.param("hound", "dog", 4 / 5, id="synonym"),
    # before (3/4), a boat (1); in front of (1/4 + 3/4 + 1/4), a boat (1)
    pytest.param(
        *("before a boat", "in front of a boat"),
        expected(
            (Fraction(3, 5) * Fraction(3, 4) + 1) / Fraction(7, 4),
            (Fraction(3, 5) * Fraction(5, 4) + 1) / Fraction(9, 4),
            0,
            3,
        ),
        id="a phrase in one chunk of all words",
    ),
    # before and boat, each a chunk: 2 words here and 4 there, on average 3
    pytest.param(
        *("before boat", "in front of a boat"),
        expected(Fraction(8, 5) / 2, (Fraction(3, 5) * Fraction(5, 4) + Fraction(3, 4)) / Fraction(9, 4), 2, 3),
        id="a phrase and a gap",
    ),
    pytest.param("runs a dog", "a dog runs", expected(Fraction(1), Fraction(1), 2, 3), id="all words in two chunks"),
    pytest.param("a dog runs", "a dog runs", 1.0, id="perfect"),
    pytest.param("a dog", "ship", 0.0, id="nothing in common"),
    pytest.param("", "a dog", 0.0, id="empty candidate"),
    pytest.param("a dog", "", 0.0, id="empty reference"),
    pytest.param("", "", 0.0, id="both empty"),
]


@pytest.mark.parametrize(("candidate", "reference", "value"), CASES)
def test_score_of_one_image(tiny: Meteor, candidate: str, reference: str, value: float):
    assert score_of(tiny, (candidate, reference)) == pytest.approx(value, rel=1e-12, abs=0)


def test_the_best_reference_counts(tiny: Meteor):
    references = ("the boat", "the dog runs", "a dog", "ship")
    assert score_of(tiny, ("a dog", *references)) == 1
    assert score_of(tiny, ("a dog", *references[:2])) == score_of(tiny, ("a dog", references[1])) < 1


@pytest.mark.parametrize(
    ("candidate", "references"),
    [
        ("dog", ("dog a a a", "dog runs")),  # 3/4 + 3 * 1/4 = 2 * 3/4
        ("dog", ("dog runs", "dog a a a")),
        ("dog", ("ship", "ship ship")),  # 0
        ("", ("ship ship", "ship")),
    ],
)
def test_the_first_reference_counts_at_a_tie(tiny: Meteor, candidate: str, references: tuple[str, ...]):
    corpus = Corpus.from_tokens([candidate.split()], [[text.split() for text in references]])
    tiny.prepare(corpus)
    for row in (tiny.corpus_statistics(corpus)[0], tiny.statistics(candidate.split(), corpus.tokens.references(0))):
        assert row[1] == len(references[0].split())


def test_the_corpus_score_is_that_of_the_sums_without_the_chunks_of_perfect_images(tiny: Meteor):
    # 2 + 2 words of [a dog] twice and dog once: (1 + 3/4) of lengths 1 + 1 and 1 + 7/4; 0 + 1 chunks; 2 + 1 words
    images = [("a dog", "a dog"), ("a dog", "the dog runs")]
    value = expected(Fraction(7, 4) / 2, Fraction(7, 4) / Fraction(11, 4), 1, 3)
    assert score_of(tiny, *images) == pytest.approx(value, rel=1e-12)


def test_statistics_of_one_image_in_full(tiny: Meteor):
    corpus = Corpus.from_tokens([["before", "a", "boats"]], [[["in", "front", "of", "a", "ship", "dog"]]])
    tiny.prepare(corpus)
    row = tiny.corpus_statistics(corpus)[0]
    lengths, exact, stem = [3, 6, 1, 3], [0, 0, 1, 1], [0, 0, 0, 0]
    synonym, paraphrase, rest = [1, 1, 0, 0], [1, 1, 0, 2], [1, 3, 5, 1]
    assert row.tolist() == [*lengths, *exact, *stem, *synonym, *paraphrase, *rest]


def test_scores_of_many_rows_are_those_of_each(tiny: Meteor):
    rows = np.stack([tiny.statistics(case.values[0].split(), [case.values[1].split()]) for case in CASES])
    assert rows.shape == (len(CASES), N_STATISTICS)
    np.testing.assert_array_equal(score(rows), [score(row) for row in rows])
    np.testing.assert_array_equal(score(np.zeros(N_STATISTICS)), [0.0])
