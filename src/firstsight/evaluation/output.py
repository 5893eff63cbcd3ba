"""An evaluation as JSON, CSV or a table for the terminal, and its per-image scores as CSV or JSONL."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from firstsight._files import check_output, write_whole
from firstsight._text import visible
from firstsight.datasets.writers import csv_row, guarded_id
from firstsight.errors import UsageError
from firstsight.evaluation.baseline import HumanBaseline
from firstsight.evaluation.scoring import Evaluation
from firstsight.evaluation.signature import HASH_DIGITS, parse_signature, shared_part, signature_lines
from firstsight.types import Json, Score

__all__ = [
    "RENDERERS",
    "check_per_image_path",
    "neighbours",
    "per_image_csv",
    "per_image_jsonl",
    "summary_line",
    "to_csv",
    "to_json",
    "to_json_text",
    "to_table",
    "write_per_image",
]

WIDTH = 100
SCHEMA_VERSION = 1
_INTERVAL = "95 % interval"
_INTERVAL_WIDTH = len("0.000 to 0.000")

# Lone surrogates have no UTF-8; the others end a line for readers that split as Python's splitlines does.
_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def to_json(evaluation: Evaluation) -> dict[str, Json]:
    """Return the evaluation as one object: ``n_images`` and, by name, ``scores``; then what reproduces them.

    A score has ``score`` (a fraction; CIDEr-D 0 to 10), ``low`` and ``high`` (absent without resamples) and
    ``signature``; an undefined one has ``score`` null and ``reason``. ``human`` has the same of human captions, where
    they were asked for. Fields are added, never renamed.
    """
    shared = shared_part(evaluation.scores[0].signature)[1]
    card, human = evaluation.options.card, evaluation.human
    found: dict[str, Json] = {
        "n_images": evaluation.n_images,
        "scores": {score.name: _entry(score) for score in evaluation.scores},
    }
    if human is not None:
        found["human"] = _human_entry(human)
    found |= {
        "schema_version": SCHEMA_VERSION,
        "metrics": [*evaluation.metrics],
        "signature": {key: value for key, value in parse_signature(shared).items() if key},
    }
    if card is not None:
        found["card"] = card.hash
    return found | {"reference_set": evaluation.reference_set, "candidate_set": evaluation.candidate_set}


def to_json_text(evaluation: Evaluation) -> str:
    """Return ``to_json`` as text that ends in a line feed."""
    return json.dumps(to_json(evaluation), indent=2, allow_nan=False) + "\n"


def to_csv(evaluation: Evaluation) -> str:
    """Return one row a score: ``name,score,low,high,signature,reason``; what does not exist is empty.

    Where human captions were scored too, ``human,human_low,human_high`` follow.
    """
    columns: list[str | float | None] = ["name", "score", "low", "high", "signature", "reason"]
    rows: list[list[str | float | None]] = [
        [s.name, s.value, s.low, s.high, s.signature, s.reason] for s in evaluation.scores
    ]
    if evaluation.human is not None:
        columns += ["human", "human_low", "human_high"]
        for row, human in zip(rows, evaluation.human.scores, strict=True):
            row += [human.value, human.low, human.high]
    return "".join(csv_row(*row) for row in [columns, *rows])


def to_table(evaluation: Evaluation) -> str:
    """Return aligned columns at most 100 characters wide, the signatures, and a last line to paste."""
    scores = evaluation.scores
    columns = _Columns(evaluation)
    lines = [columns.header(), *(line for score in scores for line in columns.row(score))]
    lines += ["", "Signatures: what belongs to each score, then what all of them share"]
    parts = [*(shared_part(score.signature)[0] for score in scores), shared_part(scores[0].signature)[1]]
    lines += [line for part in parts for line in signature_lines(part)]
    if evaluation.human is not None:
        lines += ["", "What the scores of human captions share"]
        lines += signature_lines(shared_part(evaluation.human.scores[0].signature)[1])
    lines += ["", *textwrap.wrap(summary_line(evaluation), WIDTH, subsequent_indent="  ")]
    return "\n".join(lines) + "\n"


def summary_line(evaluation: Evaluation) -> str:
    """Return one line for a paper or a bug report; neighbours such as BLEU-1 to BLEU-4 are put together.

    Where that is longer than 100 characters, the last of such neighbours stands for them.
    """
    shown = {score.name: _shown(score) for score in evaluation.scores}
    groups = neighbours(shown)
    whole = ", ".join(f"{label} {' '.join(shown[name] for name in names)}" for label, names in groups.items())
    last = ", ".join(f"{names[-1]} {shown[names[-1]]}" for names in groups.values())
    behind = f" (n={evaluation.n_images}, refset {evaluation.reference_set[:HASH_DIGITS]})"
    return (whole if len(whole + behind) <= WIDTH else last) + behind


def neighbours(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the names of scores that only differ in their last number together, under the name of all of them.

    Example:
        >>> neighbours(["BLEU-1", "BLEU-2", "CIDEr-D"])
        {'BLEU-1..2': ['BLEU-1', 'BLEU-2'], 'CIDEr-D': ['CIDEr-D']}
    """
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(re.sub(r"-\d+$", "-", name), []).append(name)
    return {
        group[0] if len(group) == 1 else f"{group[0]}..{group[-1].rpartition('-')[2]}": group
        for group in groups.values()
    }


def per_image_csv(evaluation: Evaluation) -> str:
    """Return a row an image, ``image_id`` and a column a score; an undefined score has empty cells.

    An id that a spreadsheet would run as a formula is written after an apostrophe, as ``firstsight caption`` does.
    """
    columns = [score.name for score in evaluation.scores]
    rows = (
        (guarded_id(image_id), *(values.get(name) for name in columns)) for image_id, values in _per_image(evaluation)
    )
    return "".join(csv_row(*row) for row in (("image_id", *columns), *rows))


def per_image_jsonl(evaluation: Evaluation) -> str:
    """Return an object an image, ``image_id`` (text) and each score; an undefined score is null."""
    columns = [score.name for score in evaluation.scores]
    lines = (
        json.dumps({"image_id": image_id} | {name: values.get(name) for name in columns}, ensure_ascii=False)
        for image_id, values in _per_image(evaluation)
    )
    return "".join(_ESCAPED_IN_JSON.sub(_json_escape, line) + "\n" for line in lines)


def write_per_image(evaluation: Evaluation, path: str | Path, *, overwrite: bool = False) -> None:
    """Write the scores of each image to a ``.csv`` or ``.jsonl`` file, whole or not at all.

    Raises:
        UsageError: The extension is another one.
        OutputError: The file exists and ``overwrite`` is false, or it cannot be written.
    """
    path = Path(path)
    write_whole(path, _per_image_writer(path)(evaluation), overwrite=overwrite)


def check_per_image_path(path: Path, *, overwrite: bool) -> None:
    """Check before any work that ``write_per_image`` can write there; raises what it raises."""
    _per_image_writer(path)
    check_output(path, overwrite=overwrite)


RENDERERS: Mapping[str, Callable[[Evaluation], str]] = {"table": to_table, "json": to_json_text, "csv": to_csv}
"""The forms that ``firstsight evaluate --format`` prints."""

_PER_IMAGE_WRITERS: Mapping[str, Callable[[Evaluation], str]] = {".csv": per_image_csv, ".jsonl": per_image_jsonl}


def _per_image_writer(path: Path) -> Callable[[Evaluation], str]:
    writer = _PER_IMAGE_WRITERS.get(path.suffix.lower())
    if writer is None:
        raise UsageError(
            f"The per-image file {str(path)!r} ends in {path.suffix!r}. Allowed are {', '.join(_PER_IMAGE_WRITERS)}."
        )
    return writer


def _per_image(evaluation: Evaluation) -> Iterable[tuple[str, dict[str, float]]]:
    columns = {name: values.tolist() for name, values in evaluation.per_image.items()}
    for index, image_id in enumerate(evaluation.image_ids):
        yield image_id, {name: values[index] for name, values in columns.items()}


def _entry(score: Score) -> dict[str, Json]:
    if score.value is None:
        return {"score": None, "reason": score.reason}
    interval: dict[str, Json] = {} if score.low is None else {"low": score.low, "high": score.high}
    return {"score": score.value, **interval, "signature": score.signature}


def _human_entry(human: HumanBaseline) -> dict[str, Json]:
    low, high = human.references_each
    return {
        "n_images": human.n_images,
        "references_each": {"low": low, "high": high},
        "scores": {score.name: _entry(score) for score in human.scores},
    }


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


class _Columns:
    """The columns of the table: those that some score fills, and as many as the width holds."""

    def __init__(self, evaluation: Evaluation) -> None:
        scores, human = evaluation.scores, evaluation.human
        self._human = {} if human is None else {score.name: score for score in human.scores}
        self._name_width = max(len(score.name) for score in scores)
        self._has_intervals = any(score.low is not None for score in scores)
        widest = max(map(len, (_range_of(score) for score in scores)))
        left = self._name_width + len("  0.000  in papers  ") + widest + (_INTERVAL_WIDTH + 2) * self._has_intervals
        self._has_human_intervals = bool(self._human) and self._has_intervals and left + 24 <= WIDTH

    def header(self) -> str:
        human = "  humans" + self._interval("", self._has_human_intervals, title=True) if self._human else ""
        interval = self._interval("", self._has_intervals, title=True)
        return f"{'':<{self._name_width}}  score{interval}{human}  in papers  range"

    def row(self, score: Score) -> list[str]:
        if score.value is None:
            first = f"{score.name:<{self._name_width}}  "
            said = f"no score: {visible(score.reason or '')}"
            return textwrap.wrap(said, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
        high = parse_signature(score.signature)["range"].partition("..")[2]
        scale = 100 if float(high) <= 10 else 1  # papers print percentages, and CIDEr-D times 100
        interval = self._interval(_between(score), self._has_intervals)
        return [
            f"{score.name:<{self._name_width}}  {score.value:5.3f}{interval}{self._of_humans(score.name)}"
            f"  {score.value * scale:9.1f}  {_range_of(score)}"
        ]

    def _of_humans(self, name: str) -> str:
        if not self._human:
            return ""
        score = self._human[name]
        value = "-" if score.value is None else f"{score.value:.3f}"
        return f"  {value:>6}" + self._interval(_between(score), self._has_human_intervals)

    @staticmethod
    def _interval(text: str, is_shown: bool, *, title: bool = False) -> str:
        return f"  {_INTERVAL if title else text:<{_INTERVAL_WIDTH}}" if is_shown else ""


def _between(score: Score) -> str:
    return "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"


def _range_of(score: Score) -> str:
    fields = parse_signature(score.signature)
    low, _, high = fields.get("range", "").partition("..")
    better = fields.get("better", "neither")
    return f"{low} to {high}" + ("" if better == "neither" else f", {better} is better")


def _shown(score: Score) -> str:
    return "undefined" if score.value is None else f"{score.value:.3f}"
