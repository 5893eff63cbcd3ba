"""Results that are kept: the same to all, whatever happens to the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from firstsight.errors import BackendError
from firstsight.metrics.spice.cache import FILE, ResultCache, result_key
from firstsight.metrics.spice.process import Captions
from firstsight.metrics.spice.results import CATEGORIES, Counts, SpiceResult

JARS = "ab" * 32


def result(matched: int) -> SpiceResult:
    categories = {name: Counts(0, at, 2 * at) for at, name in enumerate(CATEGORIES)}
    tuples = ((("dog",), True), (("caf\u00e9", "sit on", "\ud800"), False))
    return SpiceResult(Counts(matched, 4, 5), categories, tuples, tuples[:1])


def test_what_is_put_is_got(tmp_path: Path):
    with ResultCache(tmp_path / "new") as cache:
        assert cache.put({b"a": result(1), b"b": result(2)}) == {b"a": result(1), b"b": result(2)}
    with ResultCache(tmp_path / "new") as cache:
        assert cache.get([b"b", b"c", b"a"]) == {b"a": result(1), b"b": result(2)}
        assert cache.get(f"{i}".encode() for i in range(2000)) == {}


def test_the_first_result_stays(tmp_path: Path):
    with ResultCache(tmp_path) as one, ResultCache(tmp_path) as other:
        one.put({b"a": result(1)})
        assert other.put({b"a": result(2), b"b": result(3)}) == {b"a": result(1), b"b": result(3)}
        assert one.get([b"a", b"b"]) == {b"a": result(1), b"b": result(3)}


def test_a_damaged_result_is_none_and_can_be_put_again(tmp_path: Path):
    with ResultCache(tmp_path) as cache:
        cache.put({b"a": result(1)})
        with sqlite3.connect(tmp_path / FILE) as connection:
            connection.execute("UPDATE results SET result = substr(result, 1, 20) || x'00' || substr(result, 22)")
        connection.close()
        assert cache.get([b"a"]) == {}
        assert cache.put({b"a": result(2)}) == {b"a": result(2)}
        assert cache.get([b"a"]) == {b"a": result(2)}


def test_a_damaged_file_is_set_aside(tmp_path: Path):
    (tmp_path / FILE).write_bytes(b"no database" * 1000)
    with ResultCache(tmp_path) as cache:
        cache.put({b"a": result(1)})
    assert (tmp_path / f"{FILE}.damaged").read_bytes().startswith(b"no database")
    with ResultCache(tmp_path) as cache:
        assert cache.get([b"a"]) == {b"a": result(1)}


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(BackendError, match=r"cannot be used.*Set FIRSTSIGHT_CACHE"):
        ResultCache(tmp_path / "file")


def test_a_key_is_of_the_jars_and_of_each_text_in_its_place():
    captions = [
        Captions("a b", ("c", "d")),
        Captions("a b", ("d", "c")),
        Captions("a b", ("cd",)),
        Captions("a b", ("c", "d", "")),
        Captions("a", ("b", "c", "d")),
        Captions("\ud800", ("c", "d")),
    ]
    keys = {result_key(each, JARS) for each in captions} | {result_key(captions[0], "cd" * 32)}
    assert len(keys) == 7
    assert all(len(key) == 32 for key in keys)
