"""From rows of statistics to scores."""

from __future__ import annotations

import numpy as np
import pytest

from firstsight.errors import MetricUndefinedError
from firstsight.metrics import Corpus
from firstsight.metrics.spice import CATEGORIES, Counts, Spice, SpiceOptions, SpiceResult
from firstsight.metrics.spice.metric import _row

SPICE = Spice(SpiceOptions())
NONE = dict.fromkeys(CATEGORIES, Counts(0, 0, 0))
ROWS = np.array(
    [
        _row(SpiceResult(Counts(1, 2, 2), NONE | {"Color": Counts(1, 1, 1), "Size": Counts(0, 1, 0)})),
        _row(SpiceResult(Counts(0, 0, 3), NONE | {"Color": Counts(0, 2, 1)})),
        _row(SpiceResult(Counts(0, 0, 0), NONE | {"Object": Counts(2, 4, 4)})),
    ]
)


def test_the_score_is_the_mean_over_images():
    assert SPICE.from_statistics(ROWS.sum(axis=0)).tolist() == [0.5 / 3]
    assert SPICE.from_statistics(ROWS).tolist() == [[0.5], [0.0], [0.0]]


def test_a_category_is_the_mean_over_the_images_whose_references_have_it():
    totals = ROWS.sum(axis=0)
    assert SPICE.category_score("Color", totals) == 0.5
    assert SPICE.category_score("Object", totals) == 0.5
    for category in ("Size", "Relation"):
        with pytest.raises(MetricUndefinedError, match=f"SPICE {category} is undefined"):
            SPICE.category_score(category, totals)


def test_no_image_is_undefined():
    with pytest.raises(MetricUndefinedError):
        SPICE.from_statistics(np.zeros(14))
    with pytest.raises(MetricUndefinedError, match="spice is undefined: the corpus has no images"):
        SPICE.prepare(Corpus.from_tokens([], []))


def test_it_names_itself():
    assert (SPICE.name, SPICE.score_names, SPICE.score_range) == ("spice", ("SPICE",), (0.0, 1.0))
