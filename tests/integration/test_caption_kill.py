"""A process that is killed with SIGKILL at any moment loses no record that was written, and its run goes on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL"),
]

# Found by its entry point, as a stranger's captioner is. KILL names the moment: the n-th image, the n-th row, of which
# half is written, the rename of the finished file, or the removal of the journal after it.
_PLUGIN = """
import os, signal
from firstsight.testing.captioner import FakeCaptioner

moment, _, n = os.environ.get("KILL", "").partition(":")
n_images = n_rows = 0
real_write, real_replace, real_unlink = os.write, os.replace, os.unlink

def die():
    os.kill(os.getpid(), signal.SIGKILL)

def write(fd, data):
    global n_rows
    if bytes(data[:2]) == b'{"' or b"," in bytes(data):
        n_rows += 1
        if moment == "row" and n_rows == int(n):
            real_write(fd, data[: len(data) // 2])
            die()
    return real_write(fd, data)

def replace(*paths):
    if moment == "rename":
        die()
    real_replace(*paths)

def unlink(path, *args, **options):
    if moment == "unlink" and str(path).endswith(".journal"):
        die()
    real_unlink(path, *args, **options)

os.write, os.replace, os.unlink = write, replace, unlink

class Mortal(FakeCaptioner):
    name = "mortal"

    def caption_batch(self, images):
        global n_images
        n_images += len(images)
        if moment == "image" and n_images >= int(n):
            die()
        return super().caption_batch(images)
"""


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    folder = tmp_path / "plugin"
    info = folder / "mortal-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: mortal\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[firstsight.captioners]\nmortal = mortal:Mortal\n")
    (folder / "mortal.py").write_text(_PLUGIN)
    photos = tmp_path / "photos"
    photos.mkdir()
    for i in range(6):
        Image.new("RGB", (i + 1, 3)).save(photos / f"{i}.png")
    (photos / "2b.png").write_bytes(b"")
    return folder


def caption(plugin: Path, out: str, *args: str, kill: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "firstsight", "caption", "photos", "-o", out, "--captioner", "mortal", *args],
        cwd=plugin.parent,
        env=os.environ | {"PYTHONPATH": str(plugin), "KILL": kill},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("out", "kill", "n_kept"),
    [
        ("out.jsonl", "image:1", 0),
        ("out.jsonl", "image:4", 4),
        ("out.jsonl", "row:5", 4),
        ("out.csv", "row:1", 0),
        ("out.csv", "row:2", 1),
        ("out.csv", "row:5", 4),
        ("out.json", "row:5", 4),
        ("out.json", "rename", 7),
        ("out.json", "unlink", 7),
        ("out.txt", "row:7", 6),
    ],
)
def test_a_killed_run_goes_on(plugin, out, kill, n_kept):
    whole = caption(plugin, f"whole{Path(out).suffix}")
    assert whole.returncode == 3, whole.stderr
    killed = caption(plugin, out, "--batch-size", "1", kill=kill)
    assert killed.returncode == -9, killed.stderr
    folder = plugin.parent
    journal = folder / f"{out}.journal"
    growing = journal if journal.exists() else folder / out
    rows = growing.read_bytes().split(b"\n")[:-1]
    if out.endswith(".csv"):
        assert len(rows) == n_kept  # the header among them
    else:
        assert [json.loads(row)["schema_version"] for row in rows] == [1] * n_kept
    if kill != "unlink":
        assert growing == journal or not out.endswith((".json", ".txt"))
    resumed = caption(plugin, out, "--resume")
    assert resumed.returncode == 3, resumed.stderr
    assert (folder / out).read_bytes() == (folder / f"whole{Path(out).suffix}").read_bytes()
    assert {path.name for path in folder.iterdir()} == {"plugin", "photos", out, f"whole{Path(out).suffix}"}
