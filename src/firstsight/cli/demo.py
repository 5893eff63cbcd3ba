"""``firstsight demo``: the sample photos captioned, scored and shown on one page."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstsight._text import visible
from firstsight.cli._options import overwrite_option, quiet_option
from firstsight.cli._progress import progress_bar, shows_progress
from firstsight.cli._text import note, warning
from firstsight.errors import CaptionerError, OutputError

if TYPE_CHECKING:
    from firstsight.captioners import Captioner
    from firstsight.evaluation import Evaluation
    from firstsight.types import CaptionRecord

__all__ = ["demo"]

_EXIT_SOME_FAILED = 3
_MARKER = ".firstsight-demo"
_WIDTH = 100
_SHOWN_SCORE = "CIDEr-D"


@click.command(epilog="Example:  firstsight demo -o my-demo --no-open")
@click.option(
    "-o", "--output", "folder", default="firstsight-demo", show_default=True, metavar="FOLDER", help="Folder to write."
)
@click.option("--captioner", "name", default="embedded", show_default=True, metavar="NAME", help="Captioner to use.")
@click.option("--no-open", is_flag=True, help="Open no browser, even where there is a display.")
@overwrite_option
@quiet_option
def demo(folder: str, name: str, no_open: bool, overwrite: bool, quiet: bool) -> int:
    """Caption the sample photos, score the captions and show all on one page.

    FOLDER gets report.html (open it in a browser), captions.jsonl and scores.json. A folder that an
    earlier demo made is rewritten; any other needs --overwrite.
    """
    from firstsight.captioners import load_captioner
    from firstsight.evaluation import summary_line

    target = Path(folder)
    _check_folder(target, overwrite=overwrite)
    note("loading the captioner", quiet=quiet)
    captioner = load_captioner(name)
    _make_folder(target)
    records = _caption(captioner, quiet=quiet)
    evaluation = _evaluate(records)
    _write(target, captioner, records, evaluation)
    for line in (*_caption_lines(records, evaluation), "", *_score_lines(evaluation), ""):
        click.echo(line)
    report = target / "report.html"
    click.echo(f"Report: {visible(_shown_path(report))}")
    click.echo(summary_line(evaluation))
    if not no_open and _has_display():
        _open(report)
    n_failed = sum(record.error is not None for record in records)
    if n_failed:
        warning(f"{n_failed} of {len(records)} photos have no caption; the report says why")
    return _EXIT_SOME_FAILED if n_failed else 0


def _check_folder(target: Path, *, overwrite: bool) -> None:
    shown = _shown_path(target)
    if target.exists() and not target.is_dir():
        raise OutputError(f"{shown} is a file. Name a folder with -o.")
    if not target.is_dir() or (target / _MARKER).is_file() or overwrite:
        return
    if any(target.iterdir()):
        raise OutputError(
            f"The folder {shown} holds files that no demo made. "
            "Choose another with -o, or write into it with --overwrite."
        )


def _make_folder(target: Path) -> None:
    try:
        target.mkdir(parents=True, exist_ok=True)
        (target / _MARKER).write_text("Made by firstsight demo, which may rewrite this folder.\n", encoding="utf-8")
    except OSError as error:
        raise OutputError(f"The folder {_shown_path(target)} cannot be written: {error.strerror or error}.") from error


def _caption(captioner: Captioner, *, quiet: bool) -> list[CaptionRecord]:
    """Return the records of the sample photos, whose files are named as in the package: ``photos/cow.jpg``."""
    from firstsight.batch import caption_images, plan_images
    from firstsight.samples import sample_files

    images = plan_images(sample_files()).images
    records = []
    with progress_bar(len(images), unit=" images") if shows_progress(quiet=quiet) else nullcontext() as bar:
        for record in caption_images(images, captioner):
            records.append(replace(record, file="/".join(Path(record.file).parts[-2:])))
            if bar is not None:
                bar.update()
    return records


def _evaluate(records: Sequence[CaptionRecord]) -> Evaluation:
    from firstsight.evaluation import EvaluationOptions, evaluate
    from firstsight.samples import sample_references

    candidates = {record.image_id: record.captions[0] for record in records if record.error is None}
    if not candidates:
        failure = next(record.error for record in records if record.error is not None)
        raise CaptionerError(f"No sample photo could be captioned; the first failed with: {failure.message}")
    options = EvaluationOptions(missing="error" if len(candidates) == len(records) else "skip", human_baseline=True)
    return evaluate(candidates, sample_references(), options=options)


def _write(target: Path, captioner: Captioner, records: Sequence[CaptionRecord], evaluation: Evaluation) -> None:
    from firstsight._files import write_whole
    from firstsight.datasets.writers import JsonlFormat
    from firstsight.evaluation import to_json_text
    from firstsight.evaluation.report import PhotoCredit, ReportItem, ReportOptions, write_report
    from firstsight.samples import sample_credits, sample_files, sample_references

    write_whole(target / "captions.jsonl", "".join(map(JsonlFormat().row, records)), overwrite=True)
    write_whole(target / "scores.json", to_json_text(evaluation), overwrite=True)
    files = {path.stem: path for path in sample_files()}
    references = sample_references()
    items = [
        ReportItem(
            image_id=record.image_id,
            caption=record.captions[0] if record.error is None else None,
            references=references[record.image_id],
            photo=files[record.image_id],
            failure=record.error,
        )
        for record in records
    ]
    options = ReportOptions(
        provenance=captioner.provenance,
        weights_licence=captioner.licence,
        created=datetime.now(UTC),
        credits=[
            PhotoCredit(c.image_id, c.title, c.author, c.licence_name, c.licence_url, c.origin_url)
            for c in sample_credits()
        ],
        next_command="firstsight caption photos/ -o captions.jsonl",
    )
    write_report(target / "report.html", evaluation, items, options, overwrite=True)


def _caption_lines(records: Sequence[CaptionRecord], evaluation: Evaluation) -> list[str]:
    scores = _per_image(evaluation)
    width = max(len("IMAGE"), *(len(record.image_id) for record in records))
    lines = [f"{'IMAGE':<{width}}  {_SHOWN_SCORE}  CAPTION"]
    for record in records:
        said = record.captions[0] if record.error is None else f"({record.error.code}) {record.error.message}"
        score = f"{scores[record.image_id]:.3f}" if record.image_id in scores else "-"
        head = f"{record.image_id:<{width}}  {score:>{len(_SHOWN_SCORE)}}  "
        lines.append(head + _shortened(visible(said), _WIDTH - len(head)))
    return lines


def _score_lines(evaluation: Evaluation) -> list[str]:
    lines = [f"{'METRIC':<8}{'SCORE':>7}  {'95 % INTERVAL':<14}  HUMANS"]
    humans = {score.name: score.value for score in evaluation.human.scores} if evaluation.human else {}
    for score in evaluation.scores:
        if score.value is None:
            lines.append(f"{score.name:<8}{'-':>7}  {visible(score.reason or '')}")
        else:
            interval = "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"
            human = humans.get(score.name)
            lines.append(
                f"{score.name:<8}{score.value:>7.3f}  {interval:<14}  {'-' if human is None else f'{human:.3f}':>6}"
            )
    if evaluation.human and evaluation.human.n_images:
        n = evaluation.human.references_each[1]
        lines.append(
            f"Human captions meet {n} references, the captioner's {n + 1}; most scores rise with their number."
        )
    return lines


def _per_image(evaluation: Evaluation) -> Mapping[str, float]:
    values = evaluation.per_image.get(_SHOWN_SCORE)
    return {} if values is None else dict(zip(evaluation.image_ids, values.tolist(), strict=True))


def _shortened(text: str, width: int) -> str:
    """Return ``text`` cut at a word to at most ``width`` characters."""
    if len(text) <= width:
        return text
    return text[: width - 3].rpartition(" ")[0] + "..." if " " in text[: width - 3] else text[: width - 3] + "..."


def _shown_path(path: Path) -> str:
    """Return ``path`` relative to where the user stands if it lies below."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _has_display() -> bool:
    if sys.platform in ("win32", "darwin"):
        return "SSH_CONNECTION" not in os.environ
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open(report: Path) -> None:
    import webbrowser

    webbrowser.open(report.resolve().as_uri())
