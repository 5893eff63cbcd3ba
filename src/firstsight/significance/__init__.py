"""Significance: how sure a score is. Needs nothing but the standard library and NumPy."""

from __future__ import annotations

from firstsight.significance.bootstrap import bootstrap_interval

__all__ = ["bootstrap_interval"]
