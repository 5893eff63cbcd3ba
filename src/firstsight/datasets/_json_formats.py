"""Caption files in JSON: COCO annotations, COCO results, lists of records, and JSONL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NoReturn

from firstsight.datasets._rows import CaptionRow, JsonNumber, Role, row_of_record
from firstsight.datasets._source import SourceText, quoted
from firstsight.errors import closest_name

__all__ = ["coco_rows", "is_coco", "is_jsonl", "is_list", "json_lines_rows", "list_rows"]

_DECODER = json.JSONDecoder(parse_int=JsonNumber, parse_float=JsonNumber)
_BLANK = " \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]*")
_COMMA = re.compile(r"[ \t\r\n]*,[ \t\r\n]*")


def is_list(source: SourceText) -> bool:
    """Tell whether the text is one JSON list."""
    return source.text.lstrip()[:1] == "["


def is_coco(source: SourceText) -> bool:
    """Tell whether the text is one JSON object over the whole file, as COCO annotations are."""
    text = source.text.lstrip()
    if text[:1] != "{":
        return False
    first_line = text.partition("\n")[0]
    try:
        return "annotations" in json.loads(first_line)
    except (ValueError, RecursionError):
        return '"annotations"' in text or first_line.strip() == "{"


def is_jsonl(source: SourceText) -> bool:
    """Tell whether the text begins with a JSON object."""
    return source.text.lstrip()[:1] == "{"


def json_lines_rows(source: SourceText, role: Role) -> Iterator[CaptionRow]:
    """Yield the rows of a JSONL file; records end at a line feed and nowhere else."""
    lines = source.text.split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip(" \t\r"):
            continue
        try:
            record = _DECODER.decode(line)
        except RecursionError:
            raise source.fault(f"line {number}", "the JSON is nested too deeply to be a caption record.") from None
        except json.JSONDecodeError as error:
            if number == len(lines) and line.lstrip()[:1] == "{" and line.rstrip()[-1:] != "}":
                raise source.fault(
                    f"line {number}",
                    "the last line is cut short: the file ends inside a record. Write it again to the end; "
                    "a run of `firstsight caption` is continued with --resume.",
                ) from None
            _raise_json_fault(source, f"line {number}, column {error.colno}", error, line, error.pos)
        yield row_of_record(source, f"line {number}", record, role)


def list_rows(source: SourceText, role: Role) -> Iterator[CaptionRow]:
    """Yield the rows of one JSON list of records, COCO results among them."""
    walker = _Walker(source)
    for place, record in walker.elements():
        yield row_of_record(source, place, record, role)
    walker.expect_end()


def coco_rows(source: SourceText, role: Role) -> Iterator[CaptionRow]:
    """Yield the rows of a COCO annotation file; an image that is listed without an annotation has no captions."""
    walker = _Walker(source)
    rows: list[CaptionRow] | None = None
    images: list[tuple[str, Any]] = []
    files: dict[str, str] = {}
    keys: list[str] = []
    for key in walker.members():
        keys.append(key)
        if key == "annotations":
            rows = [_annotation_row(source, place, record, role) for place, record in walker.elements()]
        elif key == "images":
            images = list(walker.elements())
        else:
            walker.value()
    walker.expect_end()
    if rows is None:
        raise source.fault("", _no_annotations(keys))
    annotated = {row.image_id for row in rows}
    for place, image in images:
        image_id = image.get("id") if isinstance(image, dict) else None
        if not isinstance(image_id, str):
            continue
        file = image.get("file_name")
        if isinstance(file, str):
            files[str(image_id)] = str(file)
        if str(image_id) not in annotated:
            rows.append(CaptionRow(str(image_id), (), f"{place} of 'images'", "no annotation"))
    yield from (row._replace(file=files[row.image_id]) if row.image_id in files else row for row in rows)


def _annotation_row(source: SourceText, place: str, record: object, role: Role) -> CaptionRow:
    """Return the row of one annotation, whose ``id`` is its own and never that of its image."""
    if isinstance(record, dict) and "image_id" not in record:
        fields = ", ".join(quoted(name) for name in list(record)[:8]) or "none"
        raise source.fault(place, f"the annotation has no 'image_id'; its fields are {fields}.")
    return row_of_record(source, place, record, role)


def _no_annotations(keys: list[str]) -> str:
    near = next((key for key in keys if closest_name(key, ["annotations"])), None)
    hint = f" Did you mean 'annotations' for {quoted(near)}?" if near else ""
    fields = ", ".join(quoted(key) for key in keys[:8]) or "none"
    return (
        f"the JSON object has no list 'annotations'; its fields are {fields}.{hint} Allowed are COCO annotations, "
        "a list of records, and one record a line (JSONL)."
    )


class _Walker:
    """Walks over one JSON document a piece at a time, so that each record knows its line."""

    def __init__(self, source: SourceText) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._line = 1
        self._counted = 0

    def value(self) -> Any:
        self._skip_space()
        try:
            value, self._at = _DECODER.raw_decode(self._text, self._at)
        except RecursionError:
            raise self._source.fault(f"line {self._here()}", "the JSON is nested too deeply.") from None
        except json.JSONDecodeError as error:
            self._fail(error)
        return value

    def elements(self) -> Iterator[tuple[str, Any]]:
        """Yield place and value of each element of the list that comes next."""
        self._skip_space()
        if self._peek() != "[":
            value = self.value()
            raise self._source.fault(f"line {self._here()}", f"expected a list of records, got {quoted(value)}.")
        self._at += 1
        for number in self._items("]"):
            place = f"entry {number} (line {self._here()})"
            yield place, self.value()

    def members(self) -> Iterator[str]:
        """Yield each key of the object that comes next; the caller takes its value before it goes on."""
        self._expect("{")
        for _ in self._items("}"):
            if self._peek() != '"':
                self._fail_here("Expecting a property name in double quotes")
            key = self.value()
            self._expect(":")
            yield key

    def expect_end(self) -> None:
        self._skip_space()
        if self._at < len(self._text):
            self._fail_here("Extra data after the end of the JSON document")

    def _items(self, closing: str) -> Iterator[int]:
        self._skip_space()
        number = 1
        if self._peek() == closing:
            self._at += 1
            return
        while True:
            yield number
            number += 1
            if comma := _COMMA.match(self._text, self._at):
                self._at = comma.end()
                continue
            self._skip_space()
            if self._peek() == closing:
                self._at += 1
                return
            self._fail_here("Expecting ','")

    def _expect(self, mark: str) -> None:
        self._skip_space()
        if self._peek() != mark:
            self._fail_here(f"Expecting {mark!r}")
        self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _skip_space(self) -> None:
        if self._peek() in _BLANK and (match := _SPACE.match(self._text, self._at)):
            self._at = match.end()

    def _here(self) -> int:
        self._skip_space()
        self._line += self._text.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _fail_here(self, problem: str) -> NoReturn:
        self._fail(json.JSONDecodeError(problem, self._text, self._at))

    def _fail(self, error: json.JSONDecodeError) -> NoReturn:
        ends_inside = error.pos >= len(self._text.rstrip()) or error.msg.startswith("Unterminated string")
        if ends_inside:
            last = self._text.rstrip().count("\n") + 1
            raise self._source.fault(
                f"line {last}", "the file ends in the middle of the JSON document: it is cut short. Write it again."
            ) from None
        place = f"line {error.lineno}, column {error.colno}"
        _raise_json_fault(self._source, place, error, self._text, error.pos)


def _raise_json_fault(
    source: SourceText, place: str, error: json.JSONDecodeError, text: str, position: int
) -> NoReturn:
    near = text[max(0, position - 15) : position + 15]
    problem = error.msg
    if problem.startswith("Invalid control character"):
        escape = json.dumps(text[position])[1:-1]
        problem = f"a character that JSON wants written as {escape} stands as it is"
    raise source.fault(place, f"not valid JSON: {problem} near {quoted(near)}.") from None
