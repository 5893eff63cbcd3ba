"""How many images a second the embedded captioner reads on one core, and where the time goes.

    .venv/bin/python benchmarks/caption_speed.py [FOLDER] [--rounds 5] [--beam-size 3]

Every stage of ``firstsight caption`` runs on one image after the other: the file to an upright image (decode), the
encoder and the concept words (encode), memory and beam search (generate). The process is bound to one core. The
photos are the samples of the package unless a folder is named; each round reads all of them, and the median round
counts. Stages are timed inside one run, so other work on the machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

STAGES = ("decode", "encode", "generate")


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, help="photos to read (default: the samples)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--beam-size", type=int, default=3)
    parser.add_argument("--limit", type=int, default=200, help="photos of a round at the most")
    arguments = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})

    from firstsight.captioners.decoding import BeamOptions, beam_search
    from firstsight.captioners.embedded import WEIGHTS_FOLDER
    from firstsight.captioners.embedded.model import EmbeddedModel
    from firstsight.captioners.embedded.preprocess import IMAGE_SIZE_PX, to_pixels
    from firstsight.captioners.embedded.vocabulary import NEVER_SAID
    from firstsight.images import IMAGE_SUFFIXES, load_image
    from firstsight.samples import sample_files

    found = sample_files() if arguments.folder is None else sorted(arguments.folder.rglob("*"))
    files = [file for file in found if file.suffix.lower() in IMAGE_SUFFIXES][: arguments.limit]
    if not files:
        sys.exit(f"{arguments.folder} holds no images.")
    started = time.perf_counter()
    model = EmbeddedModel(WEIGHTS_FOLDER)
    load_s = time.perf_counter() - started
    options = BeamOptions(beam_size=arguments.beam_size, forbidden=NEVER_SAID)

    rounds: list[dict[str, float]] = []
    for _ in range(arguments.rounds + 1):  # the first round warms caches and is not counted
        seconds = dict.fromkeys(STAGES, 0.0)
        for file in files:
            times = [time.perf_counter()]
            pixels = to_pixels(load_image(file, fit_px=IMAGE_SIZE_PX))
            times.append(time.perf_counter())
            percepts = model.perceive(pixels[None])
            times.append(time.perf_counter())
            beam_search(model.steps(percepts), options)
            times.append(time.perf_counter())
            for stage, before, after in zip(STAGES, times, times[1:], strict=False):
                seconds[stage] += after - before
        rounds.append(seconds)
    counted = sorted(rounds[1:], key=lambda round_: sum(round_.values()))
    totals = [len(files) / sum(round_.values()) for round_ in counted]
    median = counted[len(counted) // 2]
    size_mb = sum(file.stat().st_size for file in WEIGHTS_FOLDER.iterdir()) / 1e6
    print(f"embedded captioner, beam {arguments.beam_size}, one core, {len(files)} images, {arguments.rounds} rounds")
    for stage in STAGES:
        share = median[stage] / sum(median.values())
        print(f"{stage:10} {1000 * median[stage] / len(files):8.1f} ms an image {share:8.0%}")
    print(f"{'total':10} {1000 * sum(median.values()) / len(files):8.1f} ms an image")
    print(
        f"images a second: {statistics.median(totals):.1f} ({min(totals):.1f} to {max(totals):.1f} by round); "
        f"model {size_mb:.1f} MB, loaded in {load_s:.2f} s; load of the machine {os.getloadavg()[0]:.1f}"
    )


if __name__ == "__main__":
    main()
