"""Bytes of a caption file as text: where it is, how it is encoded, and what to say when it is neither."""

from __future__ import annotations

import codecs
import contextlib
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from firstsight.errors import CaptionFileError, closest_name

__all__ = ["STDIN", "CaptionSource", "SourceText", "quoted", "read_source", "shown_name"]

CaptionSource: TypeAlias = "str | Path | BinaryIO"
"""A path, ``-`` for standard input, or a binary stream."""

STDIN = "-"

_MAX_QUOTED = 60

_ENCODINGS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

_FOREIGN_FILES = (
    (b"\x1f\x8b", "compressed with gzip", "Unpack it with gunzip first."),
    (b"PK\x03\x04", "a zip archive or an Excel workbook", "Unpack it, or save the sheet as CSV (UTF-8)."),
    (b"PAR1", "a Parquet file", "Convert it to JSONL or CSV."),
    (b"\x93NUMPY", "a NumPy array", "Captions are read from JSON, JSONL or CSV."),
    (b"%PDF", "a PDF document", "Captions are read from JSON, JSONL or CSV."),
    (b"\xff\xd8\xff", "a JPEG image", "Captions are read from JSON, JSONL or CSV."),
    (b"\x89PNG", "a PNG image", "Captions are read from JSON, JSONL or CSV."),
)


@dataclass(frozen=True, slots=True)
class SourceText:
    """The text of one caption file and the name that messages call it by."""

    name: str
    text: str
    suffix: str
    """Extension in lower case with its dot; empty for a stream."""

    def fault(self, place: str, problem: str) -> CaptionFileError:
        """Return the error that names this file, the place in it and the problem."""
        where = f"{self.name}, {place}" if place else self.name
        return CaptionFileError(f"{where}: {problem}")


def quoted(value: object) -> str:
    """Return an untrusted value for a message: quoted, escaped, cut to a readable length."""
    text = str(value) if isinstance(value, str) else value
    if isinstance(text, str) and len(text) > _MAX_QUOTED:
        text = text[: _MAX_QUOTED - 1] + "…"
    shown = repr(text)
    return shown if len(shown) <= 2 * _MAX_QUOTED else shown[: 2 * _MAX_QUOTED] + "…"


def shown_name(path: str | Path) -> str:
    """Return a path as messages show it: relative where the user stands above it, odd characters escaped."""
    path = Path(path)
    with contextlib.suppress(OSError, ValueError):
        path = path.resolve().relative_to(Path.cwd().resolve()) if path.is_absolute() else path
    name = str(path)
    return name if name.isprintable() else repr(name)


def read_source(source: CaptionSource) -> SourceText:
    """Return the whole text of a caption file.

    UTF-8 with or without a byte order mark is read, and UTF-16 and UTF-32 that begin with one.

    Raises:
        CaptionFileError: There is no such file, it is a folder, empty, of a foreign kind, or not UTF-8.
    """
    name, data, suffix = _read_bytes(source)
    if not data:
        raise CaptionFileError(f"{name} is empty (0 bytes). It should hold captions as JSON, JSONL or CSV.")
    for magic, kind, advice in _FOREIGN_FILES:
        if data.startswith(magic):
            raise CaptionFileError(f"{name} is {kind}, not a file of captions. {advice}")
    return SourceText(name, _decode(name, data), suffix)


def _read_bytes(source: CaptionSource) -> tuple[str, bytes, str]:
    if not isinstance(source, str | Path):
        return _stream_name(source), source.read(), ""
    if source == STDIN:
        if sys.stdin is None:
            raise CaptionFileError("Standard input is closed; name a file instead of '-'.")
        return "standard input", sys.stdin.buffer.read(), ""
    path = Path(source)
    name = shown_name(path)
    try:
        return name, path.read_bytes(), path.suffix.lower()
    except FileNotFoundError:
        raise CaptionFileError(f"There is no file {name}.{_neighbour(path)}") from None
    except IsADirectoryError:
        raise CaptionFileError(f"{name} is a folder. Name the file of captions in it.") from None
    except OSError as error:
        raise CaptionFileError(f"{name} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:  # a NUL in the name
        raise CaptionFileError(f"{name} is no name of a file: {error}.") from None


def _stream_name(stream: BinaryIO) -> str:
    name = getattr(stream, "name", None)
    return shown_name(name) if isinstance(name, str) and not name.startswith("<") else "the given stream"


def _neighbour(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir() if entry.name != path.name]
    except OSError:
        return f" There is no folder {shown_name(path.parent)} either."
    nearest = closest_name(path.name, names)
    return f" Did you mean {shown_name(path.parent / nearest)}?" if nearest else " Check the path."


def _decode(name: str, data: bytes) -> str:
    encoding = next((encoding for mark, encoding in _ENCODINGS if data.startswith(mark)), None)
    if encoding is None and _looks_like_utf16(data):
        raise CaptionFileError(f"{name} looks like UTF-16 without a byte order mark. Save it as UTF-8.")
    try:
        # surrogatepass: ids made of undecodable file names travel as lone surrogates and must come back unchanged
        return data.decode(encoding or "utf-8", "surrogatepass").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise CaptionFileError(
            f"{name}, line {line}: byte 0x{byte:02X} at offset {error.start} is not valid "
            f"{(encoding or 'utf-8').upper()}. Save the file as UTF-8."
        ) from None


def _looks_like_utf16(data: bytes) -> bool:
    head = data[:64]
    return len(head) >= 4 and (not any(head[0::2]) or not any(head[1::2]))
