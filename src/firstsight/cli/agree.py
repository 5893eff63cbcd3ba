"""``firstsight agree``: how well metrics agree with human ratings of captions."""

from __future__ import annotations

from pathlib import Path

import click

from firstsight.cli._options import format_option, overwrite_option, quiet_option, resamples_option, seed_option
from firstsight.cli._output import check_outputs, corpus_progress, format_of, write_output
from firstsight.cli._text import note, warning
from firstsight.errors import FirstsightError

__all__ = ["agree"]

_STDIO = "-"


@click.command(epilog="Example:  firstsight agree ratings.csv --references refs.json --metric cider_d")
@click.argument("ratings")
@click.option("--references", required=True, metavar="FILE", help="Human captions of the rated images.")
@click.option("--captions", metavar="FILE", help="The rated captions by image, where RATINGS has none.")
@click.option(
    "--protocol",
    type=click.Choice(["plain", "flickr8k-expert", "flickr8k-cf"]),
    default="plain",
    show_default=True,
    help="A table, or the published files of Flickr8k with their rules.",
)
@click.option(
    "--raters",
    type=click.Choice(["each", "mean"]),
    default="each",
    show_default=True,
    help="Several ratings of a caption: each counts, or their mean.",
)
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Name of a metric; repeatable.")
@resamples_option("Bootstrap resamples of the 95 % intervals; 0 leaves them out.")
@seed_option
@format_option(["table", "json", "csv"], "table")
@click.option("-o", "--output", default=_STDIO, metavar="FILE", help="Write there; .json and .csv say the format.")
@overwrite_option
@quiet_option
def agree(
    ratings: str,
    references: str,
    captions: str | None,
    protocol: str,
    raters: str,
    metrics: tuple[str, ...],
    n_resamples: int,
    seed: int,
    format_name: str,
    output: str,
    overwrite: bool,
    quiet: bool,
) -> None:
    """Measure how well metrics agree with the human RATINGS of captions.

    RATINGS is CSV or JSONL with image_id, caption, rating and perhaps rater. Gives Kendall's tau-b and tau-c, pairwise
    accuracy, Pearson's and Spearman's correlation.
    """
    from firstsight.datasets.ratings import read_ratings
    from firstsight.evaluation import EvaluationOptions
    from firstsight.evaluation.agreement import AGREEMENT_RENDERERS, measure_agreement

    options = EvaluationOptions(n_resamples=n_resamples, seed=seed)
    check_outputs([ratings, references, captions], output, overwrite=overwrite)
    file = read_ratings(ratings, references, protocol=protocol, captions=captions)
    with corpus_progress(quiet=quiet) as on_progress:
        found = measure_agreement(
            file,
            metrics=metrics or None,
            raters=raters,  # type: ignore[arg-type]
            options=options,
            on_progress=on_progress,
        )
    for text in found.notes:
        note(text, quiet=quiet)
    for score in found.scores:
        if score.reason is not None:
            warning(f"{score.name}: {score.reason}")
    name = format_of(format_name, Path(output), {".json": "json", ".csv": "csv"})
    write_output(AGREEMENT_RENDERERS[name](found), output, overwrite=overwrite)
    if not any(score.measures for score in found.scores):
        raise FirstsightError("No score is defined for these captions; the output says why for each.")
