"""A training that is killed with SIGKILL goes on behind its last checkpoint and ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason='torch is not installed: pip install "firstsight[train]"')
pytest.importorskip("onnx", reason='onnx is not installed: pip install "firstsight[train]"')

KILLED_AT = 2
KILL = f"""
import os, signal
from firstsight.training import loop
save = loop.Trainer._save
def save_and_die(self):
    save(self)
    if self.step == {KILLED_AT}:
        os.kill(os.getpid(), signal.SIGKILL)
loop.Trainer._save = save_and_die
"""


@pytest.mark.slow
def test_a_killed_training_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    for number in range(9):
        Image.new("RGB", (40, 40), (20 * number, 90, 60)).save(tmp_path / f"{number}.png")
    records = [{"file": f"{number}.png", "captions": [f"wall number {number} is plain"]} for number in range(9)]
    (tmp_path / "pairs.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    arguments = ["train", str(tmp_path / "pairs.jsonl"), "-o", str(tmp_path / "model"), "--cache", str(tmp_path / "c")]
    arguments += ["--steps", str(KILLED_AT), "--reward-steps", "1"]
    start = f"import sys; sys.argv = ['firstsight', *{arguments!r}]; from firstsight.cli.main import main; main()"
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}

    killed = subprocess.run([sys.executable, "-c", KILL + start], env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert not (tmp_path / "model").exists()
    [checkpoint] = tmp_path.glob("c/runs/*/member-0.pt")
    before = torch.load(checkpoint, weights_only=True)
    assert before["step"] == KILLED_AT

    # The words' embedding is moved far away, so that a run that began anew would end elsewhere.
    for weights in (before["network"], before["average"]):
        weights["words.weight"] += 100.0
    torch.save(before, checkpoint)
    resumed = subprocess.run(
        [sys.executable, "-c", start], env=environment, capture_output=True, text=True, check=False
    )
    assert resumed.returncode == 0, resumed.stderr
    after = torch.load(checkpoint, weights_only=True)
    assert after["step"] == KILLED_AT + 1
    assert after["network"]["words.weight"].min() > 50
    assert (tmp_path / "model" / "decoder-0.onnx").exists()
