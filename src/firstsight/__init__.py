"""Captions images that it has never seen, scores captions, and shows the result.

Importing this package loads nothing heavy: each name below is imported when it is first used.

Example:
    >>> import firstsight
    >>> "load_captioner" in firstsight.__all__
    True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from firstsight._version import __version__
from firstsight.errors import FirstsightError

if TYPE_CHECKING:
    from firstsight.captioners import load_captioner
    from firstsight.evaluation import evaluate
    from firstsight.images import load_image

__all__ = ["FirstsightError", "__version__", "evaluate", "load_captioner", "load_image"]

_LAZY = {
    "evaluate": "firstsight.evaluation",
    "load_captioner": "firstsight.captioners",
    "load_image": "firstsight.images",
}


def __getattr__(name: str) -> object:
    if name not in _LAZY:
        raise AttributeError(f"module 'firstsight' has no attribute {name!r}")
    value = getattr(import_module(_LAZY[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
