"""``firstsight diversity`` through the program."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CAPTIONS = [
    ("1", ["A dog runs.", "a brown dog in a field"]),
    ("2", ["A cat sleeps!", "two cats"]),
    ("3", ["a dog runs", "Two giraffes by a tree"]),
]
REFERENCES = [("1", ["a brown dog"]), ("2", ["a cat"]), ("3", ["giraffes near rocks"])]
CORPUS = [("9", ["a dog on grass", "a cat sleeps"])]


def write(path: Path, captions: Any) -> Path:
    path.write_text("\n".join(json.dumps({"image_id": name, "captions": texts}) for name, texts in captions) + "\n")
    return path


@pytest.fixture
def candidates(tmp_path: Path) -> Path:
    return write(tmp_path / "candidates.jsonl", CAPTIONS)


def test_the_json_has_every_measure_with_interval_and_signature(
    firstsight: Callable[..., Any], tmp_path: Path, candidates
):
    references, corpus = write(tmp_path / "r.jsonl", REFERENCES), write(tmp_path / "c.jsonl", CORPUS)
    done = firstsight("diversity", candidates, "--references", references, "--corpus", corpus, "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert (found["n_images"], found["n_captions"]) == (3, 6)
    measures = found["measures"]
    assert measures["length"]["value"] == pytest.approx((3 + 6 + 3 + 2 + 3 + 5) / 6)
    assert measures["length"]["low"] <= measures["length"]["value"] <= measures["length"]["high"]
    assert measures["vocabulary"] == {"value": 13, "low": None, "high": None, "reason": None}
    assert measures["repeats"]["value"] == pytest.approx(2 / 6)
    assert measures["new_captions"]["value"] == pytest.approx(5 / 6)
    assert measures["untold_nouns"]["value"] == pytest.approx(1 / 2)  # the giraffe, not the rock
    assert found["most_frequent"] == [{"caption": "A dog runs.", "n_images": 2}]
    assert found["signature"].startswith("diversity:1|tok:ptb@1|images:3|captions:6|refset:")
    assert "|boot:1000|seed:0|firstsight:" in found["signature"]


def test_repeated_ids_of_coco_results_are_captions_of_one_image(firstsight, tmp_path: Path, candidates: Path):
    records = [{"image_id": int(name), "caption": text} for name, texts in CAPTIONS for text in texts]
    coco = tmp_path / "coco.json"
    coco.write_text(json.dumps(records))
    for form in ("json", "table", "csv"):
        one, other = (firstsight("diversity", file, "--format", form).stdout for file in (coco, candidates))
        assert one == other


def test_the_table_fits_the_terminal_and_shows_captions_as_text(firstsight, tmp_path: Path):
    hostile = "a \x1b[31mred\u202e dog " + "very " * 40
    file = write(tmp_path / "c.jsonl", [("1", [hostile]), ("2", [hostile])])
    done = firstsight("diversity", file, "--resamples", "0")
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 100
    assert "\x1b" not in done.stdout
    assert any(line.startswith("       2  a \\x1b[31mred\\u202e dog very") for line in lines)
    assert any(line.split() == ["div_1", "–", *"No image has several captions.".split()] for line in lines)
    assert lines[-1] == "2 captions of 2 images"


def test_csv(firstsight, candidates: Path):
    rows = list(csv.DictReader(io.StringIO(firstsight("diversity", candidates, "--format", "csv").stdout)))
    assert [row["name"] for row in rows][:2] == ["length", "length_sd"]
    assert rows[0]["low"]
    assert {row["signature"].split("|")[0] for row in rows} == {"diversity:1"}


def test_resamples_and_seed(firstsight, candidates: Path):
    def interval(*options: str) -> tuple[Any, Any]:
        found = json.loads(firstsight("diversity", candidates, "--format", "json", *options).stdout)
        return found["measures"]["div_1"]["low"], found["measures"]["div_1"]["high"]

    assert interval("--resamples", "0") == (None, None)
    assert interval("--seed", "4", "--resamples", "40") == interval("--seed", "4", "--resamples", "40")


def test_images_without_captions_are_left_out_and_told(firstsight, tmp_path: Path):
    file = tmp_path / "c.jsonl"
    failed = {"image_id": "2", "error": {"code": "truncated", "message": "ends too soon"}}
    file.write_text(json.dumps({"image_id": "1", "caption": "a dog"}) + "\n" + json.dumps(failed) + "\n")
    done = firstsight("diversity", file)
    assert done.exit_code == 0
    assert "1 of 2 images have no caption and are left out" in done.stderr
    assert "1 captions of 1 images" in done.stdout
    file.write_text(json.dumps(failed) + "\n")
    done = firstsight("diversity", file)
    assert done.exit_code == 1
    assert "none of 1 images has a caption" in done.stderr


def test_references_of_other_images(firstsight, tmp_path: Path, candidates: Path):
    corpus = write(tmp_path / "c.jsonl", CORPUS)
    some = write(tmp_path / "some.jsonl", REFERENCES[:2])
    done = firstsight("diversity", candidates, "--references", some, "--corpus", corpus)
    assert done.exit_code == 0
    assert "1 of 3 images have no references" in done.stderr
    others = write(tmp_path / "others.jsonl", [("x", ["a dog"]), ("y", ["a cat"])])
    done = firstsight("diversity", candidates, "--references", others, "--corpus", corpus)
    assert done.exit_code == 2
    assert "No image of CANDIDATES has a caption in --references" in done.stderr


def test_each_file_gives_the_captions_of_its_side(firstsight, tmp_path: Path, candidates: Path):
    both = tmp_path / "both.csv"
    both.write_text("image_id,caption,caption_gt\n1,a dog runs,a cow\n2,a cat,a horse\n")
    other = tmp_path / "references.csv"
    other.write_text("image_id,caption\n1,a cow\n2,a horse\n")
    found = [
        json.loads(firstsight("diversity", candidates, option, file, "--format", "json").stdout)
        for option in ("--references", "--corpus")
        for file in (both, other)
    ]
    assert found[0] == found[1]
    assert found[2] == found[3]


def test_another_tokenizer(firstsight, tmp_path: Path):
    file = write(tmp_path / "c.jsonl", [("1", ["两只狗"]), ("2", ["一只猫"])])
    found = json.loads(firstsight("diversity", file, "--tokenizer", "words", "--format", "json").stdout)
    assert found["measures"]["vocabulary"]["value"] == 5
    assert "tok:words@1" in found["signature"]


def test_standard_input_once(firstsight):
    done = firstsight("diversity", "-", "--corpus", "-")
    assert done.exit_code == 2
    assert "only one of them can come from standard input" in done.stderr
