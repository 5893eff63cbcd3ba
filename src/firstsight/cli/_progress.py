"""The progress bar of every verb: what is done, the rate, the remaining time; on stderr, gone when it is done."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from tqdm import tqdm

__all__ = ["progress_bar", "shows_progress"]

_MAX_COLUMNS = 100


def shows_progress(*, quiet: bool) -> bool:
    """Say whether there is somebody to see a bar: a terminal, and no ``--quiet``."""
    return not quiet and sys.stderr.isatty()


def progress_bar(total: int, *, name: str | None = None, unit: str = "", done: int = 0) -> tqdm[NoReturn]:
    """Return an open bar of ``total`` steps, of which ``done`` are done already."""
    from tqdm import tqdm

    columns, rows = shutil.get_terminal_size()  # 80 × 24 where a terminal says 0 × 0, in which tqdm draws nothing
    return tqdm(
        total=total,
        initial=done,
        desc=name,
        unit=unit,
        file=sys.stderr,
        leave=False,
        ncols=min(columns, _MAX_COLUMNS),
        nrows=rows,
    )
