"""Beam search against a model whose probabilities are written down here, and against trying every sentence."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.captioners.decoding import BeamOptions, beam_search
from firstsight.errors import UsageError

START, END = 0, 1


class TableSteps:
    """A model whose next word depends on the last word alone: row of ``table`` by last word."""

    start, end = START, END

    def __init__(self, tables: list[np.ndarray], max_words: int = 6) -> None:
        self.tables, self.n_images, self.max_words = tables, len(tables), max_words

    def advance(self, words: np.ndarray, parents: np.ndarray | None) -> np.ndarray:
        del parents
        return np.stack([np.log(table[row]) for table, row in zip(self.tables, words, strict=True)]).astype(np.float32)


def table(rows: dict[int, dict[int, float]], n_words: int) -> np.ndarray:
    result = np.full((n_words, n_words), 1e-6)
    for last, nexts in rows.items():
        for word, probability in nexts.items():
            result[last, word] = probability
    return result


GARDEN_PATH = table({START: {2: 0.6, 3: 0.4}, 2: {4: 0.5, END: 0.5}, 3: {5: 0.99}, 4: {END: 1.0}, 5: {END: 0.99}}, 6)
FREE = BeamOptions(beam_size=1, length_penalty=0.0, no_repeat_ngram=0, min_words=0)


def test_a_greedy_search_follows_the_likeliest_word() -> None:
    [sentences] = beam_search(TableSteps([GARDEN_PATH]), FREE)
    assert sentences[0].words[0] == 2


def test_a_beam_finds_the_sentence_behind_a_less_likely_first_word() -> None:
    [sentences] = beam_search(TableSteps([GARDEN_PATH]), BeamOptions(3, 0.0, 0, 0))
    assert sentences[0].words == (3, 5)
    assert sentences[0].score == pytest.approx(np.log(0.4 * 0.99 * 0.99) / 3, abs=1e-5)


def test_the_length_penalty_decides_between_short_and_long() -> None:
    rows = {START: {2: 1.0}, 2: {END: 0.5, 3: 0.5}, 3: {4: 0.9}, 4: {END: 0.9}}
    short, long = (
        beam_search(TableSteps([table(rows, 5)]), BeamOptions(3, penalty, 0, 0))[0][0].words for penalty in (0.0, 1.0)
    )
    assert short == (2,)
    assert long == (2, 3, 4)


def test_no_run_of_words_is_said_twice_and_no_word_twice_in_a_row() -> None:
    rows = {START: {2: 0.9, 3: 0.1}, 2: {3: 0.6, 2: 0.4}, 3: {2: 0.9, END: 0.1}}
    loop = TableSteps([table(rows, 4)], max_words=12)
    [sentences] = beam_search(loop, BeamOptions(2, 1.0, 2, 0))
    for sentence in sentences:
        pairs = list(itertools.pairwise(sentence.words))
        assert len(pairs) == len(set(pairs))
        assert all(first != second for first, second in pairs)


def test_the_end_waits_for_the_least_length_and_comes_at_the_longest() -> None:
    eager = table({START: {END: 0.9, 2: 0.1}, 2: {END: 0.9, 3: 0.1}, 3: {2: 0.1, END: 0.9}}, 4)
    [sentences] = beam_search(TableSteps([eager]), BeamOptions(2, 0.0, 0, 3))
    assert all(len(sentence.words) >= 3 for sentence in sentences)
    endless = table({START: {2: 1.0}, 2: {3: 1.0}, 3: {2: 1.0}}, 4)
    [sentences] = beam_search(TableSteps([endless], max_words=5), BeamOptions(2, 0.0, 0, 0))
    assert max(len(sentence.words) for sentence in sentences) == 4


def test_forbidden_words_and_the_start_are_never_said() -> None:
    rows = {START: {2: 0.8, 3: 0.2}, 2: {END: 1.0}, 3: {START: 0.9, END: 0.1}}
    [sentences] = beam_search(TableSteps([table(rows, 4)]), BeamOptions(2, 0.0, 0, 1, forbidden=(2,)))
    assert {word for sentence in sentences for word in sentence.words} == {3}


@given(st.integers(0, 2**32 - 1), st.floats(0.0, 1.0))
def test_a_wide_beam_equals_trying_every_sentence(seed: int, penalty: float) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.ones(4), size=4)
    n_words, max_words = 4, 4

    def rank(words: tuple[int, ...]) -> float:
        path = [START, *words, END]
        total = sum(np.log(probabilities[a, b]) for a, b in itertools.pairwise(path))
        return float(total / (len(words) + 1) ** penalty)

    allowed = [word for word in range(n_words) if word not in (START, END)]
    sentences = [
        words
        for length in range(max_words)
        for words in itertools.product(allowed, repeat=length)
        if all(a != b for a, b in itertools.pairwise(words))
    ]
    best = max(sentences, key=rank)
    [found] = beam_search(TableSteps([probabilities], max_words), BeamOptions(40, penalty, 0, 0))
    assert rank(found[0].words) == pytest.approx(rank(best), abs=1e-4)


@given(st.integers(0, 2**32 - 1), st.integers(1, 4))
def test_an_image_is_said_alike_alone_and_in_a_batch(seed: int, size: int) -> None:
    random = np.random.default_rng(seed)
    tables = [random.dirichlet(np.ones(7), size=7) for _ in range(3)]
    options = BeamOptions(size, 0.7, 3, 2)
    together = beam_search(TableSteps(tables), options)
    alone = [beam_search(TableSteps([one]), options)[0] for one in tables]
    assert [image[0] for image in together] == [image[0] for image in alone]


@pytest.mark.parametrize(
    ("option", "value"), [("beam_size", 0), ("beam_size", 65), ("length_penalty", -0.1), ("no_repeat_ngram", -1)]
)
def test_options_out_of_range_are_refused_with_the_range(option: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"{option} is {value}; allowed are values from"):
        BeamOptions(**{option: value})
