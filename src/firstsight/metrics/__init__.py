"""Metrics of caption quality: additive statistics of one image and a pure function of their sum."""

from __future__ import annotations

from firstsight._registry import Registry
from firstsight.metrics.base import Learnt, Metric, TextMetric, TokenMetric
from firstsight.metrics.corpus import Corpus, Tokens
from firstsight.metrics.running import Running

__all__ = ["METRICS", "Corpus", "Learnt", "Metric", "Running", "TextMetric", "TokenMetric", "Tokens"]

METRICS: Registry[type[Metric]] = Registry("metric", "firstsight.metrics")
