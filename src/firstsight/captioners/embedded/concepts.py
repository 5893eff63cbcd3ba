"""Concept words: what the encoder's features name before a sentence is made of them.

Two lists of words reach the decoder beside the grid: keywords, from a linear head over the pooled features, and the
words of the ImageNet classes, from the encoder's own classifier. Each word comes with a level: how sure it is.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

N_KEYWORDS = 12
N_CLASS_WORDS = 6
KEYWORD_EDGES = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8)
CLASS_EDGES = (0.01, 0.03, 0.07, 0.15, 0.3, 0.5, 0.75)
N_LEVELS = len(KEYWORD_EDGES) + 1

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]


def pool(grid: Floats) -> Floats:
    """Return mean and maximum (n, 2 · channels) over the cells of ``grid`` (n, cells, channels)."""
    return np.concatenate([grid.mean(1), grid.max(1)], axis=1)


def sigmoid(logits: Floats) -> Floats:
    """Return 1 / (1 + exp(-x)) without overflow for any float32."""
    one = np.float32(1.0)
    probabilities: Floats = one / (one + np.exp(np.minimum(-logits, np.float32(80.0))))
    return probabilities


def class_word_scores(logits: Floats, word_of_class: Floats) -> Floats:
    """Return the probability (n, words) of each class word: the sum over the classes that have it.

    Args:
        logits: (n, 1000) over the ImageNet classes.
        word_of_class: (1000, words), 1 where the class has the word, else 0.
    """
    exponentials = np.exp(logits - logits.max(1, keepdims=True))
    probabilities: Floats = (exponentials / exponentials.sum(1, keepdims=True)) @ word_of_class
    return probabilities


def top_words(scores: Floats, edges: tuple[float, ...], n_words: int) -> tuple[Ints, Ints]:
    """Return the ``n_words`` likeliest columns of ``scores`` (n, words), best first, and their levels 0 to 7."""
    top = np.argsort(-scores, axis=1, kind="stable")[:, :n_words]
    return top, np.digitize(np.take_along_axis(scores, top, 1), edges)


def concept_inputs(keyword_scores: Floats, class_scores: Floats, words: tuple[Ints, Ints]) -> tuple[Ints, Ints]:
    """Return the number and the level (n, 18) of each word of both lists, as the decoder takes them.

    Args:
        keyword_scores: (n, keywords) probabilities.
        class_scores: (n, class words) probabilities.
        words: The number of each keyword and of each class word.
    """
    keywords, keyword_levels = top_words(keyword_scores, KEYWORD_EDGES, N_KEYWORDS)
    classes, class_levels = top_words(class_scores, CLASS_EDGES, N_CLASS_WORDS)
    return (
        np.concatenate([words[0][keywords], words[1][classes]], axis=1),
        np.concatenate([keyword_levels, class_levels + N_LEVELS], axis=1),
    )
