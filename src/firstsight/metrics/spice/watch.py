"""Stands between firstsight and one Java process: ends it, and removes its folder, when firstsight is gone.

Run as a program: ``python watch.py FOLDER LIMIT_S COMMAND...``. Standard input is a pipe whose other end firstsight
holds; it closes when firstsight closes it, ends, or is killed. The command writes both its outputs into ``FOLDER/log``.
Exit code: that of the command, negative signals as 128 + signal; 124 past the limit; 125 where firstsight is gone; 126
where the command cannot be started. Standard library alone, so that it starts in a moment.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

__all__ = ["CANNOT_START", "LOG", "OWNER_GONE", "PAST_LIMIT"]

PAST_LIMIT = 124
OWNER_GONE = 125
CANNOT_START = 126
LOG = "log"

_SET_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux


def main(arguments: list[str]) -> int:
    """Run the command until it ends, its limit passes or the owner is gone."""
    folder, limit_s, command = Path(arguments[0]), float(arguments[1]), arguments[2:]
    try:
        with (folder / LOG).open("wb") as log:
            child = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
    except OSError as error:
        (folder / LOG).write_text(f"{command[0]}: {error.strerror}", encoding="utf-8")
        return CANNOT_START
    gone = threading.Event()
    threading.Thread(target=_wait_for_owner, args=(child, gone), daemon=True).start()
    try:
        code = child.wait(limit_s)
    except subprocess.TimeoutExpired:
        code = PAST_LIMIT
    finally:
        _end(child)
    if gone.is_set():
        shutil.rmtree(folder, ignore_errors=True)
        return OWNER_GONE
    return code if code >= 0 else 128 - code


def _wait_for_owner(child: subprocess.Popen[bytes], gone: threading.Event) -> None:
    os.read(0, 1)
    gone.set()
    _end(child)


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the command and all that it started; it has a session of its own."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(child.pid, signal.SIGKILL)
        else:
            child.kill()
    child.wait()


def _die_with_parent() -> Callable[[], None] | None:
    """Return what makes Linux kill the command when this program is killed itself."""
    if sys.platform != "linux":
        return None
    import ctypes

    prctl = ctypes.CDLL(None).prctl

    def set_death_signal() -> None:
        prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)

    return set_death_signal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
