"""``firstsight evaluate``: how good candidates are against references."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from firstsight.cli._options import format_option, overwrite_option, quiet_option, seed_option
from firstsight.cli._progress import progress_bar, shows_progress
from firstsight.cli._text import warning
from firstsight.errors import FirstsightError, OutputError, UsageError

if TYPE_CHECKING:
    from tqdm import tqdm

    from firstsight.evaluation import Progress

__all__ = ["evaluate"]

_STDIO = "-"
_PROGRESS_FROM_IMAGES = 500


@click.command(epilog="Example:  firstsight evaluate captions.jsonl --references refs.json")
@click.argument("candidates")
@click.option("--references", required=True, metavar="FILE", help="Human captions, one or more an image.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="bleu, rouge_l or cider_d; repeatable.  [all]")
@click.option(
    "--resamples",
    "n_resamples",
    type=click.IntRange(min=0),
    default=1000,
    show_default=True,
    metavar="N",
    help="Bootstrap resamples of the 95 % intervals; 0 leaves them out.",
)
@seed_option
@click.option(
    "--missing",
    type=click.Choice(["error", "skip", "empty"]),
    default="error",
    show_default=True,
    help="An image without a candidate: stop, leave it out, or score no words.",
)
@format_option(["table", "json", "csv"], "table")
@click.option(
    "-o",
    "--output",
    default=_STDIO,
    metavar="FILE",
    help="Write the scores there; .json and .csv say the format.  [stdout]",
)
@click.option("--per-image", metavar="FILE", help="Write each image's scores there: .csv or .jsonl.")
@overwrite_option
@quiet_option
def evaluate(
    candidates: str,
    references: str,
    metrics: tuple[str, ...],
    n_resamples: int,
    seed: int,
    missing: str,
    format_name: str,
    output: str,
    per_image: str | None,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Score CANDIDATES ("-": stdin) against human references.

    Both files are COCO JSON, JSONL or CSV, recognised by their content. Scores are fractions, CIDEr-D 0 to 10.
    """
    from firstsight.evaluation import DEFAULT_METRICS, EvaluationOptions, evaluate_files, write_per_image
    from firstsight.evaluation.output import RENDERERS

    options = EvaluationOptions(n_resamples=n_resamples, seed=seed, missing=missing)  # type: ignore[arg-type]
    _check_paths((candidates, references), output, per_image, overwrite=overwrite)
    with _progress(quiet=quiet) as on_progress:
        evaluation = evaluate_files(
            candidates, references, metrics=metrics or DEFAULT_METRICS, options=options, on_progress=on_progress
        )
    for text in evaluation.notes:
        warning(text)
    if per_image is not None:
        write_per_image(evaluation, per_image, overwrite=overwrite)
    _write(RENDERERS[_format_of(format_name, output)](evaluation), output, overwrite=overwrite)
    if all(score.value is None for score in evaluation.scores):
        raise FirstsightError("No score is defined for this corpus; the output says why for each.")


def _format_of(name: str, output: str) -> str:
    """Return the form that was asked for; where none was, the one that the output's extension names."""
    context = click.get_current_context()
    if context.get_parameter_source("format_name") is ParameterSource.DEFAULT:
        return {".json": "json", ".csv": "csv"}.get(Path(output).suffix.lower(), name)
    return name


def _check_paths(inputs: tuple[str, str], output: str, per_image: str | None, *, overwrite: bool) -> None:
    """Check every output before any file is read."""
    from firstsight._files import check_output
    from firstsight.evaluation.output import check_per_image_path

    if inputs == (_STDIO, _STDIO):
        raise UsageError("CANDIDATES and --references are both '-'; only one of them can come from standard input.")
    outputs = [Path(path) for path in (output, per_image) if path is not None and path != _STDIO]
    if per_image == _STDIO:
        raise UsageError("--per-image takes the name of a .csv or .jsonl file; '-' is for the scores alone.")
    if len(outputs) == 2 and outputs[0].resolve() == outputs[1].resolve():
        raise UsageError(f"--output and --per-image are both {str(outputs[0])!r}; name two files.")
    read = {Path(path).resolve() for path in inputs if path != _STDIO}
    for path in outputs:
        if path.resolve() in read:
            raise OutputError(f"{path} is read by this evaluation and is not overwritten. Choose another name.")
        check_output(path, overwrite=overwrite)
    if per_image is not None:
        check_per_image_path(Path(per_image), overwrite=overwrite)


def _write(text: str, output: str, *, overwrite: bool) -> None:
    from firstsight._files import write_whole

    if output == _STDIO:
        click.echo(text, nl=False)
    else:
        write_whole(Path(output), text, overwrite=overwrite)


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Progress | None]:
    """Give a callback that draws bars on a terminal for a corpus of some size, and None elsewhere."""
    if not shows_progress(quiet=quiet):
        yield None
        return
    bars: dict[str, tqdm[NoReturn]] = {}

    def report(stage: str, done: int, total: int) -> None:
        if total < _PROGRESS_FROM_IMAGES:
            return
        if stage not in bars:
            bars[stage] = progress_bar(total, name=stage, unit=" images")
        bars[stage].update(done - bars[stage].n)
        if done == total:
            bars[stage].close()

    try:
        yield report
    finally:
        for bar in bars.values():
            bar.close()
