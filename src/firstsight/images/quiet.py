"""Keeps Pillow's remarks on odd files from the user; what matters among them becomes an `ImageError`."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

__all__ = ["pillow_warnings_ignored"]

_lock = threading.Lock()
_active: list[tuple[object, ...]] = []
_n_users = 0


@contextmanager
def pillow_warnings_ignored() -> Iterator[None]:
    """Ignore warnings raised inside Pillow while at least one thread is in this block.

    ``warnings.catch_warnings`` is not for threads: two that overlap can leave each other's filters behind. Here the
    first to come adds one filter and the last to go takes that one away.
    """
    global _n_users
    with _lock:
        if _n_users == 0:
            warnings.filterwarnings("ignore", module=r"PIL(\.|$)")
            _active.append(warnings.filters[0])
        _n_users += 1
    try:
        yield
    finally:
        with _lock:
            _n_users -= 1
            if _n_users == 0:
                with suppress(ValueError):  # somebody replaced the filters meanwhile
                    warnings.filters.remove(_active.pop())  # type: ignore[attr-defined]
