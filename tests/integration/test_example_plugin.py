"""The example plug-in as a stranger installs it: found by its entry point, scored like a built-in metric."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plugin(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the installed example."""
    folder = tmp_path_factory.mktemp("plugin")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-index", "--no-deps"]
    source = repo_root / "examples" / "colour-words"
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--target", folder, source], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def run(plugin: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(plugin)}
    return subprocess.run([sys.executable, *command], capture_output=True, text=True, env=environment, timeout=120)


def test_it_passes_the_conformance_kit(plugin: Path):
    script = (
        "from firstsight.metrics import METRICS; from firstsight.testing import check_metric;"
        "check_metric(METRICS.load('colour_words'))"
    )
    done = run(plugin, "-c", script)
    assert done.returncode == 0, done.stderr


def test_the_command_line_scores_with_it(plugin: Path, tmp_path: Path):
    references, candidates = tmp_path / "references.csv", tmp_path / "candidates.csv"
    references.write_text("image_id,caption\n1,a red and blue kite\n2,a white horse\n3,a tree\n")
    candidates.write_text("image_id,caption\n1,a red kite\n2,a white horse\n3,a green tree\n")
    verb = ["-m", "firstsight", "evaluate", str(candidates), "--references", str(references)]
    done = run(plugin, *verb, "--metric", "colour_words", "--format", "json", "--resamples", "0")
    assert done.returncode == 0, done.stderr
    score = json.loads(done.stdout)["scores"]["ColourWords"]
    assert score["score"] == pytest.approx(2 / 3)  # red and white of red, blue and white
    assert score["signature"].startswith("metric:ColourWords|version:1|")
