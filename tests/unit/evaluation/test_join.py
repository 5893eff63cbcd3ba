"""Candidates and references are joined by id, and what does not fit is named with counts, ids and lines."""

from __future__ import annotations

from typing import Any

import pytest

from firstsight.datasets import CandidateFile, ReferenceFile
from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation.join import file_places, join

REFERENCES = {str(n): [f"reference {n}"] for n in range(1, 11)}


def test_the_order_is_that_of_the_references() -> None:
    corpus = join({"2": "b", "1": "a"}, {"1": ["x"], "2": ["y", "z"]}, "error")
    assert corpus.image_ids == ("1", "2")
    assert corpus.candidates == ("a", "b")
    assert corpus.references == (("x",), ("y", "z"))
    assert (corpus.notes, corpus.n_absent) == ((), 0)


def test_missing_candidates_are_an_error_with_counts_ids_and_places() -> None:
    candidates = {"1": "a", "2": "b", "5": "e"}
    with pytest.raises(CaptionFileError) as caught:
        join(candidates, REFERENCES, "error", lambda image_id: ("refs.csv", f"line {int(image_id) + 1}"))
    assert str(caught.value) == (
        "7 of 10 images have no candidate: '3' (refs.csv, line 4), '4' (line 5), '6' (line 7), '7' (line 8), "
        "'8' (line 9), …. Add what is missing, or go on with --missing skip (score the other 3) or --missing empty "
        "(score each as a caption without words)."
    )


def test_skip_scores_the_images_that_are_there() -> None:
    corpus = join({"10": "j", "2": "b"}, REFERENCES, "skip")
    assert corpus.image_ids == ("2", "10")
    assert corpus.n_absent == 8
    assert corpus.notes == ("8 of 10 images have no candidate and were left out: '1', '3', '4', '5', '6', ….",)


def test_empty_scores_every_image() -> None:
    corpus = join({"1": "a"}, {"1": ["x"], "2": ["y"]}, "empty")
    assert corpus.candidates == ("a", "")
    assert corpus.notes == ("1 of 2 images has no candidate and was scored as a caption without words: '2'.",)


def test_extra_candidates_are_noted_and_left_out() -> None:
    corpus = join({"1": "a", "x\x1b": "b", "y": "c"}, {"1": ["r"]}, "error")
    assert corpus.image_ids == ("1",)
    assert corpus.notes == ("2 candidates have no references and were left out: 'x\\x1b', 'y'.",)
    assert join({"1": "a", "y": "c"}, {"1": ["r"]}, "error").notes == (
        "1 candidate has no references and was left out: 'y'.",
    )


def test_each_file_is_named_where_the_places_change_from_one_to_the_other() -> None:
    candidates = CandidateFile("c.jsonl", "JSONL", {}, {"2": "empty"}, {"2": "line 9"})
    references = ReferenceFile("r.csv", "CSV", {"1": ("x",), "2": ("y",), "3": ("z",)}, {"1": "row 1", "3": "row 3"})
    with pytest.raises(
        CaptionFileError, match=r"'1' \(r\.csv, row 1\), '2' \(c\.jsonl, line 9: 'empty'\), '3' \(r\.csv,"
    ):
        join(candidates.captions, references.captions, "error", file_places(candidates, references))


def test_a_failed_candidate_says_where_and_why() -> None:
    candidates = CandidateFile("c.jsonl", "JSONL", {"1": "a"}, {"2": "truncated: ends early"}, {"2": "line 9"})
    references = ReferenceFile("r.csv", "CSV", {"1": ("x",), "2": ("y",)}, {"1": "line 2", "2": "line 3"})
    with pytest.raises(CaptionFileError, match=r"'2' \(c\.jsonl, line 9: 'truncated: ends early'\)\. Add what"):
        join(candidates.captions, references.captions, "error", file_places(candidates, references))


@pytest.mark.parametrize(
    ("candidate", "reference", "hint"),
    [
        ("42.jpg", "42", "The candidate '42.jpg' is '42' without its file extension: make the ids alike."),
        ("42", "42.jpg", "The reference id '42.jpg' is '42' without its file extension: make the ids alike."),
        (" 42", "42", "The candidate ' 42' is '42' without spaces around it: make the ids alike."),
        ("000042", "42", "The candidate '000042' is '42' without zeros in front: make the ids alike."),
        ("42", "000042", "The reference id '000042' is '42' without zeros in front: make the ids alike."),
        ("A1", "a1", "The candidate 'A1' is 'a1' in the other letter case: make the ids alike."),
    ],
)
@pytest.mark.parametrize("missing", ["error", "skip", "empty"])
def test_ids_that_almost_fit_are_pointed_out(candidate: str, reference: str, hint: str, missing: Any) -> None:
    with pytest.raises(CaptionFileError) as caught:
        join({candidate: "a"}, {reference: ["b"]}, missing)
    assert str(caught.value) == (
        f"No image has both a candidate and references. Ids of candidates (1): {candidate!r}; "
        f"of references (1): {reference!r}. Check that the two belong together. {hint}"
    )


def test_pandas_ids_are_pointed_out_beside_ids_that_fit() -> None:
    with pytest.raises(CaptionFileError, match=r"The candidate '2\.0' is '2' as a whole number"):
        join({"1": "a", "2.0": "b"}, {"1": ["x"], "2": ["y"]}, "error")


def test_nothing_to_score() -> None:
    with pytest.raises(CaptionFileError, match="There are no references, so nothing can be scored"):
        join({"1": "a"}, {}, "skip")
    with pytest.raises(CaptionFileError, match="No image has both a candidate and references"):
        join({}, {"1": ["a"]}, "skip")
    assert join({}, {"1": ["a"]}, "empty").candidates == ("",)


@pytest.mark.parametrize(
    ("candidates", "references", "message"),
    [
        ({1: "a"}, {"1": ["x"]}, "Image ids are text; a candidate has 1 of type int. Use str(id)."),
        ({"1": "a"}, {1: ["x"]}, "Image ids are text; a reference has 1 of type int. Use str(id)."),
        ({"1": ["a"]}, {"1": ["x"]}, "The candidate of '1' must be one text, got list."),
        ({"1": "a"}, {"1": "x"}, "The references of '1' must be a list of texts."),
        ({"1": "a"}, {"1": [None]}, "The references of '1' must be a list of texts."),
        ({"1": "a"}, {"1": []}, "The image '1' has an empty list of references; give each at least one."),
    ],
)
def test_wrong_types_are_told(candidates: Any, references: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        join(candidates, references, "error")
    assert str(caught.value) == message
