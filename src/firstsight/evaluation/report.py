"""One self-contained HTML page of an evaluation: the photos with their captions, and how good these are."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from firstsight._files import check_output, write_whole
from firstsight.errors import UsageError
from firstsight.evaluation._report_items import PhotoCredit, ReportItem, ReportOptions

if TYPE_CHECKING:
    from firstsight.evaluation import Evaluation

__all__ = ["PhotoCredit", "ReportItem", "ReportOptions", "write_report"]


def write_report(
    path: str | os.PathLike[str],
    evaluation: Evaluation | None,
    items: Sequence[ReportItem],
    options: ReportOptions | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write one HTML file that shows every photo with its caption, references and scores.

    The file needs nothing else: styles, script and photos are inside, and its content security policy forbids every
    request. It reads in English and Korean, light and dark, on paper and without JavaScript. Captions, references and
    ids are treated as untrusted text.

    Args:
        path: Where to write; the file appears only when it is complete.
        evaluation: The scores, or None where there are no references.
        items: The images in the order in which they are shown; scores are found by ``image_id``.
        options: What else the page says.
        overwrite: Whether a file that exists is replaced.

    Raises:
        OutputError: The file exists and ``overwrite`` is false, or it cannot be written.
        UsageError: ``items`` is empty or names one image twice, or an option is not allowed.
    """
    from firstsight.evaluation._report_page import render_page

    options = options or ReportOptions()
    _check(items, options)
    check_output(Path(path), overwrite=overwrite)
    write_whole(Path(path), render_page(evaluation, items, options), overwrite=overwrite)


def _check(items: Sequence[ReportItem], options: ReportOptions) -> None:
    if not items:
        raise UsageError("A report needs at least one image; got none.")
    seen: set[str] = set()
    for item in items:
        if item.image_id in seen:
            raise UsageError(f"The report names image_id {item.image_id!r} twice; each image is shown once.")
        if (item.caption is None) == (item.failure is None):
            raise UsageError(f"Image {item.image_id!r} of the report needs either a caption or a failure.")
        seen.add(item.image_id)
    if options.max_photos < 3:
        raise UsageError(f"max_photos is {options.max_photos}; a report shows at least 3.")
    if options.created is not None and options.created.tzinfo is None:
        raise UsageError("The time at which the captions were made has no zone; use datetime.now(timezone.utc).")
