"""The stand-ins for pycocoevalcap against recorded outputs of the original (tests/golden/coco_caption.json)."""

from __future__ import annotations

import doctest
import importlib.util
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from firstsight.compat import pycocoevalcap
from firstsight.compat.pycocoevalcap import Bleu, Cider, COCOEvalCap, Meteor, PTBTokenizer, Rouge
from firstsight.errors import UsageError
from firstsight.metrics import METRICS

GOLDEN = Path(__file__).resolve().parents[2] / "golden"
IMAGES = json.loads((GOLDEN / "captions.json").read_text(encoding="utf-8"))["images"]
ORIGINAL = json.loads((GOLDEN / "coco_caption.json").read_text(encoding="utf-8"))
HAS_METEOR = "meteor" in METRICS.names() and importlib.util.find_spec("pycocoevalcap") is not None
needs_meteor = pytest.mark.skipif(not HAS_METEOR, reason="needs the data of the extra meteor")
RAW_REFERENCES = {index: [{"caption": text} for text in image["references"]] for index, image in enumerate(IMAGES)}
RAW_CANDIDATES = {index: [{"caption": image["candidate"]}] for index, image in enumerate(IMAGES)}
GTS = dict(enumerate(ORIGINAL["reference_tokens"]))
RES = {index: [tokens] for index, tokens in enumerate(ORIGINAL["candidate_tokens"])}
SCORERS = [
    (Bleu, ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4"]),
    (Rouge, "ROUGE-L"),
    (Cider, "CIDEr-D"),
    pytest.param(Meteor, "METEOR", marks=needs_meteor),
]


def test_examples_run():
    assert doctest.testmod(pycocoevalcap).failed == 0


def test_the_tokenizer_gives_the_recorded_tokens():
    assert PTBTokenizer().tokenize(RAW_REFERENCES) == GTS
    assert PTBTokenizer().tokenize(RAW_CANDIDATES) == RES


@pytest.mark.parametrize(("scorer", "names"), SCORERS)
def test_scores_are_the_recorded_ones(scorer: type, names: str | list[str]):
    corpus, images = scorer().compute_score(GTS, RES)
    listed = [names] if isinstance(names, str) else names
    expected = [ORIGINAL["corpus"][name] for name in listed]
    np.testing.assert_allclose(np.atleast_1d(corpus), expected, rtol=1e-12)
    expected = [ORIGINAL["images"][name] for name in listed]
    np.testing.assert_allclose(np.atleast_2d(images), expected, rtol=1e-12)


@pytest.mark.parametrize(("scorer", "names"), SCORERS)
def test_return_values_have_the_recorded_types(scorer: type, names: str | list[str]):
    found = scorer().compute_score(GTS, RES)
    assert [type(part).__name__ for part in found] == ORIGINAL["return_types"][scorer.__name__]


def test_fewer_n_grams():
    corpus, images = Bleu(2).compute_score(GTS, RES, verbose=0)
    assert corpus == pytest.approx([ORIGINAL["corpus"]["BLEU-1"], ORIGINAL["corpus"]["BLEU-2"]], rel=1e-12)
    assert len(images) == 2


@needs_meteor
def test_the_whole_evaluation(capsys: pytest.CaptureFixture[str]):
    coco = SimpleNamespace(getImgIds=lambda: list(GTS), imgToAnns=RAW_REFERENCES)
    evaluation = COCOEvalCap(coco, SimpleNamespace(imgToAnns=RAW_CANDIDATES))
    evaluation.evaluate()
    keys = ["Bleu_1", "Bleu_2", "Bleu_3", "Bleu_4", "METEOR", "ROUGE_L", "CIDEr"]
    assert list(evaluation.eval) == keys
    assert evaluation.eval["CIDEr"] == pytest.approx(ORIGINAL["corpus"]["CIDEr-D"], rel=1e-12)
    assert [entry["image_id"] for entry in evaluation.evalImgs] == list(GTS)
    assert evaluation.imgToEval[3]["ROUGE_L"] == pytest.approx(ORIGINAL["images"]["ROUGE-L"][3], rel=1e-12)
    assert set(evaluation.imgToEval[3]) == {"image_id", *keys}
    assert capsys.readouterr().out == ""


@needs_meteor
def test_some_images_only():
    coco = SimpleNamespace(getImgIds=lambda: list(GTS), imgToAnns=RAW_REFERENCES)
    evaluation = COCOEvalCap(coco, SimpleNamespace(imgToAnns=RAW_CANDIDATES))
    evaluation.params["image_id"] = [5, 2]
    evaluation.evaluate()
    assert [entry["image_id"] for entry in evaluation.evalImgs] == [5, 2]


def test_one_image_has_cider_zero_as_there_and_a_warning():
    with pytest.warns(UserWarning, match="CIDEr of one image is 0"):
        score, scores = Cider().compute_score({1: ["a dog"]}, {1: ["a dog"]})
    assert (score, scores.tolist()) == (0.0, [0.0])


@pytest.mark.parametrize(
    ("gts", "res", "message"),
    [
        ({1: ["a"]}, {2: ["a"]}, r"2 ids are in one of them only, such as 1, 2\. Give both the same ids"),
        ({1: ["a"]}, {1: ["a", "b"]}, r"res\[1\] has 2 candidates; give exactly one"),
        ({1: []}, {1: ["a"]}, r"gts\[1\] has no reference"),
        ({1: [{"caption": "a"}]}, {1: ["a"]}, r"gts\[1\] must be a list of texts; tokenize the captions first"),
        ({1: "a dog"}, {1: ["a"]}, r"gts\[1\] must be a list of texts"),
    ],
)
def test_wrong_arguments_are_named(gts: dict, res: dict, message: str):
    with pytest.raises(UsageError, match=message):
        Rouge().compute_score(gts, res)


def test_other_parameters_are_refused():
    with pytest.raises(UsageError, match=r"n is 1, 2, 3 or 4"):
        Bleu(5)
    with pytest.raises(UsageError, match=r"only n=4 and sigma=6\.0"):
        Cider(sigma=3.0)
