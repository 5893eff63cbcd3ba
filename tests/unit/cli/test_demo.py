"""``firstsight demo`` with a captioner that needs no model: what it writes, prints, opens and refuses."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import firstsight.captioners
from firstsight.errors import CaptionerError
from firstsight.evaluation import evaluate_files
from firstsight.samples import sample_files, sample_references
from firstsight.testing import FakeCaptioner
from firstsight.types import CaptionResult, RgbImage

Run = Callable[..., Any]


class EchoCaptioner(FakeCaptioner):
    """Says the first reference of each sample photo, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._sentences = iter([references[0] for references in sample_references().values()])

    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        return [CaptionResult((next(self._sentences),), -0.1) for _ in images]


class HostileCaptioner(FakeCaptioner):
    """Says what would take over a terminal or a page."""

    def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
        return [
            CaptionResult(("\x1b[2J<script>window.pwned=1</script>\u202e\u2028" + "long " * 60,), None) for _ in images
        ]


@pytest.fixture
def captioner(monkeypatch: pytest.MonkeyPatch) -> Callable[[FakeCaptioner], None]:
    def use(fake: FakeCaptioner) -> None:
        monkeypatch.setattr(firstsight.captioners, "load_captioner", lambda _name: fake)

    use(FakeCaptioner())
    return use


@pytest.fixture
def demo(firstsight: Run, captioner: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    return lambda *args: firstsight("demo", *args)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    addresses: list[str] = []
    monkeypatch.setattr(webbrowser, "open", addresses.append)
    monkeypatch.setattr("sys.platform", "linux")
    return addresses


def test_it_writes_captions_scores_and_a_report_that_agree(demo: Run, tmp_path: Path) -> None:
    finished = demo()

    folder = tmp_path / "firstsight-demo"
    assert finished.exit_code == 0
    assert finished.stderr == ""
    records = [json.loads(line) for line in (folder / "captions.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [record["image_id"] for record in records] == [path.stem for path in sample_files()]
    assert [record["file"] for record in records] == [f"photos/{path.name}" for path in sample_files()]
    report = (folder / "report.html").read_text(encoding="utf-8")
    assert all(record["captions"][0] in report for record in records)
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))
    assert scores["n_images"] == len(records)
    assert f"{scores['scores']['ROUGE-L']['score']:.3f}" in report


def test_scores_are_those_that_evaluate_gives_for_the_captions_it_wrote(
    demo: Run, tmp_path: Path, repo_root: Path
) -> None:
    demo()

    folder = tmp_path / "firstsight-demo"
    again = evaluate_files(folder / "captions.jsonl", repo_root / "src/firstsight/samples/references.jsonl")
    scores = json.loads((folder / "scores.json").read_text(encoding="utf-8"))["scores"]
    assert {score.name: score.value for score in again.scores} == {name: scores[name]["score"] for name in scores}


def test_terminal_scores_and_report_show_what_human_captions_score(demo: Run, tmp_path: Path) -> None:
    lines = demo().stdout.splitlines()

    scores = json.loads((tmp_path / "firstsight-demo" / "scores.json").read_text(encoding="utf-8"))
    humans = {name: f"{entry['score']:.3f}" for name, entry in scores["human"]["scores"].items()}
    assert humans.keys() == scores["scores"].keys()
    table = lines[next(at for at, line in enumerate(lines) if line.split()[-1:] == ["HUMANS"]) + 1 :]
    assert {line.split()[0]: line.split()[-1] for line in table[: len(humans)]} == humans
    report = (tmp_path / "firstsight-demo" / "report.html").read_text(encoding="utf-8")
    assert all(value in report for value in humans.values())


def test_captions_equal_to_a_reference_score_a_perfect_rouge(
    demo: Run, captioner: Callable[[FakeCaptioner], None], tmp_path: Path
) -> None:
    captioner(EchoCaptioner())
    demo()

    scores = json.loads((tmp_path / "firstsight-demo" / "scores.json").read_text(encoding="utf-8"))["scores"]
    assert scores["ROUGE-L"]["score"] == pytest.approx(1.0)
    assert scores["BLEU-4"]["score"] == pytest.approx(1.0)


def test_it_prints_an_aligned_table_the_report_and_a_last_line_to_paste(demo: Run) -> None:
    lines = demo().stdout.splitlines()

    assert lines[0].split() == ["IMAGE", "CIDEr-D", "CAPTION"]
    at = lines[0].index("CAPTION")
    assert all(line[at - 1] == " " != line[at] for line in lines[1 : 1 + len(sample_files())])
    assert max(map(len, lines)) <= 100
    assert lines[-2] == f"Report: {Path('firstsight-demo') / 'report.html'}"
    assert lines[-1].startswith("BLEU-")
    assert "(n=24, " in lines[-1]


def test_hostile_captions_stay_within_their_line_and_are_cut_at_a_word(
    demo: Run, captioner: Callable[[FakeCaptioner], None], tmp_path: Path
) -> None:
    captioner(HostileCaptioner())
    finished = demo()

    assert finished.exit_code == 0
    lines = finished.stdout.split("\n")
    assert "\x1b" not in finished.stdout
    assert "\u202e" not in finished.stdout
    assert lines[1].endswith(" long...")
    assert max(map(len, lines)) <= 100
    report = (tmp_path / "firstsight-demo" / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;window.pwned=1" in report
    assert report.count("<script") == 1


def test_a_second_run_rewrites_its_own_folder_and_leaves_other_files(demo: Run, tmp_path: Path) -> None:
    demo("-o", "mine")
    (tmp_path / "mine" / "report.html").write_text("old", encoding="utf-8")
    (tmp_path / "mine" / "notes.txt").write_text("keep", encoding="utf-8")

    assert demo("-o", "mine").exit_code == 0
    assert (tmp_path / "mine" / "report.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    assert (tmp_path / "mine" / "notes.txt").read_text(encoding="utf-8") == "keep"


def test_a_foreign_folder_is_not_touched_unasked(demo: Run, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "report.html").write_text("mine", encoding="utf-8")

    finished = demo("-o", "photos")

    assert finished.exit_code == 1
    assert finished.stderr == (
        "firstsight: error: The folder photos holds files that no demo made. "
        "Choose another with -o, or write into it with --overwrite.\n"
    )
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["report.html"]
    assert demo("-o", "photos", "--overwrite").exit_code == 0


def test_an_empty_folder_is_taken(demo: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert demo("-o", "empty").exit_code == 0


def test_a_file_in_the_place_of_the_folder_is_an_error(demo: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("x", encoding="utf-8")

    finished = demo("-o", "taken", "--overwrite")

    assert finished.exit_code == 1
    assert finished.stderr == "firstsight: error: taken is a file. Name a folder with -o.\n"


def test_an_unknown_captioner_leaves_no_folder(
    firstsight: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    finished = firstsight("demo", "--captioner", "embeded")

    assert finished.exit_code == 2
    assert "Unknown captioner 'embeded'. Did you mean 'embedded'?" in finished.stderr
    assert list(tmp_path.iterdir()) == []


def test_photos_that_fail_are_reported_and_the_rest_is_scored(
    demo: Run, captioner: Callable[[FakeCaptioner], None], tmp_path: Path
) -> None:
    captioner(FakeCaptioner(fails_on_width=427))  # living-room alone is 427 px wide
    finished = demo()

    assert finished.exit_code == 3
    assert "1 of 24 photos have no caption; the report says why" in finished.stderr
    report = (tmp_path / "firstsight-demo" / "report.html").read_text(encoding="utf-8")
    assert "1 of 24 images have no caption." in report
    assert "fails on width 427" in report
    assert "(n=23, " in finished.stdout


def test_a_captioner_that_fails_on_everything_is_an_error(
    demo: Run, captioner: Callable[[FakeCaptioner], None]
) -> None:
    class Broken(FakeCaptioner):
        def caption_batch(self, images: Sequence[RgbImage]) -> list[CaptionResult]:
            raise CaptionerError(f"no memory for {len(images)} images")

    captioner(Broken())
    finished = demo()

    assert finished.exit_code == 1
    assert "no memory for" in finished.stderr


@pytest.mark.parametrize("variable", ["DISPLAY", "WAYLAND_DISPLAY"])
def test_a_browser_opens_only_where_there_is_a_display(
    demo: Run, opened: list[str], variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    demo()
    assert opened == []

    monkeypatch.setenv(variable, ":0")
    demo("--no-open")
    assert opened == []

    demo()
    assert opened == [(tmp_path / "firstsight-demo" / "report.html").resolve().as_uri()]


def test_its_help_has_an_example_and_fits_a_screen(firstsight: Run) -> None:
    finished = firstsight("demo", "--help")

    assert finished.exit_code == 0
    assert "Example:  firstsight demo" in finished.stdout
    assert len(finished.stdout.splitlines()) <= 24
