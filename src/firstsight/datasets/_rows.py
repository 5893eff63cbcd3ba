"""One record of a caption file: the id as text, its captions, and where it stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

from firstsight.datasets._source import SourceText, quoted
from firstsight.errors import closest_name

__all__ = [
    "CAPTION_COLUMNS",
    "FILE_COLUMNS",
    "ID_COLUMNS",
    "CaptionRow",
    "JsonNumber",
    "Role",
    "id_of_file",
    "row_of_record",
    "wanted_column",
]

Role: TypeAlias = Literal["candidates", "references"]

ID_COLUMNS = ("image_id", "public_id", "id")
"""Names of the id, first match wins."""

FILE_COLUMNS = ("file", "file_name")
"""Names of the photo's file, first match wins; a record without an id has the file's name without extension."""

CAPTION_COLUMNS: Mapping[Role, tuple[str, ...]] = {
    "candidates": ("caption", "caption_gt"),
    "references": ("caption_gt", "caption"),
}
"""Names of one caption, first match wins: a file with both is read for its own side."""

_CAPTION_LIST = "captions"


class JsonNumber(str):
    """The digits of a JSON number as the file spells them, so that no id is ever rounded."""

    __slots__ = ()


class CaptionRow(NamedTuple):
    """One record: ``captions`` is empty where the record is of an image that failed."""

    image_id: str
    captions: tuple[str, ...]
    place: str
    """Such as ``line 3`` or ``entry 7 (line 1)``."""
    failure: str | None = None
    """Why there is no caption, for a record with ``error`` or with an empty list."""
    file: str | None = None
    """The photo's file, where the record names it."""


def wanted_column(names: tuple[str, ...], present: Mapping[str, Any] | list[str]) -> str | None:
    """Return the first of ``names`` that is present."""
    for name in names:  # asked for every record; a generator takes twice as long
        if name in present:
            return name
    return None


def row_of_record(source: SourceText, place: str, record: object, role: Role) -> CaptionRow:
    """Return the row of one JSON object.

    Raises:
        CaptionFileError: It is no object, has no id, no caption, or one of a wrong type.
    """
    if not isinstance(record, dict):
        raise source.fault(
            place, f'expected an object such as {{"image_id": "42", "caption": "A dog."}}, got {_kind(record)}.'
        )
    file_column = wanted_column(FILE_COLUMNS, record)
    named = record[file_column] if file_column else None
    file = str(named) if isinstance(named, str) and named and not isinstance(named, JsonNumber) else None
    id_column = wanted_column(ID_COLUMNS, record)
    if id_column is None and file is None:
        raise source.fault(place, _missing_field("id", ID_COLUMNS, list(record)))
    image_id = _id_text(source, place, id_column, record[id_column]) if id_column else id_of_file(str(file))
    if record.get("error") not in (None, False, ""):
        return CaptionRow(image_id, (), place, _failure_text(record["error"]), file)
    if _CAPTION_LIST in record:
        captions = _caption_list(source, place, record[_CAPTION_LIST])
        return CaptionRow(image_id, captions, place, None if captions else "an empty list of captions", file)
    column = wanted_column(CAPTION_COLUMNS[role], record)
    if column is None:
        allowed = (_CAPTION_LIST, *CAPTION_COLUMNS[role])
        raise source.fault(place, _missing_field("caption", allowed, list(record)))
    return CaptionRow(image_id, (_caption_text(source, place, column, record[column]),), place, file=file)


def id_of_file(file: str) -> str:
    """Return the id of a photo: the name of its file without folders and extension."""
    name = re.split(r"[/\\]", file)[-1]
    return name.rpartition(".")[0] or name


def _missing_field(kind: str, allowed: tuple[str, ...], present: list[str]) -> str:
    near = next(((name, nearest) for name in present if (nearest := closest_name(name, allowed))), None)
    hint = f" Did you mean {near[1]!r} for {quoted(near[0])}?" if near else ""
    fields = ", ".join(quoted(name) for name in present[:8]) or "none"
    return f"no {kind}: expected one of {', '.join(allowed)}; the fields are {fields}.{hint}"


def _id_text(source: SourceText, place: str, column: str, value: object) -> str:
    if isinstance(value, JsonNumber):
        if value.isdecimal():
            return str(value)
        whole = re.fullmatch(r"(-?\d+)(?:\.0+)?", value)
        if whole is None:
            raise source.fault(place, f"{column!r} is the number {quoted(value)}; an id is text or a whole number.")
        return whole[1]
    if not isinstance(value, str):
        raise source.fault(place, f"{column!r} must be text or a whole number, got {_kind(value)}.")
    if not value:
        raise source.fault(place, f"{column!r} is empty; every record needs the id of its image.")
    return value


def _caption_text(source: SourceText, place: str, column: str, value: object) -> str:
    if type(value) is str:
        return value
    if value is None:
        raise source.fault(
            place, f"{column!r} is null. Write the caption as text, or say why there is none in a field 'error'."
        )
    advice = f" Several captions belong in {_CAPTION_LIST!r}." if isinstance(value, list) else ""
    raise source.fault(place, f"{column!r} must be text, got {_kind(value)}.{advice}")


def _caption_list(source: SourceText, place: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        advice = " One caption belongs in 'caption'." if type(value) is str else ""
        raise source.fault(place, f"{_CAPTION_LIST!r} must be a list of texts, got {_kind(value)}.{advice}")
    return tuple(
        _caption_text(source, place, f"{_CAPTION_LIST}[{index}]", caption) for index, caption in enumerate(value)
    )


def _failure_text(error: object) -> str:
    if isinstance(error, dict):
        parts = [str(error[key]) for key in ("code", "message") if isinstance(error.get(key), str)]
        return ": ".join(parts) or "failed"
    return str(error) if isinstance(error, str) else "failed"


def _kind(value: object) -> str:
    if isinstance(value, JsonNumber):
        return f"the number {quoted(value)}"
    if isinstance(value, str):
        return f"the text {quoted(value)}"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):  # NaN and the infinities, which the JSON reader knows by name
        return str(value)
    return "a list" if isinstance(value, list) else "an object"
