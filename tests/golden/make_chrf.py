"""Write chrf.json: what sacrebleu says of captions.json and of the captions in Korean and French below.

It runs the original itself, in an environment of its own:

    python -m venv original
    original/bin/pip install sacrebleu==2.6.0
    original/bin/python tests/golden/make_chrf.py
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path

from sacrebleu.metrics import CHRF

HERE = Path(__file__).parent
OTHERS = [
    ("강아지가 잔디 위를 뛰어간다.", ["갈색 강아지 한 마리가 잔디밭을 뛰고 있다.", "개가 풀밭에서 달린다."]),
    ("Une péniche sur le canal", ["Une vieille péniche amarrée au bord d’un canal.", "une peniche"]),
    ("été 😀", ["L'été, 😀 !"]),
    ("abc", ["xyz"]),
    ("a", ["abcdefg", "a b"]),
]


def main() -> None:
    """Score the corpus and each image; the references of an image in the order of their length."""
    own = json.loads((HERE / "captions.json").read_text(encoding="utf-8"))["images"]
    images = [(image["candidate"], image["references"]) for image in own] + OTHERS
    # sacrebleu gives a tie to the first reference; with the shortest first it is the one with the fewest n-grams.
    images = [(candidate, sorted(group, key=lambda text: len("".join(text.split())))) for candidate, group in images]
    candidates = [candidate for candidate, _ in images]
    most = max(len(group) for _, group in images)
    streams = [[group[i] if i < len(group) else None for _, group in images] for i in range(most)]
    metric = CHRF()
    corpus = metric.corpus_score(candidates, streams)
    result = {
        "provenance": {
            "tool": "sacrebleu",
            "version": version("sacrebleu"),
            "signature": str(metric.get_signature()),
            "command": "python tests/golden/make_chrf.py",
            "python": platform.python_version(),
            "input": "captions.json and OTHERS of make_chrf.py",
        },
        "candidates": candidates,
        "references": [group for _, group in images],
        "corpus": corpus.score,
        "images": [metric.sentence_score(candidate, group).score for candidate, group in images],
    }
    text = json.dumps(result, indent=1, ensure_ascii=False)
    (HERE / "chrf.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
