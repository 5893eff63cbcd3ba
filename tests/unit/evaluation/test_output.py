"""The forms of an evaluation: JSON, CSV, the table, and the per-image files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from firstsight.errors import OutputError, UsageError
from firstsight.evaluation import (
    Evaluation,
    EvaluationOptions,
    HumanBaseline,
    summary_line,
    to_csv,
    to_json,
    to_json_text,
    to_table,
    write_per_image,
)
from firstsight.evaluation.output import per_image_csv, per_image_jsonl
from firstsight.types import Score

OWN = "metric:{}|version:1|params:-|better:higher|range:0..{}"
SHARED = "tok:ptb@1|images:2|refs:10|refset:0123456789ab|missing:error|boot:1000|seed:0|firstsight:0.1.0"


def score(name: str, value: float | None, low: float | None = None, high: float | None = None) -> Score:
    top = 10 if name == "CIDEr-D" else 1
    reason = None if value is not None else "one image\x1b only. " + "Score two. " * 12
    return Score(name, value, f"{OWN.format(name, top)}|{SHARED}", low, high, reason)


def evaluation(
    scores: tuple[Score, ...] | None = None,
    image_ids: tuple[str, ...] = ("b", "a"),
    human: HumanBaseline | None = None,
) -> Evaluation:
    scores = scores or (score("BLEU-1", 0.5, 0.25, 0.75), score("BLEU-2", 0.0625), score("CIDEr-D", None))
    return Evaluation(
        image_ids=image_ids,
        scores=scores,
        per_image={s.name: np.linspace(0.1, 1, len(image_ids)) for s in scores if s.value is not None},
        options=EvaluationOptions(),
        n_references=10,
        reference_set="0123456789abcdef" * 4,
        metrics=("bleu", "cider_d"),
        candidate_set="fedcba9876543210" * 4,
        human=human,
    )


def test_json_has_exactly_the_promised_fields() -> None:
    assert to_json(evaluation()) == {
        "n_images": 2,
        "scores": {
            "BLEU-1": {"score": 0.5, "low": 0.25, "high": 0.75, "signature": f"{OWN.format('BLEU-1', 1)}|{SHARED}"},
            "BLEU-2": {"score": 0.0625, "signature": f"{OWN.format('BLEU-2', 1)}|{SHARED}"},
            "CIDEr-D": {"score": None, "reason": "one image\x1b only. " + "Score two. " * 12},
        },
        "schema_version": 1,
        "metrics": ["bleu", "cider_d"],
        "signature": {
            "tok": "ptb@1",
            "images": "2",
            "refs": "10",
            "refset": "0123456789ab",
            "missing": "error",
            "boot": "1000",
            "seed": "0",
            "firstsight": "0.1.0",
        },
        "reference_set": "0123456789abcdef" * 4,
        "candidate_set": "fedcba9876543210" * 4,
    }
    assert list(to_json(evaluation()))[:2] == ["n_images", "scores"]
    assert json.loads(to_json_text(evaluation())) == to_json(evaluation())
    assert to_json_text(evaluation()).isascii()


def test_csv_has_one_row_a_score() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(evaluation()))))
    assert [row["name"] for row in rows] == ["BLEU-1", "BLEU-2", "CIDEr-D"]
    assert (rows[0]["score"], rows[0]["low"], rows[0]["high"]) == ("0.5", "0.25", "0.75")
    assert (rows[1]["low"], rows[2]["score"]) == ("", "")
    assert rows[2]["reason"].startswith("one image")


def test_the_table_is_aligned_and_narrow() -> None:
    lines = to_table(evaluation()).splitlines()
    assert lines[:4] == [
        "         score  95 % interval   in papers  range",
        "BLEU-1   0.500  0.250 to 0.750       50.0  0 to 1, higher is better",
        "BLEU-2   0.062                        6.2  0 to 1, higher is better",
        "CIDEr-D  no score: one image\\x1b only. Score two. Score two. Score two. Score two. Score two. Score",
    ]
    assert max(map(len, lines)) <= 100
    assert lines[-1] == "BLEU-1..2 0.500 0.062, CIDEr-D undefined (n=2, refset 0123456789ab)"


def test_the_table_says_the_scale_papers_print() -> None:
    lines = to_table(evaluation((score("ROUGE-L", 0.396), score("CIDEr-D", 0.5998)))).splitlines()
    assert lines[:3] == [
        "         score  in papers  range",
        "ROUGE-L  0.396       39.6  0 to 1, higher is better",
        "CIDEr-D  0.600       60.0  0 to 10, higher is better",
    ]


HUMAN = HumanBaseline((score("BLEU-1", 0.75, 0.7, 0.8), score("BLEU-2", 0.125), score("CIDEr-D", None)), 2, 0, (4, 4))


def test_human_captions_stand_beside_the_score() -> None:
    made = evaluation(human=HUMAN)
    lines = to_table(made).splitlines()
    assert lines[:3] == [
        "         score  95 % interval   humans  95 % interval   in papers  range",
        "BLEU-1   0.500  0.250 to 0.750   0.750  0.700 to 0.800       50.0  0 to 1, higher is better",
        "BLEU-2   0.062                   0.125                        6.2  0 to 1, higher is better",
    ]
    assert max(map(len, lines)) <= 100
    assert "".join(line.strip() for line in lines[lines.index("What the scores of human captions share") + 1 : -2]) == (
        SHARED
    )
    assert to_json(made)["human"] == {
        "n_images": 2,
        "references_each": {"low": 4, "high": 4},
        "scores": {
            "BLEU-1": {"score": 0.75, "low": 0.7, "high": 0.8, "signature": f"{OWN.format('BLEU-1', 1)}|{SHARED}"},
            "BLEU-2": {"score": 0.125, "signature": f"{OWN.format('BLEU-2', 1)}|{SHARED}"},
            "CIDEr-D": {"score": None, "reason": "one image\x1b only. " + "Score two. " * 12},
        },
    }
    rows = list(csv.DictReader(io.StringIO(to_csv(made))))
    assert [row["human"] for row in rows] == ["0.75", "0.125", ""]
    assert (rows[0]["human_low"], rows[0]["human_high"]) == ("0.7", "0.8")
    assert "human" not in to_csv(evaluation())


def test_a_long_name_leaves_the_intervals_of_humans_out() -> None:
    scores = (score("A-METRIC-OF-25-CHARACTERS", 0.5, 0.25, 0.75),)
    human = HumanBaseline((score("A-METRIC-OF-25-CHARACTERS", 0.75, 0.7, 0.8),), 2, 0, (4, 4))
    lines = to_table(evaluation(scores, human=human)).splitlines()
    assert lines[0].split() == ["score", "95", "%", "interval", "humans", "in", "papers", "range"]
    assert "0.700" not in lines[1]
    assert max(map(len, lines)) <= 100


def test_a_score_that_is_no_quality_has_no_better_side() -> None:
    made = evaluation((Score("WORDS", 9.5, f"metric:WORDS|version:1|params:-|better:neither|range:0..inf|{SHARED}"),))
    assert to_table(made).splitlines()[1] == "WORDS  9.500        9.5  0 to inf"


def test_the_table_holds_every_signature_whole() -> None:
    made = evaluation()
    lines = to_table(made).splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith("Signatures")) + 1
    *own, shared = "".join(f"\n{line}" for line in lines[start:-2]).replace("\n    ", "").split("\n  ")[1:]
    assert [f"{part}|{shared}" for part in own] == [s.signature for s in made.scores]


def test_the_summary_of_all_scores_fits_a_line() -> None:
    names = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"]
    line = summary_line(evaluation(tuple(score(name, 0.12345) for name in names)))
    assert line == ("BLEU-1..4 0.123 0.123 0.123 0.123, ROUGE-L 0.123, CIDEr-D 0.123 (n=2, refset 0123456789ab)")
    assert len(line) <= 100


def test_a_summary_that_is_too_long_has_the_last_of_neighbours() -> None:
    names = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr-D", "SPICE"]
    made = evaluation(tuple(score(name, 0.12345) for name in names))
    line = summary_line(made)
    assert line == ("BLEU-4 0.123, METEOR 0.123, ROUGE-L 0.123, CIDEr-D 0.123, SPICE 0.123 (n=2, refset 0123456789ab)")
    many = evaluation(tuple(score(f"METRIC {letter}", 0.12345) for letter in "ABCDEFGH"))
    lines = to_table(many).splitlines()
    assert max(map(len, lines)) <= 100
    assert " ".join(line.strip() for line in lines[-2:]) == summary_line(many)


def test_per_image_has_a_column_a_score() -> None:
    assert per_image_csv(evaluation()) == "image_id,BLEU-1,BLEU-2,CIDEr-D\nb,0.1,0.1,\na,1.0,1.0,\n"
    assert [json.loads(line) for line in per_image_jsonl(evaluation()).splitlines()] == [
        {"image_id": "b", "BLEU-1": 0.1, "BLEU-2": 0.1, "CIDEr-D": None},
        {"image_id": "a", "BLEU-1": 1.0, "BLEU-2": 1.0, "CIDEr-D": None},
    ]


@pytest.mark.parametrize("formula", ["=1+1", "+1+1|cmd", "-2+3", "@SUM(A1)", "\t=1+1", "\r=1", "\n=1"])
def test_ids_cannot_be_formulas(formula: str) -> None:
    text = per_image_csv(evaluation(image_ids=(formula, "-12", "+3", "a")))
    ids = [row[0] for row in csv.reader(io.StringIO(text, newline=""))]
    assert ids == ["image_id", f"'{formula}", "-12", "+3", "a"]


@given(st.lists(st.text(st.characters(exclude_categories=()), min_size=1), min_size=1, max_size=5))
@example(["a\u2028b", "a\u2029b", "a\x85b", "\ud800", "a\x0bb", "a\x1cb", "\x7f"])
def test_any_id_is_one_line_of_json_that_comes_back(image_ids: list[str]) -> None:
    text = per_image_jsonl(evaluation(image_ids=tuple(image_ids)))
    lines = text.encode("utf-8").decode().splitlines()
    expected = [json.loads(json.dumps(image_id)) for image_id in image_ids]
    assert [json.loads(line)["image_id"] for line in lines] == expected


@given(st.lists(st.text(st.characters(exclude_categories=("Cs",)), min_size=1), min_size=1, max_size=5))
def test_any_id_is_one_row_of_csv(image_ids: list[str]) -> None:
    text = per_image_csv(evaluation(image_ids=tuple(image_ids)))
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(rows) == len(image_ids)
    assert all(row[0] in (image_id, f"'{image_id}") for row, image_id in zip(rows, image_ids, strict=True))


@pytest.mark.parametrize("name", ["scores.csv", "scores.jsonl", "scores.JSONL"])
def test_files_are_written_whole_and_not_over_another(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write_per_image(evaluation(image_ids=("\ud800", "b")), path)
    first = path.read_text("utf-8")
    assert "\\ud800" in first
    with pytest.raises(OutputError, match=r"exists\. Choose another name, or replace it with --overwrite"):
        write_per_image(evaluation(), path)
    assert path.read_text("utf-8") == first
    write_per_image(evaluation(), path, overwrite=True)
    assert path.read_text("utf-8") != first
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.csv"
    path.write_text("old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OutputError, match=r"scores\.csv cannot be written: No space left on device\."):
        write_per_image(evaluation(), path, overwrite=True)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("scores.csv", "old")]


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "scores.csv"
    monkeypatch.setattr("os.fsync", lambda _: path.write_text("theirs"))
    with pytest.raises(OutputError, match=r"appeared while this ran\. Choose another name, or use --overwrite"):
        write_per_image(evaluation(), path)
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("scores.csv", "theirs")]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("scores.txt", UsageError, "ends in '.txt'. Allowed are .csv, .jsonl."),
        ("scores", UsageError, "ends in ''. Allowed are .csv, .jsonl."),
        ("nowhere/scores.csv", OutputError, "nowhere of the output scores.csv does not exist. Make it first."),
        ("folder.csv", OutputError, "folder.csv is a folder. Name a file to write."),
    ],
)
def test_places_that_cannot_be_written(tmp_path: Path, name: str, error: Any, message: str) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(error) as caught:
        write_per_image(evaluation(), tmp_path / name)
    assert message in str(caught.value)
