"""What human captions score: each reference against the others, one reference fewer than the candidate meets."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.evaluation import Evaluation, EvaluationOptions, build_card, evaluate, parse_signature
from firstsight.evaluation.baseline import LeaveOneOut
from firstsight.metrics import METRICS, Corpus
from firstsight.significance import bootstrap_interval
from firstsight.tokenizers import TOKENIZERS

REFERENCES = {
    "a": ["a dog runs", "a dog", "the dog runs fast"],
    "b": ["two cats", "two cats sleep", "cats on a sofa"],
    "c": ["a man surfs", "a surfer", "a man on a wave"],
}
CANDIDATES = {"a": "a dog", "b": "cats", "c": "a man"}
OPTIONS = EvaluationOptions(n_resamples=0, human_baseline=True)


def human(references: Any, metrics: list[str], options: EvaluationOptions = OPTIONS) -> Evaluation:
    return evaluate(dict.fromkeys(references, "a dog"), references, metrics=metrics, options=options)


def of_humans(result: Evaluation, name: str) -> float:
    assert result.human is not None
    value = result.human.score(name).value
    assert value is not None
    return value


def test_bleu_1_is_that_of_the_mean_counts() -> None:
    result = human({"1": ["a b c", "a b", "a d"], "2": ["x y", "x z w v"]}, ["bleu"])
    # Image 1: "a b c" against {"a b", "a d"} has 2 of 3 words, closest length 2; "a b" against {"a b c", "a d"} 2 of 2,
    # closest 2; "a d" against {"a b c", "a b"} 1 of 2, closest 2. Image 2: "x y" against {"x z w v"} 1 of 2, closest 4;
    # "x z w v" against {"x y"} 1 of 4, closest 2. Each image counts by its mean.
    matches = Fraction(2 + 2 + 1, 3) + Fraction(1 + 1, 2)
    words = Fraction(3 + 2 + 2, 3) + Fraction(2 + 4, 2)
    closest = Fraction(2 + 2 + 2, 3) + Fraction(4 + 2, 2)
    assert closest < words  # no penalty for length
    assert of_humans(result, "BLEU-1") == pytest.approx(float(matches / words), rel=1e-9)


def test_a_mean_over_images_is_the_mean_of_the_leave_one_out_corpora() -> None:
    rounds = [
        evaluate(
            {key: group[j] for key, group in REFERENCES.items()},
            {key: [*group[:j], *group[j + 1 :]] for key, group in REFERENCES.items()},
            metrics=["rouge_l"],
            options=EvaluationOptions(n_resamples=0),
        ).score("ROUGE-L")
        for j in range(3)
    ]
    mean = sum(score.value or 0.0 for score in rounds) / 3
    assert of_humans(human(REFERENCES, ["rouge_l"]), "ROUGE-L") == pytest.approx(mean, rel=1e-12)


@pytest.mark.parametrize("name", ["bleu", "rouge_l", "cider_d"])
def test_it_is_what_the_slow_way_gives(name: str) -> None:
    references = {**REFERENCES, "d": ["one alone"], "e": ["a b", "b c", "c d", "d e"]}
    metric, tokenizer = METRICS.load(name)(), TOKENIZERS.load("ptb")()
    metric.prepare(Corpus(["x"] * 5, list(references.values()), tokenizer))  # frequencies of the whole set
    rows = []
    for group in references.values():
        if len(group) > 1:
            others = [[*group[:j], *group[j + 1 :]] for j in range(len(group))]
            rows.append(metric.corpus_statistics(Corpus(group, others, tokenizer)).mean(axis=0))
    result = human(references, [name], EvaluationOptions(n_resamples=40, seed=5, human_baseline=True))
    low, high = bootstrap_interval(np.stack(rows), metric.from_statistics, n_resamples=40, seed=5)
    expected = metric.from_statistics(np.sum(rows, axis=0))
    assert result.human is not None
    for index, score in enumerate(result.human.scores):
        assert score.value == pytest.approx(expected[index], rel=1e-9)
        assert (score.low, score.high) == pytest.approx((low[index], high[index]), rel=1e-9)
    assert (result.human.n_images, result.human.n_left_out, result.human.references_each) == (4, 1, (2, 3))


def test_its_signature_says_what_it_is_of() -> None:
    result = human({**REFERENCES, "d": ["one alone"]}, ["rouge_l"])
    assert result.human is not None
    fields = parse_signature(result.human.scores[0].signature)
    assert (fields["human"], fields["images"], fields["refs"]) == ("leave-one-out", "3", "9")
    assert "human" not in parse_signature(result.scores[0].signature)
    alone = human(REFERENCES, ["rouge_l"])
    assert alone.human is not None
    assert fields["refset"] == parse_signature(alone.human.scores[0].signature)["refset"]


def test_it_says_that_humans_meet_one_reference_fewer() -> None:
    assert human(REFERENCES, ["rouge_l"]).notes == (
        "Human captions are scored against 2 references of an image, the candidates against 3; most scores rise with "
        "their number, so the humans' are on the low side.",
    )
    assert human({"1": ["a", "b"], "2": ["c"]}, ["rouge_l"]).notes == (
        "Human captions are scored against 1 reference of an image, the candidates against 2; most scores rise with "
        "their number, so the humans' are on the low side.",
        "1 image has one reference only and no part in the scores of human captions.",
    )


def test_without_a_second_reference_there_is_no_score_and_a_reason() -> None:
    result = human({"1": ["a dog"], "2": ["cats"]}, ["rouge_l"])
    assert result.score("ROUGE-L").value is not None
    assert result.human is not None
    score = result.human.score("ROUGE-L")
    assert (score.value, score.reason) == (
        None,
        "No image has two references or more, so no human caption can be scored.",
    )


def test_a_metric_without_a_score_has_none_for_humans_for_the_same_reason() -> None:
    result = human({"1": ["a dog", "dogs"]}, ["cider_d", "rouge_l"])
    assert result.human is not None
    assert result.human.score("CIDEr-D").reason == result.score("CIDEr-D").reason
    assert result.human.score("ROUGE-L").value is not None


def test_a_card_weighs_the_humans_too() -> None:
    card = build_card(REFERENCES, metrics=["cider_d"])
    options = EvaluationOptions(n_resamples=0, human_baseline=True, card=card)
    whole = human(REFERENCES, ["cider_d"])
    carded = human(REFERENCES, ["cider_d"], options)
    assert of_humans(carded, "CIDEr-D") == of_humans(whole, "CIDEr-D")
    assert parse_signature(carded.human.scores[0].signature)["card"] == card.hash[:12]  # type: ignore[union-attr]
    one = human({"a": REFERENCES["a"]}, ["cider_d"], options)
    assert of_humans(one, "CIDEr-D") > 0


def test_it_is_computed_only_when_asked_for() -> None:
    result = evaluate(CANDIDATES, REFERENCES, options=EvaluationOptions(n_resamples=0))
    assert result.human is None
    assert result.notes == ()
    with pytest.raises(KeyError):
        human(REFERENCES, ["rouge_l"]).human.score("BLEU-1")  # type: ignore[union-attr]


groups = st.lists(st.lists(st.sampled_from(["a dog", "dogs run", "", "a b c d", "2 1/2 x"]), min_size=1, max_size=4))


@given(groups.filter(len))
@settings(max_examples=40, deadline=None)
def test_the_rounds_have_the_tokens_of_their_captions(references: list[list[str]]) -> None:
    corpus = Corpus([""] * len(references), references, TOKENIZERS.load("ptb")())
    rounds = LeaveOneOut(corpus).rounds
    again = Corpus(rounds.candidates, rounds.references, TOKENIZERS.load("ptb")())
    expected = [
        (group[j], [*group[:j], *group[j + 1 :]]) for group in references if len(group) > 1 for j in range(len(group))
    ]
    assert list(zip(rounds.candidates, rounds.references, strict=True)) == expected
    for index in range(len(rounds)):
        assert rounds.tokens.candidate(index) == again.tokens.candidate(index)
        assert rounds.tokens.references(index) == again.tokens.references(index)


def test_rounds_look_at_the_image_of_their_reference() -> None:
    images = {"a": Path("a.jpg"), "b": Path("b.jpg"), "c": Path("c.jpg")}
    corpus = Corpus(
        ["", "", ""], [["x", "y"], ["alone"], ["u", "v", "w"]], TOKENIZERS.load("ptb")(), image_ids="abc", images=images
    )
    rounds = LeaveOneOut(corpus).rounds
    assert rounds.images is not None
    assert [rounds.images[image_id].name for image_id in rounds.image_ids] == ["a.jpg"] * 2 + ["c.jpg"] * 3
    assert len(set(rounds.image_ids)) == 5
