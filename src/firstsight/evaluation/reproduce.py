"""Whether a report's scores come out again from the same files, and where they do not, what differs and why."""

from __future__ import annotations

import json
import math
import os
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from firstsight._text import visible
from firstsight.errors import CaptionFileError, UsageError
from firstsight.evaluation._options import EvaluationOptions, MissingRule
from firstsight.evaluation.card import ScoringCard
from firstsight.evaluation.scoring import Evaluation
from firstsight.evaluation.signature import HASH_DIGITS, parse_signature
from firstsight.types import Json, Score

__all__ = [
    "Check",
    "Difference",
    "Report",
    "Reproduction",
    "compare",
    "options_of",
    "read_report",
    "to_reproduction_json",
    "to_reproduction_text",
]

TOLERANCE = 1e-9
"""Relative difference up to which two values are equal: processors add numbers in different orders."""

_ANY_VALUE = ("core", "firstsight")  # fields that say who computed, not what

Part: TypeAlias = Literal["candidates", "humans"]

_OF_A_SCORE = ("score", "low", "high", "reason")
_WIDTH = 100

_CAUSES = {
    "images": "other images: their number differs",
    "refset": "other references, or other images: the hash of the reference set differs",
    "refs": "other references: their number differs",
    "card": "another scoring card",
    "tok": "another tokenizer, or another version of it",
    "lang": "another language",
    "version": "another version of the metric's definition",
    "params": "other parameters of the metric",
    "missing": "another rule for images without a candidate",
    "absent": "other images without a candidate",
    "boot": "another number of resamples",
    "seed": "another seed",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What ``evaluate --format json`` wrote, as far as it is compared.

    Attributes:
        name: The file.
        metrics: The metrics that were asked for.
        fields: The fields of the signature that all scores share.
        scores: By name, each score's entry.
        human: The same of human captions; None where they were not scored.
        card: Hash of the scoring card, or its first 12 digits; empty for none.
        candidate_set: Hash of ids and candidates; empty where the report does not say it.
    """

    name: str
    metrics: tuple[str, ...]
    fields: Mapping[str, str]
    scores: Mapping[str, Mapping[str, Any]]
    human: Mapping[str, Mapping[str, Any]] | None
    card: str
    candidate_set: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which a score differs: ``score``, ``low``, ``high``, ``reason`` or a field of the signature."""

    field: str
    reported: str | float | None
    found: str | float | None

    @property
    def size(self) -> float | None:
        """How much was found less what was reported, for numbers."""
        if isinstance(self.reported, float) and isinstance(self.found, float):
            return self.found - self.reported
        return None


@dataclass(frozen=True, slots=True)
class Check:
    """One score of the report against the one that was computed again."""

    name: str
    part: Part
    differences: tuple[Difference, ...]

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs but who computed it."""
        return all(difference.field in _ANY_VALUE for difference in self.differences)


@dataclass(frozen=True, slots=True)
class Reproduction:
    """What came of computing a report again."""

    report: str
    checks: tuple[Check, ...]
    causes: tuple[str, ...]
    """What likely made the scores differ; empty where all are equal."""

    @property
    def is_equal(self) -> bool:
        """Whether every score is equal."""
        return all(check.is_equal for check in self.checks)


def read_report(path: str | os.PathLike[str]) -> Report:
    """Return the report of a JSON file that ``firstsight evaluate --format json`` wrote.

    Raises:
        CaptionFileError: There is no such file, or it is no such report.
    """
    name = os.fspath(path)
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CaptionFileError(f"There is no report {name}. Name a file that evaluate --format json wrote.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise CaptionFileError(f"{name} is not JSON ({error}). {_WANTED}") from error
    scores = data.get("scores") if isinstance(data, dict) else None
    if not isinstance(scores, dict) or not scores or not all(map(_is_entry, scores.values())):
        raise CaptionFileError(f"{name} has no scores as firstsight writes them. {_WANTED}")
    signed = [parse_signature(entry["signature"]) for entry in scores.values() if "signature" in entry]
    shared = data.get("signature") if isinstance(data.get("signature"), dict) else None
    fields = {str(key): str(value) for key, value in (shared or (signed[0] if signed else {})).items()}
    absent = [key for key in ("tok", "boot", "missing") if key not in fields]
    if absent:
        raise CaptionFileError(f"{name} has no signature with {', '.join(absent)}. {_WANTED}")
    human = data.get("human", {}).get("scores") if isinstance(data.get("human"), dict) else None
    if human is not None and not (isinstance(human, dict) and all(map(_is_entry, human.values()))):
        raise CaptionFileError(f"{name} has scores of human captions of another form. {_WANTED}")
    return Report(
        name=name,
        metrics=_metrics(data.get("metrics"), list(scores)),
        fields=fields,
        scores=scores,
        human=human,
        card=str(data.get("card") or next((one["card"] for one in signed if "card" in one), "")),
        candidate_set=str(data.get("candidate_set") or ""),
    )


def options_of(report: Report, card: ScoringCard | None = None) -> EvaluationOptions:
    """Return the options under which a report was made.

    Args:
        report: The report.
        card: The scoring card to compute with, which a report made with one needs.

    Raises:
        UsageError: The report was made with a card and none is given, or without one and one is given.
        CaptionFileError: The report has a value that is not allowed.
    """
    if report.card and card is None:
        raise UsageError(
            f"{report.name} was made with the scoring card {report.card[:HASH_DIGITS]}. Give that file with --card."
        )
    if card is not None and not report.card:
        raise UsageError(f"{report.name} was made without a scoring card. Leave --card out.")
    fields = report.fields
    try:
        n_resamples, seed = int(fields["boot"]), int(fields.get("seed", "0"))
    except ValueError as error:
        raise CaptionFileError(f"{report.name}: the resamples or the seed are no whole number. {_WANTED}") from error
    return EvaluationOptions(
        tokenizer=fields["tok"].partition("@")[0],
        n_resamples=n_resamples,
        seed=seed,
        missing=cast("MissingRule", fields["missing"]),
        language=fields.get("lang", "en"),
        card=card,
        human_baseline=report.human is not None,
    )


def compare(report: Report, evaluation: Evaluation) -> Reproduction:
    """Return what differs between a report and the evaluation that was made with its options.

    Numbers are equal up to 1e-9 relative. Another core or another version of firstsight is told, and is no difference
    where the numbers are equal.
    """
    checks = [
        _check(name, "candidates", entry, _named(evaluation.scores, name)) for name, entry in report.scores.items()
    ]
    if report.human is not None:
        human = evaluation.human.scores if evaluation.human else ()
        checks += [_check(name, "humans", entry, _named(human, name)) for name, entry in report.human.items()]
    is_equal = all(check.is_equal for check in checks)
    causes = () if is_equal else tuple(_causes(report, evaluation, checks))
    return Reproduction(report.name, tuple(checks), causes)


def to_reproduction_text(reproduction: Reproduction) -> str:
    """Return a line a score with what differs below it, what differs in all, the causes, and a line with the result."""
    checks = reproduction.checks
    width = max(len(_title(check)) for check in checks)
    shared = [one for one in checks[0].differences if all(_has_field(check, one.field) for check in checks[1:])]
    shared = [one for one in shared if one.field not in _OF_A_SCORE] if len(checks) > 1 else []
    said = {one.field for one in shared}
    lines: list[str] = []
    for check in checks:
        told = ", ".join(_told(difference) for difference in check.differences if difference.field not in said)
        aside = f" ({told})" if check.is_equal and told else ""
        lines.append(f"{_title(check):<{width}}  {'equal' if check.is_equal else 'differs'}{aside}")
        lines += [] if check.is_equal else _wrapped(told)
    if shared:
        lines += ["", "In every signature", *_wrapped(", ".join(map(_told, shared)))]
    if reproduction.causes:
        lines += ["", "Likely cause", *(line for cause in reproduction.causes for line in _wrapped(cause))]
    n_equal = sum(check.is_equal for check in checks)
    result = "reproduced" if reproduction.is_equal else "not reproduced"
    last = f"{visible(reproduction.report)}: {result}, {n_equal} of {len(checks)} scores are equal"
    return "\n".join([*lines, "", last]) + "\n"


def to_reproduction_json(reproduction: Reproduction) -> dict[str, Json]:
    """Return the same as one object."""
    return {
        "report": reproduction.report,
        "equal": reproduction.is_equal,
        "scores": [
            {
                "name": check.name,
                "of": check.part,
                "equal": check.is_equal,
                "differences": [_difference_entry(difference) for difference in check.differences],
            }
            for check in reproduction.checks
        ],
        "causes": list(reproduction.causes),
        "schema_version": 1,
    }


def _difference_entry(difference: Difference) -> dict[str, Json]:
    entry: dict[str, Json] = {
        "field": difference.field,
        "reported": difference.reported,
        "found": difference.found,
    }
    return entry if difference.size is None else {**entry, "size": difference.size}


_WANTED = "Give the file that firstsight evaluate --format json -o FILE wrote."


def _is_entry(entry: object) -> bool:
    if not isinstance(entry, dict) or "score" not in entry:
        return False
    numbers = [entry.get(key) for key in ("score", "low", "high")]
    plain = all(n is None or (isinstance(n, int | float) and not isinstance(n, bool)) for n in numbers)
    return plain and isinstance(entry.get("signature", ""), str)


def _metrics(named: object, scores: Sequence[str]) -> tuple[str, ...]:
    """Return the metrics that a report names; where it names none, those that give its scores."""
    from firstsight.metrics import METRICS

    if isinstance(named, list) and named and all(isinstance(name, str) for name in named):
        return tuple(named)
    return tuple(name for name in METRICS.names() if set(METRICS.load(name).score_names) & set(scores))


def _named(scores: Sequence[Score], name: str) -> Score | None:
    return next((score for score in scores if score.name == name), None)


def _check(name: str, part: Part, entry: Mapping[str, Any], score: Score | None) -> Check:
    if score is None:
        return Check(name, part, (Difference("score", _float(entry["score"]), None),))
    differences: list[Difference] = []
    if entry["score"] is not None and score.value is not None:
        theirs, ours = parse_signature(entry.get("signature", "")), parse_signature(score.signature)
        keys = (key for key in dict.fromkeys([*theirs, *ours]) if theirs.get(key) != ours.get(key))
        differences += [Difference(key, theirs.get(key), ours.get(key)) for key in keys]
    for key, found in (("score", score.value), ("low", score.low), ("high", score.high)):
        reported = _float(entry.get(key))
        if not _is_close(reported, found):
            differences.append(Difference(key, reported, found))
    if entry["score"] is None and score.value is None and entry.get("reason") != score.reason:
        differences.append(Difference("reason", str(entry.get("reason")), score.reason))
    return Check(name, part, tuple(differences))


def _is_close(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE**2)


def _causes(report: Report, evaluation: Evaluation, checks: Sequence[Check]) -> list[str]:
    unequal = [check for check in checks if not check.is_equal]
    unequal = [check for check in unequal if check.part == unequal[0].part]  # the candidates where humans differ too
    fields = {one.field: one for check in unequal for one in check.differences}
    named = [key for key in _CAUSES if key in fields]
    if "images" in named:  # other hashes and counts follow from that
        named = [key for key in named if key not in ("refs", "refset")]
    elif "refset" in named:
        named = [key for key in named if key != "refs"]
    causes = [f"{_CAUSES[key]} ({_told(fields[key])})" for key in named]
    ours = evaluation.candidate_set
    if report.candidate_set and report.candidate_set != ours and "images" not in named:
        told = f"{report.candidate_set[:HASH_DIGITS]} → {ours[:HASH_DIGITS]}"
        causes.insert(0, f"other candidates: the hash of ids and candidates differs ({told})")
    if not causes and not report.candidate_set:
        causes.append("other candidates: the signatures agree, and the report does not say which candidates it is of")
    if not causes:
        who = ", ".join(_told(fields[key]) for key in _ANY_VALUE if key in fields)
        causes.append(f"another program ({who})" if who else "the report was changed after it was written")
    return causes


def _has_field(check: Check, field: str) -> bool:
    return any(difference.field == field for difference in check.differences)


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent="  ", subsequent_indent="    ") if text else []


def _told(difference: Difference) -> str:
    """Return such as ``seed 0 → 1`` and ``score 0.512 → 0.498 (−0.014)``."""
    size = difference.size
    reported, found = _plain(difference.reported), _plain(difference.found)
    return f"{difference.field} {reported} → {found}" + ("" if size is None else f" ({size:+.3g})")


def _plain(value: str | float | None) -> str:
    if isinstance(value, float):
        return f"{value:.6f}"
    return "none" if value is None else visible(value)


def _title(check: Check) -> str:
    name = visible(check.name)
    return f"{name} of human captions" if check.part == "humans" else name


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
