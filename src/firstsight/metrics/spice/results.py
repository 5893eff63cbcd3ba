"""What SPICE says of one image: numbers of tuples, and the tuples themselves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["CATEGORIES", "Counts", "InvalidOutputError", "SpiceResult", "Tuple", "read_output"]

CATEGORIES: dict[str, str] = {
    "Object": "Object",
    "Attribute": "Attribute",
    "Relation": "Relation",
    "Color": "Color",
    "Count": "Cardinality",
    "Size": "Size",
}
"""The paper's name of each category of tuples, and the name in the program's output."""

_ALL = "All"
_TOLERANCE = 1e-9

Tuple: TypeAlias = tuple[tuple[str, ...], bool]
"""One tuple of a scene graph, such as ``("dog", "sit on", "boat")``, and whether it was matched. Words that SPICE took
for one concept are joined by ``/``. An object has one part, an attribute two, a relation three."""


class InvalidOutputError(ValueError):
    """The program's output is not what it writes when all went well."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Tuples of one image: those of the candidate that are matched, and the numbers of both sides."""

    matched: int
    candidate: int
    references: int

    @property
    def f(self) -> float:
        """F of precision and recall in the order of the program's arithmetic; 0 where either side has no tuple."""
        if self.references == 0 or self.candidate == 0 or self.matched == 0:
            return 0.0
        precision, recall = self.matched / self.candidate, self.matched / self.references
        return 2.0 * (precision * recall) / (precision + recall)

    @property
    def is_defined(self) -> bool:
        """Whether the references have any tuple; a category without one is left out of the category's mean."""
        return self.references > 0


@dataclass(frozen=True, slots=True)
class SpiceResult:
    """The result of one image: numbers over all tuples and by category, and the tuples of both sides."""

    all: Counts
    categories: Mapping[str, Counts]
    candidate_tuples: tuple[Tuple, ...] = ()
    reference_tuples: tuple[Tuple, ...] = ()


def read_output(document: Any, image_ids: Sequence[str]) -> list[SpiceResult]:
    """Return the result of each image, in the order of ``image_ids``, of the JSON that the program wrote.

    The program's order of images does not matter: a result is taken by its id.

    Raises:
        InvalidOutputError: Not every id is there exactly once, or a number is missing or contradicts another.
    """
    if not isinstance(document, list):
        raise InvalidOutputError("its output is not a list of images")
    found: dict[str, SpiceResult] = {}
    for entry in document:
        image_id = entry.get("image_id") if isinstance(entry, dict) else None
        if not isinstance(image_id, str) or image_id in found:
            raise InvalidOutputError("its output has an image without an id or the same id twice")
        found[image_id] = _result(entry)
    if found.keys() != set(image_ids):
        raise InvalidOutputError(f"its output has {len(found)} images that are not the {len(image_ids)} it was given")
    return [found[image_id] for image_id in image_ids]


def _result(entry: dict[str, Any]) -> SpiceResult:
    scores = entry.get("scores")
    if not isinstance(scores, dict):
        raise InvalidOutputError("an image of its output has no scores")
    return SpiceResult(
        all=_counts(scores.get(_ALL), may_be_undefined=False),
        categories={name: _counts(scores.get(key), may_be_undefined=True) for name, key in CATEGORIES.items()},
        candidate_tuples=_tuples(entry.get("test_tuples")),
        reference_tuples=_tuples(entry.get("ref_tuples")),
    )


def _counts(score: Any, *, may_be_undefined: bool) -> Counts:
    """Read one evaluation; its F, null where a category is undefined, must be the F of its numbers.

    Two tuples of the candidate can match one of the references, so "fn" can be below zero and F above 1.
    """
    if not isinstance(score, dict):
        raise InvalidOutputError("an image of its output lacks a category")
    matched, wrong, missed = (score.get(key) for key in ("tp", "fp", "fn"))
    if not (type(matched) is int and type(wrong) is int and type(missed) is int):
        raise InvalidOutputError("a number of tuples in its output is not a whole number")
    counts = Counts(matched, matched + wrong, matched + missed)
    if min(counts.matched, counts.candidate - counts.matched, counts.references) < 0:
        raise InvalidOutputError("a number of tuples in its output is below zero")
    f = score.get("f")
    if f is None and may_be_undefined and not counts.is_defined:
        return counts
    if not isinstance(f, int | float) or not math.isclose(f, counts.f, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
        raise InvalidOutputError("an F in its output is not that of its tuples")
    return counts


def _tuples(entries: Any) -> tuple[Tuple, ...]:
    try:
        return tuple((tuple(str(part) for part in entry["tuple"]), bool(entry["truth_value"])) for entry in entries)
    except (TypeError, KeyError):
        raise InvalidOutputError("an image of its output has no tuples") from None
