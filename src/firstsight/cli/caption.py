"""``firstsight caption``: captions of files, folders and patterns, into a file or on standard output."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, BinaryIO

import click

from firstsight._text import visible
from firstsight.cli._options import overwrite_option, quiet_option
from firstsight.cli._progress import progress_bar, shows_progress
from firstsight.cli._text import note, warning
from firstsight.errors import UsageError

if TYPE_CHECKING:
    from firstsight.batch import BatchOptions, CaptionJob, Existing
    from firstsight.captioners import Captioner
    from firstsight.types import CaptionRecord, Json

__all__ = ["caption"]

_EXIT_SOME_FAILED = 3
_EXIT_INTERRUPTED = 130
_FORMATS = ("text", "jsonl", "json", "csv")


@click.command(epilog="Example:  firstsight caption photos/ -o captions.jsonl")
@click.argument("paths", nargs=-1, metavar="PATH...")
@click.option("-o", "--output", "out", metavar="OUT", help="File to write; stdout unless given.")
@click.option("--format", "format_name", type=click.Choice(_FORMATS), help="Default: OUT's extension; text on stdout.")
@click.option("--captioner", "name", default="embedded", show_default=True, metavar="NAME", help="Captioner to use.")
@click.option("--beam-size", type=click.IntRange(min=1), metavar="N", help="Sentences weighed at a time.")
@click.option("--seed", type=click.IntRange(min=0), metavar="N", help="Seed of all that is random.")
@click.option("--batch-size", type=click.IntRange(min=1), metavar="N", help="Images the model is given at a time.")
@click.option("--manifest", metavar="FILE", help="CSV or JSONL with file,image_id: gives the ids.")
@click.option(
    "--id-from",
    type=click.Choice(["name", "path"]),
    default="name",
    show_default=True,
    help="File name without extension, or relative path.",
)
@click.option("--id-column", metavar="NAME", help="Id column of CSV, such as public_id.")
@click.option("--resume", is_flag=True, help="Go on after what OUT holds.")
@overwrite_option
@quiet_option
def caption(paths: tuple[str, ...], out: str | None, quiet: bool, **options: Any) -> int:
    """Caption images: files, folders with all below them, quoted patterns, and - for a list on stdin.

    An image that cannot be read is a record with "error" (in CSV it has no row) and the run goes on;
    the exit code is then 3.
    """
    from firstsight.batch import CaptionJob

    with CaptionJob(paths, out, _batch_options(options), listing=_stdin(paths)) as job:
        _say_plan(job, quiet)
        started = time.monotonic()
        if not job.n_left:
            job.finish()
            return _close(job, out, 0.0, quiet=quiet)
        captioner = _captioner(options, quiet)
        with _stop_on_interrupt() as stop:
            for _ in _shown(job, job.run(captioner), to_terminal=_is_terminal(out), quiet=quiet):
                if stop and job.n_left:
                    break
        return _close(job, out, time.monotonic() - started, quiet=quiet)


def _batch_options(options: dict[str, Any]) -> BatchOptions:
    from firstsight.batch import BatchOptions

    if options["resume"] and options["overwrite"]:
        raise UsageError("--resume and --overwrite exclude each other. Say one of them.")
    existing: Existing = "resume" if options["resume"] else "overwrite" if options["overwrite"] else "refuse"
    return BatchOptions(
        format=options["format_name"],
        existing=existing,
        id_from=options["id_from"],
        manifest=options["manifest"],
        id_column=options["id_column"],
        batch_size=options["batch_size"],
    )


def _captioner(options: dict[str, Any], quiet: bool) -> Captioner:
    from firstsight.captioners import captioner_options, load_captioner

    name: str = options["name"]
    given: dict[str, Json] = {key: options[key] for key in ("beam_size", "seed") if options[key] is not None}
    allowed = captioner_options(name)
    if allowed is not None:
        if "seed" in given and "seed" not in allowed:
            del given["seed"]
            note(f"nothing is random in the captioner {name!r}, so --seed changes nothing", quiet=quiet)
        if "beam_size" in given and "beam_size" not in allowed:
            raise UsageError(f"The captioner {name!r} has no beam, so --beam-size means nothing to it. Leave it out.")
    return load_captioner(name, **given)


def _stdin(paths: tuple[str, ...]) -> BinaryIO | None:
    return sys.stdin.buffer if "-" in paths else None


def _is_terminal(out: str | None) -> bool:
    return out in (None, "-") and sys.stdout.isatty()


@contextmanager
def _stop_on_interrupt() -> Iterator[list[int]]:
    """Fill the list at the first Ctrl-C, so that the record in work is finished; the second ends the run at once."""
    stop: list[int] = []

    def on_interrupt(number: int, _frame: object) -> None:
        if stop:
            raise KeyboardInterrupt
        stop.append(number)

    try:
        before = signal.signal(signal.SIGINT, on_interrupt)
    except ValueError:  # not the main thread: Ctrl-C is somebody else's affair
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _say_plan(job: CaptionJob, quiet: bool) -> None:
    for line in job.plan.unreadable:
        warning(line)
    if job.plan.n_repeated:
        note(f"{job.plan.n_repeated:,} files are named more than once and captioned once", quiet=quiet)
    if job.n_held:
        note(f"{job.n_held:,} of {job.n_images:,} images are in the output already", quiet=quiet)


def _shown(
    job: CaptionJob, records: Iterator[CaptionRecord], *, to_terminal: bool, quiet: bool
) -> Iterator[CaptionRecord]:
    """Pass the records on with a progress bar, where there is somebody to see it and no caption to disturb."""
    if to_terminal or not shows_progress(quiet=quiet):
        for record in records:
            _say_failure(job, record)
            yield record
        return
    with progress_bar(job.n_images, unit=" images", done=job.n_held) as bar:
        for record in records:
            if record.error is not None:
                with bar.external_write_mode(file=sys.stderr):
                    _say_failure(job, record)
            bar.update()
            if job.n_failed:
                bar.set_postfix_str(f"{job.n_failed} failed", refresh=False)
            yield record


def _say_failure(job: CaptionJob, record: CaptionRecord) -> None:
    if record.error is not None and not job.format.lists_failures:
        warning(f"failed: {record.error.message}")


def _close(job: CaptionJob, out: str | None, seconds: float, *, quiet: bool) -> int:
    done = job.summary()
    if job.n_left:
        again = "Run it again with -o FILE to be able to resume." if out in (None, "-") else "Go on with --resume."
        warning(f"stopped after {done.n_captioned + done.n_failed:,} of {done.n_images:,} images. {again}")
        return _EXIT_INTERRUPTED
    n_now = done.n_captioned + done.n_failed - done.n_held
    if n_now:
        rate = f" ({n_now / seconds:.1f} images a second)" if seconds > 0 else ""
        note(f"captioned {done.n_captioned:,} of {done.n_images:,} images in {seconds:.1f} s{rate}", quiet=quiet)
    if done.n_failed:
        where = f"see {visible(out) if out else 'the output'}" if job.format.lists_failures else "they have no row"
        warning(f"{done.n_failed:,} of {done.n_images:,} images failed; {where}")
    return _EXIT_SOME_FAILED if done.n_failed or done.unreadable else 0
