"""METEOR's data as one file that is mapped into memory: words, their synonyms, and paraphrases as a trie.

The file is made once from the installed data (see ``build.py``) and read by NumPy and by the native core alike. All
numbers are little-endian and unsigned; every section begins at a multiple of 64 bytes. Layout, version 2::

    0    magic "FSMETEOR"
    8    u32  version of the layout
    12   u32  0x01020304
    16   u64  bytes of the file
    24   32 bytes  identity of the two source files, as Sources.identity
    56   32 bytes  their SHA-256, as Sources.digest
    88   u32  CRC-32 of all bytes from 512 on
    92   u32  number of sections, 10
    96   10 times: u64 first byte, u64 bytes
    508  u32  CRC-32 of bytes 0 to 508
    512  the sections:

    0 words          n records of 32 bytes: u32 text, u16 text_bytes, u16 flags (bit 0: function word), u32 stem (the
                     id of that word), u32 node, u32 own, u16 n_own, u16 n_all, u32 all, u32 CRC-32 of the text.
                     The id of a word is its place; words are sorted by CRC-32, then by text.
    1 word_buckets   u32 x (2**b + 1), with 2**b >= n: the words whose CRC-32 begins with the b bits k are
                     word_buckets[k] up to, without, word_buckets[k + 1]
    2 texts          UTF-8 text of all words: word w has the bytes text up to text + text_bytes
    3 synsets        u32: word w is in the synsets own .. own + n_own (its line of the synonym data), and compares by
                     the synsets all .. all + n_all, which add those of its base forms; both sorted
    4 node_words     u32 x m: the word that leads from its parent to each node. Node 0 is the root; nodes are sorted
                     by depth, then parent, then word
    5 node_children  u32 x (m + 1): the children of node i are node_children[i] up to node_children[i + 1]. A node is a
                     phrase or the beginning of one; ``node`` of a word is the child of the root for it, 0 if none
    6 node_others    u32 x (m + 1): the paraphrases of node i are others[node_others[i]] up to node_others[i + 1]
    7 others         u32: nodes, in the order of the paraphrase table
    8 keeps_dot      u32: words that keep a dot at their end
    9 keeps_dot_before_number   u32: words that keep it before a number

A file is opened only if its header is whole, by its checksum, and says this version, this length and these sources.
The checksum of the sections costs a read of all of them; it is checked when the file is made, before it gets its name,
and by `MeteorIndex.verify`. A reader must therefore check each number against the sections before it follows it.
"""

from __future__ import annotations

import mmap
import struct
import zlib
from bisect import bisect_left
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

__all__ = ["HEADER_BYTES", "SECTIONS", "WORD", "IndexUnusableError", "MeteorIndex", "WordRecord", "header"]

MAGIC = b"FSMETEOR"
VERSION = 2
HEADER_BYTES = 512
SECTIONS = (
    *("words", "word_buckets", "texts", "synsets", "node_words"),
    *("node_children", "node_others", "others", "keeps_dot", "keeps_dot_before_number"),
)
WORD = struct.Struct("<IHHIIIHHII")
FUNCTION_WORD = 1
_START = struct.Struct("<8sIIQ32s32sII")
_SECTION = struct.Struct("<QQ")
_BYTE_ORDER = 0x01020304


class IndexUnusableError(Exception):
    """The file is no index, not whole, of another version or of other sources: it has to be made again."""


@dataclass(frozen=True, slots=True)
class WordRecord:
    """One word of the index.

    Attributes:
        number: Its id.
        stem: The id of its stem.
        node: Its node of the trie of phrases; 0 if no phrase begins with it.
        is_function: Whether it is a function word.
        own: The synsets of the word itself.
        synsets: Those and the synsets of its base forms.
    """

    number: int
    stem: int
    node: int
    is_function: bool
    own: frozenset[int]
    synsets: frozenset[int]


class MeteorIndex:
    """One index file, open for reading; nothing of it is in memory but what is looked up.

    Attributes:
        digest: SHA-256 of the source data.
        n_words: Number of words.
        n_nodes: Number of nodes of the trie, the root included.
        keeps_dot: Words that keep a dot at their end.
        keeps_dot_before_number: Words that keep it before a number.
    """

    def __init__(self, path: Path, identity: bytes) -> None:
        """Map the file.

        Args:
            path: The index file.
            identity: What `Sources.identity` says of the data it must be made of.

        Raises:
            IndexUnusableError: There is none, or it has to be made again.
        """
        try:
            with path.open("rb") as file:
                self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (OSError, ValueError) as error:  # ValueError: the file is empty
            raise IndexUnusableError(str(error)) from error
        view = memoryview(self._map)
        places, self.digest, self._checksum = _read_header(view, identity)
        sections = {name: view[first : first + size] for name, (first, size) in zip(SECTIONS, places, strict=True)}
        self._view = view
        self._words, self._texts = sections["words"], sections["texts"]
        self._buckets = sections["word_buckets"].cast("I")
        self._synsets = sections["synsets"].cast("I")
        self._node_words = sections["node_words"].cast("I")
        self._node_children = sections["node_children"].cast("I")
        self._node_others = sections["node_others"].cast("I")
        self._others = sections["others"].cast("I")
        self.n_words, self.n_nodes = len(self._words) // WORD.size, len(self._node_words)
        self._shift = 32 - (len(self._buckets) - 1).bit_length() + 1
        self.keeps_dot = frozenset(map(self.text, sections["keeps_dot"].cast("I")))
        self.keeps_dot_before_number = frozenset(map(self.text, sections["keeps_dot_before_number"].cast("I")))

    def verify(self) -> None:
        """Read the whole file once and check it.

        Raises:
            IndexUnusableError: It is not as it was written.
        """
        if zlib.crc32(self._view[HEADER_BYTES:]) != self._checksum:
            raise IndexUnusableError("its checksum is wrong")

    def text(self, number: int) -> str:
        """Return the text of a word."""
        first, size, *_ = WORD.unpack_from(self._words, number * WORD.size)
        return bytes(self._texts[first : first + size]).decode("utf-8", "surrogateescape")

    def word(self, text: str) -> WordRecord | None:
        """Return the record of a word, or None if the data do not have it."""
        wanted = text.encode("utf-8", "surrogatepass")
        checksum = zlib.crc32(wanted)
        bucket = checksum >> self._shift
        for number in range(self._buckets[bucket], self._buckets[bucket + 1]):
            record = WORD.unpack_from(self._words, number * WORD.size)
            if record[9] == checksum and self._texts[record[0] : record[0] + record[1]] == wanted:
                return self._record(number, record)
        return None

    def trie(self) -> tuple[npt.NDArray[np.int32], ...]:
        """Return ``node_words``, ``node_children``, ``node_others`` and ``others`` as arrays of the mapped file."""
        parts = (self._node_words, self._node_children, self._node_others, self._others)
        return tuple(np.frombuffer(part, dtype=np.int32) for part in parts)

    def _record(self, number: int, record: tuple[int, ...]) -> WordRecord:
        _, _, flags, stem, node, own, n_own, n_all, everything, _ = record
        return WordRecord(
            number=number,
            stem=stem,
            node=node,
            is_function=bool(flags & FUNCTION_WORD),
            own=frozenset(self._synsets[own : own + n_own]),
            synsets=frozenset(self._synsets[everything : everything + n_all]),
        )

    def child(self, node: int, word: int) -> int:
        """Return the node that ``word`` leads to from ``node``; 0 if there is none."""
        first, last = self._node_children[node], self._node_children[node + 1]
        at = bisect_left(self._node_words, word, first, last)
        return at if at < last and self._node_words[at] == word else 0

    def others(self, node: int) -> list[int]:
        """Return the nodes of the paraphrases of a phrase, in the order of the table."""
        return self._others[self._node_others[node] : self._node_others[node + 1]].tolist()


def header(sections: list[int], identity: bytes, digest: bytes, checksum: int) -> tuple[bytes, list[int]]:
    """Return the header of a file and where each of its sections begins.

    Args:
        sections: Bytes of each section.
        identity: Of the sources.
        digest: Of the sources.
        checksum: CRC-32 of everything after the header.
    """
    places, at = [], HEADER_BYTES
    for size in sections:
        places.append(at)
        at = -(-(at + size) // 64) * 64
    start = _START.pack(MAGIC, VERSION, _BYTE_ORDER, at, identity, digest, checksum, len(sections))
    table = b"".join(_SECTION.pack(first, size) for first, size in zip(places, sections, strict=True))
    content = (start + table).ljust(HEADER_BYTES - 4, b"\0")
    return content + zlib.crc32(content).to_bytes(4, "little"), places


def _read_header(view: memoryview, identity: bytes) -> tuple[list[tuple[int, int]], bytes, int]:
    if len(view) < HEADER_BYTES or view[:8] != MAGIC:
        raise IndexUnusableError("it is no index")
    if zlib.crc32(view[: HEADER_BYTES - 4]) != int.from_bytes(view[HEADER_BYTES - 4 : HEADER_BYTES], "little"):
        raise IndexUnusableError("its header is damaged")
    _, version, order, size, source, digest, checksum, n_sections = _START.unpack_from(view)
    if version != VERSION or order != _BYTE_ORDER or n_sections != len(SECTIONS):
        raise IndexUnusableError(f"it has version {version}, not {VERSION}")
    if size != len(view):
        raise IndexUnusableError(f"it has {len(view)} of {size} bytes")
    if source != identity:
        raise IndexUnusableError("it is of other data")
    places = [_SECTION.unpack_from(view, _START.size + index * _SECTION.size) for index in range(n_sections)]
    return places, digest, checksum
