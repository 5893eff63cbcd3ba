"""A comparison as JSON, CSV or a table for the terminal, and its per-image scores as CSV or JSONL."""

from __future__ import annotations

import json
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from firstsight._files import write_whole
from firstsight._text import visible
from firstsight.datasets.writers import csv_row, guarded, guarded_id
from firstsight.evaluation._comparison_types import Pair, Slice, SystemScore
from firstsight.evaluation.comparison import Comparison
from firstsight.evaluation.output import check_per_image_path
from firstsight.evaluation.signature import HASH_DIGITS, parse_signature, shared_part, signature_lines
from firstsight.types import Json, Score

__all__ = [
    "SLICE_NOTE",
    "TEXT_RENDERERS",
    "headline",
    "summary_line",
    "to_csv",
    "to_json",
    "to_json_text",
    "to_table",
    "write_per_image",
]

SCHEMA_VERSION = 1
WIDTH = 100
_COLUMNS = ("column", "value", "n_images", "name", "system", "score", "low", "high")
_MORE_COLUMNS = ("best_rank", "worst_rank", "groups", "signature", "reason")
SLICE_NOTE = (
    "What a metric learnt of all images, such as the document frequencies of CIDEr-D, holds in every slice too, "
    "so slices compare with each other. A slice scored alone has another CIDEr-D."
)
_HEADLINES = ("CIDEr-D", "SPICE", "METEOR", "ROUGE-L", "BLEU-4")
_MAX_NAME = 28
_SUMMARY_SYSTEMS = 3
_TESTS = {"permutation": "paired permutation test", "bootstrap": "paired bootstrap test"}
_CORRECTIONS = {"holm": "Holm", "bh": "Benjamini-Hochberg", "none": "uncorrected"}


def headline(comparison: Comparison) -> str:
    """Return the name of the score by which slices and the summary are told: CIDEr-D where there is one."""
    defined = [name for name, entries in comparison.scores.items() if entries[0].score.value is not None]
    return next((name for name in _HEADLINES if name in defined), (defined or list(comparison.scores))[-1])


def test_words(comparison: Comparison) -> str:
    """Return how pairs were tested, such as ``paired permutation test, Holm``."""
    return f"{_TESTS[comparison.options.test]}, {_CORRECTIONS[comparison.options.correction]}"


def test_signature(comparison: Comparison) -> str:
    """Return how pairs were tested as fields of a signature."""
    options, n_systems = comparison.options, len(comparison.systems)
    return (
        f"test:{options.test}|testboot:{options.n_test_resamples(n_systems)}|correction:{options.correction}|"
        f"alpha:{options.alpha:g}|systems:{n_systems}"
    )


def to_json(comparison: Comparison) -> dict[str, Json]:
    """Return the comparison as one object.

    ``schema_version``; ``systems``, their names in the order given; ``n_images``, ``n_references``; ``test``,
    ``correction``, ``alpha``, ``n_resamples`` (of intervals), ``n_test_resamples``, ``seed``; ``card``, the hash of the
    scoring card, where there is one; ``notes``; and by name ``scores``. A score has ``signature`` and

    - ``systems``, best first: ``system``, ``score``, ``low`` and ``high`` (95 % interval), ``best_rank`` and
      ``worst_rank`` (they hold for all systems together at 95 %) and ``groups`` (letters; two systems share one exactly
      where the test does not tell them apart);
    - ``pairs``, every two systems, the better one ``first``: ``second``, ``difference`` with ``low`` and ``high``,
      ``p`` and ``p_corrected``, and the images on which the first ``wins``, ``ties`` and ``losses``.

    An undefined score has ``systems`` null and ``reason``. ``slices`` is a list of ``column``, ``value``, ``n_images``
    and, by name, ``scores``: for each system ``system``, ``score``, ``low`` and ``high``. Metrics that learn of the
    references (CIDEr-D) have learnt of all images there. Fields are added, never renamed.
    """
    options, card = comparison.options, comparison.options.evaluation.card
    return {
        "schema_version": SCHEMA_VERSION,
        "systems": list(comparison.systems),
        "n_images": comparison.n_images,
        "n_references": comparison.n_references,
        "test": options.test,
        "correction": options.correction,
        "alpha": options.alpha,
        "n_resamples": options.evaluation.n_resamples,
        "n_test_resamples": options.n_test_resamples(len(comparison.systems)),
        "seed": options.evaluation.seed,
        **({"card": card.hash} if card else {}),
        "scores": {name: _score_entry(entries, comparison.pairs[name]) for name, entries in comparison.scores.items()},
        "slices": [_slice_entry(comparison, part) for part in comparison.slices],
        "notes": list(comparison.notes),
    }


def to_json_text(comparison: Comparison) -> str:
    """Return ``to_json`` as text that ends in a line feed."""
    return json.dumps(to_json(comparison), indent=2, allow_nan=False) + "\n"


def to_csv(comparison: Comparison) -> str:
    """Return one row a score and system, of all images and then of each slice.

    The columns are ``column,value,n_images,name,system,score,low,high,best_rank,worst_rank,groups,signature,reason``;
    what does not exist is empty. Pairs stand in the JSON.
    """
    rows: list[tuple[object, ...]] = [(*_COLUMNS, *_MORE_COLUMNS)]
    for name, entries in comparison.scores.items():
        for entry in entries:
            ranks = (entry.best_rank, entry.worst_rank, entry.groups)
            rows.append((None, None, comparison.n_images, name, *_cells(entry.system, entry.score, ranks)))
    for part in comparison.slices:
        for name, scores in part.scores.items():
            for system, score in zip(comparison.systems, scores, strict=True):
                cells = _cells(system, score, (None, None, None))
                rows.append((guarded(part.column), guarded(part.value), part.n_images, name, *cells))
    return "".join(csv_row(*row) for row in rows)


def to_table(comparison: Comparison) -> str:
    """Return aligned columns at most 100 characters wide, the signatures, and a last line to paste."""
    images = f"{comparison.n_images:,} images, {comparison.n_references:,} references"
    lines = [f"{len(comparison.systems)} systems, {images}"]
    lines += textwrap.wrap(
        f"Rank: the ranks a system may have, for all systems together at 95 %. Group: systems that share a letter are "
        f"not told apart ({test_words(comparison)}, {comparison.options.alpha:g}).",
        WIDTH,
    )
    for name, entries in comparison.scores.items():
        lines += ["", *_block(name, entries, comparison.pairs[name])]
    if comparison.slices:
        lines += ["", *_slices(comparison)]
    lines += ["", "Signatures: what belongs to each score, then what all of them share"]
    signatures = [entries[0].score.signature for entries in comparison.scores.values()]
    for part in [*(shared_part(signature)[0] for signature in signatures), shared_part(signatures[0])[1]]:
        lines += signature_lines(part)
    lines.append(f"  {test_signature(comparison)}")
    for note in comparison.notes:
        lines += textwrap.wrap(visible(note), WIDTH, subsequent_indent="  ")
    return "\n".join([*lines, "", summary_line(comparison)]) + "\n"


def summary_line(comparison: Comparison) -> str:
    """Return one line for a paper or a bug report: the first systems by the headline score, with their groups."""
    name = headline(comparison)
    entries = comparison.scores[name]
    if entries[0].score.value is None:
        return f"{name}: undefined"
    shared = f"(n={comparison.n_images}, refset {comparison.reference_set[:HASH_DIGITS]})"
    for n_shown in range(_SUMMARY_SYSTEMS, 0, -1):
        shown = [f"{_cut(entry.system)} {entry.score.value:.3f} {entry.groups}".rstrip() for entry in entries[:n_shown]]
        more = [f"{len(entries) - n_shown} more"] if len(entries) > n_shown else []
        line = f"{name}: {', '.join([*shown, *more])} {shared}"
        if len(line) <= WIDTH:
            break
    return line


def per_image_csv(comparison: Comparison) -> str:
    """Return a row an image and system: ``image_id``, ``system`` and a column a score."""
    names = list(comparison.per_image)
    rows = ((guarded_id(image_id), guarded(system), *values) for image_id, system, values in _per_image(comparison))
    return "".join(csv_row(*row) for row in (("image_id", "system", *names), *rows))


def per_image_jsonl(comparison: Comparison) -> str:
    """Return an object an image and system: ``image_id``, ``system`` and each score."""
    names = list(comparison.per_image)
    return "".join(
        json.dumps({"image_id": image_id, "system": system, **dict(zip(names, values, strict=True))}) + "\n"
        for image_id, system, values in _per_image(comparison)
    )


def write_per_image(comparison: Comparison, path: str | Path, *, overwrite: bool = False) -> None:
    """Write the scores of each image and system to a ``.csv`` or ``.jsonl`` file, whole or not at all.

    Raises:
        UsageError: The extension is another one.
        OutputError: The file exists and ``overwrite`` is false, or it cannot be written.
    """
    check_per_image_path(Path(path), overwrite=overwrite)
    writer = per_image_csv if Path(path).suffix.lower() == ".csv" else per_image_jsonl
    write_whole(Path(path), writer(comparison), overwrite=overwrite)


TEXT_RENDERERS: Mapping[str, Callable[[Comparison], str]] = MappingProxyType(
    {"table": to_table, "json": to_json_text, "csv": to_csv}
)
"""The forms of ``firstsight compare --format`` that are text."""


def _per_image(comparison: Comparison) -> Sequence[tuple[str, str, list[float]]]:
    columns = [table.tolist() for table in comparison.per_image.values()]
    return [
        (image_id, system, [column[row][at] for column in columns])
        for row, image_id in enumerate(comparison.image_ids)
        for at, system in enumerate(comparison.systems)
    ]


def _score_entry(entries: Sequence[SystemScore], pairs: Sequence[Pair]) -> Json:
    signature = entries[0].score.signature
    if entries[0].score.value is None:
        return {"signature": signature, "systems": None, "reason": entries[0].score.reason}
    systems: list[Json] = [
        {
            **_value_entry(entry.system, entry.score),
            "best_rank": entry.best_rank,
            "worst_rank": entry.worst_rank,
            "groups": entry.groups,
        }
        for entry in entries
    ]
    return {"signature": signature, "systems": systems, "pairs": [_pair_entry(pair) for pair in pairs]}


def _pair_entry(pair: Pair) -> Json:
    return {
        "first": pair.first,
        "second": pair.second,
        "difference": pair.difference,
        "low": pair.low,
        "high": pair.high,
        "p": pair.p_value,
        "p_corrected": pair.corrected,
        "wins": pair.wins,
        "ties": pair.ties,
        "losses": pair.losses,
    }


def _slice_entry(comparison: Comparison, part: Slice) -> Json:
    scores: dict[str, Json] = {
        name: [_value_entry(system, score) for system, score in zip(comparison.systems, scores, strict=True)]
        for name, scores in part.scores.items()
    }
    return {"column": part.column, "value": part.value, "n_images": part.n_images, "scores": scores}


def _value_entry(system: str, score: Score) -> dict[str, Json]:
    return {"system": system, "score": score.value, "low": score.low, "high": score.high}


def _cells(system: str, score: Score, ranks: tuple[object, object, object]) -> tuple[object, ...]:
    return (guarded(system), score.value, score.low, score.high, *ranks, score.signature, score.reason)


def _block(name: str, entries: Sequence[SystemScore], pairs: Sequence[Pair]) -> list[str]:
    """Return the lines of one score: a row a system, best first, with its pair with the best one."""
    fields = parse_signature(entries[0].score.signature)
    if entries[0].score.value is None:
        said = f"{name}: no score: {visible(entries[0].score.reason or '')}"
        return textwrap.wrap(said, WIDTH, subsequent_indent="  ")
    width = max(6, *(_columns(_cut(entry.system)) for entry in entries))
    is_ranked = entries[0].best_rank is not None
    against = {pair.second: pair for pair in pairs if pair.first == entries[0].system}
    better = f", {fields['better']} is better" if is_ranked else ""
    head = f"rank   {'system':<{width}}   score  95 % interval   group"
    lines = [f"{name}{better}", f"{head}  to the best      p  win/tie/loss".rstrip() if is_ranked else head]
    return [*lines, *(_system_row(entry, against.get(entry.system), width) for entry in entries)]


def _system_row(entry: SystemScore, pair: Pair | None, width: int) -> str:
    score = entry.score
    interval = "" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"
    row = (
        f"{rank_text(entry):<5}  {_padded(entry.system, width)}  {score.value:6.3f}  {interval:<14}  {entry.groups:<5}"
    )
    if pair is not None:  # the pair is told from the side of the best system; here it is this one's
        wins = f"{pair.losses}/{pair.ties}/{pair.wins}"
        row += f"  {signed(-pair.difference):>11}  {p_text(pair.corrected):>5}  {wins}"
    return row.rstrip()


def rank_text(entry: SystemScore) -> str:
    """Return the ranks that a system may have, such as ``2–3``; empty for a score that is no quality."""
    if entry.best_rank is None:
        return ""
    return f"{entry.best_rank}" if entry.best_rank == entry.worst_rank else f"{entry.best_rank}–{entry.worst_rank}"


def signed(difference: float) -> str:
    """Return a difference with its sign, ``0.000`` where it rounds to nothing."""
    shown = f"{difference:+.3f}"
    return "0.000" if shown in ("+0.000", "-0.000") else shown


def p_text(p_value: float) -> str:
    """Return a p-value as tables print it, such as ``0.012`` or ``<.001``."""
    return "<.001" if p_value < 0.001 else f"{p_value:.3f}"


def _slices(comparison: Comparison) -> list[str]:
    name = headline(comparison)
    width = max(6, *(_columns(_cut(system)) for system in comparison.systems))
    lines = [f"{name} by slice (the other scores stand in the JSON and CSV)", *textwrap.wrap(SLICE_NOTE, WIDTH)]
    order = [comparison.systems.index(entry.system) for entry in comparison.scores[name]]
    for part in comparison.slices:
        lines.append(f"{visible(part.column)} = {visible(part.value)} ({part.n_images:,} images)"[:WIDTH])
        for system in order:
            score = part.scores[name][system]
            value = "undefined" if score.value is None else f"{score.value:6.3f}"
            interval = "" if score.low is None or score.high is None else f"  {score.low:.3f} to {score.high:.3f}"
            lines.append(f"       {_padded(comparison.systems[system], width)}  {value}{interval}")
    return lines


def _cut(name: str) -> str:
    """Return the end of a name that is too long, where names of one series differ."""
    while _columns(name) > _MAX_NAME:
        name = f"…{name.removeprefix('…')[1:]}"
    return name


def _padded(name: str, width: int) -> str:
    shown = _cut(name)
    return shown + " " * (width - _columns(shown))


def _columns(text: str) -> int:
    """Return how many columns of a terminal the text takes; Hangul and other wide characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
