"""Agreement of scores with ratings: items, raters, undefined scores, and the forms of the output."""

from __future__ import annotations

import csv
import io
import json

import pytest

from firstsight.datasets.ratings import RatedCaption, RatingFile
from firstsight.errors import MetricUndefinedError, UnknownNameError
from firstsight.evaluation import EvaluationOptions, build_card, evaluate, parse_signature
from firstsight.evaluation.agreement import (
    AGREEMENT_RENDERERS,
    MEASURES,
    Agreement,
    measure_agreement,
    to_json,
)
from firstsight.significance import kendall_tau_b, kendall_tau_c

REFERENCES = {
    "1": ("A brown dog runs on green grass.", "A dog runs."),
    "2": ("Two cats sleep on a sofa.", "Cats asleep on a red sofa."),
    "3": ("A man rides a wave.", "A surfer on a big wave in the sea."),
}
RATED = [
    ("1", "A brown dog runs on grass.", 4.0),
    ("1", "A dog.", 3.0),
    ("1", "Two cats sleep.", 1.0),
    ("2", "Two cats sleep on a red sofa.", 4.0),
    ("2", "A sofa.", 2.0),
    ("3", "A man on a wave.", 3.0),
    ("3", "A dog runs.", 1.0),
]
NO_INTERVALS = EvaluationOptions(n_resamples=0)


def ratings(rows=RATED, references=REFERENCES) -> RatingFile:
    return RatingFile("ratings.csv", "plain", tuple(RatedCaption(*row) for row in rows), references)


def rouge(*, rows=RATED, options=NO_INTERVALS, **more) -> Agreement:
    return measure_agreement(ratings(rows), metrics=["rouge_l"], options=options, **more)


def test_scores_are_those_of_each_caption_alone():
    # ROUGE-L of a corpus of one image is that of its caption.
    scores = [
        evaluate({i: caption}, {i: REFERENCES[i]}, metrics=["rouge_l"], options=NO_INTERVALS).scores[0].value
        for i, caption, _ in RATED
    ]
    values = [rating for *_, rating in RATED]
    found = rouge()
    assert (found.n_ratings, found.n_captions, found.n_images) == (7, 7, 3)
    measures = found.scores[0].measures
    assert tuple(measures) == MEASURES
    assert measures["tau-b"].value == pytest.approx(kendall_tau_b(scores, values), rel=1e-12)
    assert measures["tau-c"].value == pytest.approx(kendall_tau_c(scores, values), rel=1e-12)


def test_the_value_of_bleu_is_that_of_the_sentence():
    found = measure_agreement(ratings(), metrics=["bleu"], options=NO_INTERVALS)
    scores = [
        evaluate({i: caption}, {i: REFERENCES[i]}, metrics=["bleu"], options=NO_INTERVALS).score("BLEU-4").value
        for i, caption, _ in RATED
    ]
    expected = kendall_tau_b(scores, [rating for *_, rating in RATED])
    assert found.scores[3].measures["tau-b"].value == pytest.approx(expected, rel=1e-12)


def test_document_frequencies_count_each_rated_caption():
    # CIDEr-D's corpus has an item for each rated caption: here the references of image 1 stand in it three times.
    corpus = {f"{i}/{n}": caption for n, (i, caption, _) in enumerate(RATED)}
    references = {key: REFERENCES[key[0]] for key in corpus}
    per_image = evaluate(corpus, references, metrics=["cider_d"], options=NO_INTERVALS).per_image["CIDEr-D"]
    found = measure_agreement(ratings(), metrics=["cider_d"], options=NO_INTERVALS).scores[0].measures
    expected = kendall_tau_b(per_image, [rating for *_, rating in RATED])
    assert found["tau-b"].value == pytest.approx(expected, rel=1e-12)


def test_a_card_is_what_metrics_know():
    card = build_card({**REFERENCES, "4": ("A bowl of soup.",)}, metrics=["cider_d"])
    options = EvaluationOptions(n_resamples=0, card=card)
    found = measure_agreement(ratings(), metrics=["cider_d", "rouge_l"], options=options)
    scores = [
        evaluate({i: caption}, {i: REFERENCES[i]}, metrics=["cider_d"], options=options).scores[0].value
        for i, caption, _ in RATED
    ]
    by_name = {score.name: score for score in found.scores}
    expected = kendall_tau_b(scores, [rating for *_, rating in RATED])
    assert by_name["CIDEr-D"].measures["tau-b"].value == pytest.approx(expected, rel=1e-12)
    assert parse_signature(by_name["CIDEr-D"].signature)["card"] == card.hash[:12]
    assert "card" not in parse_signature(by_name["ROUGE-L"].signature)


def test_several_raters_count_each_or_in_the_mean():
    rows = [*RATED, ("1", "A dog.", 1.0), ("1", "A dog.", 2.0)]
    each, mean = rouge(rows=rows), rouge(rows=rows, raters="mean")
    assert (each.n_ratings, each.n_captions) == (9, 7)
    assert (mean.n_ratings, mean.n_captions) == (7, 7)
    averaged = [row if row[1] != "A dog." else ("1", "A dog.", 2.0) for row in RATED]
    assert mean.scores[0].measures == rouge(rows=averaged).scores[0].measures
    assert each.scores[0].measures != mean.scores[0].measures
    with pytest.raises(UnknownNameError, match="Unknown rule for raters 'median'"):
        rouge(raters="median")


def test_intervals_and_seed():
    rows = [(f"{n}", caption, rating) for n in range(12) for _, caption, rating in RATED[:3]]
    references = {f"{n}": REFERENCES["1"] for n in range(12)}
    options = EvaluationOptions(n_resamples=40, seed=3)
    found = measure_agreement(ratings(rows, references), metrics=["rouge_l"], options=options).scores[0]
    tau = found.measures["tau-b"]
    assert tau.low <= tau.value <= tau.high
    assert "|boot:40|seed:3|" in found.signature


def test_the_signature_tells_ratings_and_references():
    signature = rouge().scores[0].signature
    assert "|protocol:plain|raters:each|ratings:7|captions:7|images:3|refs:6|refset:" in signature
    assert list(parse_signature(signature))[5:8] == ["tok", "lang", "protocol"]
    assert list(parse_signature(signature))[-3:] == ["boot", "core", "firstsight"]
    assert signature == rouge(rows=RATED[::-1]).scores[0].signature
    changed = [*RATED[:-1], ("3", "A dog runs.", 2.0)]
    assert signature != rouge(rows=changed).scores[0].signature


def test_undefined_scores_say_why():
    rows = [("1", "A dog.", 1.0), ("1", "A dog.", 2.0)]
    found = measure_agreement(
        ratings(rows, {"1": REFERENCES["1"]}), metrics=["rouge_l", "cider_d"], options=NO_INTERVALS
    )
    reasons = {score.name: score.reason for score in found.scores}
    assert "tau-b is undefined: all 2 values of the first list" in str(reasons["ROUGE-L"])
    assert "one image only" in str(reasons["CIDEr-D"])
    assert to_json(found)["scores"]["ROUGE-L"]["measures"] is None
    assert "none: tau-b is undefined" in AGREEMENT_RENDERERS["table"](found)
    with pytest.raises(MetricUndefinedError, match="all its 2 ratings are equal"):
        rouge(rows=[("1", "A dog.", 1.0), ("2", "A cat.", 1.0)])


def test_forms_of_the_output():
    found = measure_agreement(ratings(), metrics=["bleu", "rouge_l"], options=NO_INTERVALS)
    table = AGREEMENT_RENDERERS["table"](found)
    assert max(map(len, table.splitlines())) <= 100
    assert table.splitlines()[2].split() == list(MEASURES)
    assert table.splitlines()[-1].startswith("tau-b x 100: BLEU-1..4 ")
    assert "\n7 ratings of 7 captions of 3 images\n" in table
    loaded = json.loads(AGREEMENT_RENDERERS["json"](found))
    assert loaded == to_json(found)
    assert list(loaded["scores"]) == ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L"]
    rows = list(csv.DictReader(io.StringIO(AGREEMENT_RENDERERS["csv"](found))))
    assert len(rows) == 5 * len(MEASURES)
    assert float(rows[-1]["value"]) == found.scores[-1].measures["spearman"].value
