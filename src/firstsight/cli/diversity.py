"""``firstsight diversity``: how many different things captions say, and what of it is new."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from firstsight.cli._options import format_option, resamples_option, seed_option
from firstsight.cli._output import check_outputs
from firstsight.cli._text import warning
from firstsight.errors import CaptionFileError, UsageError

if TYPE_CHECKING:
    from firstsight.datasets import Role
    from firstsight.metrics.diversity import CaptionGroups, Measure
    from firstsight.tokenizers import TokenTable

__all__ = ["diversity"]

_N_FREQUENT = 10
_WIDTH = 100


@dataclass(frozen=True)
class _Row:
    name: str
    meaning: str
    value: float | None
    low: float | None
    high: float | None
    reason: str | None


@dataclass(frozen=True)
class _Report:
    n_images: int
    n_captions: int
    rows: list[_Row]
    frequent: list[tuple[str, int]]
    """Captions that several images have, with the number of these."""
    signature: str


@click.command(epilog="Example:  firstsight diversity captions.jsonl --corpus training.json")
@click.argument("candidates")
@click.option("--references", metavar="FILE", help="Human captions of the images: document frequencies, nouns.")
@click.option("--corpus", metavar="FILE", help="Captions known already, to tell what is new.")
@click.option("--tokenizer", "tokenizer_name", default="ptb", show_default=True, metavar="NAME", help="Cuts captions.")
@resamples_option("Bootstrap resamples of the 95 % intervals; 0 leaves them out.")
@seed_option
@format_option(["table", "json", "csv"], "table")
def diversity(
    candidates: str,
    references: str | None,
    corpus: str | None,
    tokenizer_name: str,
    n_resamples: int,
    seed: int,
    format_name: str,
) -> None:
    """Measure how many different things CANDIDATES ("-": stdin) say.

    All captions of an image count: COCO results that repeat an id, or lists of captions. With --corpus it says what is
    new, with --references too whether nouns that the corpus never has are named.

    Sizes and shares of a vocabulary have no interval: images drawn twice would repeat their words.
    """
    check_outputs([candidates, references, corpus])
    report = _report(candidates, references, corpus, tokenizer_name, (n_resamples, seed))
    click.echo({"table": _table, "json": _json, "csv": _csv}[format_name](report), nl=False)


def _report(
    candidates: str, references: str | None, corpus: str | None, tokenizer_name: str, draws: tuple[int, int]
) -> _Report:
    from firstsight.metrics.diversity import CaptionGroups, diversity_measures, most_frequent_captions
    from firstsight.metrics.novelty import novelty_measures
    from firstsight.tokenizers import TOKENIZERS

    tokenizer = TOKENIZERS.load(tokenizer_name)()
    own = _captions(candidates, "candidates")
    told = _captions(references, "references") if references else None
    known = _captions(corpus, "references") if corpus else None
    texts = [text for group in own.values() for text in group]

    def groups_of(captions: dict[str, tuple[str, ...]]) -> CaptionGroups:
        table = iter(tokenizer.table(text for group in captions.values() for text in group))
        return CaptionGroups.from_tokens([[next(table) for _ in group] for group in captions.values()])

    groups = groups_of(own)
    measures = diversity_measures(groups, groups_of(told) if told else None)
    if known:
        table = groups_of(known).table
        measures += novelty_measures(groups, table)
        if told:
            measures += _untold(own, told, groups, groups_of(told), table)
    fields: dict[str, object] = {"tok": f"{tokenizer.name}@{tokenizer.version}"}
    return _Report(
        n_images=len(groups),
        n_captions=len(texts),
        rows=[_row(measure, *draws) for measure in measures],
        frequent=[(texts[number], n_images) for number, n_images in most_frequent_captions(groups, _N_FREQUENT)],
        signature=_signature(fields, own, told, known, draws),
    )


def _captions(source: str, role: Role) -> dict[str, tuple[str, ...]]:
    """Return all captions of each image; images without any are left out, and how many is told."""
    from firstsight.datasets import read_captions

    file = read_captions(source, role)
    captions = {image_id: group for image_id, group in file.captions.items() if group}
    n_images, n_without = len(file.captions), len(file.captions) - len(captions)
    if not captions:
        raise CaptionFileError(f"{file.name}: none of {n_images:,} images has a caption.")
    if n_without:
        warning(f"{file.name}: {n_without:,} of {n_images:,} images have no caption and are left out.")
    return captions


def _untold(
    own: dict[str, tuple[str, ...]],
    told: dict[str, tuple[str, ...]],
    groups: CaptionGroups,
    references: CaptionGroups,
    corpus: TokenTable,
) -> list[Measure]:
    """Return the recall of nouns of the references that the corpus never has, over images with references."""
    from firstsight.metrics.diversity import CaptionGroups
    from firstsight.metrics.novelty import untold_nouns
    from firstsight.metrics.scene_graph import nouns

    places = {image_id: place for place, image_id in enumerate(told)}
    both = [(place, places[image_id]) for place, image_id in enumerate(own) if image_id in places]
    if not both:
        raise UsageError("No image of CANDIDATES has a caption in --references. Check the ids of both files.")
    if len(both) < len(own):
        warning(f"{len(own) - len(both):,} of {len(own):,} images have no references; untold_nouns is without them.")
    captions = CaptionGroups.from_tokens([groups.of_image(place) for place, _ in both])
    return [untold_nouns(captions, [references.of_image(place) for _, place in both], corpus, nouns)]


def _row(measure: Measure, n_resamples: int, seed: int) -> _Row:
    from firstsight.significance import bootstrap_interval

    low = high = None
    table, score = measure.statistics, measure.from_statistics
    # One image drawn again and again is always itself: no interval.
    if n_resamples and table is not None and score is not None and len(table) > 1:
        bounds = bootstrap_interval(table, score, n_resamples=n_resamples, seed=seed)
        low, high = (float(bound[0]) for bound in bounds)
    return _Row(measure.name, measure.meaning, measure.value, low, high, measure.reason)


def _signature(
    fields: dict[str, object],
    own: dict[str, tuple[str, ...]],
    told: dict[str, tuple[str, ...]] | None,
    known: dict[str, tuple[str, ...]] | None,
    draws: tuple[int, int],
) -> str:
    from firstsight._version import __version__
    from firstsight.evaluation.signature import HASH_DIGITS, corpus_part, reference_set_hash
    from firstsight.metrics.diversity import VERSION

    fields = {"diversity": VERSION, **fields, "images": len(own), "captions": sum(map(len, own.values()))}
    for key, captions in (("refset", told), ("corpus", known)):
        if captions:
            fields[key] = reference_set_hash(list(captions), list(captions.values()))[:HASH_DIGITS]
    fields["boot"] = draws[0]
    if draws[0]:
        fields["seed"] = draws[1]
    return corpus_part({**fields, "firstsight": __version__})


def _json(report: _Report) -> str:
    measures = {
        row.name: {"value": row.value, "low": row.low, "high": row.high, "reason": row.reason} for row in report.rows
    }
    frequent = [{"caption": caption, "n_images": n_images} for caption, n_images in report.frequent]
    whole = {
        "n_images": report.n_images,
        "n_captions": report.n_captions,
        "measures": measures,
        "most_frequent": frequent,
        "signature": report.signature,
    }
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def _csv(report: _Report) -> str:
    from firstsight.datasets.writers import csv_row

    lines = [csv_row("name", "value", "low", "high", "signature", "reason")]
    lines += [csv_row(row.name, row.value, row.low, row.high, report.signature, row.reason) for row in report.rows]
    return "".join(lines)


def _table(report: _Report) -> str:
    from firstsight.evaluation.signature import signature_lines

    lines = [f"{'measure':<14}{'value':>10}    {'95 % interval':<22}  what it is"]
    for row in report.rows:
        if row.value is None:
            lines.append(_cut(f"{row.name:<14}{'–':>10}    {row.reason}"))
            continue
        interval = "" if row.low is None or row.high is None else f"{_shown(row, row.low)} – {_shown(row, row.high)}"
        lines.append(_cut(f"{row.name:<14}{_shown(row, row.value):>10}    {interval:<22}  {row.meaning}"))
    if report.frequent:
        lines += ["", "Captions that most images have"]
        lines += [_cut(f"{n_images:>8,}  {_visible(caption)}") for caption, n_images in report.frequent]
    lines += ["", *signature_lines(report.signature, _WIDTH, ("", ""))]
    lines += ["", f"{report.n_captions:,} captions of {report.n_images:,} images"]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _shown(row: _Row, value: float) -> str:
    return f"{value:,.0f}" if row.name == "vocabulary" else f"{value:.3f}"


def _visible(caption: str) -> str:
    from firstsight._text import visible

    return visible(" ".join(caption.split()))


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1]}…"
