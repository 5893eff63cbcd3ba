"""Results that were computed once, in one SQLite file that outlives any kill."""

from __future__ import annotations

import contextlib
import hashlib
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import TracebackType

from firstsight.errors import BackendError
from firstsight.metrics.spice.process import Captions
from firstsight.metrics.spice.results import CATEGORIES, Counts, SpiceResult, Tuple

__all__ = ["ResultCache", "result_key"]

FILE = "results-v1.sqlite3"
_BUSY_S = 60.0
_MAX_VARIABLES = 500
_ORDER = ("All", *CATEGORIES)


def result_key(captions: Captions, jars_hash: str) -> bytes:
    """Return the SHA-256 (32 bytes) of the jars, the candidate and the references in their order.

    Each text is preceded by its length in bytes (8 bytes, big-endian), so that no two inputs give the same bytes.
    """
    digest = hashlib.sha256(bytes.fromhex(jars_hash))
    for caption in (captions.candidate, *captions.references):
        data = caption.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


class ResultCache:
    """Results by key. A result that is there is never replaced, so that all who ask get the same one.

    Several processes can use it at once. What ``put`` has returned from survives SIGKILL at any later moment; a file
    that is damaged is set aside as ``*.damaged`` and a new one begun.
    """

    def __init__(self, folder: Path) -> None:
        """Open the file in ``folder``, or begin it.

        Raises:
            BackendError: The folder or the file cannot be written.
        """
        self._path = folder / FILE
        with self._told():
            folder.mkdir(parents=True, exist_ok=True)
            try:
                self._connection = _opened(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                _set_aside(self._path)
                self._connection = _opened(self._path)

    def __enter__(self) -> ResultCache:
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the file."""
        self._connection.close()

    def get(self, keys: Iterable[bytes]) -> dict[bytes, SpiceResult]:
        """Return the results that are there; one whose bytes are damaged is not."""
        wanted, found = list(keys), {}
        with self._told():
            for start in range(0, len(wanted), _MAX_VARIABLES):
                part = wanted[start : start + _MAX_VARIABLES]
                marks = ",".join("?" * len(part))
                rows = self._connection.execute(
                    f"SELECT key, CAST(result AS BLOB) FROM results WHERE key IN ({marks})", part
                )
                for key, data in rows.fetchall():
                    with contextlib.suppress(zlib.error, ValueError, KeyError, TypeError, IndexError):
                        found[key] = _unpacked(data)
        return found

    def put(self, results: Mapping[bytes, SpiceResult]) -> dict[bytes, SpiceResult]:
        """Keep results in one transaction and return what is kept: where another was quicker, its result."""
        rows = [(key, _packed(result)) for key, result in results.items()]
        with self._told(), self._connection:
            self._connection.execute("BEGIN IMMEDIATE")
            readable = self.get(results)
            self._connection.executemany(
                "INSERT OR REPLACE INTO results (key, result) VALUES (?, ?)",
                [row for row in rows if row[0] not in readable],
            )
        return {**results, **readable}

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            raise BackendError(
                f"SPICE keeps its results in {self._path}, which cannot be used: {error}. Set FIRSTSIGHT_CACHE to a "
                "folder on a local disk that you can write to."
            ) from error


def _opened(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("CREATE TABLE IF NOT EXISTS results (key BLOB PRIMARY KEY, result BLOB) WITHOUT ROWID")
        connection.execute("SELECT key FROM results LIMIT 1").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _set_aside(path: Path) -> None:
    path.replace(path.with_name(path.name + ".damaged"))
    for ending in ("-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)


def _packed(result: SpiceResult) -> bytes:
    """Return one result as compressed JSON, whose own checksum tells damage."""
    counts = [result.all, *(result.categories[name] for name in CATEGORIES)]
    document = {
        "counts": [[count.matched, count.candidate, count.references] for count in counts],
        "candidate": [[*parts, is_matched] for parts, is_matched in result.candidate_tuples],
        "references": [[*parts, is_matched] for parts, is_matched in result.reference_tuples],
    }
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode("ascii"))


def _unpacked(data: bytes) -> SpiceResult:
    document = json.loads(zlib.decompress(data))
    counts = dict(zip(_ORDER, (Counts(*numbers) for numbers in document["counts"]), strict=True))
    return SpiceResult(
        counts["All"],
        {name: counts[name] for name in CATEGORIES},
        _tuples(document["candidate"]),
        _tuples(document["references"]),
    )


def _tuples(entries: list[list[str | bool]]) -> tuple[Tuple, ...]:
    return tuple((tuple(map(str, entry[:-1])), bool(entry[-1])) for entry in entries)
