"""The index file is made once, whole or not at all."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from firstsight.errors import BackendError, OutputError
from firstsight.metrics.meteor import build
from firstsight.metrics.meteor.build import build_index, index_path, open_index
from firstsight.metrics.meteor.index import MeteorIndex
from firstsight.metrics.meteor.sources import Sources

Make = Callable[..., Sources]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache folder of its own, not there yet."""
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_index_is_made_once(sources: Sources, cache: Path):
    shares: list[float] = []
    open_index(sources, shares.append)
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)
    assert files_in(cache) == ["meteor-en.index"]
    before, n_calls = index_path().stat(), len(shares)
    assert open_index(sources, shares.append).word("dog")
    assert (index_path().stat().st_ino, index_path().stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert len(shares) == n_calls


def test_the_same_data_give_the_same_bytes(sources: Sources, tmp_path: Path):
    build_index(sources, tmp_path / "one")
    build_index(sources, tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_other_data_make_another_index(make_sources: Make):
    old = open_index(make_sources())
    new = open_index(make_sources("0.5\nnext to\nbeside\n"))
    assert old.word("front")
    assert new.word("front") is None
    assert old.digest != new.digest
    assert open_index(make_sources(words="a\nthe\n")).digest not in (old.digest, new.digest)


@pytest.mark.parametrize("n_bytes", [0, 100, 511, 512, 1000])
def test_a_cut_index_is_made_anew(sources: Sources, n_bytes: int):
    open_index(sources)
    whole = index_path().read_bytes()
    index_path().unlink()
    index_path().write_bytes(whole[:n_bytes])
    open_index(sources).verify()
    assert index_path().read_bytes() == whole


def test_a_damaged_header_is_made_anew(sources: Sources):
    open_index(sources)
    whole = index_path().read_bytes()
    index_path().unlink()
    index_path().write_bytes(whole[:9] + b"\xff" + whole[10:])
    open_index(sources)
    assert index_path().read_bytes() == whole


def test_data_of_no_paraphrases_will_do(make_sources: Make):
    index = open_index(make_sources(""))
    assert index.n_nodes == 1
    assert index.word("dog")
    assert [len(part) for part in index.trie()] == [1, 2, 2, 0]


def no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def no_rights(*_: object, **__: object) -> None:
    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def test_a_full_disk_leaves_the_old_index_and_no_other_file(
    make_sources: Make, cache: Path, monkeypatch: pytest.MonkeyPatch
):
    open_index(make_sources())
    old = index_path().read_bytes()
    other = make_sources("0.5\nnext to\nbeside\n")
    monkeypatch.setattr(build.os, "fsync", no_space)
    with pytest.raises(OutputError, match=r"(?s)No space left.*FIRSTSIGHT_CACHE"):
        open_index(other)
    assert files_in(cache) == ["meteor-en.index"]
    assert index_path().read_bytes() == old


def test_a_folder_that_cannot_be_made_is_named(sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(OutputError, match=r"file.cache.*FIRSTSIGHT_CACHE"):
        open_index(sources)


def test_a_read_only_folder_is_named(sources: Sources, cache: Path, monkeypatch: pytest.MonkeyPatch):
    cache.mkdir()
    open_file = Path.open

    def open_to_read(path: Path, mode: str = "r", *args: object, **kwargs: object) -> object:
        if path.parent == cache and mode == "xb":
            no_rights()
        return open_file(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", open_to_read)
    with pytest.raises(OutputError, match=r"cache: Permission denied.*FIRSTSIGHT_CACHE"):
        open_index(sources)
    assert files_in(cache) == []


def test_what_was_written_wrongly_gets_no_name(sources: Sources, cache: Path, monkeypatch: pytest.MonkeyPatch):
    file_parts = build._file_parts

    def damaged(*args: object) -> list[bytes]:
        *parts, last = file_parts(*args)
        return [*parts[:-1], parts[-1][:-1] + b"\x55", last]

    monkeypatch.setattr(build, "_file_parts", damaged)
    with pytest.raises(OutputError, match="its checksum is wrong"):
        open_index(sources)
    assert files_in(cache) == []


def test_an_index_in_use_may_stay_if_it_is_as_good(make_sources: Make, cache: Path, monkeypatch: pytest.MonkeyPatch):
    data = make_sources()
    build_index(data, index_path())
    monkeypatch.setattr(Path, "replace", no_rights)  # as on Windows, where a mapped file keeps its name
    build_index(data, index_path())
    with pytest.raises(OutputError, match="the old index is in use"):
        build_index(make_sources("0.5\nnext to\nbeside\n"), index_path())
    assert files_in(cache) == ["meteor-en.index"]


def test_an_index_replaced_by_one_of_other_data_is_an_error(make_sources: Make, monkeypatch: pytest.MonkeyPatch):
    other = make_sources("0.5\nnext to\nbeside\n")
    build_index(other, index_path())
    monkeypatch.setattr(build, "build_index", lambda *_: None)
    with pytest.raises(OutputError, match=r"of other data.*FIRSTSIGHT_CACHE"):
        open_index(make_sources())


def cut(path: Path, n_bytes: int) -> None:
    path.write_bytes(path.read_bytes()[:n_bytes])


DAMAGE: dict[str, Callable[[Sources], object]] = {
    "cut jar": lambda data: cut(data.jar, 200),
    "empty jar": lambda data: cut(data.jar, 0),
    "no jar": lambda data: data.jar.unlink(),
    "cut table": lambda data: cut(data.paraphrases, 30),
    "empty table": lambda data: cut(data.paraphrases, 0),
    "table without its checksum": lambda data: cut(data.paraphrases, -8),
    "table that is no gzip file": lambda data: data.paraphrases.write_text("0.5\nnext to\nbeside\n"),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_data_are_named_and_make_no_file(sources: Sources, cache: Path, damage: Callable[[Sources], object]):
    damage(sources)
    with pytest.raises(BackendError, match=r"meteor cannot be read: .*pip install --force-reinstall"):
        open_index(sources)
    assert not cache.exists()


@pytest.mark.parametrize(
    "data",
    [
        {"synsets": ""},
        {"prefixes": ""},
        {"synsets": "dog\nno number\n"},
        {"paraphrases": "0.5\nnext to\nbeside\n0.5\nhalf a triple\n"},
    ],
    ids=["no synsets", "no prefixes", "a synset that is no number", "a table that ends early"],
)
def test_data_of_another_form_are_named(make_sources: Make, data: dict[str, str]):
    with pytest.raises(BackendError, match="cannot be read"):
        open_index(make_sources(**data))


# Stops after it has found that there is no index, until the other process is there, too.
BUILD = """
import sys
from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.build import open_index

def wait(share):
    if share == 0:
        print("ready", flush=True)
        sys.stdin.readline()

metric = Meteor(open_index(on_progress=wait))
print(metric.from_statistics(metric.statistics("before a boat".split(), ["in front of a ship".split()])).item().hex())
"""


def test_two_processes_may_make_it_at_once(sources: Sources, cache: Path):
    package = sources.jar.parents[1]
    paths = os.pathsep.join([str(package.parent), *filter(None, sys.path)])
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", BUILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": paths},
        )
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    scores = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    assert scores[0] == scores[1]
    assert 0 < float.fromhex(scores[0].strip()) < 1
    assert files_in(cache) == ["meteor-en.index"]
    MeteorIndex(index_path(), sources.identity()).verify()
