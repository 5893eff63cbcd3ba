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
from firstsight.evaluation.scoring import Evaluation
from firstsight.evaluation.signature import HASH_DIGITS, parse_signature, shared_part
from firstsight.types import Json, Score

__all__ = [
    "RENDERERS",
    "check_per_image_path",
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

# Lone surrogates have no UTF-8; the others end a line for readers that split as Python's splitlines does.
_ESCAPED_IN_JSON = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def to_json(evaluation: Evaluation) -> dict[str, Json]:
    """Return the evaluation as one object: ``n_images`` and, by name, ``scores``.

    A score has ``score`` (a fraction; CIDEr-D 0 to 10), ``low`` and ``high`` (absent without resamples) and
    ``signature``; an undefined one has ``score`` null and ``reason``.
    """
    return {"n_images": evaluation.n_images, "scores": {score.name: _entry(score) for score in evaluation.scores}}


def to_json_text(evaluation: Evaluation) -> str:
    """Return ``to_json`` as text that ends in a line feed."""
    return json.dumps(to_json(evaluation), indent=2, allow_nan=False) + "\n"


def to_csv(evaluation: Evaluation) -> str:
    """Return one row a score: ``name,score,low,high,signature,reason``; what does not exist is empty."""
    columns = ("name", "score", "low", "high", "signature", "reason")
    rows = ((s.name, s.value, s.low, s.high, s.signature, s.reason) for s in evaluation.scores)
    return "".join(csv_row(*row) for row in (columns, *rows))


def to_table(evaluation: Evaluation) -> str:
    """Return aligned columns at most 100 characters wide, the signatures, and a last line to paste."""
    scores = evaluation.scores
    width = max(len(score.name) for score in scores)
    has_intervals = any(score.low is not None for score in scores)
    lines = [_header(width, has_intervals)]
    lines += [line for score in scores for line in _row(score, width, has_intervals)]
    lines += ["", "Signatures: what belongs to each score, then what all of them share"]
    parts = [*(shared_part(score.signature)[0] for score in scores), shared_part(scores[0].signature)[1]]
    lines += [line for part in parts for line in _wrapped(part)]
    lines += ["", summary_line(evaluation)]
    return "\n".join(lines) + "\n"


def summary_line(evaluation: Evaluation) -> str:
    """Return one line for a paper or a bug report; neighbours such as BLEU-1 to BLEU-4 are put together."""
    groups: dict[str, list[Score]] = {}
    for score in evaluation.scores:
        stem = score.name.rpartition("-")[0] if re.search(r"-\d+$", score.name) else score.name
        groups.setdefault(stem, []).append(score)
    parts = [f"{_group_name(group)} {' '.join(map(_shown, group))}" for group in groups.values()]
    n_images = evaluation.n_images
    return f"{', '.join(parts)} (n={n_images}, refset {evaluation.reference_set[:HASH_DIGITS]})"


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


def _json_escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _header(width: int, has_intervals: bool) -> str:
    interval = f"  {'95 % interval':<14}" if has_intervals else ""
    return f"{'':<{width}}  score{interval}  in papers  range"


def _row(score: Score, width: int, has_intervals: bool) -> list[str]:
    if score.value is None:
        first = f"{score.name:<{width}}  "
        said = f"no score: {visible(score.reason or '')}"
        return textwrap.wrap(said, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
    fields = parse_signature(score.signature)
    low, _, high = fields["range"].partition("..")
    between = "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"
    interval = f"  {between:<14}" if has_intervals else ""
    scale = 100 if float(high) <= 10 else 1  # papers print percentages, and CIDEr-D times 100
    return [
        f"{score.name:<{width}}  {score.value:5.3f}{interval}  {score.value * scale:9.1f}"
        f"  {low} to {high}, {fields['better']} is better"
    ]


def _wrapped(signature: str) -> list[str]:
    """Return a part of a signature in lines that end with a bar or a comma: joined, they give it back."""
    lines = ["  "]
    for part in re.findall(r"[^|,]*[|,]|[^|,]+$", signature):
        if len(lines[-1]) + len(part) > WIDTH:
            lines.append("    ")
        lines[-1] += part
    return lines


def _group_name(group: list[Score]) -> str:
    first = group[0].name
    return first if len(group) == 1 else f"{first}..{group[-1].name.rpartition('-')[2]}"


def _shown(score: Score) -> str:
    return "undefined" if score.value is None else f"{score.value:.3f}"
