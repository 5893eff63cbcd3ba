"""Fixtures for every test: where the repository and the larger test data are, and the command line run in-process."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

_ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Finished:
    """One finished command line."""

    exit_code: int
    stdout: str
    stderr: str


@pytest.fixture(scope="session")
def repo_root() -> Path:
    """The folder that holds pyproject.toml."""
    return _ROOT


@pytest.fixture(scope="session")
def shared(repo_root: Path) -> Path:
    """The folder of data sets that is not part of the repository; skips the test where it is absent."""
    folder = Path(os.environ.get("FIRSTSIGHT_SHARED", repo_root.parent / "shared"))
    if not (folder / "golden").is_dir():
        pytest.skip(f"needs the data sets in {folder}; set FIRSTSIGHT_SHARED to their folder")
    return folder


@pytest.fixture
def firstsight(capsys: pytest.CaptureFixture[str]) -> Callable[..., Finished]:
    """Run one ``firstsight`` command line in this process, as the console script does."""
    from firstsight.cli.main import run

    def finish(*args: str | Path) -> Finished:
        capsys.readouterr()
        try:
            exit_code = run([str(argument) for argument in args])
        except SystemExit as stop:
            exit_code = stop.code if isinstance(stop.code, int) else 1
        output = capsys.readouterr()
        return Finished(exit_code, output.out, output.err)

    return finish
