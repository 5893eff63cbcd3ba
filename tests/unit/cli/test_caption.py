"""The verb ``caption``: streams, exit codes, messages, progress and interruption."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from firstsight.errors import UsageError
from firstsight.testing.captioner import FakeCaptioner

Command = Callable[..., SimpleNamespace]


@pytest.fixture(autouse=True)
def fake(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Let every name load the fake captioner; ``loaded`` has the options of each time."""
    loaded: list[dict[str, object]] = []
    made: list[FakeCaptioner] = []

    def load(name: str) -> Callable[..., FakeCaptioner]:
        def make(**options: object) -> FakeCaptioner:
            loaded.append({"name": name} | options)
            made.append(FakeCaptioner(**options))
            return made[-1]

        return make

    monkeypatch.setattr("firstsight.captioners.CAPTIONERS", SimpleNamespace(load=load, names=lambda: ["fake"]))
    return SimpleNamespace(loaded=loaded, made=made)


@pytest.fixture
def photos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("photos/more").mkdir(parents=True)
    for name, width in (("photos/1.png", 3), ("photos/2.png", 4), ("photos/more/3.png", 5)):
        Image.new("RGB", (width, 2)).save(name)
    return Path("photos")


def caption_of(width: int) -> str:
    return f"A picture of {width} by 2 dots in colour 0 0 0."


def test_text_on_standard_output_and_nothing_else(photos, firstsight):
    done = firstsight("caption", photos)
    assert done.exit_code == 0
    assert done.stdout == (
        f"photos/1.png\t{caption_of(3)}\nphotos/2.png\t{caption_of(4)}\nphotos/more/3.png\t{caption_of(5)}\n"
    )
    assert done.stderr == ""


def test_jsonl_with_every_field(photos, firstsight):
    done = firstsight("caption", photos / "1.png", "--format", "jsonl")
    assert json.loads(done.stdout) == {
        "schema_version": 1,
        "image_id": "1",
        "file": "photos/1.png",
        "captions": [caption_of(3), "Dots."],
        "score": -0.5,
        "provenance": {
            "captioner": "fake",
            "version": "1",
            "weights": "",
            "parameters": {"beam_size": 3, "seed": 0},
        },
    }


def test_csv_in_the_form_of_a_challenge(photos, firstsight):
    done = firstsight("caption", photos, "-o", "out.csv", "--id-column", "public_id")
    assert (done.exit_code, done.stdout) == (0, "")
    assert Path("out.csv").read_text() == (
        f"public_id,caption\n1,{caption_of(3)}\n2,{caption_of(4)}\n3,{caption_of(5)}\n"
    )


def test_json_is_one_list(photos, firstsight):
    firstsight("caption", photos, "-o", "out.json")
    assert [entry["image_id"] for entry in json.loads(Path("out.json").read_text())] == ["1", "2", "3"]
    done = firstsight("caption", photos, "--format", "json", "-o", "-")
    assert json.loads(done.stdout) == json.loads(Path("out.json").read_text())


def test_the_format_option_goes_before_the_extension(photos, firstsight):
    firstsight("caption", photos, "-o", "out.csv", "--format", "jsonl")
    assert len([json.loads(line) for line in Path("out.csv").read_text().splitlines()]) == 3


def test_options_of_the_captioner_are_passed_only_when_given(photos, firstsight, fake):
    firstsight("caption", photos)
    firstsight("caption", photos, "--captioner", "other", "--beam-size", "5", "--seed", "7", "--batch-size", "2")
    assert fake.loaded == [{"name": "embedded"}, {"name": "other", "beam_size": 5, "seed": 7}]
    assert fake.made[1].batches == [2, 1]


def test_ids_by_path_and_by_manifest(photos, firstsight):
    done = firstsight("caption", photos, "--format", "csv", "--id-from", "path")
    assert [row[0] for row in csv.reader(io.StringIO(done.stdout))] == ["image_id", "1.png", "2.png", "more/3.png"]
    Path("m.csv").write_text("file,image_id\nphotos/2.png,two\nphotos/1.png,one\n")
    done = firstsight("caption", "--manifest", "m.csv", "--format", "csv")
    assert [row[0] for row in csv.reader(io.StringIO(done.stdout))] == ["image_id", "two", "one"]


@pytest.mark.usefixtures("photos")
def test_a_list_on_standard_input(firstsight, monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"photos/2.png\nphotos/1.png\n")))
    done = firstsight("caption", "-", "--format", "csv")
    assert [row[0] for row in csv.reader(io.StringIO(done.stdout))] == ["image_id", "2", "1"]


class TestFailures:
    @pytest.fixture(autouse=True)
    def bad(self, photos: Path) -> None:
        (photos / "1b.jpg").write_bytes(b"no image")
        (photos / "2b.png").touch()

    def test_in_jsonl(self, firstsight):
        done = firstsight("caption", "photos", "gone.jpg", "-o", "out.jsonl")
        assert done.exit_code == 3
        records = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
        assert [record["image_id"] for record in records] == ["1", "1b", "2", "2b", "3", "gone"]
        codes = [record["error"]["code"] if "error" in record else None for record in records]
        assert codes == [None, "not_an_image", None, "empty", None, "missing"]
        assert done.stderr == "firstsight: warning: 3 of 6 images failed; see out.jsonl\n"

    def test_in_text(self, firstsight):
        done = firstsight("caption", "photos")
        assert done.exit_code == 3
        assert done.stdout.splitlines()[1].startswith("photos/1b.jpg\t[failed: not_an_image] 'photos/1b.jpg' is not an")
        assert done.stderr == "firstsight: warning: 2 of 5 images failed; see the output\n"

    def test_in_csv_they_are_on_stderr_even_when_quiet(self, firstsight):
        done = firstsight("caption", "photos", "--format", "csv", "--quiet")
        assert done.exit_code == 3
        assert len(done.stdout.splitlines()) == 4
        assert [line.partition("(")[0] for line in done.stderr.splitlines()] == [
            "firstsight: warning: failed: 'photos/1b.jpg' is not an image of a format that is read ",
            "firstsight: warning: failed: 'photos/2b.png' is empty ",
            "firstsight: warning: 2 of 5 images failed; they have no row",
        ]

    def test_a_resumed_run_counts_those_of_the_first(self, firstsight):
        firstsight("caption", "photos", "-o", "out.jsonl")
        done = firstsight("caption", "photos", "-o", "out.jsonl", "--resume")
        assert (done.exit_code, done.stderr) == (3, "firstsight: warning: 2 of 5 images failed; see out.jsonl\n")

    def test_every_image_failed(self, firstsight):
        assert firstsight("caption", "gone.jpg", "--format", "csv").exit_code == 3


def test_a_folder_below_that_cannot_be_listed(photos, firstsight, monkeypatch):
    real = os.scandir

    def scandir(path: str) -> object:
        if path.endswith("more"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
    done = firstsight("caption", photos, "-o", "out.jsonl")
    assert done.exit_code == 3
    assert done.stderr == "firstsight: warning: the folder 'photos/more' cannot be listed: Permission denied\n"


def test_a_name_cannot_forge_a_line_or_move_the_cursor(photos, firstsight):
    (photos / "x\nfirstsight: error: \x1b[2Jfake.jpg").write_bytes(b"")
    done = firstsight("caption", photos)
    assert len(done.stdout.splitlines()) == 4
    assert "\x1b" not in done.stdout + done.stderr
    done = firstsight("caption", photos, "--format", "csv")
    assert len(done.stderr.splitlines()) == 2
    assert "\x1b" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("args", "exit_code", "message"),
    [
        (
            ["photos", "-o", "out.jsonl"],
            1,
            "'out.jsonl' exists. Say --resume to go on after what it holds, or --overwrite",
        ),
        (["photos", "-o", "new.xml"], 2, "The extension of 'new.xml' names no format"),
        (["photos", "-o", "photos"], 1, "'photos' is a folder. Name a file in it."),
        (["photos", "-o", "no/x.csv"], 1, "The folder 'no' does not exist. Create it first."),
        (["photos", "--resume"], 2, "Standard output cannot be resumed. Name a file with -o."),
        (["photos", "-o", "x.csv", "--resume", "--overwrite"], 2, "--resume and --overwrite exclude each other"),
        (["photos", "--id-column", "x"], 2, "An id column is for CSV alone; the format is text"),
        ([], 2, "No image is named"),
        (["nothing*.jpg"], 2, "No file matches 'nothing*.jpg'"),
        (["photos", "photos/../twin/1.png"], 2, "1 image id stands for more than one file: '1' for 'photos/1.png' and"),
        (["photos", "--manifest", "no.csv"], 1, "The manifest 'no.csv' cannot be read"),
        (["photos", "--beam-size", "0"], 2, "0 is not in the range x>=1"),
        (["photos", "--format", "xml"], 2, "'xml' is not one of 'text', 'jsonl', 'json', 'csv'"),
    ],
)
def test_mistakes_are_said_before_the_model_is_loaded(photos, firstsight, fake, args, exit_code, message):
    Path("out.jsonl").write_text("precious")
    done = firstsight("caption", *args)
    assert done.exit_code == exit_code
    assert message in done.stderr
    assert done.stdout == ""
    assert fake.loaded == []
    assert Path("out.jsonl").read_text() == "precious"


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "json", "txt"])
def test_a_captioner_that_cannot_be_loaded_leaves_the_output_as_it_was(photos, firstsight, monkeypatch, suffix):
    def refuse(**options: object) -> FakeCaptioner:
        raise UsageError("beam_size is 5000; allowed are values from 1 to 64.")

    whole = firstsight("caption", photos, "-o", f"out.{suffix}").exit_code == 0 and Path(f"out.{suffix}").read_bytes()
    monkeypatch.setattr("firstsight.captioners.CAPTIONERS", SimpleNamespace(load=lambda _: refuse))
    assert firstsight("caption", photos, "-o", f"new.{suffix}").exit_code == 2
    assert firstsight("caption", photos, "-o", f"out.{suffix}", "--overwrite").exit_code == 2
    assert Path(f"out.{suffix}").read_bytes() == whole
    assert sorted(path.name for path in Path().iterdir()) == [f"out.{suffix}", "photos"]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_and_notes_are_for_a_terminal(photos, firstsight, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    firstsight("caption", photos, "-o", "out.jsonl")
    assert "| 0/3 [00:00<?, ? images/s]" in terminal.getvalue()
    assert "firstsight: captioned 3 of 3 images in 0.0 s" in terminal.getvalue()
    terminal.truncate(0)
    terminal.seek(0)
    firstsight("caption", photos, "-o", "out.jsonl", "--resume")
    assert terminal.getvalue() == "firstsight: 3 of 3 images are in the output already\n"
    terminal.truncate(0)
    terminal.seek(0)
    firstsight("caption", photos, "-o", "quiet.jsonl", "--quiet")
    assert terminal.getvalue() == ""


def test_ctrl_c_finishes_the_record_and_says_how_to_go_on(photos, firstsight, monkeypatch):
    class Interrupted(FakeCaptioner):
        def caption_batch(self, images):
            if images[0].shape[1] == 4:
                signal.raise_signal(signal.SIGINT)
            return super().caption_batch(images)

    whole = firstsight("caption", photos, "--format", "jsonl").stdout
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setattr("firstsight.captioners.CAPTIONERS", SimpleNamespace(load=lambda _: Interrupted))
    done = firstsight("caption", photos, "-o", "out.jsonl", "--batch-size", "1")
    assert done.exit_code == 130
    assert done.stderr == "firstsight: warning: stopped after 2 of 3 images. Go on with --resume.\n"
    assert Path("out.jsonl").read_text() == "".join(whole.splitlines(keepends=True)[:2])
    done = firstsight("caption", photos, "-o", "out.jsonl", "--resume")
    assert done.exit_code == 0
    assert Path("out.jsonl").read_text() == whole
    assert signal.getsignal(signal.SIGINT) == before
    done = firstsight("caption", photos, "--format", "json", "--batch-size", "1")
    assert done.exit_code == 130
    assert "Run it again with -o FILE to be able to resume." in done.stderr
    assert len(json.loads(done.stdout)) == 2


def test_ctrl_c_twice_ends_at_once(photos, firstsight, monkeypatch):
    class Interrupted(FakeCaptioner):
        def caption_batch(self, images):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            return super().caption_batch(images)

    monkeypatch.setattr("firstsight.captioners.CAPTIONERS", SimpleNamespace(load=lambda _: Interrupted))
    done = firstsight("caption", photos, "-o", "out.jsonl")
    assert (done.exit_code, Path("out.jsonl").exists()) == (130, False)


def test_help_has_an_example_and_fits_a_screen(firstsight):
    done = firstsight("caption", "--help")
    assert "Example:  firstsight caption photos/ -o captions.jsonl" in done.stdout
    assert len(done.stdout.splitlines()) <= 30


def test_a_captioner_without_randomness_takes_a_seed_and_one_without_a_beam_says_so(photos, firstsight, monkeypatch):
    class Plain(FakeCaptioner):
        def __init__(self) -> None:
            super().__init__()

    monkeypatch.setattr("firstsight.captioners.CAPTIONERS", SimpleNamespace(load=lambda _: Plain))
    assert firstsight("caption", photos, "--seed", "3").exit_code == 0
    done = firstsight("caption", photos, "--captioner", "plain", "--beam-size", "3")
    assert done.exit_code == 2
    assert "The captioner 'plain' has no beam, so --beam-size means nothing to it. Leave it out." in done.stderr


def test_the_output_is_never_one_of_the_inputs(photos, firstsight):
    before = (photos / "1.png").read_bytes()
    done = firstsight("caption", photos, "-o", "photos/1.png", "--format", "jsonl", "--overwrite")
    assert done.exit_code == 1
    assert "'photos/1.png' is one of the files that are read. Name another output." in done.stderr
    assert (photos / "1.png").read_bytes() == before
    Path("m.csv").write_text("file,image_id\nphotos/1.png,1\n")
    done = firstsight("caption", "--manifest", "m.csv", "-o", "m.csv", "--overwrite")
    assert "'m.csv' is one of the files that are read" in done.stderr


def test_failures_without_a_row_are_said_above_the_progress_bar(photos, firstsight, monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    (photos / "0.png").touch()
    firstsight("caption", photos, "-o", "out.csv")
    line = "firstsight: warning: failed: 'photos/0.png' is empty (0 bytes). Copy or download it again.\n"
    before, _, _ = terminal.getvalue().partition(line)
    assert line in terminal.getvalue()
    assert before.endswith("\r")
