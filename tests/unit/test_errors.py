"""The error tree: one base, a code each, messages that name the next step."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight import errors
from firstsight.errors import (
    FirstsightError,
    ImageError,
    MissingDependencyError,
    UnknownNameError,
    UsageError,
    closest_name,
)

_CLASSES = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, FirstsightError)]


def test_every_error_is_public() -> None:
    assert {cls.__name__ for cls in _CLASSES} <= set(errors.__all__)


def test_codes_are_distinct_words() -> None:
    codes = [cls.code for cls in _CLASSES if "code" in vars(cls)]
    assert len(set(codes)) == len(codes)
    assert all(code.replace("_", "").isalpha() and code.islower() for code in codes)


def test_an_unknown_name_is_a_usage_error_with_its_parts() -> None:
    error = UnknownNameError("metric", "cidr", ["rouge_l", "cider_d", "cider"])
    assert isinstance(error, UsageError)
    assert (error.kind, error.name, error.allowed) == ("metric", "cidr", ["cider", "cider_d", "rouge_l"])
    assert str(error) == "Unknown metric 'cidr'. Did you mean 'cider'? Available: cider, cider_d, rouge_l."


def test_a_missing_dependency_names_the_command() -> None:
    error = MissingDependencyError("firstsight train", extra="train")
    assert str(error) == "firstsight train needs the extra 'train': run  pip install \"firstsight[train]\""
    assert error.extra == "train"


def test_an_image_error_keeps_its_code() -> None:
    assert ImageError("truncated", "a.jpg ends early.").code == "truncated"


@pytest.mark.parametrize("cls", [cls for cls in _CLASSES if "__init__" not in vars(cls)])
def test_plain_errors_travel_between_processes(cls: type[FirstsightError]) -> None:
    again = pickle.loads(pickle.dumps(cls("what is wrong")))
    assert (type(again), str(again), again.code) == (cls, "what is wrong", cls.code)


@given(st.text(), st.lists(st.text(min_size=1), max_size=5))
def test_the_closest_name_is_an_allowed_one(name: str, allowed: list[str]) -> None:
    assert closest_name(name, allowed) in {*allowed, None}
    for text in allowed:
        assert closest_name(text, allowed) == text
