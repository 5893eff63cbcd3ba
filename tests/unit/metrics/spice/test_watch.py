"""The program between firstsight and Java, without what Linux adds to it."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from firstsight.metrics.spice import watch

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a shell")


@pytest.fixture(autouse=True)
def owner(monkeypatch: pytest.MonkeyPatch) -> None:
    """An owner that stays, on a system that kills no orphans."""
    monkeypatch.setattr(watch, "_wait_for_owner", lambda child, gone: None)
    monkeypatch.setattr(watch, "_die_with_parent", lambda: None)


def run(folder: Path, script: str, limit_s: float = 60) -> int:
    return watch.main([str(folder), str(limit_s), "/bin/sh", "-c", script])


def test_both_outputs_go_to_the_log_and_the_code_is_that_of_the_command(tmp_path: Path):
    assert run(tmp_path, "echo one; echo two >&2; pwd; exit 7") == 7
    assert (tmp_path / watch.LOG).read_text().split() == ["one", "two", str(tmp_path)]


def test_a_command_that_was_killed_has_a_code_above_128(tmp_path: Path):
    assert run(tmp_path, "kill -9 $$") == 128 + signal.SIGKILL


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can wait for any process")
def test_a_command_past_its_limit_is_killed_with_all_it_started(tmp_path: Path):
    assert run(tmp_path, "echo $$; sleep 1000 & echo $!; wait", 1.0) == watch.PAST_LIMIT
    command, started = map(int, (tmp_path / watch.LOG).read_text().split())
    assert has_ended(command)
    assert has_ended(started)


def has_ended(process: int) -> bool:
    """Whether a process has ended or does so at once."""
    try:
        descriptor = os.pidfd_open(process)
    except ProcessLookupError:
        return True
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ended = bool(poll.poll(10_000))
    os.close(descriptor)
    return ended


def test_a_command_that_cannot_be_started_is_told(tmp_path: Path):
    assert watch.main([str(tmp_path), "60", "/no/such/java"]) == watch.CANNOT_START
    assert (tmp_path / watch.LOG).read_text() == "/no/such/java: No such file or directory"


def test_a_folder_is_removed_when_the_owner_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.setattr(watch, "_wait_for_owner", lambda child, gone: gone.set())
    assert run(folder, "kill -9 $$") == watch.OWNER_GONE
    assert not folder.exists()
