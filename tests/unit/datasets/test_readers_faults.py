"""Every kind of bad caption file has a message that says what, got, allowed and the next step."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from firstsight.datasets import read_candidates, read_references
from firstsight.errors import CaptionFileError

IDS = "image_id, public_id, id"


def fault(text: str | bytes, *, references: bool = False) -> str:
    data = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(CaptionFileError) as caught:
        (read_references if references else read_candidates)(io.BytesIO(data))
    return str(caught.value).removeprefix("the given stream").lstrip(", ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "is empty (0 bytes). It should hold captions as JSON, JSONL or CSV."),
        (b" \r\n \n", ": the file is empty (white space only). It should hold captions as JSON, JSONL or CSV."),
        (b"\xef\xbb\xbf", ": the file is empty (white space only). It should hold captions as JSON, JSONL or CSV."),
        (b"\x1f\x8b\x08abc", "is compressed with gzip, not a file of captions. Unpack it with gunzip first."),
        (
            b"PK\x03\x04abc",
            "is a zip archive or an Excel workbook, not a file of captions. "
            "Unpack it, or save the sheet as CSV (UTF-8).",
        ),
        (
            b"id,caption\n1,ok\n2,caf\xe9 au lait\n",
            "line 3: byte 0xE9 at offset 21 is not valid UTF-8. Save the file as UTF-8.",
        ),
        (b"i\0d\0,\0c\0", "looks like UTF-16 without a byte order mark. Save it as UTF-8."),
        (
            b"\xff\xfei\0d",
            "line 1: byte 0x64 at offset 4 is not valid UTF-16. Save the file as UTF-8.",
        ),
    ],
)
def test_a_file_that_is_no_text(text: bytes, message: str) -> None:
    assert fault(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"image_id": 1, "caption": "a"}\n{"image_id": 2 "caption": "b"}\n{"image_id": 3, "caption": "c"}\n',
            'line 2, column 16: not valid JSON: Expecting \',\' delimiter near \'{"image_id": 2 "caption": "b"}\'.',
        ),
        (
            '{"image_id": 1, "caption": "a"}\n{"image_id": 2, "cap',
            "line 2: the last line is cut short: the file ends inside a record. Write it again to the end; a run of "
            "`firstsight caption` is continued with --resume.",
        ),
        (
            '{"image_id": 1, "caption": "a"}\n[1, 2]\n',
            'line 2: expected an object such as {"image_id": "42", "caption": "A dog."}, got a list.',
        ),
        (
            '{"image_id": 1, "caption": "a"}\n7\n',
            'line 2: expected an object such as {"image_id": "42", "caption": "A dog."}, got the number \'7\'.',
        ),
        (
            '{"image_id": 1, "caption": ' + "[" * 100_000,
            "line 1: the JSON is nested too deeply to be a caption record.",
        ),
        (
            '{"imageid": 1, "caption": "a"}',
            f"line 1: no id: expected one of {IDS}; the fields are 'imageid', 'caption'. "
            "Did you mean 'image_id' for 'imageid'?",
        ),
        (
            '{"image_id": 1, "capton": "a"}',
            "line 1: no caption: expected one of captions, caption, caption_gt; the fields are 'image_id', 'capton'. "
            "Did you mean 'caption' for 'capton'?",
        ),
        ('{"image_id": true, "caption": "a"}', "line 1: 'image_id' must be text or a whole number, got true."),
        ('{"image_id": null, "caption": "a"}', "line 1: 'image_id' must be text or a whole number, got null."),
        ('{"image_id": NaN, "caption": "a"}', "line 1: 'image_id' must be text or a whole number, got nan."),
        ('{"image_id": [], "caption": "a"}', "line 1: 'image_id' must be text or a whole number, got a list."),
        (
            '{"image_id": 4.5, "caption": "a"}',
            "line 1: 'image_id' is the number '4.5'; an id is text or a whole number.",
        ),
        (
            '{"image_id": 1e3, "caption": "a"}',
            "line 1: 'image_id' is the number '1e3'; an id is text or a whole number.",
        ),
        ('{"image_id": "", "caption": "a"}', "line 1: 'image_id' is empty; every record needs the id of its image."),
        (
            '{"image_id": 1, "caption": null}',
            "line 1: 'caption' is null. Write the caption as text, or say why there is none in a field 'error'.",
        ),
        ('{"image_id": 1, "caption": 3}', "line 1: 'caption' must be text, got the number '3'."),
        (
            '{"image_id": 1, "caption": ["a"]}',
            "line 1: 'caption' must be text, got a list. Several captions belong in 'captions'.",
        ),
        (
            '{"image_id": 1, "captions": "a"}',
            "line 1: 'captions' must be a list of texts, got the text 'a'. One caption belongs in 'caption'.",
        ),
        ('{"image_id": 1, "captions": ["a", {}]}', "line 1: 'captions[1]' must be text, got an object."),
        (
            '{"image_id": 1, "captions": [null]}',
            "line 1: 'captions[0]' is null. Write the caption as text, or say why there is none in a field 'error'.",
        ),
    ],
)
def test_bad_jsonl(text: str, message: str) -> None:
    assert fault(text) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[{"image_id": 1, "caption": "a"},\n{"image_id": 2, "caption": "b"',
            "line 2: the file ends in the middle of the JSON document: it is cut short. Write it again.",
        ),
        (
            '[{"image_id": 1, "caption": "a"},\n{"image_id": 2, "capt',
            "line 2: the file ends in the middle of the JSON document: it is cut short. Write it again.",
        ),
        (
            '[{"image_id": 1, "caption": "a"}',
            "line 1: the file ends in the middle of the JSON document: it is cut short. Write it again.",
        ),
        (
            '[{"image_id": 1, "caption": "a"}\n {"image_id": 2, "caption": "b"}]',
            'line 2, column 2: not valid JSON: Expecting \',\' near \'aption": "a"}\\n {"image_id": 2,\'.',
        ),
        (
            '[{"image_id": 1, "caption": "a"},]',
            'line 1, column 34: not valid JSON: Expecting value near \'caption": "a"},]\'.',
        ),
        (
            '[{"image_id": 1, "caption": "a"}]\nx',
            "line 2, column 1: not valid JSON: Extra data after the end of the JSON document near "
            '\'aption": "a"}]\\nx\'.',
        ),
        ("[]", ": holds no records (JSON list). It should hold candidates."),
        (
            "[1]",
            'entry 1 (line 1): expected an object such as {"image_id": "42", "caption": "A dog."}, '
            "got the number '1'.",
        ),
        (
            '[["a", "b"]]',
            'entry 1 (line 1): expected an object such as {"image_id": "42", "caption": "A dog."}, got a list.',
        ),
        ("[" * 100_000, "line 1: the JSON is nested too deeply."),
        (
            '{"annotations": [{"id": 7, "caption": "a"}]}',
            "entry 1 (line 1): the annotation has no 'image_id'; its fields are 'id', 'caption'.",
        ),
        (
            '{"annotations": {"image_id": 1}}',
            "line 1: expected a list of records, got {'image_id': '1'}.",
        ),
        (
            '{\n"annotation": [],\n"images": []}',
            ": the JSON object has no list 'annotations'; its fields are 'annotation', 'images'. "
            "Did you mean 'annotations' for 'annotation'? Allowed are COCO annotations, a list of records, and one "
            "record a line (JSONL).",
        ),
        ('{"annotations": [] ; ', "line 1, column 20: not valid JSON: Expecting ',' near 'notations\": [] ; '."),
        (
            '{"annotations": [],\n 3: 4}',
            "line 2, column 2: not valid JSON: Expecting a property name in double quotes "
            "near 'tations\": [],\\n 3: 4}'.",
        ),
    ],
)
def test_bad_json_document(text: str, message: str) -> None:
    assert fault(text).removeprefix(": ") == message.removeprefix(": ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "imageid,caption\n1,a\n",
            f"line 1: no column with the id: expected one of {IDS}; the columns are 'imageid', 'caption'. "
            "Did you mean 'image_id' for 'imageid'?",
        ),
        (
            "image_id,text\n1,a\n",
            "line 1: no column with the caption: expected one of caption, caption_gt; the columns are 'image_id', "
            "'text'. The first line must name the columns.",
        ),
        (
            "42,A dog runs.\n",
            f"line 1: no column with the id: expected one of {IDS}; the columns are '42', 'A dog runs.'. "
            "The first line must name the columns.",
        ),
        ("id,caption,caption\n1,a,b\n", "line 1: the header has the column 'caption' 2 times; keep one."),
        ("id,caption\n1,a\n2\n", "line 3: 1 field, but the header has 2 columns."),
        (
            "id,caption\n1,a dog, running\n",
            "line 2: 3 fields, but the header has 2 columns. Put captions that contain the delimiter in double quotes.",
        ),
        ("id,caption\n,a dog\n", "line 2: 'id' is empty; every row needs the id of its image."),
        ("id,caption\n", ": holds no records (CSV). It should hold candidates."),
        (
            'id,caption\n1,"a dog\n2,a cat\n3,a cow\n',
            "line 2: a double quote opens here and is not closed before the file ends (line 4): the file is cut short, "
            'or a quote inside a field is not doubled ("").',
        ),
        (
            'id,caption\n1,"a" dog\n',
            'line 2: a field goes on after its closing double quote. Inside a quoted field a quote is doubled ("").',
        ),
        (
            "a.jpg#0\tA dog .\na.jpg\tA cat .\n",
            "line 2: expected photo.jpg#0, a tab and a caption as on line 1, got 'a.jpg\\tA cat .'.",
        ),
    ],
)
def test_bad_table(text: str, message: str) -> None:
    assert fault(text).removeprefix(": ") == message.removeprefix(": ")


def test_duplicate_candidates_name_counts_and_lines() -> None:
    rows = "".join(f"{n % 7},caption {n}\n" for n in range(20))
    assert fault(f"id,caption\n{rows}").startswith(
        ": 7 image ids stand more than once among the candidates: '0' at line 2, line 9, line 16; '1' at line 3, "
        "line 10, line 17; '2' at line 4, line 11, line 18; '3' at line 5, line 12, line 19; '4' at line 6, line 13, "
        "line 20; …. Keep one record an image; several captions of one image belong in the list 'captions', best first."
    )
    assert fault('[{"id": 1, "caption": "a"}, {"id": "1", "caption": "b"}]').startswith(
        ": 1 image id stands more than once among the candidates: '1' at entry 1 (line 1), entry 2 (line 1). Keep one"
    )


def test_references_without_captions_are_named() -> None:
    text = '{"image_id": 1, "captions": []}\n{"image_id": 2, "caption": "a"}\n{"image_id": 3, "caption": " \\n"}\n'
    assert fault(text, references=True) == (
        ": 2 of 3 images have no reference caption: '1' (line 1), '3' (line 3). "
        "Give each at least one, or take it out of the file."
    )
    coco = '{"images": [{"id": 1}, {"id": 2}], "annotations": [{"image_id": 1, "caption": "a"}]}'
    assert "1 of 2 images have no reference caption: '2' (entry 2 (line 1) of 'images')" in fault(coco, references=True)


def test_names_that_are_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "refs.json").write_text("[]")
    for name, message in (
        ("ref.json", "There is no file ref.json. Did you mean refs.json?"),
        ("captions.csv", "There is no file captions.csv. Check the path."),
        ("there/refs.json", "There is no file there/refs.json. There is no folder there either."),
        (".", ". is a folder. Name the file of captions in it."),
    ):
        with pytest.raises(CaptionFileError) as caught:
            read_references(name)
        assert str(caught.value) == message
    (tmp_path / "loop.json").symlink_to("loop.json")
    (tmp_path / "vanished.txt").symlink_to("elsewhere")
    for name, message in (
        ("loop.json", "loop.json cannot be read: Too many levels of symbolic links."),
        ("vanished.txt", "There is no file vanished.txt. Check the path."),
        ("a\0b", "'a\\x00b' is no name of a file: embedded null byte."),
    ):
        with pytest.raises(CaptionFileError) as caught:
            read_references(name)
        assert str(caught.value) == message
    (tmp_path / "bad.csv").write_text("hello\n")
    with pytest.raises(CaptionFileError, match=r"^bad\.csv, line 1: no column with the id"):
        read_references(tmp_path / "bad.csv")


def test_a_json_extension_over_other_content_is_told_as_bad_json(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text("hello\n")
    with pytest.raises(CaptionFileError, match=r"bad\.jsonl, line 1, column 1: not valid JSON: Expecting value near"):
        read_references(path)


def test_untrusted_text_in_messages_is_escaped_and_cut() -> None:
    message = fault('{"image_id": "a", "\\u001b[31m\\u2028\\ud800' + "x" * 500 + '": 1}')
    assert message.isprintable()
    assert "\\x1b[31m\\u2028\\ud800xxx" in message
    assert len(message) < 400
