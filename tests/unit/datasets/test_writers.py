"""The four formats: exact text, hostile text, and that what is written is read back."""

from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight._text import visible_name
from firstsight.datasets import read_candidates
from firstsight.datasets.writers import (
    CsvFormat,
    JsonFormat,
    JsonlFormat,
    TextFormat,
    format_of,
    guarded,
    guarded_id,
    one_line,
    record_from_json,
    unguarded,
)
from firstsight.errors import UnknownNameError, UsageError
from firstsight.types import CaptionRecord, Failure, Provenance

MADE = Provenance("fake", "1", "sha256:ab", {"beam_size": 3})
DONE = CaptionRecord("a", "photos/a.jpg", ("A dog.", "Dogs."), -0.5, MADE)
FAILED = CaptionRecord("b", "photos/b.jpg", error=Failure("empty", "'photos/b.jpg' is empty."), provenance=MADE)

texts = st.text(st.characters(codec=None), max_size=20)
some_text = texts.map(lambda text: text + "x")


def test_jsonl_has_exactly_the_published_fields():
    assert JsonlFormat().row(DONE) == (
        '{"schema_version": 1, "image_id": "a", "file": "photos/a.jpg", "captions": ["A dog.", "Dogs."], '
        '"score": -0.5, "provenance": {"captioner": "fake", "version": "1", "weights": "sha256:ab", '
        '"parameters": {"beam_size": 3}}}\n'
    )


def test_a_failure_has_error_and_no_captions():
    fields = json.loads(JsonlFormat().row(FAILED))
    assert fields["error"] == {"code": "empty", "message": "'photos/b.jpg' is empty."}
    assert (fields["captions"], fields["score"]) == ([], None)


def test_text_names_file_and_caption_or_failure():
    assert TextFormat().row(DONE) == "photos/a.jpg\tA dog.\n"
    assert TextFormat().row(FAILED) == "photos/b.jpg\t[failed: empty] 'photos/b.jpg' is empty.\n"


def test_csv_has_the_best_caption_and_no_row_for_a_failure():
    assert CsvFormat().head + CsvFormat().row(DONE) + CsvFormat().row(FAILED) == "image_id,caption\na,A dog.\n"
    assert CsvFormat("public_id").head == "public_id,caption\n"


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b"])
def test_an_id_column_that_is_no_name(name):
    with pytest.raises(UsageError, match="is not a name; allowed is text on one line, such as public_id"):
        CsvFormat(name)


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number_is_null(score):
    assert json.loads(JsonlFormat().row(CaptionRecord("a", "a", ("x",), score)))["score"] is None


@given(caption=some_text, image_id=some_text, file=some_text)
def test_any_text_is_one_line_of_valid_utf_8_in_jsonl(caption, image_id, file):
    row = JsonlFormat().row(CaptionRecord(image_id, file, (caption,)))
    assert row.encode().decode() == row
    assert row.splitlines() == [row[:-1]]
    if not any("\ud800" <= char <= "\udfff" for char in caption + image_id + file):
        assert JsonlFormat().record(row[:-1]) == CaptionRecord(image_id, file, (caption,))


@given(caption=some_text, file=some_text)
def test_any_text_is_one_printable_line_in_text_format(caption, file):
    row = TextFormat().row(CaptionRecord("a", file, (caption,)))
    row.encode()
    assert row.splitlines() == [row[:-1]]
    assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in row[:-1].replace("\t", "", 1))


@given(caption=some_text, image_id=some_text.map(visible_name))
def test_any_caption_is_one_line_in_csv_and_no_formula(caption, image_id):
    row = CsvFormat().row(CaptionRecord(image_id, "f", (caption,)))
    row.encode()
    assert row.count("\n") == 1
    fields = next(csv.reader([row]))
    assert not fields[1].startswith(("=", "+", "-", "@", "\t", "\r"))
    assert not fields[0].startswith(("=", "@"))
    record = CsvFormat().record(row[:-1])
    assert (record.image_id, record.captions) == (image_id, (one_line(caption),))


@pytest.mark.parametrize(
    ("caption", "field"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+1", "'+1"),
        ("- a dog", "'- a dog"),
        ("@a", "'@a"),
        ("\t=1", "'=1"),
        ("\r\n=1", "'=1"),
        ("'=1", "''=1"),
        ("'tis a dog", "'tis a dog"),
        ("a = b", "a = b"),
        ("개 한 마리", "개 한 마리"),
    ],
)
def test_formulas_are_guarded_and_nothing_else(caption, field):
    assert next(csv.reader([CsvFormat().row(CaptionRecord("a", "f", (caption,)))]))[1] == field


@pytest.mark.parametrize(
    ("image_id", "field"),
    [("-0xJ2_a", "-0xJ2_a"), ("+1", "+1"), ("=1+1", "'=1+1"), ("@SUM(1)", "'@SUM(1)"), ("-2+cmd|' /C'!A0", None)],
)
def test_ids_are_guarded_unless_harmless(image_id, field):
    written = next(csv.reader([CsvFormat().row(CaptionRecord(image_id, "f", ("x",)))]))[0]
    assert written == ("'" + image_id if field is None else field)


@given(texts)
def test_guarding_is_undone_exactly(text):
    assert unguarded(guarded(text)) == text


@given(st.text("'=+-@a", max_size=5))
def test_guarding_is_undone_exactly_near_quotes(text):
    assert unguarded(guarded(text)) == text
    assert not guarded(text).startswith(("=", "+", "-", "@"))


@pytest.mark.parametrize("record_format", [JsonlFormat(), JsonFormat(), CsvFormat()])
def test_evaluate_reads_what_is_written(record_format):
    records = [DONE, CaptionRecord("개", "k.jpg", ('A "dog", =1\u2028and\x85two\nlines.',))]
    rows = record_format.gap.join(record_format.row(record) for record in records)
    found = read_candidates(io.BytesIO((record_format.head + rows + record_format.tail).encode()))
    assert list(found.captions) == ["a", "개"]
    assert found.captions["a"] == "A dog."
    assert one_line(found.captions["개"]) == 'A "dog", =1 and two lines.'


def test_evaluate_sees_failures():
    rows = JsonlFormat().row(DONE) + JsonlFormat().row(FAILED)
    assert read_candidates(io.BytesIO(rows.encode())).failures == {"b": "empty: 'photos/b.jpg' is empty."}


def test_json_of_nothing_is_an_empty_list():
    assert json.loads(JsonFormat().head + JsonFormat().tail) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"image_id": None}, "image_id is missing"),
        ({"image_id": 7}, "image_id is a int"),
        ({"captions": "x"}, "captions is a str"),
        ({"captions": [1]}, "a caption is a int"),
        ({"captions": []}, "neither captions nor error"),
        ({"score": "x"}, "score is a str"),
        ({"provenance": []}, "provenance is a list"),
        ({"error": {"code": "x"}}, "error.message is missing"),
        ({"schema_version": 2}, "schema_version 2 is newer than 1"),
        ({"schema_version": True}, "schema_version is a bool"),
    ],
)
def test_a_record_that_is_none(change, message):
    with pytest.raises(ValueError, match=message):
        record_from_json(json.loads(JsonlFormat().row(DONE)) | change)


def test_fields_of_later_versions_are_passed_over():
    assert record_from_json(json.loads(JsonlFormat().row(DONE)) | {"keywords": ["dog"]}) == DONE


def test_the_format_comes_from_the_option_then_the_extension_then_text():
    assert isinstance(format_of(None, None), TextFormat)
    assert isinstance(format_of(None, "-"), TextFormat)
    assert isinstance(format_of(None, "a/b.JSONL"), JsonlFormat)
    assert isinstance(format_of(None, "b.ndjson"), JsonlFormat)
    assert isinstance(format_of(None, "b.txt"), TextFormat)
    assert isinstance(format_of("json", "b.csv"), JsonFormat)
    assert format_of(None, "b.csv", id_column="public_id").head == "public_id,caption\n"


def test_a_format_that_is_not_known():
    with pytest.raises(UsageError, match=r"The extension of 'out\.xml' names no format; known are \.txt, \.jsonl"):
        format_of(None, "out.xml")
    with pytest.raises(UnknownNameError, match=r"Unknown format 'jsnl'\. Did you mean 'jsonl'\?"):
        format_of("jsnl", None)
    with pytest.raises(UsageError, match="An id column is for CSV alone; the format is jsonl"):
        format_of("jsonl", None, id_column="public_id")


@pytest.mark.parametrize("record_format", [TextFormat(), JsonFormat()])
def test_formats_without_rows_of_their_own_are_not_read_by_row(record_format):
    with pytest.raises(ValueError, match="is not read back"):
        record_format.record("x")


@pytest.mark.parametrize("image_id", ["a\rb", "\r", "\ra", "a\r", "\t=1"])
def test_an_id_with_a_lone_carriage_return_is_one_row_wherever_it_is_read(image_id, tmp_path):
    path = tmp_path / "out.csv"
    text = CsvFormat().head + CsvFormat().row(CaptionRecord(image_id, "f", ("A dog.",)))
    path.write_bytes(text.encode())
    with path.open(newline="") as file:
        assert len(list(csv.reader(file))) == 2
    assert read_candidates(path).captions == {image_id: "A dog."}
    assert CsvFormat().record(text.split("\n")[1]).image_id == image_id


@pytest.mark.parametrize(
    ("image_id", "field"),
    [("42", "42"), ("-12_a", "-12_a"), ("-1+1", "'-1+1"), ("=1", "'=1"), ("\t1", "'\t1"), ("'=1", "''=1")],
)
def test_an_id_that_a_spreadsheet_would_run_is_guarded(image_id, field):
    assert guarded_id(image_id) == field
    assert unguarded(field) == image_id
