"""What is accepted as the program's output."""

from __future__ import annotations

import copy
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.metrics.spice.results import CATEGORIES, Counts, InvalidOutputError, read_output

NONE = {"tp": 0, "fp": 0, "fn": 0, "pr": None, "re": None, "f": None, "numImages": 1}
HALF = {"tp": 1, "fp": 1, "fn": 1, "pr": 0.5, "re": 0.5, "f": 0.5, "numImages": 1}


def entry(image_id: str) -> dict[str, Any]:
    scores = {key: dict(NONE) for key in CATEGORIES.values()} | {"All": dict(HALF), "Object": dict(HALF)}
    tuples = [{"tuple": ["dog"], "truth_value": True}, {"tuple": ["dog", "sit on", "boat/ship"], "truth_value": False}]
    return {"image_id": image_id, "scores": scores, "test_tuples": tuples, "ref_tuples": tuples[:1]}


def test_results_are_in_the_order_of_the_ids():
    second = entry("1")
    second["scores"]["All"] = HALF | {"tp": 2, "fp": 0, "fn": 0, "f": 1}
    first, last = read_output([second, entry("0")], ["0", "1"])
    assert (first.all, last.all) == (Counts(1, 2, 2), Counts(2, 2, 2))
    assert first.candidate_tuples == ((("dog",), True), (("dog", "sit on", "boat/ship"), False))
    assert first.reference_tuples == ((("dog",), True),)
    assert [name for name, counts in first.categories.items() if counts.is_defined] == ["Object"]


def test_a_tuple_matched_twice_may_lift_f_above_one():
    document = entry("0")
    document["scores"]["All"] = {"tp": 2, "fp": 0, "fn": -1, "f": 4 / 3}
    assert read_output([document], ["0"])[0].all == Counts(2, 2, 1)


@given(st.integers(0, 50), st.integers(0, 50), st.integers(0, 50))
def test_f_is_that_of_precision_and_recall(matched: int, wrong: int, missed: int):
    counts = Counts(matched, matched + wrong, matched + missed)
    expected = Fraction(2 * matched, 2 * matched + wrong + missed) if matched else Fraction(0)
    assert counts.f == pytest.approx(float(expected), rel=1e-12)
    assert counts.is_defined == (matched + missed > 0)


def changed(*path: str, to: Any) -> list[dict[str, Any]]:
    document = copy.deepcopy([entry("0"), entry("1")])
    place: Any = document[0]
    for key in path[:-1]:
        place = place[key]
    if to is KeyError:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return document


@pytest.mark.parametrize(
    "document",
    [
        None,
        {},
        [],
        ["0", "1"],
        [entry("0")],
        [entry("0"), entry("0")],
        [entry("0"), entry("1"), entry("2")],
        changed("image_id", to=0),
        changed("image_id", to=KeyError),
        changed("image_id", to="7"),
        changed("scores", to=None),
        changed("scores", "All", to=KeyError),
        changed("scores", "All", to=NONE),
        changed("scores", "Size", to=KeyError),
        changed("scores", "All", "f", to=0.51),
        changed("scores", "All", "f", to=float("nan")),
        changed("scores", "All", "f", to="0.5"),
        changed("scores", "All", "tp", to=1.0),
        changed("scores", "All", "tp", to=True),
        changed("scores", "All", "fp", to=-1),
        changed("scores", "All", "fn", to=-2),
        changed("scores", "Object", "f", to=None),
        changed("test_tuples", to=KeyError),
        changed("ref_tuples", to=[{"tuple": ["a"]}]),
        changed("ref_tuples", to=[["a"]]),
    ],
)
def test_anything_else_is_refused(document: Any):
    with pytest.raises(InvalidOutputError):
        read_output(document, ["0", "1"])
