"""SPICE: how many of the objects, attributes and relations of the references the candidate has."""

from __future__ import annotations

from firstsight.metrics.spice.metric import Spice
from firstsight.metrics.spice.options import SpiceOptions
from firstsight.metrics.spice.results import CATEGORIES, Counts, SpiceResult, Tuple

__all__ = ["CATEGORIES", "Counts", "Spice", "SpiceOptions", "SpiceResult", "Tuple"]
