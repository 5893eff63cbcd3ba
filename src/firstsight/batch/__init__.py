"""Captions of many images: a plan of inputs, a run that overlaps decoding with the model, an output that resumes."""

from __future__ import annotations

from firstsight.batch.job import BatchOptions, BatchSummary, CaptionJob, caption_files
from firstsight.batch.output import Existing
from firstsight.batch.plan import IdFrom, Plan, PlannedImage, plan_images
from firstsight.batch.runner import caption_images

__all__ = [
    "BatchOptions",
    "BatchSummary",
    "CaptionJob",
    "Existing",
    "IdFrom",
    "Plan",
    "PlannedImage",
    "caption_files",
    "caption_images",
    "plan_images",
]
