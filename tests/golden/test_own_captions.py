"""The captions of captions.json against what the original tools gave; coco_caption.json states tool and command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firstsight.metrics import METRICS, Corpus
from firstsight.tokenizers.ptb import PtbTokenizer

HERE = Path(__file__).parent
IMAGES: list[dict[str, Any]] = json.loads((HERE / "captions.json").read_text(encoding="utf-8"))["images"]
ORIGINAL: dict[str, Any] = json.loads((HERE / "coco_caption.json").read_text(encoding="utf-8"))
IDS = [image["image_id"] for image in IMAGES]


def test_the_values_say_where_they_come_from():
    provenance = ORIGINAL["provenance"]
    assert (provenance["tool"], provenance["version"]) == ("pycocoevalcap", "1.2")
    assert provenance["tokenizer"] == "stanford-corenlp-3.4.1.jar"


@pytest.mark.parametrize("index", range(len(IMAGES)), ids=IDS)
def test_tokens_equal_the_original(index: int):
    tokenizer = PtbTokenizer()
    assert " ".join(tokenizer.tokenize(IMAGES[index]["candidate"])) == ORIGINAL["candidate_tokens"][index]
    found = [" ".join(tokenizer.tokenize(reference)) for reference in IMAGES[index]["references"]]
    assert found == ORIGINAL["reference_tokens"][index]


# The original alone keeps the period of a last initial; among captions it asks the next one. See PtbTokenizer.
@pytest.mark.parametrize("index", [i for i, name in enumerate(IDS) if name != "capital-end"])
def test_tokens_with_punctuation_equal_the_original(index: int):
    found = PtbTokenizer().tokenize_with_punctuation(IMAGES[index]["candidate"])
    assert " ".join(found) == ORIGINAL["all_candidate_tokens"][index]


@pytest.mark.parametrize("name", ["bleu", "cider_d", "meteor", "rouge_l"])
def test_scores_from_raw_captions_equal_the_original(name: str):
    if not METRICS.load(name).is_available():
        pytest.skip(f"needs the data of the extra {name}")
    metric = METRICS.load(name)()
    captions = Corpus(
        [image["candidate"] for image in IMAGES], [image["references"] for image in IMAGES], PtbTokenizer()
    )
    metric.prepare(captions)
    table = metric.corpus_statistics(captions)
    corpus, images = metric.from_statistics(table.sum(axis=0)), metric.from_statistics(table)
    for column, score_name in enumerate(metric.score_names):
        np.testing.assert_allclose(corpus[column], ORIGINAL["corpus"][score_name], rtol=1e-12)
        np.testing.assert_allclose(images[:, column], ORIGINAL["images"][score_name], rtol=1e-12, atol=0)
