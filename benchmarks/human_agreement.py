"""How well metrics agree with people: Kendall's tau with the ratings of Flickr8k, beside the published rows.

    .venv/bin/python benchmarks/human_agreement.py [DATA] [--metric NAME ...]

DATA holds ``flickr8k``; ``../shared/data`` unless told. Scores and ratings are made as ``firstsight agree`` makes them.
Published: Hessel, Holtzman, Forbes, Le Bras and Choi, "CLIPScore", EMNLP 2021, tables 1 and 2.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from firstsight.datasets.ratings import read_ratings
from firstsight.evaluation import EvaluationOptions
from firstsight.evaluation.agreement import measure_agreement

_TABLES = (
    (
        "Flickr8k-Expert",
        "ExpertAnnotations.txt",
        "flickr8k-expert",
        "tau-c",
        {"BLEU-1": 32.3, "BLEU-4": 30.8, "ROUGE-L": 32.3, "METEOR": 41.8, "CIDEr-D": 43.9, "SPICE": 44.9},
    ),
    (
        "Flickr8k-CF",
        "CrowdFlowerAnnotations.txt",
        "flickr8k-cf",
        "tau-b",
        {"BLEU-1": 17.9, "BLEU-4": 16.9, "ROUGE-L": 19.9, "METEOR": 22.2, "CIDEr-D": 24.6, "SPICE": 24.4},
    ),
)


def main() -> None:
    """Print a row a score for both sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, default=Path("../shared/data"))
    parser.add_argument("--metric", action="append", help="repeatable; the default metrics unless told")
    arguments = parser.parse_args()
    folder = arguments.data / "flickr8k"
    if not folder.is_dir():
        print(f"{arguments.data} holds no flickr8k: nothing to measure.")
        return
    for name, file, protocol, measure, published in _TABLES:
        ratings = read_ratings(folder / file, folder / "Flickr8k.token.txt", protocol=protocol)
        found = measure_agreement(ratings, metrics=arguments.metric, options=EvaluationOptions(n_resamples=0))
        print(f"{name}: {found.n_ratings:,} ratings, {found.n_images:,} images, {measure} times 100")
        for score in found.scores:
            if score.measures:
                value = 100 * score.measures[measure].value
                print(f"  {score.name:12} {value:6.2f}   published {published.get(score.name, '-')}")
            else:
                print(f"  {score.name:12} {score.reason}")


if __name__ == "__main__":
    main()
