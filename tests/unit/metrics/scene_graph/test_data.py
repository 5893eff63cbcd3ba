"""The committed tables are what the recipe in tools/ makes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

WORDNET = Path("/usr/share/wordnet")
TABLES = ("words.tsv", "exceptions.tsv", "tagger.tsv")


@pytest.fixture
def folder(repo_root: Path) -> Path:
    return repo_root / "src" / "firstsight" / "metrics" / "scene_graph"


def test_tables_are_small(folder: Path):
    assert sum((folder / name).stat().st_size for name in TABLES) < 1_500_000


@pytest.mark.soak
def test_tables_are_reproducible_to_the_byte(folder: Path, repo_root: Path, shared: Path, tmp_path: Path):
    if not (WORDNET / "data.noun").is_file():
        pytest.skip("needs WordNet 3.0: sudo apt-get install wordnet-base")
    command = [sys.executable, repo_root / "tools" / "make_scene_graph_data.py", "--into", tmp_path]
    command += ["--captions", shared / "data" / "coco_captions" / "captions.jsonl.gz"]
    command += ["--leave-out", shared / "golden" / "A_fakecap1000.input.json"]
    subprocess.run(command, check=True, capture_output=True)
    for name in TABLES:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.slow
def test_word_tables_are_reproducible_to_the_byte(folder: Path, repo_root: Path, tmp_path: Path):
    if not (WORDNET / "data.noun").is_file():
        pytest.skip("needs WordNet 3.0: sudo apt-get install wordnet-base")
    command = [sys.executable, repo_root / "tools" / "make_scene_graph_data.py", "--into", tmp_path, "--words-only"]
    subprocess.run(command, check=True, capture_output=True)
    for name in TABLES[:2]:
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()
