"""Every format of candidates and references gives the same captions, ids as text, lines where they stand."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.datasets import read_candidates, read_captions, read_references
from firstsight.datasets.writers import guarded

CAPTIONS = {"42": ["A dog runs.", 'The "brown" dog, running\nfast.'], "007": ["Zwei Katzen; drei Mäuse.", "고양이"]}


def coco(captions: dict[str, list[str]]) -> str:
    annotations = [{"image_id": i, "id": n, "caption": c} for i, cs in captions.items() for n, c in enumerate(cs)]
    return json.dumps({"info": {"year": 2014}, "images": [{"id": i} for i in captions], "annotations": annotations})


def results(captions: dict[str, list[str]]) -> str:
    return json.dumps([{"image_id": i, "caption": c} for i, cs in captions.items() for c in cs], indent=1)


def jsonl(captions: dict[str, list[str]]) -> str:
    return "".join(json.dumps({"image_id": i, "captions": cs}, ensure_ascii=False) + "\n" for i, cs in captions.items())


def table(delimiter: str) -> Callable[[dict[str, list[str]]], str]:
    def write(captions: dict[str, list[str]]) -> str:
        buffer = io.StringIO()
        writer = csv.writer(buffer, delimiter=delimiter, quoting=csv.QUOTE_ALL)
        writer.writerow(["public_id", "caption_gt", "category"])
        writer.writerows([guarded(i), guarded(c), "x"] for i, cs in captions.items() for c in cs)
        return buffer.getvalue()

    return write


WRITERS = {
    "COCO annotations": coco,
    "JSON list": results,
    "JSONL": jsonl,
    "CSV": table(","),
    "TSV": table("\t"),
    "semicolons": table(";"),
}


def stream(text: str | bytes) -> io.BytesIO:
    return io.BytesIO(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))


@pytest.mark.parametrize("form", WRITERS)
def test_each_format_gives_all_references_in_order(form: str) -> None:
    found = read_references(stream(WRITERS[form](CAPTIONS)))
    assert found.captions == {image_id: tuple(texts) for image_id, texts in CAPTIONS.items()}
    assert found.format == ("CSV" if form in ("TSV", "semicolons") else form)


# Every character but the high half of a surrogate pair before a low one, which JSON itself makes one character.
TEXT = st.text(st.characters(exclude_categories=())).filter(
    lambda text: text == json.loads(json.dumps(text)) and text == text.strip()
)


@pytest.mark.parametrize("form", WRITERS)
@given(st.dictionaries(TEXT.filter(bool), st.lists(TEXT.filter(bool), min_size=1, max_size=3), min_size=1, max_size=5))
def test_any_captions_come_back_exactly(form: str, captions: dict[str, list[str]]) -> None:
    found = read_references(stream(WRITERS[form](captions)))
    assert found.captions == {image_id: tuple(texts) for image_id, texts in captions.items()}


@pytest.mark.parametrize("breaker", ["\u2028", "\u2029", "\x85", "\v", "\f", "\x00", "\ud800", "\x1b[31m", "\r"])
@pytest.mark.parametrize("form", ["JSON list", "JSONL", "CSV", "TSV", "COCO annotations"])
def test_only_a_line_feed_ends_a_record(form: str, breaker: str) -> None:
    captions = {"a": [f"one{breaker}two"], "b": ["three"]}
    found = read_candidates(stream(WRITERS[form](captions)))
    assert found.captions == {"a": f"one{breaker}two", "b": "three"}


def test_ids_are_text() -> None:
    text = '{"image_id": 42, "caption": "a"}\n{"image_id": "007", "caption": "b"}\n'
    text += '{"image_id": 42000000000000000000001, "caption": "c"}\n{"image_id": 8.0, "caption": "d"}\n'
    assert list(read_candidates(stream(text)).captions) == ["42", "007", "42000000000000000000001", "8"]
    assert list(read_candidates(stream("id,caption\n007,a\n8.0,b\n")).captions) == ["007", "8.0"]


def test_the_first_of_several_candidates_is_taken() -> None:
    assert read_candidates(stream('{"image_id": "1", "captions": ["best", "second"]}')).captions == {"1": "best"}


def test_a_failed_record_is_no_candidate() -> None:
    text = '{"image_id": "1", "caption": "a", "error": null}\n'
    text += '{"image_id": "2", "captions": [], "error": {"code": "truncated", "message": "ends early"}}\n'
    text += '{"image_id": "3", "captions": []}\n{"image_id": "4", "caption": null, "error": "gone"}\n'
    found = read_candidates(stream(text))
    assert found.captions == {"1": "a"}
    assert found.failures == {"2": "truncated: ends early", "3": "an empty list of captions", "4": "gone"}
    assert found.places["4"] == "line 4"


def test_records_of_one_image_are_several_references_in_every_format() -> None:
    text = '{"image_id": 1, "captions": ["a", "b"]}\n\n{"id": "1", "caption": "c"}\r\n'
    assert read_references(stream(text)).captions == {"1": ("a", "b", "c")}


def test_each_side_takes_its_own_column() -> None:
    text = "public_id,caption,caption_gt\n1,ours,theirs\n"
    assert read_candidates(stream(text)).captions == {"1": "ours"}
    assert read_references(stream(text)).captions == {"1": ("theirs",)}


@pytest.mark.parametrize("read", [read_candidates, read_captions, read_references])
@pytest.mark.parametrize(
    "text",
    [
        '{"image_id": 1, "file": "a/1.jpg", "caption": "x"}\n{"image_id": 2, "caption": "y"}\n',
        "image_id,file,caption\n1,a/1.jpg,x\n2,,y\n",
        '[{"image_id": 1, "file_name": "a/1.jpg", "caption": "x"}, {"image_id": 2, "caption": "y"}]',
        '{"images": [{"id": 1, "file_name": "a/1.jpg"}], '
        '"annotations": [{"image_id": 1, "caption": "x"}, {"image_id": 2, "caption": "y"}]}',
    ],
)
def test_the_file_of_an_image_is_known_where_it_is_named(read: Callable[..., Any], text: str) -> None:
    assert read(stream(text)).files == {"1": "a/1.jpg"}


def test_all_captions_of_an_image_and_none_of_one_that_failed() -> None:
    text = '{"image_id": 1, "captions": ["a", "b"]}\n{"image_id": 2, "captions": [], "error": "gone"}\n'
    text += '{"image_id": 1, "caption": "c", "caption_gt": "d"}\n'
    found = read_captions(stream(text))
    assert (found.captions, found.places) == ({"1": ("a", "b", "c"), "2": ()}, {"1": "line 1", "2": "line 2"})
    assert read_captions(stream(text), "references").captions["1"] == ("a", "b", "d")


def test_image_id_stands_before_public_id_and_id() -> None:
    assert list(read_candidates(stream("id,image_id,filename,caption\n9,1,x.jpg,a\n")).captions) == ["1"]


def test_token_file_names_photos_without_extension() -> None:
    text = "1000_a.jpg#0\tA child .\n1000_a.jpg#1\tA girl .\nodd.jpg.1#0\tTwo\tmen .\n"
    assert read_references(stream(text)).captions == {"1000_a": ("A child .", "A girl ."), "odd.jpg": ("Two\tmen .",)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("form", ["CSV", "JSONL", "COCO annotations"])
def test_byte_order_marks_are_understood(form: str, encoding: str) -> None:
    found = read_references(stream(WRITERS[form](CAPTIONS).encode(encoding)))
    assert list(found.captions) == ["42", "007"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_csv_lines_end_in_any_way(end: str) -> None:
    text = end.join(["image_id, caption", "1,a dog", "", "2,a cat,,", "3,"])
    found = read_candidates(stream(text))
    assert found.captions == {"1": "a dog", "2": "a cat", "3": ""}


def test_a_long_field_is_read_and_the_process_keeps_its_limit() -> None:
    before = csv.field_size_limit()
    found = read_candidates(stream(f"id,caption,thumbnail\n1,a dog,{'x' * 200_000}\n"))
    assert found.captions == {"1": "a dog"}
    assert csv.field_size_limit() == before


def test_content_decides_before_the_extension(tmp_path: Path) -> None:
    for name, text, form in (
        ("a.csv", '[{"image_id": 1, "caption": "a"}]', "JSON list"),
        ("a.json", "image_id,caption\n1,a\n", "CSV"),
        ("a.json", '{"image_id": 1, "caption": "a"}\n', "JSONL"),
        ("a.txt", '{\n "annotations": [{"image_id": 1, "caption": "a"}]\n}', "COCO annotations"),
        ("a.jsonl", '{"type": "x", "image_id": 1, "caption": "a"}', "JSONL"),
    ):
        (tmp_path / name).write_text(text)
        found = read_candidates(tmp_path / name)
        assert (found.format, found.captions) == (form, {"1": "a"})


def test_places_are_the_lines_of_the_file() -> None:
    csv_text = 'id,caption\n1,"two\nlines"\n\n2,b\n'
    assert read_candidates(stream(csv_text)).places == {"1": "line 2", "2": "line 5"}
    list_text = '[\n{"id": 1, "caption": "a"},\n\n {"id": 2,\n "caption": "b"}]'
    assert read_candidates(stream(list_text)).places == {"1": "entry 1 (line 2)", "2": "entry 2 (line 4)"}


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(stream("id,caption\n1,a\n")))
    found = read_candidates("-")
    assert (found.name, found.captions) == ("standard input", {"1": "a"})


def test_the_real_formats_are_read(shared: Path) -> None:
    flickr = read_references(shared / "data" / "flickr8k" / "Flickr8k.token.txt")
    assert (len(flickr.captions), flickr.format) == (8092, "token file")
    assert sum(map(len, flickr.captions.values())) == 40460
    coco_file = read_references(shared / "data" / "coco_transfer" / "references.jsonl")
    assert (len(coco_file.captions), coco_file.format) == (600, "JSONL")
