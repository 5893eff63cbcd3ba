"""METEOR 1.5 for English, without Java, on the data of the installed ``pycocoevalcap``."""

from __future__ import annotations

from firstsight.metrics.meteor.metric import Meteor

__all__ = ["Meteor"]
