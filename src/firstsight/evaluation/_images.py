"""Image files by image id, found in a folder; a name in a caption file never leads out of that folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from firstsight.errors import CaptionFileError, UsageError

if TYPE_CHECKING:
    from firstsight.metrics import Metric

__all__ = ["ImageSource", "files_for", "image_files"]

ImageSource: TypeAlias = "str | Path | Mapping[str, Path]"
"""The image files: a folder, in which they are found by image id, or files by image id."""

_SHOWN_IDS = 5


def files_for(
    metrics: Iterable[Metric], images: ImageSource | None, image_ids: Iterable[str], *named: Mapping[str, str]
) -> dict[str, Path] | None:
    """Return ``image_files`` where a metric looks at images, otherwise None."""
    return image_files(images if any(metric.needs_images for metric in metrics) else None, image_ids, *named)


def image_files(
    images: ImageSource | None,
    image_ids: Iterable[str],
    named: Mapping[str, str] = MappingProxyType({}),
    named_by_candidates: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Path] | None:
    """Return the file of each image, or None where no images were given.

    Args:
        images: A folder, with its subfolders, or files by image id.
        image_ids: The images that are wanted.
        named: The file that the references name for an image: its path in the folder, or the end of it.
        named_by_candidates: The same of the candidates, which counts only where neither ``named`` nor the id leads to
            one file: no candidate is scored with an image of its own choice.

    Raises:
        UsageError: There is no such folder.
        CaptionFileError: An image has no file, or several that only differ in their extension.
    """
    if images is None:
        return None
    if isinstance(images, Mapping):
        found = {image_id: Path(images[image_id]) for image_id in image_ids if image_id in images}
        where = "the images given"
    else:
        folder = Path(images)
        if not folder.is_dir():
            raise UsageError(f"The images should be in the folder {str(folder)!r}, and there is none. Name another.")
        index = _Index(folder)
        names = ((image_id, named.get(image_id), named_by_candidates.get(image_id)) for image_id in image_ids)
        pairs = ((image_id, index.find(image_id, *both)) for image_id, *both in names)
        found = {image_id: path for image_id, path in pairs if path is not None}
        where = f"the folder {folder}"
    absent = [image_id for image_id in image_ids if image_id not in found]
    if absent:
        shown = ", ".join(map(repr, absent[:_SHOWN_IDS])) + (", …" if len(absent) > _SHOWN_IDS else "")
        raise CaptionFileError(
            f"{len(absent):,} of {len(found) + len(absent):,} images have no file in {where}: {shown}. A file is named "
            "as the image id, with an image's extension or without, or as the caption files say. Add what is missing."
        )
    return found


class _Index:
    """The files of a folder by path, by name, and, for images, by both without the extension."""

    def __init__(self, folder: Path) -> None:
        from firstsight.images import IMAGE_SUFFIXES

        self._files: dict[str, list[Path]] = {}
        for path in sorted(path for path in folder.rglob("*") if path.is_file()):
            relative = path.relative_to(folder).as_posix()
            keys = {relative, path.name}
            if path.suffix.lower() in IMAGE_SUFFIXES:
                keys |= {key[: -len(path.suffix)] for key in keys}
            for key in keys:
                self._files.setdefault(key, []).append(path)

    def find(self, image_id: str, named: str | None, named_by_candidates: str | None) -> Path | None:
        if (path := self._by_name(named)) is not None:
            return path
        files = self._files.get(image_id, [])
        if len(files) == 1:
            return files[0]
        if (path := self._by_name(named_by_candidates)) is not None:
            return path
        if files:
            both = " and ".join(str(path) for path in files[:2])
            raise CaptionFileError(f"The image {image_id!r} has several files: {both}. Keep one of them.")
        return None

    def _by_name(self, name: str | None) -> Path | None:
        """Return the one file whose path ends as ``name`` does, as much of it as there is."""
        parts = PurePosixPath(name.replace("\\", "/")).parts if name else ()
        ends = (self._files.get("/".join(parts[start:]), []) for start in range(len(parts)))
        return next((files[0] for files in ends if len(files) == 1), None)
