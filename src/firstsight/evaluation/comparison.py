"""Several systems against the same references: scores, and which of their differences are more than chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight.datasets import CaptionSource, read_references
from firstsight.datasets.columns import read_column
from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation._comparison_scores import Drawn, ScoredSystems, draw, score_systems, tables_of
from firstsight.evaluation._comparison_systems import (
    corpora,
    join_systems,
    named_files,
    places_of,
    read_systems,
)
from firstsight.evaluation._comparison_types import (
    ComparisonOptions,
    Correction,
    Pair,
    Slice,
    SystemScore,
    Test,
)
from firstsight.evaluation._images import ImageSource, files_for
from firstsight.evaluation._options import Progress, default_metrics, load_metrics, load_tokenizer
from firstsight.evaluation._scored import restore_card, scored_fields, shared_fields, signatures_of
from firstsight.evaluation.join import JoinedCaptions
from firstsight.evaluation.signature import reference_set_hash

if TYPE_CHECKING:
    from firstsight.metrics import Metric
    from firstsight.tokenizers import Tokenizer

__all__ = [
    "Comparison",
    "ComparisonOptions",
    "Correction",
    "Pair",
    "Slice",
    "SystemScore",
    "Test",
    "compare",
    "compare_files",
]

_MAX_SLICES = 200


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """The scores of several systems on the same images.

    Attributes:
        systems: Their names, in the order given.
        scores: By name of the score, a ``SystemScore`` for each system, best first.
        pairs: By name of the score, a ``Pair`` for every two systems, in the order of ``scores``; none for a score that
            is undefined or no quality.
        slices: The slices that were asked for, in the order of their values.
        image_ids: The images that were scored, in the order of their ids.
        per_image: By name of the score, array (image, system) float64.
        options: What the comparison was told.
        n_references: The references of these images together.
        reference_set: Hash of ids and references, 64 hex digits.
        notes: What a reader must know.
    """

    systems: tuple[str, ...]
    scores: Mapping[str, tuple[SystemScore, ...]]
    pairs: Mapping[str, tuple[Pair, ...]]
    slices: tuple[Slice, ...]
    image_ids: tuple[str, ...]
    per_image: Mapping[str, npt.NDArray[np.float64]]
    options: ComparisonOptions
    n_references: int
    reference_set: str
    notes: tuple[str, ...] = ()

    @property
    def n_images(self) -> int:
        """The number of images that were scored."""
        return len(self.image_ids)


def compare(
    systems: Mapping[str, Mapping[str, str]],
    references: Mapping[str, Sequence[str]],
    *,
    metrics: Sequence[str] | None = None,
    options: ComparisonOptions | None = None,
    slices: Mapping[str, Mapping[str, str]] | None = None,
    on_progress: Progress | None = None,
    images: ImageSource | None = None,
) -> Comparison:
    """Return scores, ranks and tests of two or more systems against the same references.

    Args:
        systems: The candidates of each system by its name: one caption an image, by image id.
        references: At least one caption an image, by image id.
        metrics: Registered names; the default metrics of the language unless given.
        options: What is tested and how; the defaults unless given.
        slices: By name of a column, the value of each image.
        on_progress: Called as images are tokenised and scored.
        images: The image files, for metrics that look at them.

    Raises:
        UsageError: There are fewer than two systems, or an option or a metric is not allowed.
        CaptionFileError: Images have no candidate, or nothing can be scored.

    Example:
        >>> references = {str(n): ["A dog runs on green grass."] for n in range(20)}
        >>> good = dict.fromkeys(references, "A dog runs on grass.")
        >>> poor = dict.fromkeys(references, "A cat.")
        >>> found = compare({"good": good, "poor": poor}, references, metrics=["rouge_l"])
        >>> [(entry.system, entry.groups) for entry in found.scores["ROUGE-L"]]
        [('good', 'a'), ('poor', 'b')]
        >>> found.pairs["ROUGE-L"][0].wins
        20
    """
    options = options or ComparisonOptions()
    setup = _set_up(metrics, options, on_progress)
    _check_systems(systems)
    joined = join_systems(systems, references, options.evaluation.missing)
    return _compare(setup, joined, slices or {}, files_for(setup.metrics, images, _image_ids(joined)))


def compare_files(
    systems: Sequence[str],
    references: CaptionSource,
    *,
    metrics: Sequence[str] | None = None,
    options: ComparisonOptions | None = None,
    slice_by: Mapping[str, CaptionSource] | None = None,
    on_progress: Progress | None = None,
    images: ImageSource | None = None,
) -> Comparison:
    """Return the comparison of files of candidates, as ``compare`` does.

    Args:
        systems: Files, or ``NAME=FILE``; a system is called as its file without extension unless named.
        references: A file of references.
        metrics: As for ``compare``.
        options: As for ``compare``.
        slice_by: By name of a column, the manifest that has it: CSV, TSV or JSONL with the id of the image.
        on_progress: As for ``compare``.
        images: As for ``compare``; files are found by their names in caption files as ``evaluate_files`` does.
    """
    options = options or ComparisonOptions()
    setup = _set_up(metrics, options, on_progress)
    _check_systems(systems)
    systems_and_files = named_files(systems)
    columns = {column: read_column(source, column) for column, source in (slice_by or {}).items()}
    reference_file = read_references(references)
    files = read_systems(systems_and_files)
    places = places_of(files, reference_file)
    candidates = {name: file.captions for name, file in files.items()}
    joined = join_systems(candidates, reference_file.captions, options.evaluation.missing, places)
    named = {image_id: path for file in files.values() for image_id, path in file.files.items()}
    found = files_for(setup.metrics, images, _image_ids(joined), reference_file.files, named)
    return _compare(setup, joined, columns, found)


@dataclass(frozen=True, slots=True)
class _Setup:
    metrics: list[Metric]
    tokenizer: Tokenizer
    options: ComparisonOptions
    on_progress: Progress | None


def _set_up(names: Sequence[str] | None, options: ComparisonOptions, on_progress: Progress | None) -> _Setup:
    """Check everything that can be checked before a caption is read."""
    language = options.evaluation.language
    metrics = load_metrics(default_metrics(language) if names is None else names, language)
    tokenizer = load_tokenizer(options.evaluation.tokenizer)
    restore_card(metrics, tokenizer, options.evaluation)
    return _Setup(metrics, tokenizer, options, on_progress)


def _check_systems(systems: Sequence[str] | Mapping[str, Mapping[str, str]]) -> None:
    if len(systems) < 2:
        raise UsageError(f"A comparison needs two systems or more, got {len(systems)}. Score one with evaluate.")


def _image_ids(joined: Mapping[str, JoinedCaptions]) -> tuple[str, ...]:
    return next(iter(joined.values())).image_ids


def _compare(
    setup: _Setup,
    joined: Mapping[str, JoinedCaptions],
    columns: Mapping[str, Mapping[str, str]],
    images: Mapping[str, Path] | None,
) -> Comparison:
    first = next(iter(joined.values()))
    image_ids = tuple(sorted(first.image_ids))
    members = {column: _members(column, values, image_ids) for column, values in columns.items()}
    options = setup.options.evaluation
    systems = corpora(list(joined.values()), setup.tokenizer, images=images, on_progress=setup.on_progress)
    tables, reasons = tables_of(setup.metrics, systems, options)
    drawn = _drawn(setup, tables)
    reference_set = reference_set_hash(first.image_ids, first.references)
    counts = {"images": len(image_ids), "refs": sum(map(len, first.references))}
    absent = max(system.n_absent for system in joined.values())
    more = {"absent": absent} if absent else {}
    shared = shared_fields(setup.tokenizer, options, scored_fields(options, counts, reference_set, **more))
    found = ScoredSystems(tuple(joined), setup.options, members)
    for number, metric in enumerate(setup.metrics):
        signatures = signatures_of(metric, options, shared)
        if number in reasons:
            for name, signature in zip(metric.score_names, signatures, strict=True):
                found.add_undefined(name, signature, reasons[number])
        else:
            score_systems(found, metric, tables[number], signatures, drawn[number])
    foreign = options.card.notes_on(first.image_ids, first.references) if options.card else ()
    slices = tuple(
        Slice(column, value, len(rows), {name: scores[column, value] for name, scores in found.slices.items()})
        for column, values in members.items()
        for value, rows in values.items()
    )
    return Comparison(
        systems=found.systems,
        scores=found.scores,
        pairs=found.pairs,
        slices=slices,
        image_ids=image_ids,
        per_image=found.per_image,
        options=setup.options,
        n_references=counts["refs"],
        reference_set=reference_set,
        notes=(*_notes(joined, members, len(image_ids)), *foreign),
    )


def _drawn(setup: _Setup, tables: Mapping[int, npt.NDArray[np.float64]]) -> dict[int, Drawn]:
    """Return the resamples of each metric that has statistics, by its number."""
    if not tables:
        return {}
    metrics = [setup.metrics[number] for number in tables]
    drawn = draw(metrics, list(tables.values()), setup.options)
    ends = np.cumsum([len(metric.score_names) for metric in metrics])[:-1]
    parts = zip(np.split(drawn.resampled, ends, axis=-1), np.split(drawn.p_values, ends, axis=-1), strict=True)
    return {number: Drawn(*part) for number, part in zip(tables, parts, strict=True)}


def _members(column: str, values: Mapping[str, str], image_ids: Sequence[str]) -> dict[str, npt.NDArray[np.intp]]:
    """Return the rows of the images that have each value, in the order of the values."""
    rows: dict[str, list[int]] = {}
    for row, image_id in enumerate(image_ids):
        if image_id in values:
            rows.setdefault(values[image_id], []).append(row)
    if not rows:
        raise CaptionFileError(f"No image that is scored has a value of {column!r}; check the ids of the manifest.")
    if len(rows) > _MAX_SLICES:
        raise UsageError(
            f"The column {column!r} has {len(rows):,} different values; a slice needs few, {_MAX_SLICES} at most. "
            "Put neighbouring values together."
        )
    return {value: np.array(rows[value]) for value in sorted(rows)}


def _notes(
    joined: Mapping[str, JoinedCaptions], members: Mapping[str, Mapping[str, npt.NDArray[np.intp]]], n_images: int
) -> list[str]:
    notes = [f"{name}: {note}" for name, system in joined.items() for note in system.notes]
    for column, values in members.items():
        n_without = n_images - sum(map(len, values.values()))
        if n_without:
            notes.append(f"{n_without:,} of {n_images:,} images have no value of {column!r} and are in no slice.")
    return notes
