"""A metric by the name under which it is asked for: ``NAME`` or ``NAME:MODEL``."""

from __future__ import annotations

from typing import Any, cast

from firstsight.errors import UsageError
from firstsight.metrics.base import Metric

__all__ = ["load_metric", "metric_class"]


def metric_class(name: str) -> type[Metric]:
    """Return the class registered under ``NAME`` of ``NAME`` or ``NAME:MODEL``.

    Raises:
        UnknownNameError: None is.
    """
    from firstsight.metrics import METRICS

    return METRICS.load(name.partition(":")[0])


def load_metric(name: str) -> Metric:
    """Return a fresh metric, with its model where the name has one.

    Raises:
        UnknownNameError: No metric has that name.
        UsageError: A model is named and the metric takes none.
    """
    metric, (base, _, model) = metric_class(name), name.partition(":")
    if not model:
        return metric()
    if not metric.takes_model:
        raise UsageError(f"The metric {base!r} takes no model, got {model!r}. Ask for {base!r} alone.")
    return cast("Metric", cast(Any, metric)(model=model))
