"""The long sizes, which only ``make soak`` runs: memory stays flat, and nothing between first and last is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytestmark = pytest.mark.soak

N_IMAGES = 100_000
WIDTH_PX, HEIGHT_PX = 64, 48
MAX_GROWTH_BYTES = 16_000_000  # a fiftieth of the pixels that the later images have together

# The peak of memory is read after the first tenth, by when paths and ids of all images are known, and at the end.
_RUN = """
import resource, sys
from firstsight.batch import BatchOptions, CaptionJob
from firstsight.testing import FakeCaptioner

def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

with CaptionJob([sys.argv[1]], sys.argv[2], BatchOptions(existing=sys.argv[3])) as job:
    n_first = job.n_left // 10
    for number, record in enumerate(job.run(FakeCaptioner())):
        if number == n_first:
            early = peak_bytes()
    print(job.summary().n_captioned, job.n_held, peak_bytes() - early)
"""


def caption(folder: Path, out: Path, existing: str) -> tuple[int, int, int]:
    """Return how many images have captions, how many had them before, and by how much the memory grew, in bytes."""
    command = [sys.executable, "-c", _RUN, folder, out, existing]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    n_captioned, n_held, n_bytes = map(int, done.stdout.split())
    return n_captioned, n_held, n_bytes


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory has another unit there")
def test_a_hundred_thousand_images_take_no_more_memory_than_the_first(tmp_path: Path) -> None:
    photo, folder, out = tmp_path / "photo.png", tmp_path / "photos", tmp_path / "out.jsonl"
    Image.new("RGB", (WIDTH_PX, HEIGHT_PX)).save(photo)
    folder.mkdir()
    for number in range(N_IMAGES):
        (folder / f"{number}.png").symlink_to(photo)

    n_captioned, n_held, n_bytes = caption(folder, out, "refuse")

    assert (n_captioned, n_held) == (N_IMAGES, 0)
    assert n_bytes < MAX_GROWTH_BYTES
    whole = out.read_bytes()
    assert [json.loads(line)["image_id"] for line in whole.splitlines()] == [str(number) for number in range(N_IMAGES)]

    cut = whole[: len(whole) * 9 // 10]
    out.write_bytes(cut)
    n_captioned, n_held, _ = caption(folder, out, "resume")

    assert (n_captioned, n_held) == (N_IMAGES, cut.count(b"\n"))
    assert out.read_bytes() == whole
