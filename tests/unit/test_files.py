"""Output files appear whole or not at all, and never over another file unasked."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from firstsight._files import check_output, write_whole
from firstsight.errors import OutputError


@pytest.mark.parametrize(
    ("content", "data"),
    [
        ("two\nlines of 한글\n", "two\nlines of 한글\n".encode()),
        ("lone \ud800", b"lone \\ud800"),
        (b"\x00\r\n\xff", b"\x00\r\n\xff"),
        ("", b""),
    ],
)
def test_text_and_bytes_are_written_as_they_are(tmp_path: Path, content: str | bytes, data: bytes) -> None:
    path = tmp_path / "out"
    write_whole(path, content, overwrite=False)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_is_replaced_only_when_asked(tmp_path: Path) -> None:
    path = tmp_path / "out"
    path.write_text("first")
    with pytest.raises(OutputError, match=r"out exists\. Choose another name, or replace it with --overwrite\."):
        write_whole(path, "second", overwrite=False)
    assert path.read_text() == "first"
    write_whole(path, b"second", overwrite=True)
    assert path.read_text() == "second"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    synchronise = os.fsync

    def other_writes(number: int) -> None:
        synchronise(number)
        path.write_text("other")

    monkeypatch.setattr(os, "fsync", other_writes)
    with pytest.raises(OutputError, match="out appeared while this ran"):
        write_whole(path, b"ours", overwrite=False)
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("other", 1)


def test_a_failed_write_leaves_what_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out"
    path.write_text("before")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match=r"out cannot be written: No space left on device\."):
        write_whole(path, b"after", overwrite=True)
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("before", 1)


def test_a_link_is_followed_and_a_device_written_directly(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("before")
    link.symlink_to(target)
    write_whole(link, b"after", overwrite=True)
    assert (target.read_text(), link.is_symlink()) == ("after", True)
    write_whole(Path(os.devnull), b"gone", overwrite=False)
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)


def test_what_cannot_be_written_is_told_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path, overwrite=True)
    with pytest.raises(OutputError, match=r"The folder .*absent of the output out does not exist\. Make it first\."):
        check_output(tmp_path / "absent" / "out", overwrite=True)
