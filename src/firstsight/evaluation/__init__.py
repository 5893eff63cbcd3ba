"""Scores of candidates against references: metrics, intervals and signatures joined in one place."""

from __future__ import annotations

from firstsight.evaluation._images import ImageSource
from firstsight.evaluation._options import (
    DEFAULT_METRICS,
    MISSING_RULES,
    EvaluationOptions,
    MissingRule,
    Progress,
    default_metrics,
    left_out_metrics,
)
from firstsight.evaluation.baseline import HumanBaseline
from firstsight.evaluation.card import ScoringCard, build_card, read_card, write_card
from firstsight.evaluation.output import summary_line, to_csv, to_json, to_json_text, to_table, write_per_image
from firstsight.evaluation.scoring import Evaluation, evaluate, evaluate_files
from firstsight.evaluation.signature import parse_signature, reference_set_hash

__all__ = [
    "DEFAULT_METRICS",
    "MISSING_RULES",
    "Evaluation",
    "EvaluationOptions",
    "HumanBaseline",
    "ImageSource",
    "MissingRule",
    "Progress",
    "ScoringCard",
    "build_card",
    "default_metrics",
    "evaluate",
    "evaluate_files",
    "left_out_metrics",
    "parse_signature",
    "read_card",
    "reference_set_hash",
    "summary_line",
    "to_csv",
    "to_json",
    "to_json_text",
    "to_table",
    "write_card",
    "write_per_image",
]
