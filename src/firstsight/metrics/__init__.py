"""Metrics of caption quality: additive statistics of one image and a pure function of their sum."""

from __future__ import annotations

from firstsight._registry import Registry
from firstsight.metrics.base import Metric, Tokens

__all__ = ["METRICS", "Metric", "Tokens"]

METRICS: Registry[type[Metric]] = Registry("metric", "firstsight.metrics")
