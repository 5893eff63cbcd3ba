"""What evaluation, comparison and agreement share: what metrics learn, their rows as scores, and signatures."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from firstsight._core import core_name
from firstsight._version import __version__
from firstsight.evaluation.signature import HASH_DIGITS, corpus_part, metric_part
from firstsight.types import Score

if TYPE_CHECKING:
    from firstsight.evaluation._options import EvaluationOptions
    from firstsight.metrics import Corpus, Metric
    from firstsight.tokenizers import Tokenizer

__all__ = ["learn", "restore_card", "scored_fields", "scores_of", "shared_fields", "signatures_of", "undefined"]


def restore_card(metrics: Iterable[Metric], tokenizer: Tokenizer, options: EvaluationOptions) -> None:
    """Give metrics that learn what the scoring card holds for them, where there is one.

    Raises:
        UsageError: The card is of another tokenizer, or has nothing for one of the metrics.
        CaptionFileError: The card holds something that a metric does not learn.
    """
    if options.card is not None:
        options.card.check_tokenizer(f"{tokenizer.name}@{tokenizer.version}")
        for metric in metrics:
            if metric.learns():
                options.card.restore(metric)


def learn(metric: Metric, corpus: Corpus, options: EvaluationOptions) -> None:
    """Let a metric learn of the corpus, unless a scoring card has told it.

    Raises:
        MetricUndefinedError: No score is defined for this corpus.
    """
    if options.card is None or not metric.learns():
        metric.prepare(corpus)


def shared_fields(tokenizer: Tokenizer, options: EvaluationOptions, own: Mapping[str, object]) -> dict[str, object]:
    """Return what all scores of one run share, in the order of the signature.

    Args:
        tokenizer: The one that cut the captions.
        options: What the run was told.
        own: What it says of its captions, such as ``scored_fields``.
    """
    fields: dict[str, object] = {
        "tok": f"{tokenizer.name}@{tokenizer.version}",
        "lang": options.language,
        **own,
        "boot": options.n_resamples,
    }
    if options.n_resamples:
        fields["seed"] = options.seed
    return {**fields, "core": core_name(), "firstsight": __version__}


def scored_fields(
    options: EvaluationOptions, counts: Mapping[str, int], reference_set: str, **more: object
) -> dict[str, object]:
    """Return what the signature says of captions that are scored against references.

    Args:
        options: What the evaluation was told.
        counts: ``images`` and ``refs``.
        reference_set: Hash of ids and references.
        **more: Fields that stand behind the rule for missing candidates.
    """
    return {**counts, "refset": reference_set[:HASH_DIGITS], "missing": options.missing, **more}


def signatures_of(metric: Metric, options: EvaluationOptions, shared: Mapping[str, object]) -> list[str]:
    """Return the signature of each score of a metric."""
    card = options.card.hash if options.card is not None and metric.learns() else ""
    return [f"{metric_part(metric, name, card)}|{corpus_part(shared)}" for name in metric.score_names]


def scores_of(
    metric: Metric, signatures: Sequence[str], table: npt.NDArray[np.float64], options: EvaluationOptions
) -> list[Score]:
    """Return the scores of the statistics (image, statistic) with their intervals.

    Raises:
        MetricUndefinedError: There is no image, in a metric that is a mean over images.
    """
    values = metric.from_statistics(table.sum(axis=0))
    low = high = np.full(len(metric.score_names), np.nan)
    # One image drawn again and again is always itself: no interval.
    if options.n_resamples and len(table) > 1 and np.isfinite(values).all():
        from firstsight.significance import bootstrap_interval

        low, high = bootstrap_interval(
            table, metric.from_statistics, n_resamples=options.n_resamples, seed=options.seed
        )
    return [
        Score(name, _number(value), signature, _number(lower), _number(upper), _why_not(metric, value))
        for name, signature, value, lower, upper in zip(metric.score_names, signatures, values, low, high, strict=True)
    ]


def undefined(metric: Metric, signatures: Sequence[str], reason: str) -> list[Score]:
    """Return the scores of a metric that has none, for that reason."""
    return [
        Score(name, None, signature, reason=reason)
        for name, signature in zip(metric.score_names, signatures, strict=True)
    ]


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _why_not(metric: Metric, value: float) -> str | None:
    return None if math.isfinite(value) else f"{metric.name} gives no finite number for this corpus."
