"""Captioners: what reads an image and says what it shows."""

from __future__ import annotations

import inspect

from firstsight._registry import Registry
from firstsight.captioners.base import Captioner
from firstsight.errors import UsageError, closest_name
from firstsight.types import Json

__all__ = ["CAPTIONERS", "Captioner", "captioner_options", "load_captioner"]

CAPTIONERS: Registry[type[Captioner]] = Registry("captioner", "firstsight.captioners")


def load_captioner(name: str = "embedded", **options: Json) -> Captioner:
    """Return the captioner registered as ``name``, ready to use.

    Args:
        name: A name that ``firstsight captioners`` lists; ``NAME:MODEL`` is short for its option ``model``, such as
            ``embedded:my-model`` for a folder that ``firstsight train`` wrote.
        **options: The captioner's own options, such as ``beam_size=5``.

    Raises:
        UnknownNameError: No captioner has that name.
        UsageError: An option does not exist or has a value that is not allowed.
        MissingDependencyError: The captioner needs an extra that is not installed.
        CaptionerError: Its model cannot be loaded.
    """
    base, _, model = name.partition(":")
    if model:
        options = {"model": model, **options}
    captioner = CAPTIONERS.load(base)
    allowed = captioner_options(name)
    unknown = [] if allowed is None else [option for option in options if option not in allowed]
    if unknown:
        nearest = closest_name(unknown[0], allowed or ())
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        names = ", ".join(sorted(allowed or ())) or "none"
        raise UsageError(f"The captioner {base!r} has no option {unknown[0]!r}.{hint} Its options: {names}.")
    return captioner(**options)


def captioner_options(name: str) -> frozenset[str] | None:
    """Return the names of a captioner's options, or None for one that checks them itself (it takes any).

    Raises:
        UnknownNameError: No captioner has that name.
    """
    parameters = inspect.signature(CAPTIONERS.load(name.partition(":")[0])).parameters.values()
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters)
