"""Captioners: what reads an image and says what it shows."""

from __future__ import annotations

from firstsight._registry import Registry
from firstsight.captioners.base import Captioner
from firstsight.types import Json

__all__ = ["CAPTIONERS", "Captioner", "load_captioner"]

CAPTIONERS: Registry[type[Captioner]] = Registry("captioner", "firstsight.captioners")


def load_captioner(name: str = "embedded", **options: Json) -> Captioner:
    """Return the captioner registered as ``name``, ready to use.

    Args:
        name: A name that ``firstsight captioners`` lists.
        **options: The captioner's own options, such as ``beam_size=5``.

    Raises:
        UnknownNameError: No captioner has that name.
        UsageError: An option does not exist or has a value that is not allowed.
        MissingDependencyError: The captioner needs an extra that is not installed.
        CaptionerError: Its model cannot be loaded.
    """
    return CAPTIONERS.load(name)(**options)
