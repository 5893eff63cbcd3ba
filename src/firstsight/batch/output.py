"""Where records go: a stream, a file appended record by record, or a journal that becomes a file at the end."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection
from pathlib import Path
from typing import BinaryIO, Literal, NoReturn, TypeAlias

from firstsight.datasets.writers import JsonlFormat, RecordFormat
from firstsight.errors import OutputError, UsageError
from firstsight.types import CaptionRecord, Provenance

__all__ = ["Existing", "Output", "open_output"]

Existing: TypeAlias = Literal["refuse", "resume", "overwrite"]


class Output(ABC):
    """Takes records one by one; ``held`` are the ids that it held when it was opened, to be continued."""

    def __init__(self) -> None:
        """Begin with nothing held."""
        self.held: set[str] = set()
        self.n_held_failed = 0
        self.provenance: Provenance | None = None
        """What made the records that are held, where the format states it."""

    @abstractmethod
    def write(self, record: CaptionRecord) -> None:
        """Write one record so that it survives the end of this process.

        Raises:
            OutputError: It cannot be written.
        """

    def finish(self) -> None:  # noqa: B027 (a stream has nothing to do here)
        """Complete the file; not called when the run ended early."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the file; a run that ended early can be resumed."""

    def hold(self, record: CaptionRecord) -> None:
        """Count a record that is there already."""
        self.held.add(record.image_id)
        self.n_held_failed += record.error is not None
        self.provenance = self.provenance or record.provenance


class StreamOutput(Output):
    """Standard output, a pipe or a device: written through, never resumed."""

    def __init__(self, stream: BinaryIO, name: str, record_format: RecordFormat, *, owns: bool) -> None:
        """Write the head of the format."""
        super().__init__()
        self._stream, self._name, self._format, self._owns = stream, name, record_format, owns
        self._gap = ""
        self._is_closed = False
        self._put(record_format.head)

    def write(self, record: CaptionRecord) -> None:
        """Write one record and flush."""
        if row := self._format.row(record):
            self._put(self._gap + row)
            self._gap = self._format.gap

    def close(self) -> None:
        """Write the tail of the format, so that a run that ended early is still a whole document."""
        if self._is_closed:
            return
        self._is_closed = True
        self._put(self._format.tail)
        if self._owns:
            self._stream.close()

    def _put(self, text: str) -> None:
        rest = memoryview(text.encode())
        try:
            while rest:
                rest = rest[self._stream.write(rest) :]
            self._stream.flush()
        except OSError as error:
            self._is_closed = True
            if self._owns:
                self._stream.close()
            if isinstance(error, BrokenPipeError):  # the reader has enough: the command line ends quietly
                raise
            raise _cannot_write(self._name, error) from None


class AppendedOutput(Output):
    """A file that grows by one row a record, is locked against a second run, and goes on after its last whole row.

    Nothing in it is changed before the first record: a captioner that cannot be loaded leaves all as it was.
    """

    def __init__(self, path: Path, record_format: RecordFormat, existing: Existing, ids: Collection[str]) -> None:
        """Open or create ``path``.

        Raises:
            OutputError: It exists and ``existing`` is ``refuse``, another run writes it, or it does not fit.
        """
        super().__init__()
        self._path, self._format = path, record_format
        was_there = path.exists()
        self._fd = _locked(path, existing)
        self._is_begun, self._is_new = False, not was_there
        try:
            self._n_bytes = self._read(ids) if existing == "resume" else 0
        except OSError as error:
            self.close()
            raise _cannot_write(str(path), error) from None
        except BaseException:
            self.close()
            raise

    def write(self, record: CaptionRecord) -> None:
        """Write one row in one piece; what a full disk left of it is cut off again."""
        try:
            self._begin()
            self._put(self._format.row(record))
        except OSError as error:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, self._n_bytes)
            raise _cannot_write(
                str(self._path), error, " What was written before is kept: go on with --resume."
            ) from None

    def finish(self) -> None:
        """Bring the file to the disk itself."""
        try:
            self._begin()
            os.fsync(self._fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise _cannot_write(str(self._path), error) from None

    def close(self) -> None:
        """Close the file, which unlocks it; one that this run made and wrote nothing into goes."""
        if self._fd >= 0:
            if self._is_new and not self._is_begun:
                with contextlib.suppress(OSError):
                    self._path.unlink()
            os.close(self._fd)
            self._fd = -1

    def _begin(self) -> None:
        """Cut off what is not continued and write the head, once."""
        if self._is_begun:
            return
        os.ftruncate(self._fd, self._n_bytes)
        os.lseek(self._fd, self._n_bytes, os.SEEK_SET)
        if not self._n_bytes:
            self._put(self._format.head)
        self._is_begun = True

    def _put(self, text: str) -> None:
        data = text.encode()
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]
        self._n_bytes += len(data)

    def _read(self, ids: Collection[str]) -> int:
        """Hold the records that are there, and return how many bytes of the file are whole rows."""
        n_bytes = 0
        head = self._format.head.encode()
        with os.fdopen(os.dup(self._fd), "rb") as file:
            for number, line in enumerate(file, 1):
                is_head = number == 1 and bool(head)
                if not line.endswith(b"\n"):
                    if number == 1 and not (head or b'{"schema_version": ').startswith(line[: len(head) or 19]):
                        self._refuse(number, "it is no row of a caption file")
                    break
                if is_head and line != head:
                    got = line.decode("utf-8", "replace").removesuffix("\n")
                    self._refuse(number, f"the header is {got!r}; this run writes {self._format.head.strip()!r}")
                elif not is_head:
                    self._hold_line(number, line, ids)
                n_bytes += len(line)
        return n_bytes

    def _hold_line(self, number: int, line: bytes, ids: Collection[str]) -> None:
        try:
            record = self._format.record(line[:-1].decode())
        except (ValueError, RecursionError) as error:
            self._refuse(number, f"it is no {self._format.name} row of captions ({error})")
        if record.image_id not in ids:
            self._refuse(number, f"the image_id {record.image_id!r} is not among the images of this run")
        if record.image_id in self.held:
            self._refuse(number, f"the image_id {record.image_id!r} stands in it twice")
        self.hold(record)

    def _refuse(self, number: int, problem: str) -> NoReturn:
        raise OutputError(
            f"Cannot resume {str(self._path)!r}, line {number}: {problem}. Name the same images and options as in the "
            "run that began it, or say --overwrite."
        )


class JournaledOutput(Output):
    """A file that appears whole at the end; until then its records are in a journal beside it."""

    def __init__(self, path: Path, record_format: RecordFormat, existing: Existing, ids: Collection[str]) -> None:
        """Open or create the journal.

        Raises:
            OutputError: As `AppendedOutput`, and where a finished file cannot be read back.
        """
        super().__init__()
        self._path, self._format = path, record_format
        self._journal_path = path.with_name(path.name + ".journal")
        seeds: list[CaptionRecord] = []
        if existing == "resume" and path.exists() and not self._journal_path.exists():
            seeds = _finished_records(path, record_format, ids)
        if existing == "refuse" and self._journal_path.exists():
            raise OutputError(
                f"{str(self._journal_path)!r} is there: a run that writes {str(path)!r} was not finished. "
                "Say --resume to go on, or --overwrite to begin again."
            )
        self._journal = AppendedOutput(self._journal_path, JsonlFormat(), existing, ids)
        for seed in seeds:
            self._journal.write(seed)
            self._journal.hold(seed)
        self.held, self.n_held_failed = self._journal.held, self._journal.n_held_failed
        self.provenance = self._journal.provenance

    def write(self, record: CaptionRecord) -> None:
        """Write one record to the journal."""
        self._journal.write(record)

    def finish(self) -> None:
        """Write the file under another name beside it, rename it, and remove the journal."""
        self._journal.finish()
        partial = self._path.with_name(self._path.name + ".partial")
        try:
            with partial.open("wb") as file:
                output = StreamOutput(file, str(self._path), self._format, owns=False)
                with self._journal_path.open("rb") as journal:
                    for line in journal:
                        output.write(JsonlFormat().record(line.decode()))
                output.close()
                os.fsync(file.fileno())
            os.replace(partial, self._path)  # noqa: PTH105
            self._journal_path.unlink()
        except OSError as error:
            partial.unlink(missing_ok=True)
            raise _cannot_write(str(self._path), error, " Nothing is lost: go on with --resume.") from None

    def close(self) -> None:
        """Close the journal; it stays for --resume if the run ended early."""
        self._journal.close()


def _finished_records(path: Path, record_format: RecordFormat, ids: Collection[str]) -> list[CaptionRecord]:
    try:
        records = record_format.records(path.read_bytes().decode())
    except OSError as error:
        raise OutputError(f"Cannot read {str(path)!r}: {error.strerror}. Check your rights.") from None
    except (ValueError, RecursionError) as error:
        raise OutputError(
            f"Cannot resume {str(path)!r}: the file is finished, and {error}. Write jsonl or csv, which can be "
            "continued at any time, or say --overwrite."
        ) from None
    unknown = [record.image_id for record in records if record.image_id not in ids]
    if unknown:
        raise OutputError(
            f"Cannot resume {str(path)!r}: its image_id {unknown[0]!r} is not among the images of this run. "
            "Name the same images and options as in the run that began it, or say --overwrite."
        )
    return records


def open_output(
    out: str | os.PathLike[str] | None,
    record_format: RecordFormat,
    existing: Existing,
    ids: Callable[[], Collection[str]],
) -> Output:
    """Return the output, locked and checked, with what it holds.

    Args:
        out: The file; None or ``-`` for standard output.
        record_format: How records are written.
        existing: What to do with a file that is there.
        ids: Returns the ids of all images of this run; called once it is known that the file may be written.

    Raises:
        OutputError: The file may not or cannot be written, or cannot be resumed; the message says why.
        UsageError: Standard output is to be resumed.
    """
    if out is None or os.fspath(out) == "-":
        if existing == "resume":
            raise UsageError("Standard output cannot be resumed. Name a file with -o.")
        ids()
        return StreamOutput(sys.stdout.buffer, "standard output", record_format, owns=False)
    path = Path(out)
    try:
        if path.is_symlink():  # the file behind a link is replaced, not the link
            path = path.resolve()
        check_writable(path, existing)
    except OSError as error:
        raise _cannot_write(str(path), error) from None
    known = ids()
    if path.exists() and not stat.S_ISREG(path.stat().st_mode):
        try:
            device = path.open("wb", buffering=0)
        except OSError as error:
            raise _cannot_write(str(out), error) from None
        return StreamOutput(device, str(out), record_format, owns=True)
    kind = AppendedOutput if record_format.is_appended else JournaledOutput
    return kind(path, record_format, existing, known)


def check_writable(path: Path, existing: Existing) -> None:
    """Raise before any work if ``path`` may not be written.

    Raises:
        OutputError: It exists and ``existing`` is ``refuse``, is a folder, or its folder does not exist.
    """
    if path.is_dir():
        raise OutputError(f"{str(path)!r} is a folder. Name a file in it.")
    if not path.parent.is_dir():
        raise OutputError(f"The folder {str(path.parent)!r} does not exist. Create it first.")
    is_special = path.exists() and not path.is_file()
    if is_special and existing == "resume":
        raise OutputError(f"{str(path)!r} is a pipe or a device and cannot be resumed. Name a file.")
    if path.exists() and not is_special and existing == "refuse":
        raise OutputError(
            f"{str(path)!r} exists. Say --resume to go on after what it holds, or --overwrite to replace it."
        )


def _locked(path: Path, existing: Existing) -> int:
    """Return a descriptor of ``path`` that no other run holds."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    if existing == "refuse":
        flags |= os.O_EXCL
    try:
        fd = os.open(path, flags, 0o666)
    except FileExistsError:
        check_writable(path, existing)
        raise OutputError(f"{str(path)!r} was made by another run just now. Name another file.") from None
    except OSError as error:
        raise _cannot_write(str(path), error) from None
    try:
        _lock(fd)
        # the run that held the lock may have renamed or removed the file while this one waited to open it
        is_same = path.exists() and os.path.samestat(os.fstat(fd), path.stat())
    except BlockingIOError:
        is_same = False
    if not is_same:
        os.close(fd)
        raise OutputError(f"{str(path)!r} is being written by another run. Wait for it, or name another file.")
    return fd


def _lock(fd: int) -> None:
    """Lock the file for this process until it is closed, however the process ends.

    Raises:
        BlockingIOError: Another process, or another opening of the file, holds the lock.
    """
    if sys.platform == "win32":  # the system's own share mode is not strict; there two runs are not told apart
        return
    import fcntl

    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError:  # a network file system without locks: writing still works
        return


def _cannot_write(name: str, error: OSError, advice: str = "") -> OutputError:
    reason = error.strerror or type(error).__name__
    hint = {
        errno.ENOSPC: " Free some space first.",
        errno.EDQUOT: " Free some space first.",
        errno.EACCES: " Check your rights.",
        errno.EROFS: " Name a file elsewhere.",
        errno.ENAMETOOLONG: " Choose a shorter name.",
    }.get(error.errno or 0, "")
    return OutputError(f"Cannot write {name!r}: {reason}.{hint}{advice}")
