"""``firstsight compare``: its forms, files and refusals."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firstsight.metrics import METRICS

RunCommand = Callable[..., Any]

REFERENCES = "image_id,caption\n1,A dog runs on grass.\n2,Two cats sleep.\n3,A surfer on a wave.\n"


@pytest.fixture
def compare(firstsight: RunCommand, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunCommand:
    monkeypatch.chdir(tmp_path)
    Path("refs.csv").write_text(REFERENCES)
    Path("a.csv").write_text("image_id,caption\n1,A dog runs.\n2,Two cats.\n3,A surfer.\n")
    Path("b.csv").write_text("image_id,caption\n1,A cat.\n2,Two cats.\n3,A man.\n")
    Path("kinds.csv").write_text("image_id,kind\n1,animals\n2,animals\n3,people\n")

    def run(*args: str, systems: tuple[str, ...] = ("a.csv", "b.csv")) -> Any:
        options = ("--references", "refs.csv", "--metric", "rouge_l", "--resamples", "50")
        return firstsight("compare", *systems, *options, *args)

    return run


def test_the_table_is_the_default(compare: RunCommand) -> None:
    done = compare()
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith("2 systems, 3 images, 3 references\n")
    assert done.stdout.splitlines()[-1].startswith("ROUGE-L: a ")


def test_the_extension_says_the_form(compare: RunCommand) -> None:
    for name, begins in (("c.json", "{"), ("c.csv", "column,value,"), ("c.html", "<!doctype html>")):
        done = compare("-o", name)
        assert (done.exit_code, done.stdout) == (0, "")
        assert Path(name).read_text().startswith(begins)
        assert compare("-o", name).exit_code == 1
        assert compare("-o", name, "--overwrite").exit_code == 0
    assert compare("--format", "json").stdout == Path("c.json").read_text()


def test_options_reach_the_comparison(compare: RunCommand) -> None:
    done = compare(
        *("--format", "json", "--seed", "3", "--test", "bootstrap", "--correction", "bh"),
        *("--slice-by", "kind", "--manifest", "kinds.csv"),
        systems=("x=a.csv", "b.csv"),
    )
    found = json.loads(done.stdout)
    told = {key: found[key] for key in ("systems", "test", "correction", "seed", "n_resamples")}
    assert told == {"systems": ["x", "b"], "test": "bootstrap", "correction": "bh", "seed": 3, "n_resamples": 50}
    assert [part["value"] for part in found["slices"]] == ["animals", "people"]


def test_a_card_stands_in_for_the_references(firstsight: RunCommand, compare: RunCommand) -> None:
    assert firstsight("card", "build", "refs.csv", "-o", "refs.card", "--metric", "cider_d").exit_code == 0
    done = compare("--metric", "cider_d", "--card", "refs.card", "--format", "json")
    found = json.loads(done.stdout)
    assert f"|card:{found['card'][:12]}|" in found["scores"]["CIDEr-D"]["signature"]
    assert compare("--card", "gone.card").stderr.startswith("firstsight: error: There is no scoring card gone.card")
    assert "refs.card is read by this run" in compare("--card", "refs.card", "-o", "refs.card", "--overwrite").stderr


def test_images_are_found_for_metrics_that_look_at_them(compare: RunCommand, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Path]] = []
    rouge, load = METRICS.load("rouge_l"), METRICS.load

    class Looking(rouge):  # type: ignore[misc, valid-type]
        needs_images = True

        def corpus_statistics(self, corpus: Any) -> Any:
            seen.append(dict(corpus.images))
            return super().corpus_statistics(corpus)

    monkeypatch.setattr(METRICS, "load", lambda name: Looking if name == "rouge_l" else load(name))
    Path("photos").mkdir()
    for name in ("1.jpg", "2.jpg", "odd.jpg"):
        Path("photos", name).touch()
    done = compare("--images", "photos")
    assert (done.exit_code, "1 of 3 images have no file in the folder photos: '3'" in done.stderr) == (1, True)
    Path("b.csv").write_text("image_id,caption,file\n1,A cat.,\n2,Two cats.,\n3,A man.,odd.jpg\n")
    assert compare("--images", "photos").exit_code == 0
    assert seen == [{"1": Path("photos/1.jpg"), "2": Path("photos/2.jpg"), "3": Path("photos/odd.jpg")}] * 2


def test_scores_of_images_are_written(compare: RunCommand) -> None:
    assert compare("--per-image", "images.csv").exit_code == 0
    assert Path("images.csv").read_text().startswith("image_id,system,ROUGE-L\n1,a,")
    done = compare("--per-image", "images.txt")
    assert (done.exit_code, "ends in '.txt'" in done.stderr) == (2, True)
    assert compare("--per-image", "-").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "systems", "message"),
    [
        ((), ("a.csv",), "needs two systems or more, got 1"),
        (("--slice-by", "kind"), ("a.csv", "b.csv"), "--slice-by COLUMN and --manifest FILE belong together"),
        ((), ("-", "x=-"), "only one of them can come from standard input"),
        (("-o", "b.csv", "--overwrite"), ("a.csv", "b.csv"), "b.csv is read by this run"),
        (("--missing", "error"), ("a.csv", "c.csv"), "There is no file c.csv"),
        (("--slice-by", "place", "--manifest", "kinds.csv"), ("a.csv", "b.csv"), "no column 'place'"),
    ],
)
def test_what_is_refused(
    compare: RunCommand, arguments: tuple[str, ...], systems: tuple[str, ...], message: str
) -> None:
    done = compare(*arguments, systems=systems)
    assert done.exit_code in (1, 2)
    assert message in done.stderr
    assert done.stdout == ""


def test_notes_go_to_stderr(compare: RunCommand) -> None:
    Path("b.csv").write_text("image_id,caption\n1,A cat.\n3,A man.\n")
    done = compare("--missing", "skip")
    assert done.exit_code == 0
    assert "warning: b: 1 of 3 images has no candidate and was left out: '2'." in done.stderr
