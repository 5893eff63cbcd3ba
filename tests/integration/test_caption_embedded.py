"""The verb with the captioner that ships: one line from photos to scores, the same whatever the batches."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import firstsight as package

pytestmark = pytest.mark.slow

_SAMPLES = Path(package.__file__).parent / "samples"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three sample photos in a folder of their own."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for path in sorted((_SAMPLES / "photos").iterdir())[:3]:
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def test_records_do_not_depend_on_batches_and_equal_the_python_form(photos, firstsight):
    one, all_at_once = (firstsight("caption", photos, "--format", "jsonl", "--batch-size", size) for size in ("1", "3"))
    assert one.exit_code == 0, one.stderr
    texts = [[json.loads(line)["captions"] for line in done.stdout.splitlines()] for done in (one, all_at_once)]
    assert texts[0] == texts[1]
    captioner = package.load_captioner("embedded")
    assert texts[0] == [list(captioner.caption(path).captions) for path in sorted(photos.iterdir())]
    provenance = json.loads(one.stdout.splitlines()[0])["provenance"]
    assert provenance["captioner"] == "embedded"
    assert provenance["weights"].startswith("sha256:")


def test_beam_size_and_seed_are_options_of_the_shipped_captioner(photos, firstsight):
    done = firstsight("caption", photos, "--format", "jsonl", "--beam-size", "1", "--seed", "7")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[0])["provenance"]["parameters"]["beam_size"] == 1
    done = firstsight("caption", photos, "--beam-size", "1000")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "beam_size is 1000" in done.stderr


def test_captions_go_through_a_pipe_into_evaluate(photos, firstsight, tmp_path, monkeypatch):
    lines = firstsight("caption", photos, "--format", "jsonl").stdout
    references = tmp_path / "refs.jsonl"
    references.write_text(
        "".join(
            json.dumps({"image_id": path.stem, "captions": [f"a photo of {path.stem}", "a photo"]}) + "\n"
            for path in photos.iterdir()
        )
    )
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(lines.encode())))
    done = firstsight("evaluate", "-", "--references", references, "--format", "json", "--resamples", "0")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["n_images"] == 3


@pytest.mark.parametrize("suffix", ["jsonl", "json", "csv"])
def test_every_written_file_is_read_by_evaluate(photos, firstsight, tmp_path, suffix):
    out = tmp_path / f"out.{suffix}"
    assert firstsight("caption", photos, "-o", out).exit_code == 0
    done = firstsight("evaluate", out, "--references", out, "--format", "json", "--resamples", "0", "--metric", "bleu")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["scores"]["BLEU-1"]["score"] == pytest.approx(1.0)
