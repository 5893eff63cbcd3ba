"""One registry for every extension point: plug-ins are found by entry point, built-ins exactly like a stranger's."""

from __future__ import annotations

import sys
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar, cast

from firstsight.errors import UnknownNameError

T = TypeVar("T")


class Registry(Generic[T]):
    """The named plug-ins of one entry-point group, loaded when asked for.

    Example:
        >>> from firstsight.metrics import METRICS
        >>> "bleu" in METRICS.names()
        True
    """

    def __init__(self, kind: str, group: str) -> None:
        """Describe the registry.

        Args:
            kind: The word for one entry in messages, such as ``metric``.
            group: The entry-point group, such as ``firstsight.metrics``.
        """
        self._kind = kind
        self._group = group

    def names(self) -> list[str]:
        """Return every registered name, sorted."""
        return sorted(self._entries())

    def load(self, name: str) -> T:
        """Return the object registered as ``name``.

        Raises:
            UnknownNameError: Nothing has that name; the message has the nearest one.
            MissingDependencyError: The entry needs a package that is not installed.
        """
        entries = self._entries()
        if name not in entries:
            raise UnknownNameError(self._kind, name, entries)
        return cast(T, entries[name].load())

    def _entries(self) -> dict[str, EntryPoint]:
        return _entries(self._group, tuple(sys.path))


@lru_cache
def _entries(group: str, path: tuple[str, ...]) -> dict[str, EntryPoint]:  # noqa: ARG001
    """Return the entry points of a group; a scan of ``path`` takes milliseconds, so each is scanned once."""
    return {entry.name: entry for entry in entry_points(group=group)}
