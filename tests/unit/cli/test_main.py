"""The frame of the command line: exit codes, one clean line an error, verbs found lazily."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import EntryPoint

import click
import pytest

import firstsight as package
from firstsight.cli import main as frame
from firstsight.cli._options import format_option, overwrite_option, quiet_option, seed_option
from firstsight.cli._text import note, warning
from firstsight.errors import CaptionFileError, MissingDependencyError, UsageError

_HERE = __name__


@click.command()
@click.argument("what")
@click.option("--count", type=int, default=0)
def probe(what: str, count: int) -> int | None:
    """End in the way that is asked for."""
    endings: dict[str, BaseException] = {
        "file": CaptionFileError("a\x1b[31mb\nc.jsonl: line 3 is not JSON."),
        "usage": UsageError("--beam-size is 0; allowed: 1 to 16."),
        "interrupt": KeyboardInterrupt(),
        "abort": click.Abort(),
        "disk": OSError(errno.ENOSPC, "No space left on device", "out\n.jsonl"),
        "bug": ZeroDivisionError("a defect"),
        "exit3": click.exceptions.Exit(3),
    }
    if what in endings:
        raise endings[what]
    click.echo(what * count)
    return 3 if what == "return3" else None


@pytest.fixture(autouse=True)
def verbs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Verbs of this test: one that works, two that cannot be loaded, one that lacks a package."""
    values = {
        "probe": f"{_HERE}:probe",
        "absent": "no_such_module_of_ours:verb",
        "nothing": f"{_HERE}:_HERE",
        "extra": f"{_HERE}.extra:verb",
    }
    entries = {name: EntryPoint(name, value, "firstsight.commands") for name, value in values.items()}
    monkeypatch.setattr(frame, "_entries", lambda: entries)


def test_success_is_0_and_prints_only_data(firstsight: Callable) -> None:
    done = firstsight("probe", "x", "--count", "3")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "xxx\n", "")


@pytest.mark.parametrize("ending", ["exit3", "return3"])
def test_a_verb_can_say_that_some_images_failed(firstsight: Callable, ending: str) -> None:
    assert firstsight("probe", ending).exit_code == 3


def test_an_error_is_one_line_without_control_characters(firstsight: Callable) -> None:
    done = firstsight("probe", "file")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "firstsight: error: a\\x1b[31mb\\nc.jsonl: line 3 is not JSON.\n"


def test_a_full_disk_is_one_line_too(firstsight: Callable) -> None:
    done = firstsight("probe", "disk")
    assert (done.exit_code, done.stderr) == (1, "firstsight: error: out\\n.jsonl: No space left on device\n")


def test_a_usage_error_of_the_library_is_2(firstsight: Callable) -> None:
    done = firstsight("probe", "usage")
    assert (done.exit_code, done.stderr) == (2, "firstsight: error: --beam-size is 0; allowed: 1 to 16.\n")


def test_an_unknown_option_is_2_and_names_the_help(firstsight: Callable) -> None:
    done = firstsight("probe", "x", "--cuont", "3")
    assert done.exit_code == 2
    first, second = done.stderr.splitlines()
    assert first.startswith("firstsight: error: No such option")
    assert "--count" in first
    assert second == "Try: firstsight probe --help"


def test_a_bad_value_of_an_option_is_2(firstsight: Callable) -> None:
    done = firstsight("probe", "x", "--count", "many\x1b[2J")
    assert done.exit_code == 2
    assert done.stderr.startswith("firstsight: error: Invalid value for '--count'")
    assert "\x1b" not in done.stderr


def test_no_verb_is_2_and_shows_the_help(firstsight: Callable) -> None:
    done = firstsight()
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith("Usage: firstsight [OPTIONS] COMMAND [ARGS]...\n")
    assert "  probe " in done.stderr


def test_an_argument_that_is_left_out_is_told_on_one_line(
    firstsight: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    done = firstsight("completion")
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [
        "firstsight: error: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish",
        "Try: firstsight completion --help",
    ]


def test_an_unknown_verb_is_2_and_the_nearest_is_named(firstsight: Callable) -> None:
    done = firstsight("porbe")
    assert done.exit_code == 2
    assert done.stderr == (
        "firstsight: error: Unknown verb 'porbe'. Did you mean 'probe'? Available: absent, extra, nothing, probe.\n"
    )


@pytest.mark.parametrize("ending", ["interrupt", "abort"])
def test_an_interruption_is_130(firstsight: Callable, ending: str) -> None:
    done = firstsight("probe", ending)
    assert done.exit_code == 130
    assert done.stderr.strip() == "firstsight: error: interrupted"


def test_a_defect_keeps_its_traceback(firstsight: Callable) -> None:
    with pytest.raises(ZeroDivisionError):
        firstsight("probe", "bug")


def test_verbs_that_cannot_be_loaded_break_no_other(firstsight: Callable) -> None:
    help_page = firstsight("--help")
    assert help_page.exit_code == 0
    assert "End in the way" in help_page.stdout
    absent = firstsight("absent", "photo.jpg", "--option", "x")
    assert absent.exit_code == 1
    assert absent.stderr == (
        "firstsight: error: The verb 'absent' cannot be loaded: No module named 'no_such_module_of_ours'\n"
    )
    nothing = firstsight("nothing")
    assert nothing.exit_code == 1
    assert "is not a click.Command" in nothing.stderr


def test_a_verb_without_its_extra_says_what_to_install(firstsight: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(self: EntryPoint) -> object:
        raise MissingDependencyError("training", extra="train")

    monkeypatch.setattr(EntryPoint, "load", load)
    done = firstsight("extra")
    assert (done.exit_code, done.stderr) == (
        1,
        "firstsight: error: training needs the extra 'train': run  pip install \"firstsight[train]\"\n",
    )


def test_version(firstsight: Callable) -> None:
    assert firstsight("--version").stdout == f"firstsight {package.__version__}\n"


def test_a_closed_pipe_ends_quietly() -> None:
    program = "import sys; from firstsight.cli.main import main; main(['--help'])"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    message = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), message) == (1, b"")


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, json\nfrom firstsight.cli.main import run\nrun(['--help'])\n"
        "heavy = {'onnxruntime', 'torch', 'onnx', 'jinja2', 'PIL'} & set(sys.modules)\n"
        "print(json.dumps(sorted(heavy)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "Commands:" in done.stdout
    assert json.loads(done.stderr) == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(firstsight: Callable, monkeypatch: pytest.MonkeyPatch, shell: str) -> None:
    monkeypatch.setattr(
        frame,
        "_entries",
        lambda: {"completion": EntryPoint("completion", "firstsight.cli.completion:completion", "firstsight.commands")},
    )
    done = firstsight("completion", shell)
    assert done.exit_code == 0
    assert "_FIRSTSIGHT_COMPLETE" in done.stdout


def test_completion_completes_verbs() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "firstsight"],
        env={"_FIRSTSIGHT_COMPLETE": "bash_complete", "COMP_WORDS": "firstsight comp", "COMP_CWORD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "plain,compare\nplain,completion\n"


def test_shared_options_have_their_defaults() -> None:
    @click.command()
    @quiet_option
    @overwrite_option
    @seed_option
    @format_option(["table", "json"], "table")
    def verb(**options: object) -> dict[str, object]:
        return options

    expected = {"quiet": False, "overwrite": False, "seed": 0, "format_name": "table"}
    assert verb.main([], standalone_mode=False) == expected
    with pytest.raises(click.UsageError, match="'xml' is not one of"):
        verb.main(["--format", "xml"], standalone_mode=False)


def test_a_note_is_for_a_terminal_and_a_warning_for_all(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    note("piped")
    warning("3 images\nfailed")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    note("seen")
    note("unseen", quiet=True)
    assert capsys.readouterr().err == "firstsight: warning: 3 images\\nfailed\nfirstsight: seen\n"
