"""From caption files to scores: the original tools' numbers, odd captions, and what ``firstsight caption`` writes."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from firstsight.datasets.writers import format_of
from firstsight.evaluation import evaluate_files
from firstsight.types import CaptionRecord, Failure

RunCommand = Callable[..., Any]
NAMES = ["BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4", "ROUGE-L", "CIDEr-D"]

REFERENCES = {
    "1": ["A dog runs on the grass.", "A brown dog runs."],
    "2": ["Two cats sleep on a red sofa.", "Cats on a couch."],
    "3": ["A man rides a wave on a surfboard.", "A surfer in the sea."],
}
CANDIDATES = {"1": "A dog runs.", "2": "Two cats on a sofa.", "3": "A man surfing."}
ODD = {
    "line separator": "Two cats\u2028on a sofa.",
    "paragraph separator": "Two cats\u2029on a sofa.",
    "next line": "Two cats\x85on a sofa.",
    "carriage return": "Two cats\ron a sofa.",
    "line feeds": "Two cats\n\non a sofa.\n",
    "vertical tab": "Two cats\von a sofa.",
    "form feed": "Two cats\fon a sofa.",
    "nul": "Two cats\x00on a sofa.",
    "surrogate": "Two cats \ud800 on a sofa.",
    "escape": "\x1b[2JTwo cats",
    "formula": "=cmd|'/c calc'!A1",
    "quotes": '"Two" cats, """on"" a sofa',
    "empty": "",
    "long": "cat " * 20_000,
}


def write_json_list(path: Path, captions: dict[str, str]) -> None:
    path.write_text(json.dumps([{"image_id": key, "caption": text} for key, text in captions.items()]))


def write_jsonl(path: Path, captions: dict[str, str]) -> None:
    lines = [json.dumps({"image_id": key, "captions": [text]}, ensure_ascii=False) for key, text in captions.items()]
    path.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))


def write_csv(path: Path, captions: dict[str, str]) -> None:
    with path.open("w", newline="", encoding="utf-8", errors="surrogatepass") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL)
        writer.writerow(["image_id", "caption"])
        writer.writerows(captions.items())


WRITERS = {"json": write_json_list, "jsonl": write_jsonl, "csv": write_csv}


@pytest.fixture
def references(tmp_path: Path) -> Path:
    path = tmp_path / "references.jsonl"
    path.write_text("".join(json.dumps({"image_id": i, "captions": c}) + "\n" for i, c in REFERENCES.items()))
    return path


def per_image(firstsight: RunCommand, candidates: Path, references: Path) -> dict[str, dict[str, float]]:
    out = candidates.with_name("each.jsonl")
    done = firstsight("evaluate", candidates, "--references", references, "--per-image", out, "--overwrite")
    assert done.exit_code == 0, done.stderr
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    return {row.pop("image_id"): row for row in rows}


@pytest.mark.parametrize("suffix", WRITERS)
@pytest.mark.parametrize("odd", ODD)
def test_one_odd_caption_changes_no_other_image(
    firstsight: RunCommand, tmp_path: Path, references: Path, suffix: str, odd: str
) -> None:
    path = tmp_path / f"candidates.{suffix}"
    WRITERS[suffix](path, CANDIDATES)
    plain = per_image(firstsight, path, references)
    WRITERS[suffix](path, {**CANDIDATES, "2": ODD[odd]})
    changed = per_image(firstsight, path, references)
    assert list(changed) == list(plain) == ["1", "2", "3"]
    assert (changed["1"], changed["3"]) == (plain["1"], plain["3"])


def test_a_separator_in_a_caption_only_separates_words(
    firstsight: RunCommand, tmp_path: Path, references: Path
) -> None:
    path = tmp_path / "candidates.jsonl"
    write_jsonl(path, CANDIDATES)
    plain = per_image(firstsight, path, references)
    for name in ("line separator", "paragraph separator", "carriage return", "line feeds", "vertical tab", "form feed"):
        write_jsonl(path, {**CANDIDATES, "2": ODD[name]})
        assert per_image(firstsight, path, references) == plain, name


@pytest.mark.parametrize("suffix", WRITERS)
def test_all_forms_of_one_set_have_the_same_scores_and_signature(tmp_path: Path, references: Path, suffix: str) -> None:
    path = tmp_path / f"candidates.{suffix}"
    WRITERS[suffix](path, CANDIDATES)
    write_csv(tmp_path / "expected.csv", CANDIDATES)
    assert evaluate_files(path, references).scores == evaluate_files(tmp_path / "expected.csv", references).scores


@pytest.mark.parametrize("name", ["jsonl", "json", "csv"])
def test_what_caption_writes_is_scored(firstsight: RunCommand, tmp_path: Path, references: Path, name: str) -> None:
    form = format_of(name, None)
    records = [CaptionRecord(key, f"{key}.jpg", (text, "second best")) for key, text in CANDIDATES.items()]
    records.append(CaptionRecord("4", "4.jpg", error=Failure("truncated", "4.jpg ends early")))
    rows = [row for record in records if (row := form.row(record))]
    path = tmp_path / f"captions.{name}"
    path.write_text(form.head + form.gap.join(rows) + form.tail, newline="")
    write_csv(tmp_path / "expected.csv", CANDIDATES)
    assert evaluate_files(path, references).scores == evaluate_files(tmp_path / "expected.csv", references).scores
    with references.open("a") as file:
        file.write('{"image_id": "4", "caption": "A bird."}\n')
    done = firstsight("evaluate", path, "--references", references)
    assert done.exit_code == 1
    assert "1 of 4 images has no candidate: '4' (" in done.stderr
    place = "references.jsonl, line 4" if name == "csv" else "'truncated: 4.jpg ends early'"
    assert place in done.stderr
    assert firstsight("evaluate", path, "--references", references, "--missing", "skip").exit_code == 0


def test_a_pipe_with_the_console_script(tmp_path: Path, references: Path) -> None:
    path = tmp_path / "candidates.jsonl"
    write_jsonl(path, CANDIDATES)
    command = [sys.executable, "-m", "firstsight", "evaluate", "-", "--references", str(references), "--format", "json"]
    done = subprocess.run(command, input=path.read_bytes(), capture_output=True, check=True, cwd=tmp_path)
    found = [name for name in json.loads(done.stdout)["scores"] if name != "METEOR"]  # where its extra is installed
    assert (found, done.stderr) == (NAMES, b"")


ORIGINAL = {"BLEU-1": ("bleu", 0), "BLEU-2": ("bleu", 1), "BLEU-3": ("bleu", 2), "BLEU-4": ("bleu", 3)}


@pytest.mark.parametrize(
    "name",
    [
        "A_fakecap1000",
        "B_lstm972",
        pytest.param("K_blip2_5k", marks=pytest.mark.slow),
        pytest.param("K_llava_brief_5k", marks=pytest.mark.slow),
        pytest.param("C1_nice21377_ref1", marks=pytest.mark.slow),
        pytest.param("C5_nice21377_ref5", marks=pytest.mark.slow),
    ],
)
def test_files_score_as_with_the_original_tools(
    firstsight: RunCommand, shared: Path, tmp_path: Path, name: str
) -> None:
    """Outputs of pycocoevalcap 1.2 (Java PTB tokenizer, Bleu, Rouge, Cider), whole corpus and each image."""
    golden = {
        part: json.loads((shared / "golden" / f"{name}.{part}.json").read_text())
        for part in ("input", "bleu", "rouge", "cider")
    }
    ids, given = [str(image_id) for image_id in golden["input"]["ids"]], golden["input"]
    write_csv(tmp_path / "candidates.csv", dict(zip(ids, given["hyps"], strict=True)))
    annotations = [
        {"image_id": int(image_id) if image_id.isdecimal() else image_id, "caption": caption}
        for image_id, captions in zip(ids, given["refs"], strict=True)
        for caption in captions
    ]
    (tmp_path / "references.json").write_text(json.dumps({"annotations": annotations}))
    each = tmp_path / "each.jsonl"
    done = firstsight(
        "evaluate", tmp_path / "candidates.csv", "--references", tmp_path / "references.json",
        "--format", "json", "--resamples", "0", "--per-image", each,
        "--metric", "bleu", "--metric", "rouge_l", "--metric", "cider_d",
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    scores = json.loads(done.stdout)["scores"]
    rows = [json.loads(line) for line in each.read_text("utf-8").splitlines()]
    assert [row["image_id"] for row in rows] == ids
    for score_name in NAMES:
        part, index = ORIGINAL.get(score_name, ("rouge" if score_name == "ROUGE-L" else "cider", None))
        total, images = golden[part]["score"], golden[part]["per_caption"]
        if index is not None:
            total, images = total[index], images[index]
        assert scores[score_name]["score"] == pytest.approx(total, rel=1e-9, abs=0), score_name
        assert [row[score_name] for row in rows] == pytest.approx(images, rel=1e-9, abs=1e-12), score_name


def test_slices_and_shards_score_as_the_whole_with_a_card(firstsight: RunCommand, shared: Path, tmp_path: Path) -> None:
    """Each image of a corpus has, within any part of it, the CIDEr-D of pycocoevalcap 1.2 within the whole."""
    given = json.loads((shared / "golden" / "B_lstm972.input.json").read_text())
    golden = json.loads((shared / "golden" / "B_lstm972.cider.json").read_text())
    ids = [str(image_id) for image_id in given["ids"]]
    candidates = dict(zip(ids, given["hyps"], strict=True))
    lines = [
        json.dumps({"image_id": image_id, "captions": captions})
        for image_id, captions in zip(ids, given["refs"], strict=True)
    ]
    (tmp_path / "refs.jsonl").write_text("\n".join(lines))
    assert firstsight("card", "build", tmp_path / "refs.jsonl", "-o", tmp_path / "refs.card").exit_code == 0
    totals, n_images = 0.0, 0
    for part in (slice(0, 1), slice(1, 300), slice(300, None)):
        write_csv(tmp_path / "part.csv", {image_id: candidates[image_id] for image_id in ids[part]})
        done = firstsight(
            "evaluate", tmp_path / "part.csv", "--references", tmp_path / "refs.jsonl", "--missing", "skip",
            "--card", tmp_path / "refs.card", "--metric", "cider_d", "--format", "json", "--resamples", "0",
            "--per-image", tmp_path / "each.jsonl", "--overwrite",
        )  # fmt: skip
        assert done.exit_code == 0, done.stderr
        rows = [json.loads(line)["CIDEr-D"] for line in (tmp_path / "each.jsonl").read_text().splitlines()]
        assert rows == pytest.approx(golden["per_caption"][part], rel=1e-9, abs=1e-12)
        found = json.loads(done.stdout)
        totals += found["scores"]["CIDEr-D"]["score"] * found["n_images"]
        n_images += found["n_images"]
    assert totals / n_images == pytest.approx(golden["score"], rel=1e-9)
