"""SPICE over a program that behaves as the original does, and misbehaves when it is told to."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from firstsight.errors import BackendError
from firstsight.metrics import Corpus
from firstsight.metrics.spice import Spice, SpiceOptions
from firstsight.metrics.spice import runner as runner_module
from firstsight.metrics.spice.locate import _ROLES

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the stub and its pipes are those of Linux")

# Takes the arguments of ``java -cp JARS edu.anu.spice.SpiceScorer in.json -out out.json ...``. A caption's tuples are
# its distinct words. A caption with the word "crash" or "hang" does that; modes.json beside it sets the rest.
STUB = """#!{python} -IS
import json, os, signal, sys
here = os.path.dirname(os.path.realpath(__file__))
with open(os.path.join(here, "modes.json")) as file:
    modes = json.load(file)
if sys.argv[1:] == ["-version"]:
    print(modes["version"], file=sys.stderr)
    sys.exit(0)
with open("in.json") as file:
    images = json.load(file)
with open(os.path.join(here, "calls.jsonl"), "a") as file:
    file.write(json.dumps([sys.argv[1:], images]) + "\\n")
with open(os.path.join(here, "calls.jsonl")) as file:
    n_calls = len(file.readlines())
mode = modes["mode"]
def pause():
    with open(os.path.join(here, "pipe"), "w") as pipe:
        print(json.dumps([os.getpid(), os.getppid(), os.getcwd()]), file=pipe, flush=True)
        signal.pause()
if mode == "pause" and n_calls == modes["pause_at"]:
    pause()
if mode == "garbage":
    os.write(1, b"\\xff\\x1b[31m" * 50000)
    print('[{{"image_id": 0}}]', file=sys.stderr)
if mode == "broken" or any("crash" in image["test"].split() for image in images):
    print("java.lang.NullPointerException\\n\\tat edu.anu.spice.\\x1b[31mSpiceParser", file=sys.stderr)
    sys.exit(1)
if any("hang" in image["test"].split() for image in images):
    signal.pause()
def evaluation(candidate, references, may_be_null):
    tp = len(candidate & references)
    fp, fn = len(candidate) - tp, len(references) - tp
    pr = tp / len(candidate) if candidate else 0
    re = tp / len(references) if references else 0
    f = 2 * pr * re / (pr + re) if tp else 0
    f = None if may_be_null and not references else f
    return dict(tp=tp, fp=fp, fn=fn, pr=pr, re=re, f=f, numImages=1)
def result(image):
    candidate, references = set(image["test"].split()), set(" ".join(image["refs"]).split())
    none = evaluation(set(), set(), True)
    scores = dict.fromkeys(["Attribute", "Relation", "Cardinality", "Size"], none)
    scores["All"] = evaluation(candidate, references, False)
    scores["Object"] = evaluation(candidate, references, True)
    scores["Color"] = evaluation(candidate & {{"red"}}, references & {{"red"}}, True)
    tuples = [[dict(tuple=[word], truth_value=word in candidate & references) for word in sorted(words)]
              for words in (candidate, references)]
    return dict(image_id=image["image_id"], scores=scores, test_tuples=tuples[0], ref_tuples=tuples[1])
results = [result(image) for image in images]
if mode == "reversed":
    results.reverse()
if mode == "swapped" and len(results) > 1:
    results[0]["image_id"] = results[1]["image_id"]
if mode == "short":
    results.pop()
if mode == "wrong":
    results[0]["scores"]["All"]["f"] = 0.77
text = json.dumps(results)
if mode == "half":
    text = text[: len(text) // 2]
if mode != "nothing":
    with open(sys.argv[sys.argv.index("-out") + 1], "w") as file:
        file.write(text)
"""

COLOURS = ["red", "blue", "green", "white", "black", "brown", "grey", "pink"]
# Image i: 1 of 3 words of the candidate is among the i + 2 words of its references, so that each score is its own.
CANDIDATES = [f"a{i} b{i} {colour}" for i, colour in enumerate(COLOURS)]
REFERENCES = [[colour, " ".join(f"r{i}x{k}" for k in range(i + 1))] for i, colour in enumerate(COLOURS)]
EXPECTED = [2 * (1 / 3) * (1 / (i + 2)) / (1 / 3 + 1 / (i + 2)) for i in range(len(COLOURS))]


class Stub:
    """A folder with the stub as ``java`` and with jars of the right names."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.java = folder / "java"
        self.java.write_text(STUB.format(python=sys.executable))
        self.java.chmod(0o755)
        for name in _ROLES:
            with zipfile.ZipFile(folder / name, "w") as jar:
                jar.writestr("edu/anu/spice/SpiceScorer.class", b"writes its output itself")
        self.set()

    def set(self, mode: str = "ok", **more: object) -> None:
        modes = {"version": 'openjdk version "17.0.15"', "mode": mode, **more}
        (self.folder / "modes.json").write_text(json.dumps(modes))

    def options(self, **more: object) -> SpiceOptions:
        return SpiceOptions(paths=(self.folder,), java=self.java, **more)  # type: ignore[arg-type]

    def calls(self) -> list[tuple[list[str], list[dict[str, object]]]]:
        file = self.folder / "calls.jsonl"
        return [tuple(json.loads(line)) for line in file.read_text().splitlines()] if file.exists() else []

    def sizes(self) -> list[int]:
        return [len(images) for _, images in self.calls()]


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stub]:
    (tmp_path / "temporary").mkdir()
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield Stub(tmp_path / "stub")
    assert list((tmp_path / "temporary").iterdir()) == [], "something was left behind"


def corpus(candidates: list[str] = CANDIDATES, references: list[list[str]] = REFERENCES) -> Corpus:
    return Corpus.from_tokens([c.split() for c in candidates], [[r.split() for r in group] for group in references])


def scores(metric: Spice, of: Corpus) -> list[float]:
    metric.prepare(of)
    return [float(score) for score in metric.from_statistics(metric.corpus_statistics(of))[:, 0]]


def test_each_score_is_that_of_its_image(stub: Stub):
    metric = Spice(stub.options(n_images=3))
    assert scores(metric, corpus()) == pytest.approx(EXPECTED, rel=1e-12)
    assert stub.sizes() == [3, 3, 2]
    for (_, images), first in zip(stub.calls(), [0, 3, 6], strict=True):
        assert [image["image_id"] for image in images] == [f"{k:08d}" for k in range(len(images))]
        assert images[0]["test"] == CANDIDATES[first]
        assert images[0]["refs"] == REFERENCES[first]


def test_the_order_of_its_output_does_not_matter(stub: Stub):
    stub.set("reversed")
    assert scores(Spice(stub.options()), corpus()) == pytest.approx(EXPECTED, rel=1e-12)


def test_categories_are_means_over_the_images_that_have_them(stub: Stub):
    metric = Spice(stub.options())
    totals = metric.corpus_statistics(corpus()).sum(axis=0)
    assert metric.category_score("Object", totals) == pytest.approx(np.mean(EXPECTED))
    assert metric.category_score("Color", totals) == 1.0  # only image 0 has "red", on both sides


def test_the_tuples_are_kept_with_the_result(stub: Stub):
    for _ in range(2):
        result = Spice(stub.options()).results(corpus())[0]
        assert result.candidate_tuples == ((("a0",), False), (("b0",), False), (("red",), True))
        assert result.reference_tuples == ((("r0x0",), False), (("red",), True))
    assert stub.sizes() == [8]


def test_what_was_scored_is_not_scored_again(stub: Stub):
    table = Spice(stub.options()).corpus_statistics(corpus())
    stub.set("broken")
    order = [5, 0, 3, 3]
    again = Spice(stub.options()).corpus_statistics(
        corpus([CANDIDATES[i] for i in order], [REFERENCES[i] for i in order])
    )
    np.testing.assert_array_equal(again, table[order])


def test_images_with_the_same_captions_are_scored_once(stub: Stub):
    assert scores(Spice(stub.options()), corpus(CANDIDATES[:1] * 5, REFERENCES[:1] * 5)) == [EXPECTED[0]] * 5
    assert stub.sizes() == [1]


def test_other_jars_have_results_of_their_own(stub: Stub):
    metric = Spice(stub.options())
    metric.corpus_statistics(corpus())
    with zipfile.ZipFile(stub.folder / "ejml-0.23.jar", "a") as jar:
        jar.writestr("more", "another build")
    other = Spice(stub.options())
    other.corpus_statistics(corpus())
    assert other.parameters["jars"] != metric.parameters["jars"]
    assert stub.sizes() == [8, 8]


def test_noise_on_both_outputs_of_java_changes_nothing(stub: Stub, capfd: pytest.CaptureFixture[str]):
    stub.set("garbage")
    assert scores(Spice(stub.options()), corpus()) == pytest.approx(EXPECTED, rel=1e-12)
    assert capfd.readouterr() == ("", "")


def test_an_image_that_ends_the_program_is_named_and_the_others_are_kept(stub: Stub):
    candidates = [*CANDIDATES[:5], "a crash", *CANDIDATES[6:]]
    with pytest.raises(BackendError, match="cannot score the image 5: it ended with exit code 1") as caught:
        Spice(stub.options()).corpus_statistics(corpus(candidates))
    assert "NullPointerException" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert "\\x1b[31mSpiceParser" in str(caught.value)
    assert stub.sizes() == [8, 1, 4, 4, 2, 1, 1, 2]  # after the first failure, one of a caption known to be good
    assert scores(Spice(stub.options()), corpus()) == pytest.approx(EXPECTED, rel=1e-12)
    assert stub.sizes()[8:] == [1]


def test_several_images_that_fail_are_named_together(stub: Stub):
    candidates, references = ["crash 1", *CANDIDATES[1:7], "crash 2", "crash 1"], [*REFERENCES, REFERENCES[0]]
    with pytest.raises(BackendError, match="the images 0, 7, 8: it ended"):
        Spice(stub.options()).corpus_statistics(corpus(candidates, references))


def test_scoring_ends_after_some_images_failed(stub: Stub, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(runner_module, "MAX_FAILED", 2)
    with pytest.raises(BackendError, match="the images 0, 1"):
        Spice(stub.options(n_images=1)).corpus_statistics(corpus(["crash"] * 8))
    assert stub.sizes() == [1, 1, 1]


def test_an_image_that_hangs_is_ended_at_the_limit_and_named(stub: Stub):
    with pytest.raises(BackendError, match="the image 1: it took longer than its limit of 2 s"):
        Spice(stub.options(limit_s=1.5)).corpus_statistics(corpus([CANDIDATES[0], "a hang"], REFERENCES[:2]))
    assert scores(Spice(stub.options()), corpus(CANDIDATES[:1], REFERENCES[:1])) == [EXPECTED[0]]
    assert stub.sizes() == [2, 1, 1, 1]


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        ("broken", "it ended with exit code 1"),
        ("half", "its output is not JSON"),
        ("nothing", "it ended without writing its output"),
        ("short", "its output has 7 images that are not the 8 it was given"),
        ("wrong", "an F in its output is not that of its tuples"),
    ],
)
def test_a_program_that_never_works_is_told_as_that(stub: Stub, mode: str, reason: str):
    stub.set(mode)
    with pytest.raises(BackendError, match="does not run on this machine with Java 17") as caught:
        Spice(stub.options()).corpus_statistics(corpus())
    assert reason in str(caught.value)
    assert stub.sizes() == [8, 1]


def test_one_id_twice_gives_no_image_the_result_of_another(stub: Stub):
    stub.set("swapped")  # runs of one image are right, so that halving ends with the right scores
    assert scores(Spice(stub.options()), corpus()) == pytest.approx(EXPECTED, rel=1e-12)


def test_captions_reach_the_program_as_they_are(stub: Stub):
    texts = ["caf\u00e9 \U0001f600 22\u00a03/4 \ud800", "", "a\0b \u2028 \x1b[31m", "-Xmx1g @file"]
    Spice(stub.options()).corpus_statistics(Corpus.from_tokens([t.split(" ") for t in texts], [[["a"]]] * 4))
    [(_, images)] = stub.calls()
    assert [image["test"] for image in images] == [texts[0], "", "a b \u2028 \x1b[31m", texts[3]]


@pytest.mark.parametrize(
    ("version", "is_opened"),
    [
        ('java version "1.8.0_392"', False),
        ('openjdk version "11.0.22" 2024-01-16', True),
        ('openjdk version "17.0.15" 2025-04-15', True),
        ('Picked up something\nopenjdk version "21.0.1" 2023-10-17 LTS', True),
    ],
)
def test_flags_follow_the_version_of_java(stub: Stub, version: str, is_opened: bool):
    stub.set("ok", version=version)
    Spice(stub.options(memory_mb=1234, threads=3)).corpus_statistics(corpus())
    [(command, _)] = stub.calls()
    assert ("--add-opens=java.base/java.util.concurrent=ALL-UNNAMED" in command) == is_opened
    assert "-Xmx1234m" in command
    assert command[command.index("-threads") + 1] == "3"
    assert "-cache" not in command


def test_its_own_cache_of_parses_is_used_when_asked_for_and_dropped_after_a_failure(stub: Stub, tmp_path: Path):
    with pytest.raises(BackendError, match="the image 0"):
        Spice(stub.options(parses=tmp_path / "parses")).corpus_statistics(corpus(["crash", *CANDIDATES[1:]]))
    used = [command[command.index("-cache") + 1] if "-cache" in command else None for command, _ in stub.calls()]
    assert used[0] is not None
    assert Path(used[0]).parent == tmp_path / "parses"
    assert used[1:] == [None] * (len(used) - 1)


LONGEST_S = 60
PROGRAM = """
from pathlib import Path
from firstsight.metrics import Corpus
from firstsight.metrics.spice import Spice, SpiceOptions
candidates, references = {captions!r}
folder = Path({folder!r})
options = SpiceOptions(paths=(folder,), java=folder / "java", n_images=3)
Spice(options).corpus_statistics(Corpus.from_tokens(
    [c.split() for c in candidates], [[r.split() for r in group] for group in references]))
"""


def paused(stub: Stub, process: subprocess.Popen[bytes]) -> tuple[IO[str], int, int, Path]:
    """Return the pipe that the paused stub holds open, its process, its parent's and its folder."""
    pipe = (stub.folder / "pipe").open(encoding="ascii")
    stub_id, watcher_id, folder = json.loads(pipe.readline())
    assert Path(folder).is_dir()
    assert process.poll() is None
    return pipe, stub_id, watcher_id, Path(folder)


def wait_for_end(descriptor: int) -> None:
    """Wait for the end of the process that a pidfd stands for or that holds the other end of a pipe."""
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    assert poll.poll(LONGEST_S * 1000), "the process did not end"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_run_that_is_killed_leaves_nothing_and_goes_on_where_it_was(stub: Stub, number: signal.Signals):
    stub.set("pause", pause_at=2)
    os.mkfifo(stub.folder / "pipe")
    program = PROGRAM.format(captions=(CANDIDATES, REFERENCES), folder=str(stub.folder))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.DEVNULL)
    pipe, _, watcher_id, folder = paused(stub, process)
    watcher = os.pidfd_open(watcher_id)
    process.send_signal(number)
    assert process.wait(LONGEST_S) != 0
    wait_for_end(pipe.fileno())  # the stub held the other end
    pipe.close()
    wait_for_end(watcher)
    os.close(watcher)
    assert not folder.exists()

    stub.set()
    assert scores(Spice(stub.options(n_images=3)), corpus()) == pytest.approx(EXPECTED, rel=1e-12)
    assert stub.sizes() == [3, 3, 3, 2]  # scored; killed; then what was missing


@pytest.mark.parametrize("victim", ["java", "watcher"])
def test_a_java_that_is_killed_is_started_again(stub: Stub, victim: str):
    stub.set("pause", pause_at=2)
    os.mkfifo(stub.folder / "pipe")
    program = PROGRAM.format(captions=(CANDIDATES, REFERENCES), folder=str(stub.folder))
    process = subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE)
    pipe, stub_id, watcher_id, _ = paused(stub, process)
    os.kill(stub_id if victim == "java" else watcher_id, signal.SIGKILL)
    wait_for_end(pipe.fileno())
    pipe.close()
    _, errors = process.communicate(timeout=LONGEST_S)
    assert process.returncode == 0, errors
    assert stub.sizes() == [3, 3, 1, 2, 2]
    assert scores(Spice(stub.options()), corpus()) == pytest.approx(EXPECTED, rel=1e-12)
    assert stub.sizes() == [3, 3, 1, 2, 2]


def test_two_processes_that_score_the_same_at_once_both_end(stub: Stub):
    program = PROGRAM.format(captions=(CANDIDATES, REFERENCES), folder=str(stub.folder))
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait() for process in processes] == [0, 0, 0]


def test_a_java_that_cannot_be_started_is_told(stub: Stub):
    metric = Spice(stub.options())
    metric.prepare(corpus())
    stub.java.unlink()
    with pytest.raises(BackendError, match="Java cannot be started"):
        metric.corpus_statistics(corpus())
