"""A report is computed again: equal, or what differs, by how much and why."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firstsight.errors import CaptionFileError, UnknownNameError, UsageError
from firstsight.evaluation import Evaluation, EvaluationOptions, build_card, evaluate, to_json, to_json_text
from firstsight.evaluation.reproduce import (
    Reproduction,
    compare,
    options_of,
    read_report,
    to_reproduction_json,
    to_reproduction_text,
)

REFERENCES = {
    "1": ["A dog runs on the grass.", "A brown dog runs."],
    "2": ["Two cats sleep on a red sofa.", "Cats."],
    "3": ["A man rides a wave on a surfboard.", "A surfer in the sea."],
}
CANDIDATES = {"1": "A dog runs.", "2": "Two cats on a sofa.", "3": "A man surfing."}
METRICS = ["bleu", "cider_d"]
CARD = build_card(REFERENCES, metrics=["cider_d"])


def made(options: EvaluationOptions | None = None, **changes: Any) -> Evaluation:
    candidates = {**CANDIDATES, **changes.get("candidates", {})}
    references = {**REFERENCES, **changes.get("references", {})}
    options = options or EvaluationOptions(n_resamples=20, seed=4, human_baseline=True)
    return evaluate(candidates, references, metrics=METRICS, options=options)


def again(tmp_path: Path, report: dict[str, Any], evaluation: Evaluation) -> Reproduction:
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    return compare(read_report(path), evaluation)


def test_a_report_says_all_that_its_evaluation_needs(tmp_path: Path) -> None:
    options = EvaluationOptions(
        n_resamples=20, seed=4, missing="empty", language="de", tokenizer="ptb", card=None, human_baseline=True
    )
    first = made(options)
    (tmp_path / "r.json").write_text(to_json_text(first))
    report = read_report(tmp_path / "r.json")
    assert options_of(report) == options
    assert report.metrics == ("bleu", "cider_d")
    found = compare(report, made(options_of(report)))
    assert found.is_equal
    assert [(check.name, check.part) for check in found.checks] == [
        *((score.name, "candidates") for score in first.scores),
        *((score.name, "humans") for score in first.scores),
    ]
    assert found.causes == ()


def test_an_older_report_without_the_new_fields_is_read(tmp_path: Path) -> None:
    options = EvaluationOptions(n_resamples=20, seed=4)
    report = {key: value for key, value in to_json(made(options)).items() if key in ("n_images", "scores")}
    for entry in report["scores"].values():  # type: ignore[union-attr]
        entry["signature"] = entry["signature"].replace("|lang:en", "").partition("|core:")[0]
    (tmp_path / "r.json").write_text(json.dumps(report))
    read = read_report(tmp_path / "r.json")
    assert set(read.metrics) >= {"bleu", "cider_d"}
    assert options_of(read) == options
    other = made(options, candidates={"1": "a cat"})
    assert compare(read, other).causes[0].startswith("another language (lang none → en)")


def test_equal_numbers_of_another_program_are_equal_and_it_is_said(tmp_path: Path) -> None:
    first = made()
    report = json.loads(to_json_text(first).replace("|core:", "|core:other-"))
    report["scores"]["BLEU-1"]["score"] *= 1 + 1e-12
    found = again(tmp_path, report, first)
    assert found.is_equal
    assert "In every signature\n  core other-" in to_reproduction_text(found)
    report["scores"]["BLEU-2"]["signature"] = first.score("BLEU-2").signature
    assert "equal (core other-" in to_reproduction_text(again(tmp_path, report, first))


@pytest.mark.parametrize("key", ["score", "low", "high"])
def test_a_changed_number_is_found_with_its_size(tmp_path: Path, key: str) -> None:
    first = made()
    report = json.loads(to_json_text(first))
    report["scores"]["BLEU-2"][key] -= 0.25
    found = again(tmp_path, report, first)
    (wrong,) = [check for check in found.checks if not check.is_equal]
    assert (wrong.name, wrong.part) == ("BLEU-2", "candidates")
    (difference,) = wrong.differences
    assert difference.field == key
    assert difference.size == pytest.approx(0.25)
    assert found.causes == ("the report was changed after it was written",)
    text = to_reproduction_text(found)
    assert ["BLEU-2", "differs"] in [line.split() for line in text.splitlines()]
    assert "(+0.25)" in text
    assert text.endswith(
        f"report.json: not reproduced, {len(found.checks) - 1} of {len(found.checks)} scores are equal\n"
    )


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"references": {"2": ["Two cats sleep."]}}, "other references, or other images: the hash of the reference"),
        ({"candidates": {"2": "Two dogs."}}, "other candidates: the hash of ids and candidates differs ("),
        ({"options": EvaluationOptions(n_resamples=20, seed=5, human_baseline=True)}, "another seed (seed 4 → 5)"),
        ({"options": EvaluationOptions(n_resamples=30, seed=4)}, "another number of resamples (boot 20 → 30)"),
        ({"options": EvaluationOptions(n_resamples=20, seed=4, card=CARD)}, "another scoring card (card none → "),
        (
            {"options": EvaluationOptions(n_resamples=20, seed=4, language="de", tokenizer="words")},
            "another tokenizer, or another version of it (tok ptb@1 → words@",
        ),
    ],
)
def test_the_cause_is_named(tmp_path: Path, changes: dict[str, Any], cause: str) -> None:
    found = again(tmp_path, to_json(made()), made(**changes))
    assert not found.is_equal
    assert found.causes[0].startswith(cause)


def test_another_metric_version_is_named(tmp_path: Path) -> None:
    first = made()
    report = json.loads(to_json_text(first).replace("metric:CIDEr-D|version:1|", "metric:CIDEr-D|version:0|"))
    found = again(tmp_path, report, first)
    assert found.causes == ("another version of the metric's definition (version 0 → 1)",)


def test_an_undefined_score_is_equal_when_its_reason_is(tmp_path: Path) -> None:
    one = evaluate({"1": "A dog."}, {"1": ["A dog."]}, metrics=METRICS, options=EvaluationOptions(n_resamples=0))
    assert again(tmp_path, to_json(one), one).is_equal
    scores = tuple(replace(score, reason="another") if score.value is None else score for score in one.scores)
    assert not again(tmp_path, to_json(one), replace(one, scores=scores)).is_equal
    assert not again(tmp_path, to_json(one), replace(one, scores=one.scores[:2])).is_equal


def test_json_has_every_difference(tmp_path: Path) -> None:
    first = made()
    report = json.loads(to_json_text(first))
    report["scores"]["BLEU-2"]["score"] = 0
    found = to_reproduction_json(again(tmp_path, report, first))
    assert found["equal"] is False
    entry = next(one for one in found["scores"] if not one["equal"])  # type: ignore[union-attr, index, call-overload]
    value = first.score("BLEU-2").value
    assert entry == {
        "name": "BLEU-2",
        "of": "candidates",
        "equal": False,
        "differences": [{"field": "score", "reported": 0.0, "found": value, "size": value}],
    }
    assert json.loads(json.dumps(found)) == found


def test_a_card_is_needed_exactly_where_one_was_used(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    path.write_text(to_json_text(made(EvaluationOptions(n_resamples=0, card=CARD))))
    with pytest.raises(
        UsageError, match=rf"made with the scoring card {CARD.hash[:12]}\. Give that file with --card\."
    ):
        options_of(read_report(path))
    assert options_of(read_report(path), CARD).card is CARD
    path.write_text(to_json_text(made()))
    with pytest.raises(UsageError, match=r"was made without a scoring card\. Leave --card out\."):
        options_of(read_report(path), CARD)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ("[]", "has no scores as firstsight writes them"),
        ('{"scores": {}}', "has no scores"),
        ('{"scores": {"BLEU-1": 0.5}}', "has no scores"),
        ('{"scores": {"BLEU-1": {"score": "0.5"}}}', "has no scores"),
        ('{"scores": {"BLEU-1": {"score": 0.5, "signature": 1}}}', "has no scores"),
        ('{"scores": {"BLEU-1": {"score": 0.5, "signature": "tok:ptb@1"}}}', "has no signature with boot, missing"),
        (
            '{"scores": {"X": {"score": 1, "signature": "tok:ptb@1|boot:5|missing:error"}}, "human": {"scores": 1}}',
            "has scores of human captions of another form",
        ),
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(CaptionFileError, match=message) as caught:
        read_report(path)
    assert "firstsight evaluate --format json -o FILE" in str(caught.value)


@pytest.mark.parametrize(
    ("field", "error"),
    [("boot:x|missing:error", CaptionFileError), ("boot:1|missing:drop", UnknownNameError)],
)
def test_options_that_are_not_allowed(tmp_path: Path, field: str, error: type[Exception]) -> None:
    path = tmp_path / "r.json"
    path.write_text(json.dumps({"scores": {"BLEU-1": {"score": 0.5, "signature": f"tok:ptb@1|{field}"}}}))
    with pytest.raises(error):
        options_of(read_report(path))


def test_a_report_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(CaptionFileError, match=r"There is no report .*gone\.json\. Name a file that evaluate"):
        read_report(tmp_path / "gone.json")
