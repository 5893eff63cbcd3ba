"""Which core computes."""

from __future__ import annotations

import re

import pytest

from firstsight import _core
from firstsight.errors import BackendError, UnknownNameError


def test_the_python_core_can_be_asked_for(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(_core.VARIABLE, "python")
    assert _core.native() is None
    assert _core.core_name() == "python"


def test_without_a_compiled_core_python_computes(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(_core.VARIABLE, raising=False)
    monkeypatch.setattr(_core, "_compiled", lambda: None)
    assert _core.core_name() == "python"


def test_asking_for_a_core_that_is_not_there_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(_core.VARIABLE, "native")
    monkeypatch.setattr(_core, "_compiled", lambda: None)
    with pytest.raises(BackendError, match=re.escape("Install a C++20 compiler and install firstsight again")):
        _core.native()


def test_an_unknown_core_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(_core.VARIABLE, "rust")
    with pytest.raises(UnknownNameError, match="Unknown core in FIRSTSIGHT_CORE 'rust'"):
        _core.native()


@pytest.mark.parametrize(("value", "n"), [("3", 3), ("1", 1)])
def test_the_number_of_threads_can_be_set(monkeypatch: pytest.MonkeyPatch, value: str, n: int):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert _core.n_threads() == n


@pytest.mark.parametrize("value", ["", "0", "many", "-1"])
def test_any_other_number_means_one_a_processor(monkeypatch: pytest.MonkeyPatch, value: str):
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert _core.n_threads() >= 1
