"""Writes caption records as text, JSONL, JSON and CSV, safely whatever captions and names hold."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, ClassVar

from firstsight._text import visible_name
from firstsight.errors import UnknownNameError, UsageError
from firstsight.types import RECORD_SCHEMA_VERSION, CaptionRecord, Failure, Json, Provenance

__all__ = [
    "FORMAT_NAMES",
    "CsvFormat",
    "JsonFormat",
    "JsonlFormat",
    "RecordFormat",
    "TextFormat",
    "csv_row",
    "format_of",
    "guarded",
    "guarded_id",
    "one_line",
    "record_from_json",
    "unguarded",
]

_SURROGATES = re.compile("[\ud800-\udfff]")
_BREAKS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
# Legal inside a JSON string, but a line break to str.splitlines() and to JavaScript.
_JSON_BREAKS = re.compile("[\x85\u2028\u2029]")
# A field that begins so is run by a spreadsheet, or taken apart (OWASP, "CSV Injection").
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_GUARDED = re.compile(r"'+[=+\-@\t\r\n]")
_HARMLESS_ID = re.compile(r"[+-][\w .-]*")


class RecordFormat(ABC):
    """How records become text: ``head``, one ``row`` a record with ``gap`` between them, ``tail``.

    Rows end with a line feed and hold no other, so that a file cut anywhere can be continued after its last one.
    """

    name: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    is_appended: ClassVar[bool]
    """Whether a file of this format is written record by record; the others are journaled and written at the end."""
    lists_failures: ClassVar[bool] = True
    """Whether an image that failed has a row."""
    head: str = ""
    gap: str = ""
    tail: str = ""

    @abstractmethod
    def row(self, record: CaptionRecord) -> str:
        """Return the text of one record; empty where the format has no place for it."""

    def record(self, row: str) -> CaptionRecord:  # noqa: ARG002
        """Return what ``row`` (without its line feed) says.

        Raises:
            ValueError: It is no row of this format.
        """
        raise ValueError(f"{self.name} is not read back")

    def records(self, text: str) -> list[CaptionRecord]:
        """Return the records of a whole file.

        Raises:
            ValueError: It is no file of this format.
        """
        return [self.record(row) for row in text.removeprefix(self.head).split("\n") if row]


class TextFormat(RecordFormat):
    """For people: the file, a tab, and the best caption; an image that failed has ``[failed: code] message`` there."""

    name = "text"
    suffixes = (".txt",)
    is_appended = False

    def row(self, record: CaptionRecord) -> str:
        """Return ``file<TAB>caption`` on one line, without any control character."""
        if record.error is not None:
            said = f"[failed: {record.error.code}] {record.error.message}"
        else:
            said = record.captions[0]
        return f"{visible_name(record.file)}\t{one_line(said)}\n"


class JsonlFormat(RecordFormat):
    """One JSON object a line, with every field of a record."""

    name = "jsonl"
    suffixes = (".jsonl", ".ndjson")
    is_appended = True

    def row(self, record: CaptionRecord) -> str:
        """Return the record as one line of JSON."""
        return _json(_fields(record)) + "\n"

    def record(self, row: str) -> CaptionRecord:
        """Return the record of one line."""
        return record_from_json(json.loads(row))


class JsonFormat(RecordFormat):
    """One JSON list of the same objects that JSONL has."""

    name = "json"
    suffixes = (".json",)
    is_appended = False
    head, gap, tail = "[\n", ",\n", "\n]\n"

    def row(self, record: CaptionRecord) -> str:
        """Return the record as JSON."""
        return _json(_fields(record))

    def records(self, text: str) -> list[CaptionRecord]:
        """Return the records of a whole file."""
        document = json.loads(text)
        if not isinstance(document, list):
            raise ValueError("expected a list of records")
        return [record_from_json(entry) for entry in document]


class CsvFormat(RecordFormat):
    """A header, then id and best caption; an image that failed has no row.

    A caption that a spreadsheet would run as a formula, because it starts with ``=``, ``+``, ``-`` or ``@`` (a tab is
    replaced like every control character), gets one ``'`` in front; so does one that already has ``'`` there, so that
    `unguarded` gives every caption back exactly. Ids are guarded alike, except harmless ones such as ``-12_a``.
    """

    name = "csv"
    suffixes = (".csv",)
    is_appended = True
    lists_failures = False

    def __init__(self, id_column: str = "image_id") -> None:
        """Name the column of the id.

        Raises:
            UsageError: The name is empty, or holds a control character.
        """
        if not id_column.strip() or one_line(id_column) != id_column:
            raise UsageError(
                f"The id column {id_column!r} is not a name; allowed is text on one line, such as public_id."
            )
        self.head = csv_row(id_column, "caption")

    def row(self, record: CaptionRecord) -> str:
        """Return ``id,caption``, or nothing for an image that failed."""
        if record.error is not None:
            return ""
        return csv_row(guarded_id(record.image_id), guarded(one_line(record.captions[0])))

    def record(self, row: str) -> CaptionRecord:
        """Return the id and the caption of one row."""
        try:
            fields = next(csv.reader([row], strict=True), [])
        except csv.Error as error:
            raise ValueError(str(error)) from None
        if len(fields) != 2:
            raise ValueError(f"expected 2 fields, got {len(fields)}")
        return CaptionRecord(unguarded(fields[0]), "", (unguarded(fields[1]),))


_FORMATS: Mapping[str, type[RecordFormat]] = {cls.name: cls for cls in (TextFormat, JsonlFormat, JsonFormat, CsvFormat)}
FORMAT_NAMES = tuple(_FORMATS)


def format_of(name: str | None, out: str | None, *, id_column: str | None = None) -> RecordFormat:
    """Return the format that is asked for, else the one that the extension of ``out`` names, else text.

    Args:
        name: One of ``FORMAT_NAMES``, or None.
        out: The file that will be written; None or ``-`` is standard output.
        id_column: Name of the id column, which only CSV has; None for ``image_id``.

    Raises:
        UsageError: The extension names no format, or ``id_column`` is given for another format than CSV.
    """
    if name is None:
        name = "text" if out in (None, "-") else _name_by_suffix(str(out))
    if name not in _FORMATS:
        raise UnknownNameError("format", name, _FORMATS)
    if name == CsvFormat.name:
        return CsvFormat("image_id" if id_column is None else id_column)
    if id_column is not None:
        raise UsageError(f"An id column is for CSV alone; the format is {name}. Say --format csv, or leave it out.")
    return _FORMATS[name]()


def _name_by_suffix(out: str) -> str:
    suffix = PurePath(out).suffix.lower()
    for name, cls in _FORMATS.items():
        if suffix in cls.suffixes:
            return name
    known = ", ".join(suffix for cls in _FORMATS.values() for suffix in cls.suffixes)
    raise UsageError(f"The extension of {out!r} names no format; known are {known}. Say --format {'|'.join(_FORMATS)}.")


def one_line(text: str) -> str:
    """Return ``text`` with each run of control characters and line separators as one space, and none at its ends."""
    return _BREAKS.sub(" ", _SURROGATES.sub("\ufffd", text)).strip()


def guarded(text: str) -> str:
    """Return ``text`` so that no spreadsheet takes it for a formula; `unguarded` undoes it.

    Example:
        >>> guarded("=1+1"), guarded("a dog"), guarded("'tis a dog")
        ("'=1+1", 'a dog', "'tis a dog")
    """
    return "'" + text if _FORMULA.match(text) else text


def guarded_id(image_id: str) -> str:
    """Return an id as `guarded` does; harmless ones that begin with a sign, such as ``-12_a``, stay as they are."""
    return image_id if _HARMLESS_ID.fullmatch(image_id) else guarded(image_id)


def unguarded(text: str) -> str:
    """Return the text that `guarded` was given."""
    return text[1:] if text[:1] == "'" and _GUARDED.match(text) else text


def csv_row(*fields: object) -> str:
    r"""Return one row of CSV that ends in a line feed; a field with a lone ``\r`` or ``\n`` is quoted."""
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(fields)  # quotes both characters wherever they stand
    return line.getvalue().removesuffix("\r\n") + "\n"


def record_from_json(value: object) -> CaptionRecord:
    """Return the record of one JSON object as `JsonlFormat` writes it; fields of later versions are passed over.

    Raises:
        ValueError: A field is missing or of another type; the message names it.
    """
    fields = _typed(value, dict, "the record")
    error = fields.get("error")
    captions = _typed(fields.get("captions"), list, "captions")
    record = CaptionRecord(
        image_id=_typed(fields.get("image_id"), str, "image_id"),
        file=_typed(fields.get("file"), str, "file"),
        captions=tuple(_typed(caption, str, "a caption") for caption in captions),
        score=None if fields.get("score") is None else float(_typed(fields["score"], (int, float), "score")),
        provenance=_provenance(fields.get("provenance")),
        error=None if error is None else _failure(_typed(error, dict, "error")),
        schema_version=_typed(fields.get("schema_version"), int, "schema_version"),
    )
    if record.schema_version > RECORD_SCHEMA_VERSION:
        raise ValueError(f"schema_version {record.schema_version} is newer than {RECORD_SCHEMA_VERSION}")
    if not record.captions and record.error is None:
        raise ValueError("neither captions nor error")
    return record


def _provenance(value: object) -> Provenance | None:
    if value is None:
        return None
    fields = _typed(value, dict, "provenance")
    captioner, version, weights = (
        _typed(fields.get(key), str, f"provenance.{key}") for key in ("captioner", "version", "weights")
    )
    return Provenance(captioner, version, weights, _typed(fields.get("parameters"), dict, "provenance.parameters"))


def _failure(fields: dict[str, Any]) -> Failure:
    return Failure(*(_typed(fields.get(key), str, f"error.{key}") for key in ("code", "message")))


def _typed(value: object, kind: type | tuple[type, ...], what: str) -> Any:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{what} is {'missing' if value is None else 'a ' + type(value).__name__}")
    return value


def _fields(record: CaptionRecord) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "schema_version": record.schema_version,
        "image_id": record.image_id,
        "file": record.file,
        "captions": list(record.captions),
        "score": record.score if record.score is not None and math.isfinite(record.score) else None,
        "provenance": None,
    }
    if (made := record.provenance) is not None:
        fields["provenance"] = {
            "captioner": made.captioner,
            "version": made.version,
            "weights": made.weights,
            "parameters": dict(made.parameters),
        }
    if record.error is not None:
        fields["error"] = {"code": record.error.code, "message": record.error.message}
    return fields


def _json(value: Json) -> str:
    text = _SURROGATES.sub("\ufffd", json.dumps(value, ensure_ascii=False, allow_nan=False))
    return _JSON_BREAKS.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
