"""``firstsight card``: freezes what metrics learn of a reference set, so that scores of its parts compare."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from firstsight.cli._options import format_option, overwrite_option, quiet_option
from firstsight.cli._output import corpus_progress
from firstsight.cli._text import note
from firstsight.errors import OutputError

if TYPE_CHECKING:
    from firstsight.evaluation import ScoringCard
    from firstsight.types import Json

__all__ = ["card"]


@click.group(epilog="Example:  firstsight card build references.json -o references.card")
def card() -> None:
    """Freeze what metrics learn of references, so that scores of parts compare.

    CIDEr-D weighs words by how rare they are among the references. With a card that weighing is that of
    the whole set, whichever of its images are scored: a slice, a shard, one photo.
    """


@card.command(epilog="Example:  firstsight card build references.json -o references.card")
@click.argument("references")
@click.option("-o", "--output", required=True, metavar="FILE", help="The card.")
@click.option("--language", default="en", show_default=True, metavar="CODE", help="Language of the captions.")
@click.option("--tokenizer", default="", metavar="NAME", help="Cuts captions into words.  [by language]")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="A metric that learns; repeatable.  [all]")
@overwrite_option
@quiet_option
def build(
    references: str,
    output: str,
    language: str,
    tokenizer: str,
    metrics: tuple[str, ...],
    overwrite: bool,
    quiet: bool,
) -> None:
    """Make the scoring card of REFERENCES ("-": stdin).

    The same references make the same card, whatever the form and the order of their file.
    """
    from firstsight._files import check_output
    from firstsight.datasets import read_references
    from firstsight.evaluation import build_card, write_card

    path = Path(output)
    if references != "-" and path.resolve() == Path(references).resolve():
        raise OutputError(f"{path} is the file of references and is not overwritten. Choose another name.")
    check_output(path, overwrite=overwrite)
    with corpus_progress(quiet=quiet) as on_progress:
        made = build_card(
            read_references(references).captions,
            language=language,
            tokenizer=tokenizer,
            metrics=metrics,
            on_progress=on_progress,
        )
    write_card(made, path, overwrite=overwrite)
    note(_line(made, path), quiet=quiet)


@card.command(epilog="Example:  firstsight card show references.card")
@click.argument("file")
@format_option(["table", "json"], "table")
def show(file: str, format_name: str) -> None:
    """Check the card FILE and say what it holds."""
    from firstsight.evaluation import read_card

    found = read_card(file)
    facts = _facts(found)
    if format_name == "json":
        click.echo(json.dumps(facts, indent=2))
        return
    shown = {key.replace("_", " "): value for key, value in facts.items() if key != "metrics"}
    shown |= {f"learnt by {name}": _learnt_line(found, name) for name in found.metrics}
    width = max(map(len, shown))
    for key, value in shown.items():
        click.echo(f"{key:<{width}}  {value}")
    click.echo()
    click.echo(_line(found, Path(file)))


def _facts(card: ScoringCard) -> dict[str, Json]:
    return {
        "hash": card.hash,
        "images": card.n_images,
        "references": card.n_references,
        "reference_set": card.reference_set,
        "language": card.language,
        "tokenizer": card.tokenizer,
        "metrics": {
            name: {"version": metric.version, "parameters": dict(metric.parameters)}
            for name, metric in card.metrics.items()
        },
        "firstsight": card.firstsight,
    }


def _learnt_line(card: ScoringCard, name: str) -> str:
    sizes = (f"{len(array):,} {key}" for key, array in card.metrics[name].learnt.items())
    return f"version {card.metrics[name].version}: {', '.join(sizes)}"


def _line(card: ScoringCard, path: Path) -> str:
    from firstsight._text import visible

    return (
        f"{visible(os.fspath(path))}: scoring card {card.hash[:12]} of {card.n_images:,} images and "
        f"{card.n_references:,} references, {path.stat().st_size / 1e6:.1f} MB"
    )
