"""Which words are paired.

The surprises of the search were given to meteor-1.5.jar (in pycocoevalcap 1.2, ``- - -stdio -l en -norm``, OpenJDK 17),
too: their words are related in its data as they are in the small data.
"""

from __future__ import annotations

import numpy as np
import pytest

from firstsight.metrics import Corpus
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.align import EXACT, PARAPHRASE, STEM, SYNONYM, Match, _matches, align
from firstsight.metrics.meteor.index import MeteorIndex

MODULES = {EXACT: "exact", STEM: "stem", SYNONYM: "synonym", PARAPHRASE: "paraphrase"}


def row_of(metric: Meteor, candidate: str, *references: str) -> list[int]:
    """Return the statistics of one image by the core that is chosen."""
    corpus = Corpus.from_tokens([candidate.split()], [[reference.split() for reference in references]])
    metric.prepare(corpus)
    return metric.corpus_statistics(corpus)[0].astype(int).tolist()


def paired(metric: Meteor, candidate: str, reference: str) -> str:
    """Return the alignment of the Python core as text."""
    words = metric._words()
    ours, theirs = words.line(candidate), words.line(reference)
    return ", ".join(
        f"{' '.join(ours.texts[match.candidate_start : match.candidate_end])}"
        f"={' '.join(theirs.texts[match.start : match.end])} {MODULES[match.module]}"
        for match in align(words, ours, theirs)
    )


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        ("dog", "dog", "dog=dog exact"),
        ("runs", "running", "runs=running stem"),
        ("hound", "dog", "hound=dog synonym"),
        ("boats", "ship", "boats=ship synonym"),  # by its ending
        ("children", "kid", "children=kid synonym"),  # an irregular form
        ("before", "in front of", "before=in front of paraphrase"),
        ("in front of", "before", "in front of=before paraphrase"),  # the table holds for both directions
        ("near", "next to", "near=next to paraphrase"),
        ("near", "beside", ""),  # and no further than for its pairs
        ("in front", "before", ""),  # the beginning of a phrase is none
        ("boat", "dog", ""),
        ("", "dog", ""),
    ],
)
def test_each_module_pairs_what_the_data_say(tiny: Meteor, candidate: str, reference: str, expected: str):
    assert paired(tiny, candidate, reference) == expected
    n_matched = [len(side.split()) for side in (candidate, reference)] if expected else [0, 0]
    assert row_of(tiny, candidate, reference)[21:23] == n_matched


@pytest.mark.parametrize(
    ("candidate", "reference", "expected"),
    [
        # Paths are (words, chunks, distance). Pairing `dog` adds 0 words and a chunk: leaving it is better.
        pytest.param("a dog", "dogs front", "", id="a stem that is a synonym, too, counts half of one, which is 0"),
        pytest.param("dogs a", "a dog", "a=a exact", id="and is worth no second chunk"),
        pytest.param("a dog", "a dogs", "a=a exact, dog=dogs stem", id="but extends one"),
        # `a` with the first `a`: (2, 1, 0) at the end. With the last: 2 apart, but that 2 goes to the path that leaves
        # `a`; this one has (2, 0, 0) before its chunk is closed, so it comes first and stays first at the tie.
        pytest.param("a dog", "a dogs a", "a=a exact", id="the distance goes to the path left behind"),
        # `dogs` with the last `dog` is 1 apart as a stem and 1 as a synonym, and the path that leaves it is charged 2.
        pytest.param("a dog dog", "dog dogs", "dog=dog exact, dog=dogs stem", id="so that far pairs are free"),
    ],
)
def test_surprises_of_the_search_are_those_of_the_original(tiny: Meteor, candidate: str, reference: str, expected: str):
    assert paired(tiny, candidate, reference) == expected
    assert row_of(tiny, candidate, reference)[21] == expected.count("=")


@pytest.mark.parametrize(
    ("lengths", "module", "weight"),
    [
        *(((1, 1), EXACT, 2), ((1, 1), STEM, 0), ((1, 1), SYNONYM, 0)),
        *(((3, 1), PARAPHRASE, 1), ((2, 2), PARAPHRASE, 2), ((3, 5), PARAPHRASE, 3)),
    ],
)
def test_half_weights_are_rounded_down_on_each_side(lengths: tuple[int, int], module: int, weight: int):
    assert Match(4, lengths[0], 1, lengths[1], module).weight == weight


def test_equal_lines_are_compared_by_exact_matches_alone(tiny: Meteor):
    words = tiny._words()
    first, second = words.line("dogs dog hound"), words.line("dogs dog hound dog")
    assert {match.module for match in _matches(words, first, first)} == {EXACT}
    assert {match.module for match in _matches(words, first, second)} == {EXACT, STEM, SYNONYM}


def test_a_word_competes_with_a_phrase_that_begins_at_it(tiny: Meteor):
    # The word counts 1 + 1, the phrase 1 // 2 + 3 // 2 = 1.
    assert paired(tiny, "before in", "in front of") == "in=in exact"
    assert row_of(tiny, "before in", "in front of")[4:20] == [0, 0, 1, 1, *[0] * 12]


def test_both_cores_find_the_same_on_every_small_pair(tiny: Meteor):
    random = np.random.default_rng(3)
    words = "a dog dogs hound in front of before next to near runs run boats ship .".split()
    captions = [random.choice(words, size=random.integers(0, 9)).tolist() for _ in range(600)]
    corpus = Corpus.from_tokens(captions[:200], [captions[200 + 2 * i : 202 + 2 * i] for i in range(200)])
    tiny.prepare(corpus)
    expected = [tiny.statistics(captions[i], captions[200 + 2 * i : 202 + 2 * i]) for i in range(200)]
    np.testing.assert_array_equal(tiny.corpus_statistics(corpus), expected)


HOSTILE = [
    "\0",
    "\ud800",
    "a\udfffb",
    "\U0001f642",
    "\uac08\ub9e4\uae30",
    "|||",
    "dog|||",
    "a\xa0dog",
    "\u2028",
    "'",
    ".",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_untrusted_text_equals_itself_and_nothing_else(tiny: Meteor, text: str):
    row = row_of(tiny, f"dog {text}", f"dog {text}", "boat")
    assert row[0] == row[1] == row[21] == row[22] >= 1
    assert row[23] == 0
    assert tiny.from_statistics(np.array(row)) == 1
    assert row_of(tiny, text, "xyz")[21:] == [0, 0, 0]


def test_bars_are_taken_out_and_no_break_spaces_separate(tiny: Meteor):
    assert row_of(tiny, "dog ||| runs", "dog runs")[:2] == [2, 2]
    assert row_of(tiny, "dog runs", "dog ||| runs")[:2] == [2, 2]
    assert row_of(tiny, "a\xa0dog", "a dog")[21:] == [2, 2, 0]


@pytest.mark.parametrize("words", ["dog", "in front of before"])
def test_work_on_very_long_captions_is_bounded(tiny_index: MeteorIndex, words: str):
    caption = words.split() * (12_000 // len(words.split()))
    row = Meteor(tiny_index).statistics(caption, [[*caption, "boat"]])
    assert row[:2].tolist() == [12_000, 12_001]
    assert 0 < row[21] <= 10_000
