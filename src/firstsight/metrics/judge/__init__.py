"""Judges: a language model is asked, in a fixed form, how good a candidate is."""

from __future__ import annotations

from firstsight.metrics.judge.clair import Clair
from firstsight.metrics.judge.fleur import Fleur
from firstsight.metrics.judge.options import JudgeOptions

__all__ = ["Clair", "Fleur", "JudgeOptions"]
