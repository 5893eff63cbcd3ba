"""``firstsight compare``: which of several systems is better, and how sure that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from firstsight.cli._options import format_option, overwrite_option, quiet_option, resamples_option, seed_option
from firstsight.cli._output import check_outputs, corpus_progress, format_of, write_output
from firstsight.cli._text import warning
from firstsight.errors import FirstsightError, UsageError

if TYPE_CHECKING:
    from firstsight.evaluation.comparison import Comparison

__all__ = ["compare"]

_STDIO = "-"
_FORMS = {".json": "json", ".csv": "csv", ".html": "html", ".htm": "html"}


@click.command(epilog="Example:  firstsight compare a.json b.json --references refs.json")
@click.argument("systems", nargs=-1, required=True, metavar="SYSTEM SYSTEM...")
@click.option("--references", required=True, metavar="FILE", help="Human captions, one or more an image.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Repeatable.  [as evaluate]")
@click.option("--language", default="", metavar="CODE", help="Language of the captions.  [en]")
@click.option("--card", metavar="FILE", help="Take document frequencies from this card.")
@click.option("--images", metavar="FOLDER", help="Image files, for metrics that look at them.")
@resamples_option("Resamples of intervals and tests.", least=1)
@seed_option
@click.option("--test", type=click.Choice(["permutation", "bootstrap"]), default="permutation", help="Paired test.")
@click.option(
    "--correction",
    type=click.Choice(["holm", "bh", "none"]),
    default="holm",
    help="Of p-values, for the number of pairs.",
)
@click.option("--slice-by", metavar="COLUMN", help="Scores for each value of this column, too.")
@click.option("--manifest", metavar="FILE", help="CSV or JSONL with image_id and that column.")
@click.option(
    "--missing",
    type=click.Choice(["error", "skip", "empty"]),
    default="error",
    help="Images without a candidate: stop, leave out for all, or score as no words.  [error]",
)
@format_option(["table", "json", "csv", "html"], "table")
@click.option("-o", "--output", default=_STDIO, metavar="FILE", help="Its extension says the format.  [stdout]")
@click.option("--per-image", metavar="FILE", help="Each image's scores: .csv or .jsonl.")
@overwrite_option
@quiet_option
def compare(
    systems: tuple[str, ...],
    references: str,
    format_name: str,
    output: str,
    per_image: str | None,
    overwrite: bool,
    **asked: Any,
) -> None:
    """Compare systems on the same images: scores, ranks, and pairs that differ.

    A SYSTEM is a file of candidates, or NAME=FILE.
    """
    from firstsight.evaluation import EvaluationOptions, read_card
    from firstsight.evaluation._comparison_output import write_per_image
    from firstsight.evaluation._comparison_systems import named_files
    from firstsight.evaluation.comparison import ComparisonOptions, compare_files

    if (asked["slice_by"] is None) != (asked["manifest"] is None):
        raise UsageError("--slice-by COLUMN and --manifest FILE belong together; give both.")
    form = format_of(format_name, Path(output), _FORMS)
    inputs = [references, asked["manifest"], asked["card"], *(system.path for system in named_files(systems))]
    check_outputs(inputs, output, per_image, overwrite=overwrite)
    options = ComparisonOptions(
        EvaluationOptions(
            card=None if asked["card"] is None else read_card(asked["card"]),
            **{name: asked[name] for name in ("n_resamples", "seed", "missing", "language")},
        ),
        test=asked["test"],
        correction=asked["correction"],
    )
    with corpus_progress(quiet=asked["quiet"]) as on_progress:
        found = compare_files(
            systems,
            references,
            metrics=asked["metrics"] or None,
            options=options,
            slice_by={asked["slice_by"]: asked["manifest"]} if asked["slice_by"] else None,
            on_progress=on_progress,
            images=asked["images"],
        )
    for text in found.notes:
        warning(text)
    if per_image is not None:
        write_per_image(found, per_image, overwrite=overwrite)
    write_output(_rendered(found, form), output, overwrite=overwrite)
    if all(entries[0].score.value is None for entries in found.scores.values()):
        raise FirstsightError("No score is defined for these images; the output says why for each.")


def _rendered(found: Comparison, form: str) -> str:
    from firstsight.evaluation._comparison_output import TEXT_RENDERERS
    from firstsight.evaluation._comparison_page import render_comparison

    return render_comparison(found) if form == "html" else TEXT_RENDERERS[form](found)
