"""Mean length of candidates."""

from __future__ import annotations

import numpy as np
import pytest

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import Corpus
from firstsight.metrics.length import Length


def test_it_is_the_mean_number_of_words_split_at_any_white_space():
    corpus = Corpus.from_tokens([["a", "22\u00a03/4"], [], ["dogs"]], [[["x"]], [["x"]], [["x"]]])
    table = Length().corpus_statistics(corpus)
    assert table.tolist() == [[3, 1], [0, 1], [1, 1]]
    assert Length().from_statistics(table.sum(axis=0)).tolist() == [pytest.approx(4 / 3)]


def test_it_is_no_quality():
    assert Length.is_quality is False


def test_no_images_is_undefined():
    with pytest.raises(MetricUndefinedError, match="length is undefined"):
        Length().from_statistics(np.zeros(2))
