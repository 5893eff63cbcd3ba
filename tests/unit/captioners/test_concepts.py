"""Concept words: pooling, class probabilities, ranks and levels."""

from __future__ import annotations

import numpy as np
import pytest

from firstsight.captioners.embedded.concepts import (
    CLASS_EDGES,
    KEYWORD_EDGES,
    N_CLASS_WORDS,
    N_KEYWORDS,
    N_LEVELS,
    class_word_scores,
    concept_inputs,
    pool,
    top_words,
)


def test_pooling_gives_mean_and_maximum_of_the_cells() -> None:
    grid = np.array([[[1.0, 0.0], [3.0, 4.0]]], np.float32)
    assert pool(grid).tolist() == [[2.0, 2.0, 3.0, 4.0]]


def test_a_word_has_the_probability_of_all_classes_that_name_it() -> None:
    logits = np.log(np.array([[0.5, 0.3, 0.2]], np.float32))
    word_of_class = np.array([[1, 0], [1, 1], [0, 0]], np.float32)
    np.testing.assert_allclose(class_word_scores(logits, word_of_class), [[0.8, 0.3]], rtol=1e-5)


def test_huge_logits_do_not_overflow() -> None:
    scores = class_word_scores(np.array([[1e4, 0.0]], np.float32), np.eye(2, dtype=np.float32))
    assert scores.tolist() == [[1.0, 0.0]]


def test_the_likeliest_words_come_first_with_the_level_of_their_score() -> None:
    top, levels = top_words(np.array([[0.02, 0.9, 0.25]]), KEYWORD_EDGES, 3)
    assert top.tolist() == [[1, 2, 0]]
    assert levels.tolist() == [[7, 3, 0]]


def test_class_words_have_levels_of_their_own() -> None:
    keywords, classes = np.zeros((1, 20)), np.zeros((1, 10))
    keywords[0, 7], classes[0, 4] = 1.0, 1.0
    words, levels = concept_inputs(keywords, classes, (np.arange(100, 120), np.arange(200, 210)))
    assert words.shape == levels.shape == (1, N_KEYWORDS + N_CLASS_WORDS)
    assert (words[0, 0], levels[0, 0]) == (107, N_LEVELS - 1)
    assert (words[0, N_KEYWORDS], levels[0, N_KEYWORDS]) == (204, 2 * N_LEVELS - 1)


@pytest.mark.parametrize("edges", [KEYWORD_EDGES, CLASS_EDGES])
def test_the_edges_of_the_levels_ascend(edges: tuple[float, ...]) -> None:
    assert list(edges) == sorted(edges)
    assert len(edges) + 1 == N_LEVELS
