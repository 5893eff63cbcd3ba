"""The errors of firstsight: every message says what is wrong, what was got, what is allowed, and the next step."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = [
    "BackendError",
    "CaptionFileError",
    "CaptionerError",
    "FirstsightError",
    "ImageError",
    "MetricUndefinedError",
    "MissingDependencyError",
    "OutputError",
    "TrainingError",
    "UnknownNameError",
    "UsageError",
    "closest_name",
]


class FirstsightError(Exception):
    """Base of every error that firstsight raises on purpose; the command line prints it without a traceback."""

    code = "error"


class UsageError(FirstsightError):
    """An option or argument has a value that is not allowed."""

    code = "usage"


class UnknownNameError(UsageError):
    """A name is not registered: no such metric, captioner, format or tokenizer."""

    code = "unknown_name"

    def __init__(self, kind: str, name: str, allowed: Iterable[str]) -> None:
        """Name what was asked for and what there is."""
        names = sorted(allowed)
        nearest = closest_name(name, names)
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        super().__init__(f"Unknown {kind} {name!r}.{hint} Available: {', '.join(names) or 'none'}.")
        self.kind, self.name, self.allowed = kind, name, names


class MissingDependencyError(FirstsightError):
    """A feature needs a package that is not installed."""

    code = "missing_dependency"

    def __init__(self, feature: str, *, extra: str) -> None:
        """Name the feature and the extra that brings it."""
        super().__init__(f'{feature} needs the extra {extra!r}: run  pip install "firstsight[{extra}]"')
        self.extra = extra


class ImageError(FirstsightError):
    """One image cannot be read; a batch goes on without it.

    ``code`` is one of ``missing``, ``empty``, ``not_an_image``, ``truncated``, ``too_large``, ``unreadable``.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep the machine-readable code beside the message."""
        super().__init__(message)
        self.code = code


class CaptionFileError(FirstsightError):
    """A file of captions or references cannot be read, or its ids do not fit."""

    code = "caption_file"


class MetricUndefinedError(FirstsightError):
    """A metric has no value for this corpus; the message is the reason."""

    code = "undefined"


class OutputError(FirstsightError):
    """An output file cannot be written, or exists and neither --resume nor --overwrite was said."""

    code = "output"


class BackendError(FirstsightError):
    """An outside program, model or service that a metric needs is missing or failed."""

    code = "backend"


class CaptionerError(FirstsightError):
    """A captioner or its model cannot be loaded or run."""

    code = "captioner"


class TrainingError(FirstsightError):
    """Training cannot start or go on."""

    code = "training"


def closest_name(name: str, allowed: Iterable[str]) -> str | None:
    """Return the allowed name that is nearest to ``name``, or None if none is near."""
    import difflib

    matches = difflib.get_close_matches(name, list(allowed), n=1, cutoff=0.6)
    return matches[0] if matches else None
