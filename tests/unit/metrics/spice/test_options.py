"""Options of SPICE from the environment."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from firstsight.errors import UsageError
from firstsight.metrics.spice import SpiceOptions
from firstsight.metrics.spice import options as options_module


def test_nothing_said_gives_the_defaults():
    assert SpiceOptions.from_environment({}) == SpiceOptions()


def test_every_variable_is_read(tmp_path: Path):
    said = {
        "FIRSTSIGHT_SPICE": os.pathsep.join([str(tmp_path / "a"), "", str(tmp_path / "b.whl")]),
        "FIRSTSIGHT_SPICE_JAVA": str(tmp_path / "java"),
        "FIRSTSIGHT_SPICE_MEMORY_MB": "3000",
        "FIRSTSIGHT_SPICE_THREADS": " 4 ",
        "FIRSTSIGHT_SPICE_IMAGES": "50",
        "FIRSTSIGHT_SPICE_LIMIT_S": "600",
        "FIRSTSIGHT_SPICE_PARSES": str(tmp_path / "parses"),
    }
    assert SpiceOptions.from_environment(said) == SpiceOptions(
        paths=(tmp_path / "a", tmp_path / "b.whl"),
        java=tmp_path / "java",
        memory_mb=3000,
        threads=4,
        n_images=50,
        limit_s=600,
        parses=tmp_path / "parses",
    )
    assert all(name in (SpiceOptions.__doc__ or "") for name in said)


@pytest.mark.parametrize("text", ["0", "-1", "4G", "1.5", "²"])
def test_a_number_that_is_none_is_a_usage_error(text: str):
    with pytest.raises(UsageError, match=r"FIRSTSIGHT_SPICE_THREADS is .*; it must be a whole number above zero"):
        SpiceOptions.from_environment({"FIRSTSIGHT_SPICE_THREADS": text})


@pytest.mark.parametrize(("megabytes", "heap_mb"), [(64_000, 4096), (8192, 4096), (6000, 3000), (1000, 1024)])
def test_the_heap_is_bounded_by_the_memory_there_is(monkeypatch: pytest.MonkeyPatch, megabytes: int, heap_mb: int):
    monkeypatch.setattr(options_module, "_memory_bytes", lambda: megabytes << 20)
    assert SpiceOptions().heap_mb == heap_mb
    assert SpiceOptions(memory_mb=700).heap_mb == 700


def test_a_container_with_less_memory_counts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    (tmp_path / "limit").write_text("2147483648\n")
    (tmp_path / "none").write_text("max\n")
    monkeypatch.setattr(options_module, "_CGROUP_LIMITS", (tmp_path / "none", tmp_path / "limit", tmp_path / "absent"))
    assert options_module._memory_bytes() == 2 << 30


def test_there_is_at_least_one_thread():
    assert SpiceOptions().n_threads >= 1
