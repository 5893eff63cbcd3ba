"""What the index file answers, and which files are not taken for one."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from firstsight.metrics.meteor.build import build_index
from firstsight.metrics.meteor.index import HEADER_BYTES, VERSION, IndexUnusableError, MeteorIndex, WordRecord
from firstsight.metrics.meteor.sources import Sources


def record(index: MeteorIndex, word: str) -> WordRecord:
    found = index.word(word)
    assert found is not None
    return found


def node_of(index: MeteorIndex, phrase: str) -> int:
    first, *rest = phrase.split()
    node = record(index, first).node
    for word in rest:
        node = index.child(node, record(index, word).number)
    return node


def test_words_have_what_the_data_say(tiny_index: MeteorIndex):
    assert record(tiny_index, "dog").own == {101, 102}
    assert record(tiny_index, "children").own == set()
    assert record(tiny_index, "children").synsets == {105}
    assert [record(tiny_index, word).is_function for word in ("a", "dog")] == [True, False]
    assert tiny_index.text(record(tiny_index, "children").stem) == "children"
    assert tiny_index.text(record(tiny_index, "before").stem) == "befor"
    assert tiny_index.keeps_dot == {"st"}
    assert tiny_index.keeps_dot_before_number == {"no"}
    for number in range(tiny_index.n_words):
        assert record(tiny_index, tiny_index.text(number)).number == number


@pytest.mark.parametrize("word", ["cat", "", "DOG", "dog\0", "\ud800", "\U0001f642", "next to"], ids=ascii)
def test_other_words_are_not_there(tiny_index: MeteorIndex, word: str):
    assert tiny_index.word(word) is None


def test_phrases_lead_to_their_paraphrases_in_the_order_of_the_table(tiny_index: MeteorIndex):
    assert tiny_index.others(node_of(tiny_index, "next to")) == [
        node_of(tiny_index, word) for word in ("beside", "near")
    ]
    assert tiny_index.others(node_of(tiny_index, "in front of")) == [node_of(tiny_index, "before")]
    assert tiny_index.others(node_of(tiny_index, "in front")) == []
    assert tiny_index.child(node_of(tiny_index, "in front"), record(tiny_index, "to").number) == 0
    assert record(tiny_index, "dog").node == 0
    assert tiny_index.n_nodes == 1 + len(
        ["in", "in front", "in front of", "before", "next", "next to", "beside", "near"]
    )
    words, children, others_of, others = tiny_index.trie()
    assert len(words) + 1 == len(children) == len(others_of)
    assert len(others) == 3
    assert all(part.dtype == np.int32 for part in (words, children, others_of, others))


@pytest.fixture
def built(sources: Sources, tmp_path: Path) -> tuple[Path, bytes]:
    """An index file of its own, and the identity of its data."""
    build_index(sources, tmp_path / "index")
    return tmp_path / "index", sources.identity()


def other_version(data: bytes) -> bytes:
    head = data[:8] + (VERSION + 1).to_bytes(4, "little") + data[12 : HEADER_BYTES - 4]
    return head + zlib.crc32(head).to_bytes(4, "little") + data[HEADER_BYTES:]


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda data: b"",
    "shorter than a header": lambda data: data[: HEADER_BYTES - 1],
    "its header alone": lambda data: data[:HEADER_BYTES],
    "one byte short": lambda data: data[:-1],
    "one byte long": lambda data: data + b"\0",
    "something else": lambda data: b"\x1f\x8b" + data[2:],
    "a bit of the header flipped": lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
    "another version": other_version,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_file_that_is_not_whole_is_not_opened(built: tuple[Path, bytes], damage: Callable[[bytes], bytes]):
    path, identity = built
    MeteorIndex(path, identity).verify()
    path.with_name("damaged").write_bytes(damage(path.read_bytes()))
    with pytest.raises(IndexUnusableError):
        MeteorIndex(path.with_name("damaged"), identity)


def test_no_file_and_other_data_are_not_opened(built: tuple[Path, bytes]):
    path, identity = built
    with pytest.raises(IndexUnusableError, match="No such file"):
        MeteorIndex(path.with_name("absent"), identity)
    with pytest.raises(IndexUnusableError, match="of other data"):
        MeteorIndex(path, bytes(32))


def test_verify_finds_any_flipped_bit(built: tuple[Path, bytes]):
    path, identity = built
    data = path.read_bytes()
    for place in (HEADER_BYTES, (HEADER_BYTES + len(data)) // 2, len(data) - 1):
        flipped = path.with_name(f"flipped-{place}")
        flipped.write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with pytest.raises(IndexUnusableError, match="checksum"):
            MeteorIndex(flipped, identity).verify()
