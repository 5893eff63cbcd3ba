"""Caption files in lines of text: CSV, TSV, and the token files of Flickr8k and Flickr30k."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from firstsight.datasets._rows import (
    CAPTION_COLUMNS,
    FILE_COLUMNS,
    ID_COLUMNS,
    CaptionRow,
    Role,
    id_of_file,
    wanted_column,
)
from firstsight.datasets._source import SourceText, quoted
from firstsight.datasets.writers import unguarded
from firstsight.errors import closest_name

__all__ = ["is_table", "is_token_file", "table_rows", "token_file_rows"]

_DELIMITERS = (",", "\t", ";")
_JSON_SUFFIXES = (".json", ".jsonl", ".ndjson")
_TOKEN_LINE = re.compile(r"([^\t\n]+)#(\d+)\t(.*)", re.DOTALL)
_MAX_FIELD_CHARS = 64 * 2**20
_field_limit_lock = threading.Lock()


def is_token_file(source: SourceText) -> bool:
    """Tell whether the lines are ``photo.jpg#0<TAB>caption``."""
    return _TOKEN_LINE.match(source.text.lstrip("\r\n").partition("\n")[0]) is not None


def token_file_rows(source: SourceText, role: Role) -> Iterator[CaptionRow]:  # noqa: ARG001
    """Yield the rows of a token file; the id is the file name without its extension."""
    for number, line in enumerate(source.text.split("\n"), 1):
        line = line.removesuffix("\r")
        if not line:
            continue
        match = _TOKEN_LINE.fullmatch(line)
        if match is None:
            raise source.fault(
                f"line {number}", f"expected photo.jpg#0, a tab and a caption as on line 1, got {quoted(line)}."
            )
        name = match[1]
        yield CaptionRow(name.rpartition(".")[0] or name, (match[3],), f"line {number}")


def is_table(source: SourceText) -> bool:
    """Tell whether the first line names an id, or nothing says that the text is JSON."""
    header = source.text.lstrip("\r\n").partition("\n")[0]
    has_id = wanted_column(ID_COLUMNS + FILE_COLUMNS, _names(header, _delimiter(source))) is not None
    return has_id or source.suffix not in _JSON_SUFFIXES


def table_rows(source: SourceText, role: Role) -> Iterator[CaptionRow]:
    """Yield the rows of a CSV or TSV file with a header; the delimiter is a comma, a tab or a semicolon.

    The apostrophe that keeps a spreadsheet from running a field as a formula is taken off, see ``writers.guarded``.
    """
    records = _records(source, _delimiter(source))
    first_line, header = next(records, (1, []))
    names = [name.strip() for name in header]
    id_column, caption_column, file_column = _columns(source, f"line {first_line}", names, role)
    needed = max(id_column, caption_column)
    for line, fields in records:
        place = f"line {line}"
        if len(fields) <= needed or any(fields[len(names) :]):
            raise source.fault(place, _ragged(fields, names))
        image_id = unguarded(fields[id_column])
        file = unguarded(fields[file_column]) if file_column is not None and len(fields) > file_column else None
        if not image_id:
            raise source.fault(place, f"{names[id_column]!r} is empty; every row needs the id of its image.")
        image_id = id_of_file(image_id) if id_column == file_column else image_id
        yield CaptionRow(image_id, (unguarded(fields[caption_column]),), place, file=file or None)


def _delimiter(source: SourceText) -> str:
    header = source.text.lstrip("\r\n").partition("\n")[0]
    found = {mark: _names(header, mark) for mark in _DELIMITERS}
    known = [mark for mark in _DELIMITERS if wanted_column(ID_COLUMNS + FILE_COLUMNS, found[mark])]
    return max(known or _DELIMITERS, key=lambda mark: len(found[mark]))


def _names(header: str, delimiter: str) -> list[str]:
    return [name.strip(' "\r') for name in header.split(delimiter)]


def _records(source: SourceText, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    records: list[tuple[int, list[str]]] = []
    with _long_fields_allowed():
        reader = csv.reader(io.StringIO(source.text, newline=""), delimiter=delimiter, strict=True)
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader, None)
            except csv.Error as error:
                raise source.fault(f"line {line}", _csv_problem(str(error), reader.line_num)) from None
            if fields is None:
                return iter(records)
            if fields:
                records.append((line, fields))


def _csv_problem(problem: str, last_line: int) -> str:
    if "unexpected end" in problem:
        return (
            f"a double quote opens here and is not closed before the file ends (line {last_line}): the file is cut "
            'short, or a quote inside a field is not doubled ("").'
        )
    if "expected after" in problem:
        return 'a field goes on after its closing double quote. Inside a quoted field a quote is doubled ("").'
    return f"not valid CSV: {problem}."


def _columns(source: SourceText, place: str, names: list[str], role: Role) -> tuple[int, int, int | None]:
    """Return where the id, the caption and the file stand; without an id the file stands for it."""
    found = []
    file = wanted_column(FILE_COLUMNS, names)
    ids = ID_COLUMNS if file is None or wanted_column(ID_COLUMNS, names) else FILE_COLUMNS
    for kind, allowed in (("id", ids), ("caption", CAPTION_COLUMNS[role])):
        column = wanted_column(allowed, names)
        if column is None:
            raise source.fault(place, _no_column(kind, allowed, names))
        if names.count(column) > 1:
            raise source.fault(place, f"the header has the column {column!r} {names.count(column)} times; keep one.")
        found.append(names.index(column))
    return found[0], found[1], None if file is None else names.index(file)


def _no_column(kind: str, allowed: tuple[str, ...], names: list[str]) -> str:
    near = next(((name, nearest) for name in names if (nearest := closest_name(name.lower(), allowed))), None)
    hint = f" Did you mean {near[1]!r} for {quoted(near[0])}?" if near else " The first line must name the columns."
    columns = ", ".join(quoted(name) for name in names[:8]) or "none"
    return f"no column with the {kind}: expected one of {', '.join(allowed)}; the columns are {columns}.{hint}"


def _ragged(fields: list[str], names: list[str]) -> str:
    advice = " Put captions that contain the delimiter in double quotes." if len(fields) > len(names) else ""
    return f"{len(fields)} field{'s' * (len(fields) != 1)}, but the header has {len(names)} columns.{advice}"


@contextmanager
def _long_fields_allowed() -> Iterator[None]:
    """Lift the limit of 131,072 characters a field, which the csv module keeps for the whole process."""
    with _field_limit_lock:
        before = csv.field_size_limit(_MAX_FIELD_CHARS)
        try:
            yield
        finally:
            csv.field_size_limit(before)
