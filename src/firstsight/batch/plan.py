"""Finds the images that are asked for, in a fixed order, and gives each its id before any work starts."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO, Literal, TypeAlias

from firstsight._text import visible_name
from firstsight.batch.manifest import Manifest, read_manifest
from firstsight.errors import UsageError
from firstsight.images import IMAGE_SUFFIXES

__all__ = ["IdFrom", "Plan", "PlannedImage", "plan_images"]

IdFrom: TypeAlias = Literal["name", "path"]
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class PlannedImage:
    """One image to caption: its id, and the path under which it is opened."""

    image_id: str
    path: str

    @property
    def file(self) -> str:
        """The path as records state it: bytes that are no text are escaped, everything else is exact."""
        return self.path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


@dataclass(slots=True)
class Plan:
    """The images in the order of their captions, and what was passed over on the way."""

    images: list[PlannedImage] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    """One line for each folder below the given ones that cannot be listed: its images are not in the plan."""
    n_repeated: int = 0
    """How many times a file was named again; it is captioned once."""


def plan_images(
    paths: Iterable[str | os.PathLike[str]],
    *,
    id_from: IdFrom = "name",
    manifest: str | os.PathLike[str] | None = None,
    listing: BinaryIO | None = None,
) -> Plan:
    """Return the images that ``paths`` name, in order, each with an id of its own.

    A file is taken whatever it is called, and whether or not it exists. A folder gives the files below it that have
    an image's extension, in natural order (``2.jpg`` before ``10.jpg``), files before subfolders; hidden files and
    folders and links to folders are passed over. A pattern (``*``, ``?``, ``[...]``, ``**``) that is no existing file
    gives what it matches, as in a shell. ``-`` stands for the paths that ``listing`` holds, one a line, or ended by
    NUL where it holds one.

    Args:
        paths: Files, folders, patterns and ``-``; may be empty with a manifest, which then names the images.
        id_from: ``name``: the id is the file name without extension; ``path``: the path relative to the given folder,
            with ``/`` and extension, for a file that is named itself the path as it is given. What cannot be shown in
            a line (control characters, bytes that are no text) is escaped.
        manifest: CSV or JSONL with ``file`` and ``image_id``, which decides every id. ``file`` is relative to the
            manifest's folder, to the given folder, or to where the user stands.
        listing: What ``-`` stands for.

    Raises:
        UsageError: Nothing is found, a pattern matches nothing, or two files have one id; the message names both.
        CaptionFileError: The manifest cannot be read, or says nothing of a file.
    """
    ids = None if manifest is None else read_manifest(manifest)
    plan = Plan()
    names = [os.fspath(path) for path in paths]
    if ids is not None and not names:
        found = ids.images()
    else:
        found = ((path, _image_id(path, inner, id_from, ids)) for path, inner in _found(names, listing, plan))
    _collect(found, plan, _other_ids(id_from, has_manifest=ids is not None))
    if not plan.images:
        named = ", ".join(repr(name) for name in names[:_SHOWN]) or (repr(os.fspath(manifest)) if manifest else "")
        if not named:
            raise UsageError("No image is named. Give files, folders or patterns, or - for a list on stdin.")
        raise UsageError(
            f"No image found in {named}. In a folder, files with these extensions are taken: "
            f"{' '.join(sorted(IMAGE_SUFFIXES))}."
        )
    if ids is not None:
        ids.refuse_unknown()
    return plan


def _other_ids(id_from: IdFrom, *, has_manifest: bool) -> str:
    """Return what to do about ids that collide."""
    if has_manifest:
        return "Give each an id of its own in the manifest."
    if id_from == "path":
        return "Name one folder above them all, or give the ids with --manifest."
    return "Say --id-from path, or give the ids with --manifest."


def _collect(found: Iterable[tuple[str, str]], plan: Plan, advice: str) -> None:
    index: dict[str, int] = {}
    collisions: dict[str, tuple[str, str]] = {}
    for path, image_id in found:
        first = index.setdefault(image_id, len(plan.images))
        if first == len(plan.images):
            plan.images.append(PlannedImage(image_id, path))
        elif os.path.abspath(path) == os.path.abspath(plan.images[first].path):  # noqa: PTH100
            plan.n_repeated += 1
        else:
            collisions.setdefault(image_id, (plan.images[first].path, path))
    if collisions:
        shown = "; ".join(f"{image_id!r} for {a!r} and {b!r}" for image_id, (a, b) in list(collisions.items())[:_SHOWN])
        more = "; …" if len(collisions) > _SHOWN else ""
        count = "1 image id stands" if len(collisions) == 1 else f"{len(collisions):,} image ids stand"
        raise UsageError(f"{count} for more than one file: {shown}{more}. {advice}")


def _image_id(path: str, inner: str, id_from: IdFrom, ids: Manifest | None) -> str:
    if ids is not None:
        return ids.image_id(path, inner)
    return visible_name(inner.replace(os.sep, "/") if id_from == "path" else PurePath(path).stem)


def _found(paths: list[str], listing: BinaryIO | None, plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the path of each image and its path relative to the folder that was given."""
    if paths.count("-") > 1:
        raise UsageError("- stands for the list on stdin and can be given once.")
    for path in paths:
        if path == "-":
            if listing is None:
                raise UsageError("- stands for a list of paths, and there is none.")
            for listed in _listed(listing):
                yield from _expanded(listed, plan)
        elif not glob.has_magic(path) or os.path.lexists(path):
            yield from _expanded(path, plan)
        else:
            matches = sorted(glob.glob(path, recursive=True), key=_natural)  # noqa: PTH207
            if not matches:
                raise UsageError(f"No file matches {path!r}. Check the pattern and the folder you stand in.")
            for match in matches:
                yield from _expanded(match, plan)


def _listed(listing: BinaryIO) -> Iterator[str]:
    data = listing.read()
    entries = data.split(b"\0") if b"\0" in data else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    return (os.fsdecode(entry) for entry in entries if entry)


def _expanded(path: str, plan: Plan) -> Iterator[tuple[str, str]]:
    path = _plain(path)
    if not os.path.isdir(path):  # noqa: PTH112
        yield path, path
        return
    try:
        entries = _entries(path)
    except OSError as error:
        raise UsageError(f"The folder {path!r} cannot be listed: {error.strerror}. Check your rights.") from None
    yield from _below(path, "", entries, plan)


def _below(folder: str, inner: str, entries: list[os.DirEntry[str]], plan: Plan) -> Iterator[tuple[str, str]]:
    pending = [(inner, entries)]
    while pending:
        inner, entries = pending.pop()
        folders = []
        for entry in entries:
            name = os.path.join(inner, entry.name)  # noqa: PTH118
            if entry.is_dir(follow_symlinks=False):
                folders.append((name, entry.path))
            elif os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES and not entry.is_dir():  # noqa: PTH122
                yield _plain(os.path.join(folder, name)), name  # noqa: PTH118
        for name, path in reversed(folders):
            try:
                pending.append((name, _entries(path)))
            except OSError as error:
                plan.unreadable.append(f"the folder {path!r} cannot be listed: {error.strerror}")


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with os.scandir(folder) as entries:
        return sorted(
            (entry for entry in entries if not entry.name.startswith(".")), key=lambda entry: _natural(entry.name)
        )


def _plain(path: str) -> str:
    """Return ``path`` without ``./`` in front; nothing else is changed, as links may stand before ``..``."""
    return re.sub(rf"^(?:\.{re.escape(os.sep)}+)+(?=.)", "", path)


def _natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Return a sort key by which numbers inside names count as numbers."""
    pieces = re.split(r"([0-9]+)", name)
    key = [
        (0, len(piece.lstrip("0")), piece.lstrip("0")) if index % 2 else (1, 0, piece.casefold())
        for index, piece in enumerate(pieces)
        if piece
    ]
    return key, name
