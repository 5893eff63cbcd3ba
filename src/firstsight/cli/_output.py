"""What verbs that read caption files and write one result share: checks of paths, the form, the bar, the writing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click
from click.core import ParameterSource

from firstsight.cli._progress import progress_bar, shows_progress
from firstsight.errors import OutputError, UsageError

if TYPE_CHECKING:
    from tqdm import tqdm

    from firstsight.evaluation import Progress

__all__ = ["check_outputs", "corpus_progress", "format_of", "write_output"]

_STDIO = "-"
_PROGRESS_FROM_IMAGES = 500


def check_outputs(
    inputs: Sequence[str | None], output: str = _STDIO, per_image: str | None = None, *, overwrite: bool = False
) -> None:
    """Check every output before any file is read; ``None`` is an input or output that was not given.

    Raises:
        UsageError: Two inputs are standard input, both outputs are one file, or ``per_image`` is no ``.csv`` or
            ``.jsonl`` file.
        OutputError: An output is an input, exists and ``overwrite`` is false, or cannot be written.
    """
    from firstsight._files import check_output

    if list(inputs).count(_STDIO) > 1:
        raise UsageError("Several files are '-'; only one of them can come from standard input.")
    read = {Path(path).resolve() for path in inputs if path is not None and path != _STDIO}
    if per_image == _STDIO:
        raise UsageError("--per-image takes the name of a .csv or .jsonl file; '-' is for the scores alone.")
    written = [Path(path) for path in (output, per_image) if path is not None and path != _STDIO]
    if len({path.resolve() for path in written}) < len(written):
        raise UsageError(f"--output and --per-image are both {str(written[0])!r}; name two files.")
    for path in written:
        if path.resolve() in read:
            raise OutputError(f"{path} is read by this run and is not overwritten. Choose another name.")
        check_output(path, overwrite=overwrite)
    if per_image is not None:
        from firstsight.evaluation.output import check_per_image_path

        check_per_image_path(Path(per_image), overwrite=overwrite)


def format_of(name: str, output: Path, by_suffix: Mapping[str, str]) -> str:
    """Return the form that was asked for; where none was, the one that the output's extension names."""
    context = click.get_current_context()
    if context.get_parameter_source("format_name") is ParameterSource.DEFAULT:
        return by_suffix.get(output.suffix.lower(), name)
    return name


def write_output(text: str, output: str, *, overwrite: bool) -> None:
    """Write to the file, or to standard output for ``-``."""
    from firstsight._files import write_whole

    if output == _STDIO:
        click.echo(text, nl=False)
    else:
        write_whole(Path(output), text, overwrite=overwrite)


@contextmanager
def corpus_progress(*, quiet: bool) -> Iterator[Progress | None]:
    """Give a callback that draws a bar a stage on a terminal for a corpus of some size, and None elsewhere."""
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
