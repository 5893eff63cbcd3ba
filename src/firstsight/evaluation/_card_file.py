"""The file of a scoring card: a zip of one JSON header and blobs of whole numbers and words, nothing that can run.

The member ``card.json`` holds the header, whose ``content`` decides every score and is what the hash is over: the
SHA-256 of its canonical JSON (sorted keys, no spaces, ASCII). Arrays stand in members ``blobs/<SHA-256>`` and are named
there by hash, so that the hash covers them, and two metrics that learnt the same share one blob. An array of whole
numbers is written column by column as ``value - minimum`` in the fewest little-endian bytes that hold it; a list of
words is a JSON list. Dates and order of the members are fixed: the same content is the same file.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight._files import write_whole
from firstsight.errors import CaptionFileError
from firstsight.types import Json

__all__ = ["Array", "Blobs", "canonical_hash", "decoded", "encoded", "read_members", "write_members"]

Array: TypeAlias = "npt.NDArray[np.int32] | npt.NDArray[np.int64] | list[str]"
Blobs: TypeAlias = dict[str, bytes]

_HEADER = "card.json"
_BLOBS = "blobs/"
_MAX_HEADER_BYTES = 2**20
_MAX_BYTES = 2**30  # of all blobs together, unpacked: some thirty times the card of all of COCO
_FIRST_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say
_DEFLATE_LEVEL = 6
_TYPES = {"int32": np.int32, "int64": np.int64}
_WIDTHS = (1, 2, 4, 8)


def canonical_hash(content: Json) -> str:
    """Return the SHA-256 (64 hex digits) of the canonical JSON of ``content``."""
    return hashlib.sha256(_canonical(content)).hexdigest()


def encoded(array: Array, blobs: Blobs) -> Json:
    """Return how the header describes an array, and add its bytes to ``blobs`` under their hash."""
    if isinstance(array, list):
        return {"type": "words", "n": len(array), "blob": _added(_canonical(list(array)), blobs)}
    minimum = int(array.min()) if array.size else 0
    span = int(array.max()) - minimum if array.size else 0
    width = next(width for width in _WIDTHS if span < 2 ** (8 * width))
    data = (array.astype(np.int64) - minimum).astype(f"<u{width}").tobytes(order="F")
    return {
        "type": array.dtype.name,
        "shape": list(array.shape),
        "minimum": minimum,
        "width": width,
        "blob": _added(data, blobs),
    }


def decoded(description: Mapping[str, Any], blobs: Mapping[str, bytes]) -> Array:
    """Return the array that a header describes.

    Raises:
        ValueError, KeyError, TypeError: The description is not one, or its bytes do not fit it.
    """
    data = blobs[description["blob"]]
    if description["type"] == "words":
        words = json.loads(data)
        if not isinstance(words, list) or len(words) != description["n"] or not all(type(w) is str for w in words):
            raise ValueError("not a list of words")
        return words
    shape = tuple(int(n) for n in description["shape"])
    if description["width"] not in _WIDTHS or len(shape) not in (1, 2) or min(shape) < 0:
        raise ValueError("not an array of whole numbers")
    values = np.frombuffer(data, dtype=f"<u{description['width']}").astype(np.int64) + int(description["minimum"])
    return values.reshape(shape, order="F").astype(_TYPES[description["type"]], order="C", casting="same_kind")


def write_members(path: Path, header: Json, blobs: Blobs, *, overwrite: bool) -> None:
    """Write the file whole or not at all.

    Raises:
        OutputError: The file exists and ``overwrite`` is false, or it cannot be written.
    """
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        _add(archive, _HEADER, json.dumps(header, indent=1, sort_keys=True).encode("ascii") + b"\n")
        for name in sorted(blobs):
            _add(archive, _BLOBS + name, blobs[name])
    write_whole(path, file.getvalue(), overwrite=overwrite)


def read_members(path: Path) -> tuple[dict[str, Any], Blobs]:
    """Return the header and every blob, each with the hash that names it.

    Raises:
        CaptionFileError: There is no such file, or it is no whole scoring card.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {member.filename: member for member in archive.infolist()}
            if _HEADER not in members:
                raise _broken(path, "it has no card.json")
            header = json.loads(_member(archive, members.pop(_HEADER), _MAX_HEADER_BYTES))
            blobs: Blobs = {}
            for name, member in members.items():
                left = _MAX_BYTES - sum(map(len, blobs.values()))
                blobs[name.removeprefix(_BLOBS)] = _member(archive, member, left)
    except FileNotFoundError:
        raise CaptionFileError(
            f"There is no scoring card {os.fspath(path)}. Make it with: firstsight card build REFERENCES -o {path.name}"
        ) from None
    except (OSError, ValueError, RuntimeError, EOFError, zlib.error, zipfile.BadZipFile, RecursionError) as error:
        raise _broken(path, str(error)) from error
    if not isinstance(header, dict):
        raise _broken(path, "card.json is no object")
    changed = next((name for name, data in blobs.items() if hashlib.sha256(data).hexdigest() != name), None)
    if changed is not None:
        raise _broken(path, f"the blob {changed[:12]} was changed")
    return header, blobs


def _member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, most_bytes: int) -> bytes:
    with archive.open(member) as stream:
        data = stream.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise ValueError(f"{member.filename} unpacks to more than {most_bytes:,} bytes")
    return data


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    member = zipfile.ZipInfo(name, _FIRST_DATE)
    member.create_system = 3  # Unix on every system, so that the bytes are alike
    member.external_attr = 0o644 << 16
    archive.writestr(member, data, zipfile.ZIP_DEFLATED, _DEFLATE_LEVEL)


def _added(data: bytes, blobs: Blobs) -> str:
    name = hashlib.sha256(data).hexdigest()
    blobs[name] = data
    return name


def _canonical(value: Json) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _broken(path: Path, why: str) -> CaptionFileError:
    return CaptionFileError(
        f"{os.fspath(path)} is no whole scoring card ({why}). Copy it again, or make it again with: "
        f"firstsight card build REFERENCES -o {path.name}"
    )
