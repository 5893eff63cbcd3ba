"""Records of a CSV, TSV or JSONL file by the names of their fields, whatever these are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

from firstsight.datasets._rows import ID_COLUMNS, wanted_column
from firstsight.datasets._source import SourceText, quoted
from firstsight.datasets.writers import unguarded

__all__ = ["no_column", "record_id", "records"]

_DELIMITERS = (",", "\t", ";")


def records(text: SourceText) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the place and the fields of each record; fields of CSV are text, those of JSONL what JSON makes them.

    Raises:
        CaptionFileError: The file is not what it looks like, or a row has not as many fields as the header.
    """
    if text.text.lstrip().startswith("{"):
        yield from _json_lines(text)
        return
    header = text.text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=header.count)
    reader = csv.DictReader(io.StringIO(text.text, newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise text.fault(f"line {reader.line_num}", "the row has not as many fields as the header.")
            yield f"line {reader.line_num}", {name.strip(): unguarded(value) for name, value in row.items()}
    except csv.Error as error:
        raise text.fault(f"line {reader.line_num}", f"not valid CSV: {error}.") from None


def record_id(text: SourceText, place: str, record: Mapping[str, Any]) -> str:
    """Return the image_id of a record.

    Raises:
        CaptionFileError: It has none, or one that is neither text nor a whole number.
    """
    column = wanted_column(ID_COLUMNS, record)
    if column is None:
        raise text.fault(place, no_column("id", ID_COLUMNS, record))
    value = record[column]
    if isinstance(value, bool) or not isinstance(value, str | int) or value == "":
        raise text.fault(place, f"{column!r} must be text or a whole number, got {quoted(value)}.")
    return str(value)


def no_column(kind: str, allowed: tuple[str, ...], record: Mapping[str, Any]) -> str:
    """Return what to say of a record that has none of the ``allowed`` fields."""
    names = ", ".join(quoted(name) for name in list(record)[:8]) or "none"
    return f"no {kind}: expected one of {', '.join(allowed)}; the fields are {names}."


def _json_lines(text: SourceText) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise text.fault(f"line {number}", f"not valid JSON: {error}.") from None
        if not isinstance(record, dict):
            raise text.fault(f"line {number}", f"expected an object with image_id and more, got {quoted(line)}.")
        yield f"line {number}", record
