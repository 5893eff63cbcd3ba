"""``firstsight agree``: its forms, files and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

RunCommand = Callable[..., Any]

RATINGS = "image_id,caption,rating\n1,A dog runs.,4\n1,A cat.,1\n2,Two cats.,3\n2,A dog.,1\n3,A surfer.,3\n"
REFERENCES = "image_id,caption\n1,A dog runs on grass.\n2,Two cats sleep.\n3,A surfer on a wave.\n"


@pytest.fixture
def agree(firstsight: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    monkeypatch.chdir(tmp_path)
    Path("ratings.csv").write_text(RATINGS)
    Path("refs.csv").write_text(REFERENCES)

    def run(*args: str, ratings: str = "ratings.csv") -> Any:
        return firstsight("agree", ratings, "--references", "refs.csv", "--metric", "rouge_l", *args)

    return run


def test_the_table_is_the_default(agree: RunCommand) -> None:
    done = agree("--resamples", "0")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "ROUGE-L" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("(5 ratings)")


def test_the_extension_says_the_form(agree: RunCommand) -> None:
    assert agree("-o", "found.json", "--resamples", "10").stdout == ""
    assert json.loads(Path("found.json").read_text())["n_ratings"] == 5
    assert agree("-o", "found.csv").exit_code == 0
    assert Path("found.csv").read_text().startswith("name,measure,value,low,high,signature,reason\n")
    done = agree("-o", "found.csv")
    assert done.exit_code == 1
    assert "found.csv exists" in done.stderr
    assert agree("-o", "found.csv", "--overwrite").exit_code == 0


def test_captions_of_another_file(agree: RunCommand) -> None:
    Path("captions.csv").write_text("image_id,caption\n1,A dog runs.\n2,A dog.\n3,A surfer.\n")
    Path("stars.csv").write_text("image_id,rating\n1,4\n2,1\n3,3\n")
    done = agree("--captions", "captions.csv", "--format", "json", "--resamples", "0", ratings="stars.csv")
    assert json.loads(done.stdout)["n_captions"] == 3


def test_equal_ratings_are_an_error(agree: RunCommand) -> None:
    Path("ratings.csv").write_text("image_id,caption,rating\n1,A dog.,1\n2,A cat.,1\n")
    done = agree()
    assert done.exit_code == 1
    assert "all its 2 ratings are equal" in done.stderr


def test_a_score_without_a_value_is_told_on_stderr(agree: RunCommand) -> None:
    Path("ratings.csv").write_text("image_id,caption,rating\n1,A dog.,1\n1,A dog.,2\n")
    done = agree("--resamples", "0")
    assert done.exit_code == 1
    assert "warning: ROUGE-L: tau-b is undefined" in done.stderr


def test_an_input_is_not_overwritten(agree: RunCommand) -> None:
    done = agree("-o", "ratings.csv", "--overwrite")
    assert done.exit_code == 1
    assert "ratings.csv is read by this run" in done.stderr
    done = agree("--captions", "-", ratings="-")
    assert done.exit_code == 2
    assert "only one of them can come from standard input" in done.stderr
