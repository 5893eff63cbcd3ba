"""``firstsight evaluate``: how good candidates are against references."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from firstsight.cli._options import format_option, overwrite_option, quiet_option, resamples_option, seed_option
from firstsight.cli._output import check_outputs, corpus_progress, format_of, write_output
from firstsight.cli._text import note, warning
from firstsight.errors import FirstsightError, UsageError

if TYPE_CHECKING:
    from firstsight.evaluation import Evaluation, EvaluationOptions
    from firstsight.evaluation.reproduce import Report, Reproduction

__all__ = ["evaluate"]

_STDIO = "-"
_EXIT_DIFFERS = 1
_FORMS = {".json": "json", ".csv": "csv"}
_OF_THE_REPORT = ("metrics", "n_resamples", "seed", "missing", "language", "tokenizer", "human_baseline")


@click.command(epilog="Example:  firstsight evaluate captions.jsonl --references refs.json")
@click.argument("candidates")
@click.option("--references", required=True, metavar="FILE", help="Human captions, one or more an image.")
@click.option(
    "--metric", "metrics", multiple=True, metavar="NAME", help="Repeatable.  [bleu, meteor, rouge_l, cider_d]"
)
@click.option("--language", default="", metavar="CODE", help="Language of the captions.  [en]")
@click.option("--tokenizer", default="", metavar="NAME", help="Cuts captions into words.  [by language]")
@click.option("--card", metavar="FILE", help="Take document frequencies from this card.")
@click.option("--images", metavar="FOLDER", help="Image files, for metrics that look at them.")
@click.option("--human-baseline", is_flag=True, help="Score the references too, each against the others.")
@click.option("--reproduce", metavar="FILE", help="Compute this JSON output again and compare.")
@resamples_option("Bootstrap resamples of the intervals; 0 for none.")
@seed_option
@click.option(
    "--missing",
    type=click.Choice(["error", "skip", "empty"]),
    default="error",
    help="Images without a candidate: stop, leave out, or score as no words.  [error]",
)
@format_option(["table", "json", "csv"], "table")
@click.option("-o", "--output", default=_STDIO, metavar="FILE", help="Scores; .json and .csv say the format.  [stdout]")
@click.option("--per-image", metavar="FILE", help="Each image's scores: .csv or .jsonl.")
@overwrite_option
@quiet_option
def evaluate(
    candidates: str,
    references: str,
    format_name: str,
    output: str,
    per_image: str | None,
    overwrite: bool,
    **asked: Any,
) -> int:
    """Score CANDIDATES ("-": stdin) against human references.

    Files are COCO JSON, JSONL or CSV. Scores are fractions, CIDEr-D 0 to 10.
    """
    from firstsight.evaluation import evaluate_files, write_per_image
    from firstsight.evaluation.output import RENDERERS

    form = format_of(format_name, Path(output), _FORMS)
    report, metrics, options = _settings(asked, form, (candidates, references), output, per_image, overwrite=overwrite)
    with corpus_progress(quiet=asked["quiet"]) as on_progress:
        evaluation = evaluate_files(
            candidates,
            references,
            metrics=metrics,
            options=options,
            on_progress=on_progress,
            images=asked["images"],
        )
    for text in evaluation.notes:
        warning(text)
    if per_image is not None:
        write_per_image(evaluation, per_image, overwrite=overwrite)
    if report is not None:
        return _reproduce(report, evaluation, form, output, overwrite=overwrite)
    write_output(RENDERERS[form](evaluation), output, overwrite=overwrite)
    if all(score.value is None for score in evaluation.scores):
        raise FirstsightError("No score is defined for this corpus; the output says why for each.")
    return 0


def _settings(
    asked: dict[str, Any],
    form: str,
    inputs: tuple[str, str],
    output: str,
    per_image: str | None,
    *,
    overwrite: bool,
) -> tuple[Report | None, tuple[str, ...] | None, EvaluationOptions]:
    """Return the report to compare with, the metrics and the options, after every check that needs no captions."""
    from firstsight.evaluation import EvaluationOptions, left_out_metrics, read_card
    from firstsight.evaluation.reproduce import options_of, read_report

    if asked["reproduce"] is not None:
        _check_reproduce(form)
    check_outputs([*inputs, asked["card"], asked["reproduce"]], output, per_image, overwrite=overwrite)
    card = None if asked["card"] is None else read_card(asked["card"])
    if asked["reproduce"] is not None:
        report = read_report(asked["reproduce"])
        return report, report.metrics, options_of(report, card)
    options = EvaluationOptions(
        card=card,
        **{name: asked[name] for name in _OF_THE_REPORT if name != "metrics"},
    )
    if not asked["metrics"]:
        for name in left_out_metrics(options.language):
            note(f'{name.upper()} is left out: pip install "firstsight[{name}]"', quiet=asked["quiet"])
    return None, asked["metrics"] or None, options


def _check_reproduce(form: str) -> None:
    context = click.get_current_context()
    options = {parameter.name: parameter for parameter in context.command.params}
    for name in _OF_THE_REPORT:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            option = options[name].opts[0]
            raise UsageError(f"--reproduce takes what {option} says from the report; leave {option} out.")
    if form == "csv":
        raise UsageError("--reproduce prints a table or JSON, not csv.")


def _reproduce(report: Report, evaluation: Evaluation, form: str, output: str, *, overwrite: bool) -> int:
    from firstsight.evaluation.reproduce import compare, to_reproduction_json, to_reproduction_text

    found: Reproduction = compare(report, evaluation)
    text = json.dumps(to_reproduction_json(found), indent=2) + "\n" if form == "json" else to_reproduction_text(found)
    write_output(text, output, overwrite=overwrite)
    return 0 if found.is_equal else _EXIT_DIFFERS
