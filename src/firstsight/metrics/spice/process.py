"""One run of the original program in a Java process of its own: captions in, checked results out."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from firstsight._text import visible
from firstsight.errors import BackendError
from firstsight.metrics.spice import watch
from firstsight.metrics.spice.java import child_environment
from firstsight.metrics.spice.locate import MAIN_CLASS, Installation
from firstsight.metrics.spice.options import SpiceOptions
from firstsight.metrics.spice.results import InvalidOutputError, SpiceResult, read_output

__all__ = ["Captions", "RunError", "run", "time_limit_s"]

# A caption of n words took 4e-6 n^3 s and more than 1/50 s on one processor of 2023; a caption that is too long for the
# parser's memory fails within seconds. The limit is what a machine twenty times slower needs.
_CAPTION_S = 1.0
_CUBED_S = 2e-5
_LONGEST_WORDS = 400
_TAIL_BYTES = 2000
_TAIL_LINES = 12
_GRACE_S = 30.0


@dataclass(frozen=True, slots=True)
class Captions:
    """The candidate and the references of one image: tokens joined by spaces, NUL as a space."""

    candidate: str
    references: tuple[str, ...]


class RunError(Exception):
    """A run gave no results for its images; ``tail`` is the end of what the program printed."""

    def __init__(self, reason: str, tail: str = "") -> None:
        """Say what happened."""
        super().__init__(reason)
        self.reason = reason
        self.tail = tail

    def __str__(self) -> str:
        """Return the reason and the tail, one below the other."""
        return f"{self.reason}\n{self.tail}" if self.tail else self.reason


def time_limit_s(images: Sequence[Captions], options: SpiceOptions) -> float:
    """Return how long one run may take: loading the models, then each caption by the number of its words."""
    captions = (caption for image in images for caption in (image.candidate, *image.references))
    words = [min(caption.count(" ") + 1, _LONGEST_WORDS) for caption in captions]
    limit = options.start_limit_s + sum(_CAPTION_S + _CUBED_S * n**3 for n in words)
    return min(limit, options.limit_s) if options.limit_s is not None else limit


def run(
    images: Sequence[Captions], installation: Installation, options: SpiceOptions, *, use_parses: bool = True
) -> list[SpiceResult]:
    """Return the results of ``images``, in their order, of one Java process.

    The images are given to the program under ids of our own, their eight-digit places, and results are taken by them.
    Nothing is left behind: the process is killed and its folder removed when this ends in any way, by SIGKILL too.

    Raises:
        RunError: The process crashed, took too long or wrote something other than its results.
        BackendError: The temporary folder cannot be written, or Java cannot be started at all.
    """
    image_ids = [f"{place:08d}" for place in range(len(images))]
    document = [
        {"image_id": image_id, "test": image.candidate, "refs": image.references}
        for image_id, image in zip(image_ids, images, strict=True)
    ]
    with _temporary_folder() as folder:
        (folder / "in.json").write_text(json.dumps(document, ensure_ascii=True), encoding="ascii")
        command = _command(installation, options, use_parses=use_parses)
        code = _watched(folder, time_limit_s(images, options), command)
        tail = _tail(folder / watch.LOG)
        if code == watch.CANNOT_START:
            raise BackendError(f"Java cannot be started: {tail}")
        if code == watch.PAST_LIMIT:
            raise RunError(f"it took longer than its limit of {time_limit_s(images, options):.0f} s", tail)
        if code != 0:
            raise RunError(f"it ended with exit code {code}", tail)
        try:
            return read_output(json.loads((folder / "out.json").read_bytes()), image_ids)
        except FileNotFoundError:
            raise RunError("it ended without writing its output", tail) from None
        except InvalidOutputError as error:
            raise RunError(str(error), tail) from None
        except (ValueError, RecursionError):
            raise RunError("its output is not JSON", tail) from None


def _command(installation: Installation, options: SpiceOptions, *, use_parses: bool) -> list[str]:
    command = [
        str(installation.java.program),
        *installation.java.flags,
        f"-Xmx{options.heap_mb}m",
        "-cp",
        os.pathsep.join(map(str, installation.class_path)),
        MAIN_CLASS,
        "in.json",
        *("-out", "out.json", "-subset", "-detailed", "-silent"),
        *("-threads", str(options.n_threads)),
    ]
    if use_parses and options.parses is not None:
        folder = options.parses / installation.jars_hash[:16]
        folder.mkdir(parents=True, exist_ok=True)
        command += ["-cache", str(folder)]
    return command


def _watched(folder: Path, limit_s: float, command: list[str]) -> int:
    """Run a command under ``watch``, which is told by the end of a pipe that it is no longer wanted."""
    watcher = subprocess.Popen(
        [sys.executable, "-I", "-S", watch.__file__, str(folder), repr(limit_s), *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=child_environment(),
        start_new_session=True,
    )
    try:
        return watcher.wait()
    finally:
        assert watcher.stdin is not None
        watcher.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            watcher.wait(_GRACE_S)
        if watcher.poll() is None:
            watcher.kill()
            watcher.wait()


@contextlib.contextmanager
def _temporary_folder() -> Iterator[Path]:
    try:
        folder = Path(tempfile.mkdtemp(prefix="firstsight-spice-"))
    except OSError as error:
        raise BackendError(f"SPICE needs a folder for temporary files: {error}. Set TMPDIR to one.") from error
    try:
        yield folder
    except OSError as error:
        raise BackendError(f"SPICE cannot use the temporary folder {folder}: {error.strerror or error}.") from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tail(log: Path) -> str:
    """Return the last lines that the program printed, made visible: they can hold captions."""
    if not log.is_file():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - _TAIL_BYTES))
        lines = file.read().decode("utf-8", "replace").splitlines()
    return "\n".join("    " + visible(line.expandtabs(4)) for line in lines[-_TAIL_LINES:] if line.strip())
