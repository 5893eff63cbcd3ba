"""Which core computes: the native one where it could be compiled, else the clear Python one with the same numbers.

The variable FIRSTSIGHT_CORE chooses: ``auto`` (or unset), ``python``, or ``native``, which fails where there is none.
"""

from __future__ import annotations

import importlib
import os
from functools import cache
from types import ModuleType

from firstsight.errors import BackendError, UnknownNameError

__all__ = ["VARIABLE", "core_name", "n_threads", "native"]

VARIABLE = "FIRSTSIGHT_CORE"
_CHOICES = ("auto", "native", "python")


def native() -> ModuleType | None:
    """Return the native core, or None where the Python core computes.

    Raises:
        UnknownNameError: FIRSTSIGHT_CORE has another value than those allowed.
        BackendError: It asks for the native core and there is none.
    """
    choice = os.environ.get(VARIABLE) or "auto"
    if choice not in _CHOICES:
        raise UnknownNameError(f"core in {VARIABLE}", choice, _CHOICES)
    if choice == "python":
        return None
    module = _compiled()
    if module is None and choice == "native":
        raise BackendError(
            f"{VARIABLE} asks for the native core, and this installation has none. Install a C++20 compiler and "
            "install firstsight again, or unset the variable."
        )
    return module


def core_name() -> str:
    """Return ``native`` or ``python``, as the signature states it."""
    return "python" if native() is None else "native"


def n_threads() -> int:
    """Return how many threads the native core may use: OMP_NUM_THREADS if it is set, else one a processor."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdigit() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@cache
def _compiled() -> ModuleType | None:
    try:
        return importlib.import_module("firstsight._native")
    except ImportError:
        return None
