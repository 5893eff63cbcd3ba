"""The registry: plug-ins by entry point, and a message for a name that is not there."""

from __future__ import annotations

import sys
from importlib.metadata import EntryPoint

import pytest

import firstsight._registry as module
from firstsight._registry import Registry
from firstsight.errors import MissingDependencyError, UnknownNameError, UsageError

_GROUP = "firstsight.probes"


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Registry[object]:
    """Two plug-ins that can be loaded and one that cannot; they are listed out of order."""
    entries = [
        EntryPoint("rouge", "math:tau", _GROUP),
        EntryPoint("broken", "no_such_module_of_ours:x", _GROUP),
        EntryPoint("cider", "math:pi", _GROUP),
    ]
    monkeypatch.setattr(module, "entry_points", lambda group: entries if group == _GROUP else [])
    return Registry("probe", _GROUP)


def test_names_are_sorted_and_nothing_is_loaded(registry: Registry[object]) -> None:
    assert registry.names() == ["broken", "cider", "rouge"]
    assert "no_such_module_of_ours" not in sys.modules


def test_load_returns_the_registered_object(registry: Registry[object]) -> None:
    assert registry.load("cider") == pytest.approx(3.14159, abs=1e-5)


def test_an_unknown_name_has_the_nearest_one(registry: Registry[object]) -> None:
    with pytest.raises(UnknownNameError) as caught:
        registry.load("cidr")
    assert str(caught.value) == "Unknown probe 'cidr'. Did you mean 'cider'? Available: broken, cider, rouge."
    assert isinstance(caught.value, UsageError)


def test_a_name_that_is_near_nothing_has_no_guess(registry: Registry[object]) -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown probe 'xyz'\. Available: broken, cider, rouge\.$"):
        registry.load("xyz")


def test_an_empty_registry_says_so() -> None:
    with pytest.raises(UnknownNameError, match=r"^Unknown probe 'x'\. Available: none\.$"):
        Registry[object]("probe", "firstsight.nothing").load("x")


def test_a_missing_package_passes_through(registry: Registry[object], monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: EntryPoint) -> object:
        raise MissingDependencyError("The probe", extra="probe")

    monkeypatch.setattr(EntryPoint, "load", load)
    with pytest.raises(MissingDependencyError, match=r'run  pip install "firstsight\[probe\]"'):
        registry.load("cider")


def test_built_ins_are_registered_as_a_plug_in_is() -> None:
    assert {"bleu", "cider_d", "rouge_l"} <= set(Registry[object]("metric", "firstsight.metrics").names())
    assert "embedded" in Registry[object]("captioner", "firstsight.captioners").names()
    assert "ptb" in Registry[object]("tokenizer", "firstsight.tokenizers").names()
