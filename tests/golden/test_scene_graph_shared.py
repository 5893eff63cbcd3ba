"""SceneGraph against recorded SPICE 1.0 scores and against human ratings; needs the data sets beside the repository.

SPICE: ``A_fakecap1000.spice.json``, made with pycocoevalcap 1.2 (SPICE 1.0, stanford-corenlp 3.6.0). The bounds are a
little under what ``benchmarks/scene_graph_agreement.py`` prints, so that they fail when the parser gets worse. Only the
half of the images that nobody looked at while the grammar was written is measured.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from firstsight.metrics import Corpus
from firstsight.metrics.scene_graph import SceneGraph
from firstsight.significance.correlation import kendall_tau_b, kendall_tau_c, pearson, spearman
from firstsight.tokenizers.ptb import PtbTokenizer


@cache
def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def table_of(folder: Path, name: str, chosen: set[int] | None = None) -> tuple[list[int], np.ndarray]:
    tokens, metric = read(folder / f"{name}.tokens.json"), SceneGraph()
    kept = [n for n, image_id in enumerate(tokens["ids"]) if chosen is None or image_id in chosen]
    rows = [
        metric.statistics(tokens["hyps"][n].split(" "), [text.split(" ") for text in tokens["refs"][n]]) for n in kept
    ]
    return [tokens["ids"][n] for n in kept], np.array(rows)


def test_scores_of_images_agree_with_spice(shared: Path):
    spice = read(shared / "golden" / "A_fakecap1000.spice.json")
    recorded = {i: scores["All"]["f"] for i, scores in zip(spice["ids"], spice["per_caption"], strict=True)}
    ids, table = table_of(shared / "golden", "A_fakecap1000", set(sorted(recorded)[1::2]))
    ours, theirs = table[:, 0], np.array([recorded[image_id] for image_id in ids])
    assert len(ids) == 500
    assert pearson(ours, theirs) > 0.885
    assert spearman(ours, theirs) > 0.885
    assert kendall_tau_b(ours, theirs) > 0.745
    assert abs(ours.mean() - theirs.mean()) < 0.01


def test_systems_come_in_the_order_of_cider(shared: Path):
    names = ["B_lstm972", "A_fakecap1000", "K_llava_brief_5k", "K_blip2_5k"]
    means = [table_of(shared / "golden", name)[1][:500, 0].mean() for name in names]
    cider = [read(shared / "golden" / "SUMMARY.json")[name]["CIDEr"] for name in names]
    assert np.argsort(means).tolist() == np.argsort(cider).tolist()


def corpus_of(folder: Path, name: str) -> tuple[list[list[str]], Corpus]:
    captions: dict[str, str] = {}
    groups: dict[str, list[str]] = {}
    for line in (folder / "Flickr8k.token.txt").read_text(encoding="utf-8").splitlines():
        key, caption = line.split("\t")
        captions[key] = caption
        groups.setdefault(key.split("#")[0], []).append(key)
    rows = [line.split("\t") for line in (folder / name).read_text(encoding="utf-8").splitlines()]
    if name.startswith("Expert"):
        rows = [row for row in rows if row[1] not in groups[row[0]]]
    references = [[captions[key] for key in groups[row[0]] if key != row[1]] for row in rows]
    return rows, Corpus([captions[row[1]] for row in rows], references, PtbTokenizer())


@pytest.mark.slow
def test_scores_agree_with_experts_as_spice_does(shared: Path):
    """Published: SPICE tau-c 44.9 (CLIPScore, Hessel and others 2021, table 1)."""
    rows, corpus = corpus_of(shared / "data" / "flickr8k", "ExpertAnnotations.txt")
    assert len(rows) == 5664
    ratings = np.array([[float(rating) for rating in row[2:5]] for row in rows])
    scores = SceneGraph().corpus_statistics(corpus)[:, 0]
    assert kendall_tau_c(np.repeat(scores, 3), ratings.ravel()) > 0.449


@pytest.mark.slow
def test_scores_agree_with_the_crowd_as_spice_does(shared: Path):
    """Published: SPICE tau-b 24.4 (CLIPScore, Hessel and others 2021, table 2)."""
    rows, corpus = corpus_of(shared / "data" / "flickr8k", "CrowdFlowerAnnotations.txt")
    assert len(rows) == 47830
    scores = SceneGraph().corpus_statistics(corpus)[:, 0]
    assert kendall_tau_b(scores, np.array([float(row[2]) for row in rows])) > 0.24
