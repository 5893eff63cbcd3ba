"""``firstsight card``: makes a scoring card, and says what one holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firstsight.evaluation import build_card, read_card

RunCommand = Callable[..., Any]

ROWS = "image_id,caption_gt\n1,A dog runs on grass.\n1,A brown dog.\n2,Two cats sleep.\n3,A man on a wave.\n"
REFERENCES = {"1": ["A dog runs on grass.", "A brown dog."], "2": ["Two cats sleep."], "3": ["A man on a wave."]}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "refs.csv").write_text(ROWS)
    return tmp_path


def test_build_writes_the_card_and_nothing_else(firstsight: RunCommand, folder: Path) -> None:
    done = firstsight("card", "build", "refs.csv", "-o", "refs.card")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert read_card("refs.card").hash == build_card(REFERENCES).hash
    again = firstsight("card", "build", "refs.csv", "-o", "refs.card")
    assert again.exit_code == 1
    assert "refs.card exists. Choose another name, or replace it with --overwrite." in again.stderr
    assert firstsight("card", "build", "refs.csv", "-o", "refs.card", "--overwrite").exit_code == 0


def test_show_says_what_it_holds(firstsight: RunCommand, folder: Path) -> None:
    firstsight("card", "build", "refs.csv", "-o", "refs.card", "--metric", "cider_d")
    card = read_card("refs.card")
    facts = json.loads(firstsight("card", "show", "refs.card", "--format", "json").stdout)
    assert facts["hash"] == card.hash
    assert (facts["images"], facts["references"], facts["tokenizer"], facts["language"]) == (3, 4, "ptb@1", "en")
    assert facts["metrics"]["cider_d"]["version"] == "1"
    lines = firstsight("card", "show", "refs.card").stdout.splitlines()
    assert lines[0].split() == ["hash", card.hash]
    assert any(line.startswith("learnt by cider_d  version 1: ") for line in lines)
    assert lines[-1] == f"refs.card: scoring card {card.hash[:12]} of 3 images and 4 references, 0.0 MB"
    assert max(map(len, lines)) <= 100


def test_language_and_tokenizer(firstsight: RunCommand, folder: Path) -> None:
    firstsight("card", "build", "refs.csv", "-o", "de.card", "--language", "de")
    assert read_card("de.card").tokenizer.startswith("words@")
    firstsight("card", "build", "refs.csv", "-o", "ptb.card", "--language", "de", "--tokenizer", "ptb")
    assert read_card("ptb.card").tokenizer == "ptb@1"


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("build", "gone.csv", "-o", "x.card"), 1, "There is no file gone.csv."),
        (("build", "refs.csv", "-o", "refs.csv", "--overwrite"), 1, "refs.csv is the file of references and is not"),
        (("build", "refs.csv", "-o", "no/x.card"), 1, "The folder no of the output x.card does not exist."),
        (
            ("build", "refs.csv", "-o", "x.card", "--metric", "bleu"),
            2,
            "The metric 'bleu' learns nothing of references",
        ),
        (
            ("build", "refs.csv", "-o", "x.card", "--tokenizer", "ptv"),
            2,
            "Unknown tokenizer 'ptv'. Did you mean 'ptb'?",
        ),
        (
            ("show", "gone.card"),
            1,
            "There is no scoring card gone.card. Make it with: firstsight card build REFERENCES",
        ),
        (("show", "refs.csv"), 1, "refs.csv is no whole scoring card"),
    ],
)
def test_what_cannot_be_done_is_told(
    firstsight: RunCommand, folder: Path, args: tuple[str, ...], code: int, message: str
) -> None:
    done = firstsight("card", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith(f"firstsight: error: {message}")
    assert sorted(path.name for path in folder.iterdir()) == ["refs.csv"]


@pytest.mark.parametrize("args", [(), ("build",), ("show",)])
def test_help_has_an_example_and_fits_a_screen(firstsight: RunCommand, args: tuple[str, ...]) -> None:
    lines = firstsight("card", *args, "--help").stdout.splitlines()
    assert any(line.strip().startswith("Example:  firstsight card ") for line in lines)
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80
