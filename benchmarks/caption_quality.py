"""How good the embedded captioner is: Flickr8k's test split, and COCO photos of which it has seen none.

    .venv/bin/python benchmarks/caption_quality.py [DATA] [--model FOLDER] [--beam-size 3]

DATA holds ``flickr8k`` and ``coco_transfer``; ``../shared/data`` unless told. Captions and scores are made as
``firstsight caption`` and ``firstsight evaluate`` make them, so that the table can be repeated with those two commands.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def main() -> None:
    """Caption both sets and print their scores with 95 % intervals."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--model", default="")
    parser.add_argument("--beam-size", type=int, default=3)
    parser.add_argument("--length-penalty", type=float, default=1.0)
    parser.add_argument("--split", default="test", help="test to report, dev to choose")
    arguments = parser.parse_args()
    if not (arguments.data / "flickr8k").is_dir():
        print(f"{arguments.data} holds no flickr8k: nothing to measure.")
        return

    from firstsight.captioners import load_captioner
    from firstsight.datasets.pairs import read_ids, read_pairs
    from firstsight.evaluation import evaluate
    from firstsight.images import load_image

    captioner = load_captioner(
        f"embedded:{arguments.model}" if arguments.model else "embedded",
        beam_size=arguments.beam_size,
        length_penalty=arguments.length_penalty,
    )
    flickr, coco = arguments.data / "flickr8k", arguments.data / "coco_transfer"
    test = set(read_ids(flickr / f"Flickr_8k.{arguments.split}Images.txt"))
    pairs = [pair for pair in read_pairs(flickr / "Flickr8k.token.txt", flickr / "images")[0] if pair.image_id in test]
    sets = {f"Flickr8k {arguments.split}": pairs}
    if arguments.split == "test":
        sets["COCO, zero-shot"] = read_pairs(coco / "references.jsonl", coco / "images")[0]
    for name, photos in sets.items():
        images = (load_image(pair.file, fit_px=captioner.image_size_px) for pair in photos)
        results = captioner.caption_stream(images)
        candidates = {pair.image_id: result.captions[0] for pair, result in zip(photos, results, strict=True)}
        scored = evaluate(candidates, {pair.image_id: pair.captions for pair in photos})
        print(f"{name}: {scored.n_images} images, {len(set(candidates.values()))} different captions")
        for score in scored.scores:
            print(f"  {score.name:8} {score.value:.4f}  95 % interval {score.low:.4f} to {score.high:.4f}")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
