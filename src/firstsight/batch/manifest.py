"""Reads the manifest that says which image has which id."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator
from pathlib import Path

from firstsight._text import visible_name
from firstsight.errors import CaptionFileError, closest_name

__all__ = ["Manifest", "read_manifest"]

_SHOWN = 5


class Manifest:
    """The ids of a manifest by file, in its order."""

    def __init__(self, name: str, folder: str, ids: dict[str, str]) -> None:
        """Keep the ids; the keys of ``ids`` are paths as the manifest spells them, made plain."""
        self._name, self._folder, self._ids = name, folder, ids
        self._unknown: list[str] = []

    def images(self) -> Iterator[tuple[str, str]]:
        """Yield path and id of every row; paths are relative to the manifest's folder."""
        for file, image_id in self._ids.items():
            yield os.path.join(self._folder, file), image_id  # noqa: PTH118

    def image_id(self, path: str, inner: str) -> str:
        """Return the id of a file that was named as ``path`` and lies at ``inner`` in the given folder."""
        from_manifest = os.path.relpath(path, self._folder or os.curdir)
        for spelling in (inner, path, from_manifest, os.path.abspath(path)):  # noqa: PTH100
            if (image_id := self._ids.get(_plain(spelling))) is not None:
                return image_id
        self._unknown.append(path)
        return f"\0{path}"  # refuse_unknown() stops before it is used

    def refuse_unknown(self) -> None:
        """Raise if an id was asked for that the manifest does not have.

        Raises:
            CaptionFileError: The message names the first files.
        """
        if self._unknown:
            shown = ", ".join(repr(path) for path in self._unknown[:_SHOWN])
            raise CaptionFileError(
                f"{self._name} has no row for {len(self._unknown):,} of the images: {shown}"
                f"{', …' if len(self._unknown) > _SHOWN else ''}. Add them, or leave the paths out to caption "
                "the images that it names."
            )


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Return the manifest at ``path``: CSV with a header, or JSONL, with ``file`` and ``image_id`` and perhaps more.

    Raises:
        CaptionFileError: It cannot be read, a column is missing, a row is incomplete, or a file stands in it twice.
    """
    name = repr(os.fspath(path))
    try:
        text = Path(path).read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CaptionFileError(f"The manifest {name} cannot be read: {error.strerror}. Check its path.") from None
    except UnicodeDecodeError as error:
        raise CaptionFileError(
            f"The manifest {name} is not UTF-8 text at byte {error.start}. Save it as UTF-8."
        ) from None
    rows = _json_rows(name, text) if text.lstrip()[:1] == "{" else _csv_rows(name, text)
    ids: dict[str, str] = {}
    for line, file, image_id in rows:
        key = _plain(file)
        if key in ids:
            raise CaptionFileError(f"{name}, line {line}: the file {file!r} stands in it twice. Keep one row a file.")
        ids[key] = visible_name(image_id)
    if not ids:
        raise CaptionFileError(f"{name} has no rows; expected the columns file,image_id and a row an image.")
    return Manifest(name, os.path.dirname(os.fspath(path)), ids)  # noqa: PTH120


def _csv_rows(name: str, text: str) -> Iterator[tuple[int, str, str]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        _check_columns(name, list(reader.fieldnames or []))
        for row in reader:
            if not row["file"] or not row["image_id"]:
                raise CaptionFileError(
                    f"{name}, line {reader.line_num}: file or image_id is empty; each row needs both."
                )
            yield reader.line_num, row["file"], row["image_id"]
    except csv.Error as error:
        raise CaptionFileError(f"{name}, line {reader.line_num}: not valid CSV ({error}). Mend the line.") from None


def _json_rows(name: str, text: str) -> Iterator[tuple[int, str, str]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise CaptionFileError(f"{name}, line {number}: not valid JSON ({error}). Mend the line.") from None
        if not isinstance(row, dict):
            raise CaptionFileError(f"{name}, line {number}: expected an object with file and image_id.")
        _check_columns(f"{name}, line {number}", list(row))
        file, image_id = row["file"], row["image_id"]
        if isinstance(image_id, int) and not isinstance(image_id, bool):
            image_id = str(image_id)
        if not (isinstance(file, str) and isinstance(image_id, str) and file and image_id):
            raise CaptionFileError(f"{name}, line {number}: file must be text, image_id text or a whole number.")
        yield number, file, image_id


def _check_columns(name: str, columns: list[str]) -> None:
    for wanted in ("file", "image_id"):
        if wanted not in columns:
            nearest = closest_name(wanted, columns)
            hint = f" Did you mean it by {nearest!r}?" if nearest else ""
            got = ", ".join(repr(column) for column in columns[:8]) or "none"
            raise CaptionFileError(
                f"{name} has no column {wanted!r}.{hint} Its columns are {got}; expected file,image_id."
            )


def _plain(path: str) -> str:
    return os.path.normpath(path).replace(os.sep, "/")
