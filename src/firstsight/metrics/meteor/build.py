"""Makes the index file of METEOR's data once, whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from pathlib import Path

import numpy as np
import numpy.typing as npt

from firstsight._files import cache_folder
from firstsight.errors import OutputError
from firstsight.metrics.meteor.index import FUNCTION_WORD, SECTIONS, WORD, IndexUnusableError, MeteorIndex, header
from firstsight.metrics.meteor.morphology import base_forms
from firstsight.metrics.meteor.sources import Sources, find_sources
from firstsight.metrics.meteor.stemmer import stem

__all__ = ["build_index", "index_path", "open_index"]

_U32 = np.dtype("<u4")
_RECORD = np.dtype(
    [
        *(("text", "<u4"), ("text_bytes", "<u2"), ("flags", "<u2"), ("stem", "<u4"), ("node", "<u4")),
        *(("own", "<u4"), ("n_own", "<u2"), ("n_all", "<u2"), ("all", "<u4"), ("crc", "<u4")),
    ]
)
_NONE = 0xFFFFFFFF
_Array = npt.NDArray[np.uint32]


def index_path() -> Path:
    """Return where the index file is kept."""
    return cache_folder() / "meteor-en.index"


def open_index(sources: Sources | None = None, on_progress: Callable[[float], None] | None = None) -> MeteorIndex:
    """Return the index, made first if there is none for these data.

    Args:
        sources: The data; those of the installed ``pycocoevalcap`` if None.
        on_progress: Called with the share of the work done, from 0 to 1, if the index has to be made.

    Raises:
        MissingDependencyError: The data are not installed.
        BackendError: They cannot be read.
        OutputError: The index cannot be written.
    """
    sources = sources or find_sources()
    identity, path = sources.identity(), index_path()
    with contextlib.suppress(IndexUnusableError):
        return MeteorIndex(path, identity)
    build_index(sources, path, on_progress)
    try:
        return MeteorIndex(path, identity)
    except IndexUnusableError as error:  # another process has put an index of other data there meanwhile
        raise OutputError(
            f"{path} was written, and then {error}. Give each installation a cache of its own: set FIRSTSIGHT_CACHE."
        ) from error


def build_index(sources: Sources, path: Path, on_progress: Callable[[float], None] | None = None) -> None:
    """Write the index of ``sources`` to ``path``: to a temporary file, checked, then renamed.

    Two processes may do so at once: each writes a file of its own, and the last one to finish gives the name.

    Args:
        sources: The data.
        path: The index file; its folder is made.
        on_progress: Called with the share of the work done, from 0 to 1.

    Raises:
        BackendError: The data cannot be read.
        OutputError: The folder cannot be written to, or is full; a file at ``path`` is then as it was.
    """
    tell = on_progress or _say_nothing
    tell(0.0)
    sections = _sections(sources, tell)
    identity, digest = sources.identity(), sources.digest()
    temporary = path.with_name(f".firstsight-{secrets.token_hex(8)}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            for part in _file_parts(sections, identity, digest):
                file.write(part)
            file.flush()
            os.fsync(file.fileno())
        MeteorIndex(temporary, identity).verify()
        _rename(temporary, path, identity)
    except (OSError, IndexUnusableError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(
            f"METEOR's index cannot be written to {path.parent}: {reason}. It takes about 100 MB, once. "
            "Make room, or set FIRSTSIGHT_CACHE to a folder that can be written to."
        ) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()
    tell(1.0)


def _say_nothing(share: float, /) -> None:
    del share


def _rename(temporary: Path, path: Path, identity: bytes) -> None:
    try:
        temporary.replace(path)
    except PermissionError:
        # Windows renames over no file that is mapped; if it is as good as ours, another process has made it.
        try:
            MeteorIndex(path, identity)
        except IndexUnusableError:
            raise PermissionError(13, "the old index is in use") from None


def _file_parts(sections: list[bytes], identity: bytes, digest: bytes) -> Iterable[bytes]:
    padded = [part + b"\0" * (-len(part) % 64) for part in sections]
    checksum = 0
    for part in padded:
        checksum = zlib.crc32(part, checksum)
    yield header([len(part) for part in sections], identity, digest, checksum)[0]
    yield from padded


def _sections(sources: Sources, tell: Callable[[float], None]) -> list[bytes]:
    """Return the content of each section, in order."""
    phrases, left, right = _read_paraphrases(sources, lambda share: tell(0.6 * share))
    synonyms = _Synonyms(sources)
    plain, before_number = _prefixes(sources)
    function_words = {word for word in sources.words("function/english.words") if word}
    phrase_words = set(b" ".join(phrases).split())
    known = phrase_words | synonyms.words | function_words | plain | before_number
    words, number, buckets = _number_words(_with_stems(known))
    tell(0.7)
    trie, leaf = _trie(phrases, number, tell)
    del phrases
    others, first_other = _others(left, right, leaf, len(trie.words))
    texts, records = _records(words, number, function_words)
    records["node"] = trie.of_word(len(words))
    own, every = synonyms.of(words)
    synsets = np.concatenate([own.items, every.items])
    records["own"], records["n_own"] = own.first, own.n
    records["all"], records["n_all"] = every.first + len(own.items), every.n
    tell(0.95)
    arrays = {
        "words": records,
        "word_buckets": buckets,
        "texts": np.frombuffer(texts, np.uint8),
        "synsets": synsets,
        "node_words": trie.words,
        "node_children": trie.children,
        "node_others": first_other,
        "others": others,
        "keeps_dot": np.array(sorted(number[word] for word in plain), _U32),
        "keeps_dot_before_number": np.array(sorted(number[word] for word in before_number), _U32),
    }
    return [arrays[name].tobytes() for name in SECTIONS]


def _read_paraphrases(sources: Sources, tell: Callable[[float], None]) -> tuple[list[bytes], _Array, _Array]:
    """Return the distinct phrases, and for each line of the table the places of its two phrases among them."""
    place: defaultdict[bytes, int] = defaultdict(count().__next__)
    left, right = [np.empty(0, _U32)], [np.empty(0, _U32)]
    for lines in sources.paraphrase_lines(tell):
        left.append(np.fromiter(map(place.__getitem__, lines[1::3]), _U32, len(lines) // 3))
        right.append(np.fromiter(map(place.__getitem__, lines[2::3]), _U32, len(lines) // 3))
    return list(place), np.concatenate(left), np.concatenate(right)


def _prefixes(sources: Sources) -> tuple[set[bytes], set[bytes]]:
    """Return the words that keep a dot, and those that keep it before a number."""
    plain: set[bytes] = set()
    before_number: set[bytes] = set()
    for line in sources.words("nonbreaking/english.prefixes"):
        word, _, note = line.partition(b"#")
        if word:
            (before_number if note.startswith(b"NUMERIC_ONLY#") else plain).add(word.strip())
    return plain, before_number


def _with_stems(known: set[bytes]) -> set[bytes]:
    """Return the words, their stems, the stems of those, and so on, so that each word has its stem among them."""
    new = known
    while new:
        new = {_stem(word) for word in new} - known
        known = known | new
    return known


def _stem(word: bytes) -> bytes:
    return stem(word.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _number_words(known: set[bytes]) -> tuple[list[bytes], dict[bytes, int], _Array]:
    """Return the words in the order of their ids, their ids, and the buckets of their checksums."""
    words = sorted(known, key=lambda word: (zlib.crc32(word), word))
    bits = max(1, (len(words) - 1).bit_length())
    keys = np.fromiter(map(zlib.crc32, words), np.uint32, len(words)) >> np.uint32(32 - bits)
    buckets = np.searchsorted(keys, np.arange((1 << bits) + 1, dtype=np.int64)).astype(_U32)
    return words, {word: number for number, word in enumerate(words)}, buckets


def _records(
    words: list[bytes], number: dict[bytes, int], function_words: set[bytes]
) -> tuple[bytes, npt.NDArray[np.void]]:
    records = np.zeros(len(words), _RECORD)
    assert records.itemsize == WORD.size
    records["text_bytes"] = [len(word) for word in words]
    records["text"] = np.cumsum(records["text_bytes"], dtype=np.int64) - records["text_bytes"]
    records["crc"] = [zlib.crc32(word) for word in words]
    records["flags"] = [FUNCTION_WORD * (word in function_words) for word in words]
    records["stem"] = [number[_stem(word)] for word in words]
    return b"".join(words), records


class _Ranges:
    """A list of numbers for each word, in one array: word w has ``items[first[w] : first[w] + n[w]]``."""

    def __init__(self, lists: Sequence[Iterable[int]]) -> None:
        ordered = [sorted(numbers) for numbers in lists]
        self.n = np.array([len(numbers) for numbers in ordered], np.int64)
        self.first = np.cumsum(self.n) - self.n
        self.items = np.array([item for numbers in ordered for item in numbers], _U32)


class _Synonyms:
    """The synonym data: the synsets of words, and the base forms of irregular forms."""

    def __init__(self, sources: Sources) -> None:
        lines = sources.words("synonym/english.synsets")
        pairs = zip(lines[0::2], lines[1::2], strict=False)
        with sources.reading():
            self._synsets = {word: frozenset(map(int, ids.split())) for word, ids in pairs}
        lines = sources.words("synonym/english.exceptions")
        self._bases: defaultdict[bytes, list[bytes]] = defaultdict(list)
        for base, forms in zip(lines[0::2], lines[1::2], strict=False):
            for form in forms.split():
                self._bases[form].append(base)
        self.words = self._synsets.keys() | self._bases.keys()

    def of(self, words: list[bytes]) -> tuple[_Ranges, _Ranges]:
        """Return the synsets of each word itself, and those together with its base forms'."""
        own = [self._synsets.get(word, frozenset()) for word in words]
        every = [mine.union(*self._of_bases(word)) for word, mine in zip(words, own, strict=True)]
        return _Ranges(own), _Ranges(every)

    def _of_bases(self, word: bytes) -> list[frozenset[int]]:
        if word in self._bases:
            return [self._synsets.get(base, frozenset()) for base in self._bases[word]]
        forms = base_forms(word.decode("utf-8", "surrogateescape"))
        found = (self._synsets.get(form.encode("utf-8", "surrogateescape")) for form in forms)
        return [next((synsets for synsets in found if synsets), frozenset())]


class _Trie:
    """Phrases as paths from the root, node 0; nodes are sorted by depth, then parent, then word."""

    def __init__(self, words: _Array, children: _Array) -> None:
        self.words, self.children = words, children

    def of_word(self, n_words: int) -> _Array:
        """Return the child of the root for each word; 0 where there is none."""
        nodes = np.zeros(n_words, _U32)
        first, last = int(self.children[0]), int(self.children[1])
        nodes[self.words[first:last]] = np.arange(first, last, dtype=_U32)
        return nodes


def _trie(phrases: list[bytes], number: dict[bytes, int], tell: Callable[[float], None]) -> tuple[_Trie, _Array]:
    """Return the trie of phrases and the node of each."""
    split = [phrase.split() for phrase in phrases]
    length = np.array([len(words) for words in split], np.int64)
    first = np.cumsum(length) - length
    flat = np.fromiter((number[word] for words in split for word in words), _U32, int(length.sum()))
    del split
    tell(0.8)
    leaf = np.zeros(len(phrases), _U32)
    node = np.zeros(len(phrases), np.uint64)  # of each phrase of at least `depth` words, at that depth
    alive = np.arange(len(phrases))
    words, parents, n_nodes = [np.zeros(1, _U32)], [np.zeros(1, np.int64)], 1
    for depth in range(int(length.max(initial=0))):
        alive = alive[length[alive] > depth]
        key = node[alive] << np.uint64(32) | flat[first[alive] + depth].astype(np.uint64)
        pairs, place = np.unique(key, return_inverse=True)
        node[alive] = place.astype(np.uint64) + np.uint64(n_nodes)
        words.append((pairs & np.uint64(_NONE)).astype(_U32))
        parents.append((pairs >> np.uint64(32)).astype(np.int64))
        n_nodes += len(pairs)
        leaf[alive] = node[alive].astype(_U32)
    # Children of node i stand from the first node whose parent is i or later; the root is nobody's child.
    parent = np.concatenate(parents)
    children = 1 + np.searchsorted(parent[1:], np.arange(n_nodes + 1, dtype=np.int64))
    return _Trie(np.concatenate(words), children.astype(_U32)), leaf


def _others(left: _Array, right: _Array, leaf: _Array, n_nodes: int) -> tuple[_Array, _Array]:
    """Return the paraphrases of all nodes in the order of the table, and where those of each node begin."""
    nodes = leaf[left]
    order = np.argsort(nodes, kind="stable")
    first = np.searchsorted(nodes[order], np.arange(n_nodes + 1, dtype=np.int64)).astype(_U32)
    return leaf[right][order], first
