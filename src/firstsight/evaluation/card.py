"""Scoring cards: what metrics learn of a reference set, frozen in one file, so that scores of its parts compare."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firstsight._version import __version__
from firstsight.errors import CaptionFileError, MissingDependencyError, UsageError
from firstsight.evaluation._card_file import (
    Array,
    Blobs,
    canonical_hash,
    decoded,
    encoded,
    read_members,
    write_members,
)
from firstsight.evaluation._options import (
    Progress,
    checked_language,
    load_metrics,
    load_tokenizer,
    speaks,
    tokenizer_of,
)
from firstsight.evaluation.signature import HASH_DIGITS, reference_set_hash
from firstsight.metrics import METRICS, Corpus, Metric
from firstsight.types import Json

__all__ = ["LearntMetric", "ScoringCard", "build_card", "read_card", "write_card"]

SCHEMA_VERSION = 1
_KIND = "firstsight scoring card"


@dataclass(frozen=True, slots=True)
class LearntMetric:
    """What one metric learnt: ``Metric.learnt()``, with the version and the parameters it was learnt under."""

    version: str
    parameters: Mapping[str, Json]
    learnt: Mapping[str, Array]


@dataclass(frozen=True, eq=False)
class ScoringCard:
    """What metrics learnt of one reference set.

    Attributes:
        language: Code of the captions' language, such as ``en``.
        tokenizer: Name and version of the tokenizer, such as ``ptb@1``.
        n_images: The number of images of the reference set.
        n_references: The number of their references.
        reference_set: Its hash, 64 hex digits, see ``reference_set_hash``.
        metrics: By name, what each metric that learns has learnt.
        image_marks: Array (n_images, 2) int64 in ascending order: the first 32 bits of the hash of each id, and of the
            hash of id and references together, by which an image is known again.
        firstsight: Version of firstsight that made it; the only field that the hash does not cover.
    """

    language: str
    tokenizer: str
    n_images: int
    n_references: int
    reference_set: str
    metrics: Mapping[str, LearntMetric]
    image_marks: npt.NDArray[np.int64]
    firstsight: str = __version__

    @cached_property
    def hash(self) -> str:
        """SHA-256 (64 hex digits) of all that decides a score: two cards with one hash give the same scores."""
        return canonical_hash(_content(self, {}))

    def restore(self, metric: Metric) -> None:
        """Give a metric what it learnt of this card's references, in place of ``prepare``.

        Raises:
            UsageError: The card has nothing for it, or only for another version or other parameters.
            CaptionFileError: The card holds something that this metric does not learn.
        """
        name = metric.name
        if name not in self.metrics:
            held = ", ".join(sorted(self.metrics)) or "none"
            raise UsageError(
                f"The scoring card {self.hash[:HASH_DIGITS]} has nothing for the metric {name!r}; it is for {held}. "
                f"Build the card again, or leave the metric out."
            )
        held_metric = self.metrics[name]
        theirs, ours = (held_metric.version, dict(held_metric.parameters)), (metric.version, metric.parameters)
        if theirs != ours:
            raise UsageError(
                f"The scoring card {self.hash[:HASH_DIGITS]} is for {name} version {theirs[0]} {_shown(theirs[1])}; "
                f"here is version {ours[0]} {_shown(ours[1])}. Build the card again with this firstsight, or use "
                f"firstsight {self.firstsight}, which made it."
            )
        try:
            metric.restore(held_metric.learnt)
        except (ArithmeticError, LookupError, TypeError, ValueError) as error:
            raise CaptionFileError(
                f"The scoring card {self.hash[:HASH_DIGITS]} does not hold what {name} learns ({error!r}). "
                "Build it again: firstsight card build"
            ) from error

    def check_tokenizer(self, tokenizer: str) -> None:
        """Check that ``tokenizer``, such as ``ptb@1``, is the one the card was made with.

        Raises:
            UsageError: It is another one.
        """
        if tokenizer != self.tokenizer:
            raise UsageError(
                f"The scoring card {self.hash[:HASH_DIGITS]} was made with the tokenizer {self.tokenizer} and these "
                f"captions are cut by {tokenizer}. Use --tokenizer {self.tokenizer.partition('@')[0]}, or build the "
                "card again."
            )

    def notes_on(self, image_ids: Sequence[str], references: Sequence[Sequence[str]]) -> tuple[str, ...]:
        """Return what a reader must know of images that are scored with this card: ids or references it has not."""
        ids = set(self.image_marks[:, 0].tolist())
        pairs = set(map(tuple, self.image_marks.tolist()))
        marks = [_mark(image_id, group) for image_id, group in zip(image_ids, references, strict=True)]
        n_foreign = sum(mark[0] not in ids for mark in marks)
        n_changed = sum(mark[0] in ids and mark not in pairs for mark in marks)
        card, notes = f"the scoring card {self.hash[:HASH_DIGITS]}", []
        if n_foreign:
            verb = "is" if n_foreign == 1 else "are"
            notes.append(f"{n_foreign:,} of {_images(len(marks))} {verb} not among the {self.n_images:,} of {card}.")
        if n_changed:
            verb = "has" if n_changed == 1 else "have"
            notes.append(f"{n_changed:,} of {_images(len(marks))} {verb} other references than in {card}.")
        return tuple(notes)


def build_card(
    references: Mapping[str, Sequence[str]],
    *,
    language: str = "en",
    tokenizer: str = "",
    metrics: Sequence[str] = (),
    on_progress: Progress | None = None,
) -> ScoringCard:
    """Return the scoring card of a reference set.

    Args:
        references: At least one caption an image, by image id; their order does not matter.
        language: Code of their language.
        tokenizer: Registered name; empty for that of the language.
        metrics: Registered names of metrics that learn; empty for all that can run.
        on_progress: Called as images are tokenised.

    Raises:
        MetricUndefinedError: A metric learns nothing of so few images.
        UsageError: A name is not allowed, a metric does not learn, or an image has no reference.

    Example:
        >>> references = {"1": ["A dog runs."], "2": ["Two cats sleep."], "3": ["A cat and a dog."]}
        >>> card = build_card(references)
        >>> card.tokenizer, card.n_images, len(card.hash), "cider_d" in card.metrics
        ('ptb@1', 3, 64, True)
    """
    language = checked_language(language)
    loaded = load_metrics(metrics or learning_metrics(language), language)
    dumb = [metric.name for metric in loaded if not metric.learns()]
    if dumb:
        raise UsageError(
            f"The metric {dumb[0]!r} learns nothing of references, so a card holds nothing for it. "
            f"Metrics that learn: {', '.join(learning_metrics(language))}."
        )
    cutter = load_tokenizer(tokenizer or tokenizer_of(language))
    image_ids = sorted(references)
    groups = [tuple(references[image_id]) for image_id in image_ids]
    corpus = Corpus([""] * len(groups), groups, cutter, image_ids=image_ids, on_progress=on_progress)
    learnt: dict[str, LearntMetric] = {}
    for metric in loaded:
        metric.prepare(corpus)
        arrays = {name: _plain_array(values) for name, values in metric.learnt().items()}
        learnt[metric.name] = LearntMetric(metric.version, metric.parameters, arrays)
    marks = sorted(_mark(image_id, group) for image_id, group in zip(image_ids, groups, strict=True))
    return ScoringCard(
        language=language,
        tokenizer=f"{cutter.name}@{cutter.version}",
        n_images=len(groups),
        n_references=sum(map(len, groups)),
        reference_set=reference_set_hash(image_ids, groups),
        metrics=learnt,
        image_marks=np.array(marks, dtype=np.int64).reshape(-1, 2),
    )


def write_card(card: ScoringCard, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a scoring card to one file, whole or not at all; the same card is the same bytes.

    Raises:
        OutputError: The file exists and ``overwrite`` is false, or it cannot be written.
    """
    blobs: Blobs = {}
    content = _content(card, blobs)
    header: Json = {
        "kind": _KIND,
        "schema_version": SCHEMA_VERSION,
        "firstsight": card.firstsight,
        "hash": canonical_hash(content),
        "content": content,
    }
    write_members(Path(path), header, blobs, overwrite=overwrite)


def read_card(path: str | os.PathLike[str]) -> ScoringCard:
    """Return the scoring card of a file, after its hashes are checked.

    Raises:
        CaptionFileError: There is no such file, it is no whole scoring card, or of a version not known here.
    """
    path = Path(path)
    header, blobs = read_members(path)
    if header.get("kind") != _KIND or not isinstance(content := header.get("content"), dict):
        raise CaptionFileError(f"{path} is a zip file, but no scoring card. Make one with: firstsight card build")
    if header.get("schema_version") != SCHEMA_VERSION:
        raise CaptionFileError(
            f"{path} is a scoring card of format {header.get('schema_version')!r}, made by firstsight "
            f"{header.get('firstsight')}; this firstsight {__version__} reads format {SCHEMA_VERSION}. "
            "Build it again, or install the firstsight that made it."
        )
    if canonical_hash(content) != header.get("hash"):
        raise CaptionFileError(f"{path} was changed after it was made: its hash does not fit. Copy or build it again.")
    try:
        return _card_of(content, blobs, str(header["firstsight"]))
    except (LookupError, TypeError, ValueError, OverflowError) as error:
        raise CaptionFileError(f"{path} is no whole scoring card ({error!r}). Build it again.") from error


def learning_metrics(language: str) -> list[str]:
    """Return the names of the registered metrics that learn and can run here in that language."""
    names = []
    for name in METRICS.names():
        try:
            metric = METRICS.load(name)
        except MissingDependencyError:
            continue
        if metric.learns() and metric.is_available() and speaks(metric, language):
            names.append(name)
    return names


def _content(card: ScoringCard, blobs: Blobs) -> dict[str, Json]:
    """Return all that decides a score, as the header holds it; fills ``blobs``."""
    return {
        "language": card.language,
        "tokenizer": card.tokenizer,
        "n_images": card.n_images,
        "n_references": card.n_references,
        "reference_set": card.reference_set,
        "image_marks": encoded(card.image_marks, blobs),
        "metrics": {
            name: {
                "version": metric.version,
                "parameters": dict(metric.parameters),
                "learnt": {key: encoded(array, blobs) for key, array in metric.learnt.items()},
            }
            for name, metric in card.metrics.items()
        },
    }


def _card_of(content: Mapping[str, Any], blobs: Blobs, firstsight: str) -> ScoringCard:
    marks = decoded(content["image_marks"], blobs)
    if isinstance(marks, list) or marks.shape != (content["n_images"], 2):
        raise ValueError("the images are not those of the header")
    return ScoringCard(
        language=checked_language(content["language"]),
        tokenizer=str(content["tokenizer"]),
        n_images=int(content["n_images"]),
        n_references=int(content["n_references"]),
        reference_set=str(content["reference_set"]),
        metrics={
            name: LearntMetric(
                str(metric["version"]),
                dict(metric["parameters"]),
                {key: decoded(array, blobs) for key, array in metric["learnt"].items()},
            )
            for name, metric in content["metrics"].items()
        },
        image_marks=marks.astype(np.int64),
        firstsight=firstsight,
    )


def _mark(image_id: str, references: Sequence[str]) -> tuple[int, int]:
    of_id = hashlib.sha256(image_id.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(of_id[:4], "big"), int(reference_set_hash([image_id], [references])[:8], 16)


def _plain_array(values: Any) -> Array:
    return list(values) if isinstance(values, list) else np.ascontiguousarray(values)


def _shown(parameters: Mapping[str, Json]) -> str:
    return f"({', '.join(f'{name}={parameters[name]}' for name in sorted(parameters)) or 'no parameters'})"


def _images(n: int) -> str:
    return f"{n:,} image{'' if n == 1 else 's'}"
