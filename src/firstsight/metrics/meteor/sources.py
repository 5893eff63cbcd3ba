"""Where METEOR's data lie: two files of the installed package ``pycocoevalcap``, read as data, never run."""

from __future__ import annotations

import hashlib
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from firstsight.errors import BackendError, MissingDependencyError

__all__ = ["Sources", "find_sources"]

_JAR = Path("meteor", "meteor-1.5.jar")
_PARAPHRASES = Path("meteor", "data", "paraphrase-en.gz")
_TAIL_BYTES = 16_384
_CHUNK_BYTES = 1 << 24


@dataclass(frozen=True)
class Sources:
    """The two files that hold METEOR's English data.

    Attributes:
        jar: ``meteor-1.5.jar``, a zip file with ``synonym/english.synsets``, ``synonym/english.exceptions``,
            ``function/english.words`` and ``nonbreaking/english.prefixes``.
        paraphrases: ``paraphrase-en.gz``: three lines a paraphrase, which are probability, phrase and other phrase.
    """

    jar: Path
    paraphrases: Path

    def identity(self) -> bytes:
        """Return 32 bytes that tell these data from others, in about a millisecond.

        SHA-256 of both sizes and last 16 KiB. Those hold the checksums of the content: the central directory of the
        zip file, and the trailer of the gzip file.
        """
        digest = hashlib.sha256()
        with self.reading():
            for path in (self.jar, self.paraphrases):
                with path.open("rb") as file:
                    size = file.seek(0, 2)
                    file.seek(max(0, size - _TAIL_BYTES))
                    digest.update(size.to_bytes(8, "little") + file.read())
        return digest.digest()

    def digest(self) -> bytes:
        """Return the SHA-256 (32 bytes) of the SHA-256s of the two whole files."""
        digest = hashlib.sha256()
        with self.reading():
            for path in (self.jar, self.paraphrases):
                with path.open("rb") as file:
                    digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.digest()

    def words(self, name: str) -> list[bytes]:
        """Return the lines, stripped, of one member of the jar."""
        with self.reading(), zipfile.ZipFile(self.jar) as jar:
            return [line.strip() for line in jar.read(name).split(b"\n")]

    def paraphrase_lines(self, on_progress: Callable[[float], None]) -> Iterator[list[bytes]]:
        """Yield the lines of the paraphrase table, some whole triples at a time.

        Args:
            on_progress: Called with the share of the file that has been read, from 0 to 1.
        """
        size, read, rest = self.paraphrases.stat().st_size, 0, b""
        unzip = zlib.decompressobj(wbits=31)
        with self.reading(), self.paraphrases.open("rb") as file:
            while packed := file.read(_CHUNK_BYTES // 8):
                read += len(packed)
                lines = (rest + unzip.decompress(packed)).split(b"\n")
                whole = (len(lines) - 1) // 3 * 3
                rest = b"\n".join(lines[whole:])
                yield lines[:whole]
                on_progress(read / size)
            if not unzip.eof or rest.strip():
                raise zlib.error("the file ends early")

    def reading(self) -> AbstractContextManager[None]:
        """Return a context that turns what goes wrong with the two files into one error."""
        return _Reading(self)


class _Reading(AbstractContextManager[None]):
    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | zlib.error | zipfile.BadZipFile | KeyError | ValueError):
            raise BackendError(
                f"METEOR's data in {self._sources.jar.parent} cannot be read: {error}. "
                "Run  pip install --force-reinstall --no-deps pycocoevalcap==1.2"
            ) from error


def find_sources() -> Sources:
    """Return the two files of the installed ``pycocoevalcap``, without importing it.

    Raises:
        MissingDependencyError: It is not installed, or lacks them.
    """
    spec = find_spec("pycocoevalcap")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        sources = Sources(Path(folder) / _JAR, Path(folder) / _PARAPHRASES)
        if sources.jar.is_file() and sources.paraphrases.is_file():
            return sources
    raise MissingDependencyError("METEOR", extra="meteor")
