"""The image files of a corpus, for metrics that look at the images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from firstsight._text import visible
from firstsight.errors import ImageError, UsageError
from firstsight.metrics.corpus import Corpus

__all__ = ["image_files", "unreadable"]

_SHOWN = 20


def image_files(corpus: Corpus, metric: str) -> list[Path]:
    """Return the file of every image, in the order of the corpus.

    Raises:
        UsageError: The corpus names no files, or not that of every image; ``metric`` is the name in the message.
    """
    if corpus.images is None:
        raise UsageError(
            f"{metric} looks at the images, and their files were not given. "
            "Name their folder: --images FOLDER, or the argument images of evaluate."
        )
    files = [corpus.images.get(image_id) for image_id in corpus.image_ids]
    found = [file for file in files if file is not None]
    if len(found) < len(files):
        absent = [image_id for image_id, file in zip(corpus.image_ids, files, strict=True) if file is None]
        shown = ", ".join(repr(visible(image_id)) for image_id in absent[:_SHOWN])
        raise UsageError(
            f"{metric} looks at the images, and {len(absent):,} of {len(files):,} have no file: {shown}"
            f"{', …' if len(absent) > _SHOWN else ''}. Name the folder that has them all, or leave those images out."
        )
    return found


def unreadable(failures: Sequence[tuple[str, ImageError]], n_images: int, metric: str) -> ImageError:
    """Return the error that names the images that cannot be read (the first twenty), with the code of the first.

    Args:
        failures: Id and error of each; at least one.
        n_images: How many images there are.
        metric: The metric that has no score because of them.
    """
    shown = "; ".join(f"{visible(image_id)!r}: {visible(str(error))}" for image_id, error in failures[:_SHOWN])
    return ImageError(
        failures[0][1].code,
        f"{metric} has no score: {len(failures):,} of {n_images:,} images cannot be read: {shown}"
        f"{'; …' if len(failures) > _SHOWN else ''}. Repair them or leave them out.",
    )
