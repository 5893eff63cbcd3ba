"""Every example of the README, the docs and the docstrings runs and prints what it says."""

from __future__ import annotations

import doctest
import importlib
import json
import os
import pkgutil
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import firstsight

_ROOT = Path(__file__).resolve().parents[2]
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```(console|python)\n(.*?)^```\n((?:<!-- .*? -->\n)?)", re.MULTILINE | re.DOTALL)
_PHOTOS = ["coffee", "cow", "giraffes", "kitten"]


@dataclass(frozen=True)
class Block:
    """One example of a page."""

    language: str
    text: str
    remark: str

    @property
    def exit_code(self) -> int:
        """What the last command of a console block ends with."""
        found = re.search(r"exit: (\d+)", self.remark)
        return int(found.group(1)) if found else 0


def _blocks(page: Path) -> list[Block]:
    blocks = [Block(*groups) for groups in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in blocks if "not run" not in block.remark]


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with photos/ and references.jsonl, where the examples run."""
    from firstsight.samples import sample_files, sample_references

    (tmp_path / "photos").mkdir()
    for file in sample_files():
        if file.stem in _PHOTOS:
            shutil.copy(file, tmp_path / "photos")
    references = sample_references()
    lines = [json.dumps({"image_id": name, "captions": references[name]}) for name in _PHOTOS]
    (tmp_path / "references.jsonl").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", [page for page in _PAGES if _blocks(page)], ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page: Path, workplace: Path) -> None:
    names: dict[str, object] = {}
    for block in _blocks(page):
        if block.language == "console":
            _run_console(block, workplace)
        elif ">>>" in block.text:
            _run_doctest(block.text, names, page)
        else:
            exec(compile(block.text, str(page), "exec"), names)


def _run_console(block: Block, folder: Path) -> None:
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)
    assert parts[0] == "", f"a console block begins with '$ ': {block.text}"
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    for number, part in enumerate(parts[1:], 1):
        command, _, expected = part.partition("\n")
        done = subprocess.run(
            ["bash", "-c", f"set -o pipefail; {command}"],
            cwd=folder,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        exit_code = block.exit_code if number == len(parts) - 1 else 0
        assert done.returncode == exit_code, f"$ {command}\n{done.stdout}"
        assert not expected or _matches(expected, done.stdout), f"$ {command}\n{done.stdout}\nis not\n{expected}"


def _matches(expected: str, got: str) -> bool:
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    return doctest.OutputChecker().check_output(expected, got, options)


def _run_doctest(text: str, names: dict[str, object], page: Path) -> None:
    test = doctest.DocTestParser().get_doctest(text, names, page.stem, str(page), 0)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    runner.run(test, out=report.append, clear_globs=False)
    names.update(test.globs)
    assert not runner.failures, "".join(report)


def _module_names() -> list[str]:
    names = [info.name for info in pkgutil.walk_packages(firstsight.__path__, "firstsight.")]
    return ["firstsight", *(name for name in names if not name.endswith("__main__"))]


@pytest.mark.parametrize("name", _module_names())
def test_the_examples_of_a_module_run(name: str, workplace: Path) -> None:
    if name.startswith("firstsight.training"):
        pytest.importorskip("torch", reason="the extra train is not installed")
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(importlib.import_module(name)):
        runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)
