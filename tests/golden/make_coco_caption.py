"""Write coco_caption.json: what the original tools say of captions.json.

It runs the original itself, so it needs what no test needs, Java and pycocoevalcap, in an environment of its own:

    python -m venv original
    original/bin/pip install pycocoevalcap==1.2
    original/bin/python tests/golden/make_coco_caption.py
"""

from __future__ import annotations

import contextlib
import io
import json
import platform
import subprocess
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.meteor.meteor import Meteor
from pycocoevalcap.rouge.rouge import Rouge
from pycocoevalcap.tokenizer import ptbtokenizer

HERE = Path(__file__).parent


def main() -> None:
    """Run the tokenizer and the four metrics, and write their outputs with where they come from."""
    images = json.loads((HERE / "captions.json").read_text(encoding="utf-8"))["images"]
    # Integer keys in order: the tools keep the order of the dictionary.
    candidates = {i: [{"caption": image["candidate"]}] for i, image in enumerate(images)}
    references = {i: [{"caption": r} for r in image["references"]] for i, image in enumerate(images)}
    with contextlib.redirect_stdout(io.StringIO()):
        tokenizer = ptbtokenizer.PTBTokenizer()
        candidate_tokens, reference_tokens = tokenizer.tokenize(candidates), tokenizer.tokenize(references)
        bleu, bleu_of_images = Bleu(4).compute_score(reference_tokens, candidate_tokens)
        meteor, meteor_of_images = Meteor().compute_score(reference_tokens, candidate_tokens)
        rouge, rouge_of_images = Rouge().compute_score(reference_tokens, candidate_tokens)
        cider, cider_of_images = Cider().compute_score(reference_tokens, candidate_tokens)
    result = {
        "provenance": {
            "tool": "pycocoevalcap",
            "version": version("pycocoevalcap"),
            "tokenizer": ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR,
            "command": "python tests/golden/make_coco_caption.py",
            "python": platform.python_version(),
            "numpy": numpy.__version__,
            "java": java_version(),
            "input": "captions.json",
        },
        "candidate_tokens": [candidate_tokens[i][0] for i in candidates],
        "reference_tokens": [reference_tokens[i] for i in references],
        "all_candidate_tokens": [all_tokens(image["candidate"]) for image in images],
        "return_types": {
            name: [type(part).__name__ for part in result]
            for name, result in {
                "Bleu": (bleu, bleu_of_images),
                "Meteor": (meteor, meteor_of_images),
                "Rouge": (rouge, rouge_of_images),
                "Cider": (cider, cider_of_images),
            }.items()
        },
        "corpus": {
            **{f"BLEU-{n + 1}": float(score) for n, score in enumerate(bleu)},
            "METEOR": meteor,
            "ROUGE-L": float(rouge),
            "CIDEr-D": float(cider),
        },
        "images": {
            **{f"BLEU-{n + 1}": [float(score) for score in scores] for n, scores in enumerate(bleu_of_images)},
            "METEOR": meteor_of_images,
            "ROUGE-L": [float(score) for score in rouge_of_images],
            "CIDEr-D": [float(score) for score in cider_of_images],
        },
    }
    (HERE / "coco_caption.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def all_tokens(caption: str) -> str:
    """Return what the tokenizer prints for one caption alone, punctuation included."""
    jar = Path(ptbtokenizer.__file__).parent / ptbtokenizer.STANFORD_CORENLP_3_4_1_JAR
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".txt") as file:
        file.write(caption.replace("\n", " "))
        file.flush()
        command = ["java", "-cp", str(jar), "edu.stanford.nlp.process.PTBTokenizer", "-preserveLines", "-lowerCase"]
        output = subprocess.run([*command, file.name], capture_output=True, check=True).stdout
    return output.decode("utf-8").rstrip("\n")


def java_version() -> str:
    """Return the first line that ``java -version`` prints."""
    return subprocess.run(["java", "-version"], capture_output=True, check=True).stderr.decode().splitlines()[0]


if __name__ == "__main__":
    main()
