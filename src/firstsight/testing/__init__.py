"""For the tests of plug-ins: a captioner without weights, and checks that every captioner and metric passes."""

from __future__ import annotations

from firstsight.testing.captioner import FakeCaptioner
from firstsight.testing.checks import check_captioner, check_metric

__all__ = ["FakeCaptioner", "check_captioner", "check_metric"]
