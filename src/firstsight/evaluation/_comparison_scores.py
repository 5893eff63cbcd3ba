"""The statistics of one metric for all systems, and what follows from them: intervals, ranks, tests, slices."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight.errors import MetricUndefinedError
from firstsight.evaluation._comparison_types import ComparisonOptions, Pair, SystemScore
from firstsight.evaluation._scored import learn
from firstsight.significance import (
    corrected,
    group_letters,
    indistinguishable_groups,
    paired_bootstrap_test,
    paired_permutation_test,
    percentile_interval,
    rank_intervals,
    resampled_totals,
    win_tie_loss,
)
from firstsight.types import Score

if TYPE_CHECKING:
    from firstsight.evaluation._options import EvaluationOptions
    from firstsight.metrics import Corpus, Metric

__all__ = ["Drawn", "Members", "ScoredSystems", "draw", "score_systems", "tables_of"]

_Floats = npt.NDArray[np.float64]
Members = Mapping[str, Mapping[str, npt.NDArray[np.intp]]]
"""By column and value, the rows of the images of a slice."""

_TESTS = {"permutation": paired_permutation_test, "bootstrap": paired_bootstrap_test}


@dataclass(frozen=True, slots=True)
class ScoredSystems:
    """What a comparison has found so far: by name of the score, what ``Comparison`` says of each."""

    systems: tuple[str, ...]
    options: ComparisonOptions
    members: Members
    scores: dict[str, tuple[SystemScore, ...]] = field(default_factory=dict)
    pairs: dict[str, tuple[Pair, ...]] = field(default_factory=dict)
    per_image: dict[str, _Floats] = field(default_factory=dict)
    slices: dict[str, dict[tuple[str, str], tuple[Score, ...]]] = field(default_factory=dict)

    def add_undefined(self, name: str, signature: str, reason: str) -> None:
        """Note that a score has no value for these images."""
        score = Score(name, None, signature, reason=reason)
        self.scores[name] = tuple(SystemScore(system, score) for system in self.systems)
        self.pairs[name] = ()
        self.slices[name] = {
            (column, value): tuple(score for _ in self.systems)
            for column, values in self.members.items()
            for value in values
        }


def tables_of(
    metrics: Sequence[Metric], corpora: Iterable[Corpus], options: EvaluationOptions
) -> tuple[dict[int, _Floats], dict[int, str]]:
    """Return the statistics of all systems for each metric, and why a metric has none; both by number of the metric.

    The references are the same for all systems, so what a metric learns of the first corpus holds for all, unless a
    scoring card has told it. Only one corpus is in memory at a time.

    Returns:
        Arrays (image, system, statistic) float64; the reasons.
    """
    rows: list[list[_Floats]] = [[] for _ in metrics]
    reasons: dict[int, str] = {}
    for corpus in corpora:
        for number, metric in enumerate(metrics):
            if number in reasons:
                continue
            try:
                if not rows[number]:
                    learn(metric, corpus, options)
                rows[number].append(metric.corpus_statistics(corpus))
            except MetricUndefinedError as error:
                reasons[number] = str(error)
    return {at: np.stack(tables, axis=1) for at, tables in enumerate(rows) if at not in reasons}, reasons


@dataclass(frozen=True, slots=True)
class Drawn:
    """What the resamples of all metrics gave, drawn once: the scores of one metric after those of another."""

    resampled: _Floats
    """(resample, system, score)"""
    p_values: _Floats
    """(system, system, score)"""


def draw(metrics: Sequence[Metric], tables: Sequence[_Floats], options: ComparisonOptions) -> Drawn:
    """Return the resampled scores and the tests of all metrics.

    Args:
        metrics: One or more metrics.
        tables: The statistics (image, system, statistic) of each.
        options: Test, resamples and seed.
    """
    ends = np.cumsum([table.shape[2] for table in tables])[:-1]

    def scores(totals: _Floats) -> _Floats:
        parts = zip(metrics, np.split(totals, ends, axis=-1), strict=True)
        return np.concatenate([metric.from_statistics(part) for metric, part in parts], axis=-1)

    table = np.concatenate(tables, axis=2)
    seed, n_test = options.evaluation.seed, options.n_test_resamples(table.shape[1])
    resampled = scores(resampled_totals(table, n_resamples=options.evaluation.n_resamples, seed=seed))
    return Drawn(resampled, _TESTS[options.test](table, scores, n_resamples=n_test, seed=seed).p_values)


def score_systems(
    found: ScoredSystems, metric: Metric, table: _Floats, signatures: Sequence[str], drawn: Drawn
) -> None:
    """Add the scores of one metric to ``found``.

    Args:
        found: Where they are added.
        metric: The metric.
        table: Its statistics (image, system, statistic).
        signatures: That of each of its scores.
        drawn: The resamples of its scores alone.
    """
    evaluation = found.options.evaluation
    values = metric.from_statistics(table.sum(axis=0))  # (system, score)
    per_image = metric.from_statistics(table)  # (image, system, score)
    slices = {
        (column, value): _bounds(metric, table[rows], n_resamples=evaluation.n_resamples, seed=evaluation.seed)
        for column, of_column in found.members.items()
        for value, rows in of_column.items()
    }
    for at, (name, signature) in enumerate(zip(metric.score_names, signatures, strict=True)):
        if not np.isfinite(values[:, at]).all():
            found.add_undefined(name, signature, f"{metric.name} gives no finite number for this corpus.")
            continue
        found.per_image[name] = per_image[:, :, at]
        found.slices[name] = {key: _scores(name, signature, bounds[:, :, at]) for key, bounds in slices.items()}
        one = _OneScore(name, signature, values[:, at], drawn.resampled[:, :, at], drawn.p_values[:, :, at])
        _rank(found, metric, one)


@dataclass(frozen=True, slots=True)
class _OneScore:
    name: str
    signature: str
    values: _Floats
    """(system,)"""
    resampled: _Floats
    """(resample, system)"""
    p_values: _Floats
    """(system, system)"""


def _rank(found: ScoredSystems, metric: Metric, one: _OneScore) -> None:
    bounds = np.stack([one.values, *percentile_interval(one.resampled)])  # (value, low and high; system)
    scores = _scores(one.name, one.signature, bounds if len(found.per_image[one.name]) > 1 else bounds[:1])
    direction = 1.0 if metric.higher_is_better else -1.0
    order = [int(system) for system in np.argsort(-direction * one.values, kind="stable")]
    if not metric.is_quality:
        found.scores[one.name] = tuple(SystemScore(found.systems[system], scores[system]) for system in order)
        found.pairs[one.name] = ()
        return
    adjusted = corrected(one.p_values, found.options.correction)
    letters = group_letters(indistinguishable_groups(adjusted < found.options.alpha, order), len(order))
    best, worst = rank_intervals(one.values, one.resampled, higher_is_better=metric.higher_is_better)
    found.scores[one.name] = tuple(
        SystemScore(found.systems[system], scores[system], int(best[system]), int(worst[system]), letters[system])
        for system in order
    )
    found.pairs[one.name] = tuple(
        _pair(found, one, (first, second), float(adjusted[first, second]), higher_is_better=metric.higher_is_better)
        for place, first in enumerate(order)
        for second in order[place + 1 :]
    )


def _pair(
    found: ScoredSystems, one: _OneScore, systems: tuple[int, int], adjusted: float, *, higher_is_better: bool
) -> Pair:
    first, second = systems
    low, high = percentile_interval(one.resampled[:, first] - one.resampled[:, second])
    images = found.per_image[one.name]
    won = win_tie_loss(images[:, first], images[:, second], higher_is_better=higher_is_better)
    return Pair(
        first=found.systems[first],
        second=found.systems[second],
        difference=float(one.values[first] - one.values[second]),
        low=_number(float(low)),
        high=_number(float(high)),
        p_value=float(one.p_values[first, second]),
        corrected=adjusted,
        wins=won.wins,
        ties=won.ties,
        losses=won.losses,
    )


def _bounds(metric: Metric, table: _Floats, *, n_resamples: int, seed: int) -> _Floats:
    """Return value, low and high of the images of a slice: (3, system, score), or the value alone for one image."""
    values = metric.from_statistics(table.sum(axis=0))
    if len(table) == 1:
        return values[None]
    resampled = metric.from_statistics(resampled_totals(table, n_resamples=n_resamples, seed=seed))
    return np.stack([values, *percentile_interval(resampled)])


def _scores(name: str, signature: str, bounds: _Floats) -> tuple[Score, ...]:
    """Return the score of each system from its value, low and high, array (1 or 3, system)."""
    rows = [[_number(value) for value in column] for column in bounds.T]
    scores = []
    for value, *interval in rows:
        low, high = interval or (None, None)
        reason = None if value is not None else "It is no finite number."
        scores.append(Score(name, value, signature, low, high, reason))
    return tuple(scores)


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
