"""The hash of the references: the native core sorts and writes what the Python core does."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from firstsight import _core
from firstsight.evaluation import reference_set_hash

TEXTS = st.text(st.sampled_from("ab \x00é가\U0001f600\ud800\udfff"), max_size=5)


@pytest.fixture(autouse=True)
def _needs_the_native_core():
    if _core.native() is None:
        pytest.skip("needs the native core")


def in_python(image_ids: list[str], references: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> str:
    with monkeypatch.context() as changed:
        changed.setenv(_core.VARIABLE, "python")
        return reference_set_hash(image_ids, references)


@given(images=st.dictionaries(TEXTS, st.lists(TEXTS, max_size=4), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_cores_hash_alike(images: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch):
    image_ids, references = list(images), list(images.values())
    assert reference_set_hash(image_ids, references) == in_python(image_ids, references, monkeypatch)


def test_an_id_that_stands_twice_is_hashed_as_in_python(monkeypatch: pytest.MonkeyPatch):
    image_ids, references = ["1", "1"], [["b"], ["a"]]
    assert reference_set_hash(image_ids, references) == in_python(image_ids, references, monkeypatch)


def test_tuples_and_lists_are_alike():
    assert reference_set_hash(("1",), (("a", "b"),)) == reference_set_hash(["1"], [["a", "b"]])


def test_what_is_no_text_is_refused():
    with pytest.raises(TypeError):
        reference_set_hash(["1"], [[b"a"]])  # type: ignore[list-item]
    with pytest.raises(ValueError, match=r"argument|ids"):
        reference_set_hash(["1"], [])
