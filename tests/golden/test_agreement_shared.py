"""Agreement with the human ratings of Flickr8k against published rows; needs the data sets beside the repository.

Kendall's tau-c with Flickr8k-Expert and tau-b with Flickr8k-CF, times 100, as CLIPScore publishes them for the same
metrics (Hessel, Holtzman, Forbes, Le Bras and Choi, EMNLP 2021, tables 1 and 2; scores by pycocoevalcap).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from firstsight.datasets.ratings import RatingFile, read_ratings
from firstsight.evaluation import EvaluationOptions
from firstsight.evaluation.agreement import measure_agreement
from firstsight.metrics import METRICS

EXPERT = {"BLEU-1": 32.3, "BLEU-4": 30.8, "ROUGE-L": 32.3, "CIDEr-D": 43.9, "METEOR": 41.8}
CROWD_FLOWER = {"BLEU-1": 17.9, "BLEU-4": 16.9, "ROUGE-L": 19.9, "CIDEr-D": 24.6, "METEOR": 22.2}
METRIC_OF = {"BLEU-1": "bleu", "BLEU-4": "bleu", "ROUGE-L": "rouge_l", "CIDEr-D": "cider_d", "METEOR": "meteor"}


def ratings_of(shared: Path, file: str, protocol: str) -> RatingFile:
    folder = shared / "data" / "flickr8k"
    return read_ratings(folder / file, folder / "Flickr8k.token.txt", protocol=protocol)


def measured(ratings: RatingFile, metric: str) -> dict[str, dict[str, float]]:
    if metric not in METRICS.names() or not METRICS.load(metric).is_available():
        pytest.skip(f"the metric {metric} is not installed")
    found = measure_agreement(ratings, metrics=[metric], options=EvaluationOptions(n_resamples=0))
    return {score.name: {name: 100 * c.value for name, c in score.measures.items()} for score in found.scores}


@pytest.mark.parametrize("metric", sorted(set(METRIC_OF.values())))
def test_flickr8k_expert(shared: Path, metric: str):
    ratings = ratings_of(shared, "ExpertAnnotations.txt", "flickr8k-expert")
    assert (len(ratings.ratings), len(ratings.references)) == (3 * 5664, 1000)
    found = measured(ratings, metric)
    published = {name: value for name, value in EXPERT.items() if METRIC_OF[name] == metric}
    assert {name: found[name]["tau-c"] for name in published} == pytest.approx(published, abs=0.1)


@pytest.mark.slow
@pytest.mark.parametrize("metric", sorted(set(METRIC_OF.values())))
def test_flickr8k_crowd_flower(shared: Path, metric: str):
    ratings = ratings_of(shared, "CrowdFlowerAnnotations.txt", "flickr8k-cf")
    assert (len(ratings.ratings), len(ratings.references)) == (47_830, 1000)
    assert sum(map(len, ratings.references.values())) == 5000 - 721
    found = measured(ratings, metric)
    published = {name: value for name, value in CROWD_FLOWER.items() if METRIC_OF[name] == metric}
    assert {name: found[name]["tau-b"] for name in published} == pytest.approx(published, abs=0.1)
