"""``firstsight evaluate``: every option, every refusal, and what goes to stdout, stderr and files."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firstsight.cli import main as cli_main
from firstsight.evaluation import default_metrics
from firstsight.metrics import METRICS

RunCommand = Callable[..., Any]

REFERENCES = "image_id,caption_gt\n1,A dog runs on grass.\n1,A brown dog.\n2,Two cats sleep.\n3,A man on a wave.\n"
CANDIDATES = "public_id,caption\n1,A dog runs.\n2,Two cats.\n3,A surfer.\n"
NAMES = [score for name in default_metrics() for score in METRICS.load(name).score_names]
USUAL = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "refs.csv").write_text(REFERENCES)
    (tmp_path / "cands.csv").write_text(CANDIDATES)
    return tmp_path


@pytest.fixture
def evaluate(firstsight: RunCommand, folder: Path) -> RunCommand:
    def run(*args: str, candidates: str = "cands.csv", references: str = "refs.csv") -> Any:
        return firstsight("evaluate", candidates, "--references", references, *args)

    return run


def test_the_table_is_the_default(evaluate: RunCommand) -> None:
    done = evaluate()
    lines = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (0, "")
    assert lines[0].split() == ["score", "95", "%", "interval", "in", "papers", "range"]
    assert [line.split()[0] for line in lines[1 : 1 + len(NAMES)]] == NAMES
    assert [name for name in NAMES if name != "METEOR"] == USUAL
    assert max(map(len, lines)) <= 100
    assert lines[-1].startswith("BLEU-")


def test_json_is_one_object(evaluate: RunCommand) -> None:
    done = evaluate("--format", "json", "--resamples", "50", "--seed", "3")
    found = json.loads(done.stdout)
    assert list(found) == [
        "n_images",
        "scores",
        "schema_version",
        "metrics",
        "signature",
        "reference_set",
        "candidate_set",
    ]
    assert (found["schema_version"], found["metrics"]) == (1, list(default_metrics()))
    assert found["n_images"] == 3
    assert list(found["scores"]) == NAMES
    assert all(list(entry) == ["score", "low", "high", "signature"] for entry in found["scores"].values())
    assert "|boot:50|seed:3|" in found["scores"]["CIDEr-D"]["signature"]


def test_no_resamples_leave_the_interval_out(evaluate: RunCommand) -> None:
    found = json.loads(evaluate("--format", "json", "--resamples", "0").stdout)
    assert all(list(entry) == ["score", "signature"] for entry in found["scores"].values())
    assert "interval" not in evaluate("--resamples", "0").stdout


def test_metrics_are_chosen(evaluate: RunCommand) -> None:
    found = json.loads(evaluate("--format", "json", "--metric", "cider_d", "--metric", "rouge_l").stdout)
    assert list(found["scores"]) == ["ROUGE-L", "CIDEr-D"]


def test_csv_and_output_file(evaluate: RunCommand, folder: Path) -> None:
    printed = evaluate("--format", "csv").stdout
    assert printed.startswith("name,score,low,high,signature,reason\nBLEU-1,")
    done = evaluate("-o", "scores.csv")
    assert (done.exit_code, done.stdout) == (0, "")
    assert (folder / "scores.csv").read_text() == printed
    evaluate("-o", "scores.json")
    assert json.loads((folder / "scores.json").read_text())["n_images"] == 3
    evaluate("-o", "table.json", "--format", "table")
    assert (folder / "table.json").read_text().lstrip().startswith("score")


@pytest.mark.parametrize("name", ["each.csv", "each.jsonl"])
def test_per_image_file(evaluate: RunCommand, folder: Path, name: str) -> None:
    done = evaluate("--per-image", name, "--format", "json")
    assert json.loads(done.stdout)["n_images"] == 3
    text = (folder / name).read_text()
    if name.endswith("csv"):
        assert text.splitlines()[0] == f"image_id,{','.join(NAMES)}"
        assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["1", "2", "3"]
    else:
        assert [list(json.loads(line)) for line in text.splitlines()] == [["image_id", *NAMES]] * 3


def test_candidates_from_standard_input(evaluate: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = evaluate().stdout
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(CANDIDATES.encode())))
    assert evaluate(candidates="-").stdout == expected


def test_one_image_has_no_cider(evaluate: RunCommand, folder: Path) -> None:
    (folder / "refs.csv").write_text("id,caption\n1,A dog.\n")
    (folder / "cands.csv").write_text("id,caption\n1,A dog.\n")
    done = evaluate("--format", "json")
    scores = json.loads(done.stdout)["scores"]
    assert done.exit_code == 0
    assert list(scores["CIDEr-D"]) == ["score", "reason"]
    assert scores["CIDEr-D"]["score"] is None
    assert "one image only" in scores["CIDEr-D"]["reason"]
    assert scores["BLEU-1"]["score"] == pytest.approx(1.0)
    alone = evaluate("--format", "json", "--metric", "cider_d")
    assert alone.exit_code == 1
    assert json.loads(alone.stdout)["scores"]["CIDEr-D"]["score"] is None
    assert alone.stderr == "firstsight: error: No score is defined for this corpus; the output says why for each.\n"


def test_missing_ids(evaluate: RunCommand, folder: Path) -> None:
    (folder / "cands.csv").write_text("id,caption\n3,A surfer.\n1,A dog.\n9,A\x1b[31m bird.\n")
    done = evaluate()
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "firstsight: error: 1 of 3 images has no candidate: '2' (refs.csv, line 4). Add what is missing, or go on with "
        "--missing skip (score the other 2) or --missing empty (score each as a caption without words).\n"
    )
    for rule, words, n_images in (("skip", "left out", 2), ("empty", "scored as a caption without words", 3)):
        done = evaluate("--missing", rule, "--format", "json", "--quiet")
        found = json.loads(done.stdout)
        assert (done.exit_code, found["n_images"]) == (0, n_images)
        assert f"|missing:{rule}|absent:1|" in found["scores"]["BLEU-1"]["signature"]
        assert done.stderr == (
            f"firstsight: warning: 1 of 3 images has no candidate and was {words}: '2'.\n"
            "firstsight: warning: 1 candidate has no references and was left out: '9'.\n"
        )


def test_duplicate_ids_are_an_error_under_every_rule(evaluate: RunCommand, folder: Path) -> None:
    (folder / "cands.csv").write_text(CANDIDATES + "2,again\n")
    for rule in ("error", "skip", "empty"):
        done = evaluate("--missing", rule)
        assert done.exit_code == 1
        assert done.stderr.startswith(
            "firstsight: error: cands.csv: 1 image id stands more than once among the candidates: '2' at line 3, line "
        )


@pytest.mark.parametrize(
    ("args", "code", "message"),
    [
        (("--resamples", "-1"), 2, "Invalid value for '--resamples': -1 is not in the range x>=0."),
        (("--resamples", "x"), 2, "Invalid value for '--resamples': 'x' is not a valid integer range."),
        (("--seed", "-1"), 2, "Invalid value for '--seed': -1 is not in the range x>=0."),
        (("--missing", "drop"), 2, "Invalid value for '--missing': 'drop' is not one of 'error', 'skip', 'empty'."),
        (("--format", "xml"), 2, "Invalid value for '--format': 'xml' is not one of 'table', 'json', 'csv'."),
        (("--per-image", "each.txt"), 2, "The per-image file 'each.txt' ends in '.txt'. Allowed are .csv, .jsonl."),
        (
            ("--per-image", "-"),
            2,
            "--per-image takes the name of a .csv or .jsonl file; '-' is for the scores alone.",
        ),
        (("-o", "x.csv", "--per-image", "./x.csv"), 2, "--output and --per-image are both 'x.csv'; name two files."),
        (("-o", "old.json"), 1, "old.json exists. Choose another name, or replace it with --overwrite."),
        (("--per-image", "old.csv"), 1, "old.csv exists. Choose another name, or replace it with --overwrite."),
        (("-o", "no/x.json"), 1, "The folder no of the output x.json does not exist. Make it first."),
        (
            ("-o", "gone.json", "--overwrite"),
            1,
            "gone.json is read by this run and is not overwritten. Choose another name.",
        ),
    ],
)
def test_options_are_checked_before_any_file_is_read(
    firstsight: RunCommand, folder: Path, args: tuple[str, ...], code: int, message: str
) -> None:
    (folder / "old.json").write_text("old")
    (folder / "old.csv").write_text("old")
    done = firstsight("evaluate", "absent.json", "--references", "gone.json", *args)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.splitlines()[0] == f"firstsight: error: {message}"


def test_an_unknown_metric_is_told_before_any_file_is_read(firstsight: RunCommand, folder: Path) -> None:
    done = firstsight("evaluate", "absent.json", "--references", "gone.json", "--metric", "cidr")
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("firstsight: error: Unknown metric 'cidr'. Did you mean 'cider")


def test_both_sides_cannot_be_standard_input(firstsight: RunCommand) -> None:
    done = firstsight("evaluate", "-", "--references", "-")
    assert done.exit_code == 2
    assert "Several files are '-'; only one of them can come from standard input." in done.stderr


def test_references_are_required(firstsight: RunCommand) -> None:
    done = firstsight("evaluate", "cands.csv")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Missing option '--references'" in done.stderr


def test_absent_and_bad_files(evaluate: RunCommand, folder: Path) -> None:
    done = evaluate(references="ref.csv")
    assert (done.exit_code, done.stderr) == (
        1,
        "firstsight: error: There is no file ref.csv. Did you mean refs.csv?\n",
    )
    (folder / "bad.jsonl").write_text('{"image_id": 1, "caption": "\\u001b[2J"}\n{"image_id": 2, "capt')
    done = evaluate(candidates="bad.jsonl")
    assert done.exit_code == 1
    assert done.stderr.startswith("firstsight: error: bad.jsonl, line 2: the last line is cut short")
    assert evaluate(references=".").stderr == ("firstsight: error: . is a folder. Name the file of captions in it.\n")


def test_overwrite_replaces(evaluate: RunCommand, folder: Path) -> None:
    (folder / "old.json").write_text("old")
    (folder / "old.csv").write_text("old")
    assert evaluate("-o", "old.json", "--per-image", "old.csv", "--overwrite").exit_code == 0
    assert "n_images" in (folder / "old.json").read_text()
    assert (folder / "old.csv").read_text().startswith("image_id,")


def test_a_card_gives_one_image_the_score_it_has_in_the_whole(evaluate: RunCommand, folder: Path) -> None:
    from firstsight.evaluation import build_card, write_card

    card = build_card(
        {"1": ["A dog runs on grass.", "A brown dog."], "2": ["Two cats sleep."], "3": ["A man on a wave."]}
    )
    write_card(card, folder / "refs.card")
    evaluate("--per-image", "each.jsonl", "--metric", "cider_d")
    rows = [json.loads(line) for line in (folder / "each.jsonl").read_text().splitlines()]
    (folder / "one.csv").write_text("id,caption\n2,Two cats sleep.\n")
    done = evaluate(
        "--card", "refs.card", "--missing", "skip", "--metric", "cider_d", "--format", "json", references="one.csv"
    )
    entry = json.loads(done.stdout)["scores"]["CIDEr-D"]
    assert entry["score"] == rows[1]["CIDEr-D"]
    assert f"|card:{card.hash[:12]}|" in entry["signature"]
    assert json.loads(done.stdout)["card"] == card.hash
    done = evaluate("--card", "refs.card", "--tokenizer", "words")
    assert done.exit_code == 2
    assert "Use --tokenizer ptb, or build the card again." in done.stderr
    done = evaluate("--card", "gone.card")
    assert done.stderr.startswith(
        "firstsight: error: There is no scoring card gone.card. Make it with: firstsight card"
    )
    done = evaluate("--card", "refs.card", "-o", "refs.card", "--overwrite")
    assert done.stderr == (
        "firstsight: error: refs.card is read by this run and is not overwritten. Choose another name.\n"
    )


def test_a_report_is_reproduced(evaluate: RunCommand, folder: Path) -> None:
    evaluate("-o", "r.json", "--resamples", "20", "--seed", "7", "--human-baseline", "--metric", "bleu")
    done = evaluate("--reproduce", "r.json")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].split() == ["BLEU-1", "equal"]
    assert done.stdout.splitlines()[-1] == "r.json: reproduced, 8 of 8 scores are equal"
    (folder / "refs.csv").write_text(REFERENCES.replace("wave", "board"))
    done = evaluate("--reproduce", "r.json")
    assert done.exit_code == 1
    assert "Likely cause\n  other references, or other images: the hash of the reference set differs" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 120
    found = json.loads(evaluate("--reproduce", "r.json", "--format", "json").stdout)
    assert (found["equal"], len(found["scores"])) == (False, 8)


@pytest.mark.parametrize(
    "args",
    [
        ("--metric", "bleu"),
        ("--seed", "1"),
        ("--resamples", "5"),
        ("--missing", "skip"),
        ("--language", "ko"),
        ("--tokenizer", "ptb"),
        ("--human-baseline",),
    ],
)
def test_reproduce_takes_its_settings_from_the_report(evaluate: RunCommand, args: tuple[str, ...]) -> None:
    evaluate("-o", "r.json")
    done = evaluate("--reproduce", "r.json", *args)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr == (
        f"firstsight: error: --reproduce takes what {args[0]} says from the report; leave {args[0]} out.\n"
    )


def test_reproduce_refuses_what_it_cannot_do(evaluate: RunCommand, folder: Path) -> None:
    done = evaluate("--reproduce", "gone.json")
    assert done.stderr == (
        "firstsight: error: There is no report gone.json. Name a file that evaluate --format json wrote.\n"
    )
    assert evaluate("--reproduce", "r.json", "--format", "csv").exit_code == 2
    evaluate("-o", "r.json")
    done = evaluate("--reproduce", "r.json", "-o", "r.json", "--overwrite")
    assert "r.json is read by this run and is not overwritten" in done.stderr


def test_human_captions_stand_beside_the_score(evaluate: RunCommand) -> None:
    done = evaluate("--human-baseline")
    assert done.stdout.splitlines()[0].split()[4] == "humans"
    assert done.stderr == (
        "firstsight: warning: Human captions are scored against 1 reference of an image, the candidates against 2; "
        "most scores rise with their number, so the humans' are on the low side.\n"
        "firstsight: warning: 2 images have one reference only and no part in the scores of human captions.\n"
    )
    assert json.loads(evaluate("--human-baseline", "--format", "json").stdout)["human"]["n_images"] == 1


def test_the_language_chooses_the_tokenizer(evaluate: RunCommand) -> None:
    done = evaluate("--language", "de", "--metric", "bleu", "--format", "json")
    assert "|tok:words@" in json.loads(done.stdout)["scores"]["BLEU-1"]["signature"]
    assert "|lang:de|" in json.loads(done.stdout)["scores"]["BLEU-1"]["signature"]
    done = evaluate("--language", "German!")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "The language must be a code such as 'en', 'ko' or 'pt-br', got 'German!'." in done.stderr


def test_a_metric_that_only_lacks_its_extra_is_told_on_a_terminal(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("firstsight.evaluation.left_out_metrics", lambda language: ("meteor",))
    args = ["evaluate", "cands.csv", "--references", "refs.csv", "--resamples", "0"]
    for more, said in (
        ([], 'firstsight: METEOR is left out: pip install "firstsight[meteor]"\n'),
        (["--metric", "bleu"], ""),
        (["--quiet"], ""),
    ):
        terminal = _Terminal()
        monkeypatch.setattr("sys.stderr", terminal)
        assert cli_main.run([*args, *more]) == 0
        assert terminal.getvalue() == said


def test_images_are_found_for_metrics_that_look_at_them(
    evaluate: RunCommand, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bleu = METRICS.load("bleu")
    seen: dict[str, Path] = {}

    class Looking(bleu):  # type: ignore[misc, valid-type]
        needs_images = True

        def corpus_statistics(self, corpus: Any) -> Any:
            seen.update(corpus.images)
            return super().corpus_statistics(corpus)

    (folder / "photos").mkdir()
    for name in ("1.jpg", "2.png"):
        (folder / "photos" / name).touch()
    assert evaluate("--images", "photos", "--metric", "bleu").exit_code == 0  # looks at none, so needs none
    load = METRICS.load
    monkeypatch.setattr(METRICS, "load", lambda name: Looking if name == "bleu" else load(name))
    done = evaluate("--images", "photos", "--metric", "bleu")
    assert done.exit_code == 1
    assert done.stderr.startswith("firstsight: error: 1 of 3 images have no file in the folder photos: '3'.")
    (folder / "photos" / "3.webp").touch()
    assert evaluate("--images", "photos", "--metric", "bleu").exit_code == 0
    assert seen == {"1": Path("photos/1.jpg"), "2": Path("photos/2.png"), "3": Path("photos/3.webp")}
    (folder / "photos" / "3.webp").rename(folder / "photos" / "odd.webp")
    (folder / "named.csv").write_text("image_id,file,caption\n1,,A dog.\n2,,Cats.\n3,of/odd.webp,A surfer.\n")
    assert evaluate("--images", "photos", "--metric", "bleu", candidates="named.csv").exit_code == 0
    assert seen["3"] == Path("photos/odd.webp")


def test_help_has_an_example_and_fits_a_screen(firstsight: RunCommand) -> None:
    done = firstsight("evaluate", "--help")
    lines = done.stdout.splitlines()
    assert done.exit_code == 0
    assert "Example:  firstsight evaluate captions.jsonl --references refs.json" in done.stdout
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 80


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_drawn_on_a_terminal_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"{n},a dog number {n}\n" for n in range(600))
    (folder / "many.csv").write_text(f"id,caption\n{rows}")
    args = ["evaluate", "many.csv", "--references", "many.csv", "--resamples", "0", "--metric", "bleu"]
    terminal = _Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    assert cli_main.run(args) == 0
    assert "tokenise" in terminal.getvalue()
    assert "bleu" in terminal.getvalue()
    for stderr, more in ((io.StringIO(), []), (_Terminal(), ["--quiet"])):
        monkeypatch.setattr("sys.stderr", stderr)
        assert cli_main.run([*args, *more]) == 0
        assert stderr.getvalue() == ""
