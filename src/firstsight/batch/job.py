"""One run of captioning from paths to a file: plan, output, captioner, and what came of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO

from firstsight.batch.output import Existing, Output, open_output
from firstsight.batch.plan import IdFrom, Plan, plan_images
from firstsight.batch.runner import caption_images
from firstsight.captioners import Captioner, load_captioner
from firstsight.datasets.writers import RecordFormat, format_of
from firstsight.errors import OutputError, UsageError
from firstsight.types import CaptionRecord, Provenance

__all__ = ["BatchOptions", "BatchSummary", "CaptionJob", "caption_files"]


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How images are named and captions written; the options of ``firstsight caption``."""

    format: str | None = None
    """``text``, ``jsonl``, ``json`` or ``csv``; None: by the extension of the output, text on standard output."""
    existing: Existing = "refuse"
    """What to do with an output that exists: ``refuse``, ``resume`` (go on after what it holds) or ``overwrite``."""
    id_from: IdFrom = "name"
    """``name``: file name without extension; ``path``: path relative to the given folder."""
    manifest: str | os.PathLike[str] | None = None
    """CSV or JSONL with ``file`` and ``image_id``."""
    id_column: str | None = None
    """Name of the id column of CSV; None for ``image_id``."""
    batch_size: int | None = None
    """How many images the captioner is given at a time; None for its own choice."""


@dataclass(frozen=True, slots=True)
class BatchSummary:
    """What a run did."""

    n_images: int
    """Images of the plan."""
    n_captioned: int
    """Images that have captions in the output now."""
    n_failed: int
    """Images that have an error, those of an earlier run among them."""
    n_held: int
    """Images that the output held when the run began."""
    unreadable: tuple[str, ...] = ()
    """Folders that could not be listed."""


class CaptionJob:
    """A run that is planned and whose output is open, so that every mistake shows before a model is loaded.

    Example:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> from firstsight.testing.captioner import FakeCaptioner
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (2, 1)).save(folder / "a.png")
        >>> with CaptionJob([folder], folder / "out.csv") as job:
        ...     for record in job.run(FakeCaptioner()):
        ...         print(record.image_id)
        a
        >>> print((folder / "out.csv").read_text(), end="")
        image_id,caption
        a,A picture of 2 by 1 dots in colour 0 0 0.
    """

    def __init__(
        self,
        paths: Iterable[str | os.PathLike[str]],
        out: str | os.PathLike[str] | None = None,
        options: BatchOptions | None = None,
        *,
        listing: BinaryIO | None = None,
    ) -> None:
        """Plan the images, then open and check the output.

        Args:
            paths: As `plan_images` takes them.
            out: The file to write; None or ``-`` for standard output.
            options: How; the defaults if None.
            listing: What the path ``-`` stands for.

        Raises:
            UsageError: The options or paths are wrong, or two images have one id.
            CaptionFileError: The manifest is wrong.
            OutputError: The output may not or cannot be written.
        """
        self._options = options = options or BatchOptions()
        if out is not None and os.path.isdir(out):  # noqa: PTH112
            raise OutputError(f"{os.fspath(out)!r} is a folder. Name a file in it.")
        self.format: RecordFormat = format_of(
            options.format, None if out is None else os.fspath(out), id_column=options.id_column
        )
        if options.batch_size is not None and options.batch_size < 1:
            raise UsageError(f"The batch size is {options.batch_size}; it must be at least 1.")
        self.plan = Plan()

        def ids() -> set[str]:
            self.plan = plan_images(paths, id_from=options.id_from, manifest=options.manifest, listing=listing)
            _refuse_own_input(out, options.manifest, self.plan)
            return {image.image_id for image in self.plan.images}

        self._output: Output = open_output(out, self.format, options.existing, ids)
        self.n_images = len(self.plan.images)
        self.n_held = len(self._output.held)
        self.n_failed = self._output.n_held_failed
        self._n_captioned = self.n_held - self.n_failed

    def __enter__(self) -> CaptionJob:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def n_left(self) -> int:
        """How many images are still to be captioned."""
        return self.n_images - self._n_captioned - self.n_failed

    def run(self, captioner: Captioner) -> Iterator[CaptionRecord]:
        """Yield each record once it is written; leave the loop to stop early, and the output can be resumed.

        Raises:
            OutputError: A record cannot be written, or the output was begun by another captioner or with other
                parameters.
            CaptionerError: The captioner fails on everything.
        """
        self._refuse_other(captioner.provenance)
        held = self._output.held
        images = (image for image in self.plan.images if image.image_id not in held)
        for record in caption_images(images, captioner, batch_size=self._options.batch_size):
            self._output.write(record)
            if record.error is None:
                self._n_captioned += 1
            else:
                self.n_failed += 1
            yield record
        self.finish()

    def finish(self) -> None:
        """Complete the output; `run` does it, so this is for a run in which nothing was left to caption."""
        self._output.finish()

    def close(self) -> None:
        """Let go of the output."""
        self._output.close()

    def summary(self) -> BatchSummary:
        """Return what the run did so far."""
        return BatchSummary(
            self.n_images, self._n_captioned, self.n_failed, self.n_held, unreadable=tuple(self.plan.unreadable)
        )

    def _refuse_other(self, now: Provenance) -> None:
        before = self._output.provenance
        if before is not None and before != now:
            raise OutputError(
                f"Cannot resume: what the output holds was made by {_described(before)}; this run is by "
                f"{_described(now)}. Use the same captioner and options, or say --overwrite."
            )


def caption_files(
    paths: Iterable[str | os.PathLike[str]],
    out: str | os.PathLike[str] | None = None,
    *,
    captioner: str | Captioner = "embedded",
    options: BatchOptions | None = None,
) -> BatchSummary:
    """Caption files, folders and patterns into one file, and return what was done.

    The Python form of ``firstsight caption``. An image that cannot be read becomes a record with ``error`` (in CSV it
    has no row) and the run goes on. A run that was ended, even by a kill, goes on with ``existing="resume"``.

    Args:
        paths: Files, folders (with all below them) and patterns.
        out: The file to write; None for standard output.
        captioner: A captioner, or the name of one.
        options: Format, ids and what to do with a file that exists.

    Raises:
        UsageError: The options or paths are wrong, or two images have one id.
        CaptionFileError: The manifest is wrong.
        OutputError: The output may not or cannot be written.
        CaptionerError: The captioner cannot be loaded, or fails on everything.

    Example:
        >>> import tempfile, pathlib
        >>> from PIL import Image
        >>> from firstsight.testing.captioner import FakeCaptioner
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> Image.new("RGB", (2, 1)).save(folder / "a.png")
        >>> caption_files([folder], folder / "out.jsonl", captioner=FakeCaptioner()).n_captioned
        1
    """
    with CaptionJob(paths, out, options) as job:
        if job.n_left:
            for _ in job.run(load_captioner(captioner) if isinstance(captioner, str) else captioner):
                pass
        else:
            job.finish()
        return job.summary()


def _refuse_own_input(out: str | os.PathLike[str] | None, manifest: str | os.PathLike[str] | None, plan: Plan) -> None:
    """Raise if the output is one of the files that are read, which it would destroy."""
    if out is None or not os.path.exists(out):  # noqa: PTH110
        return
    name = os.path.basename(out)  # noqa: PTH119
    read = [image.path for image in plan.images if os.path.basename(image.path) == name]  # noqa: PTH119
    for path in (*read, *([] if manifest is None else [manifest])):
        if os.path.exists(path) and os.path.samefile(path, out):  # noqa: PTH110, PTH121
            raise OutputError(f"{os.fspath(out)!r} is one of the files that are read. Name another output.")


def _described(provenance: Provenance) -> str:
    parameters = ", ".join(f"{key}={value}" for key, value in provenance.parameters.items())
    weights = f", weights {provenance.weights[:19]}" if provenance.weights else ""
    return f"{provenance.captioner} {provenance.version} ({parameters}{weights})"
