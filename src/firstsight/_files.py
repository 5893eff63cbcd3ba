"""Output files that appear whole or not at all, and never over another file unasked."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from firstsight.errors import OutputError

__all__ = ["cache_folder", "check_output", "write_whole"]


def cache_folder() -> Path:
    """Return the folder for files that can be made again: FIRSTSIGHT_CACHE, else firstsight in the user's cache folder.

    The folder may not exist yet.
    """
    if own := os.environ.get("FIRSTSIGHT_CACHE"):
        return Path(own).expanduser()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "firstsight"


def check_output(path: Path, *, overwrite: bool) -> None:
    """Check before any work that ``path`` can be written.

    Raises:
        OutputError: It exists and ``overwrite`` is false, is a folder, or its folder is absent or read-only.
    """
    if path.is_dir():
        raise OutputError(f"{path} is a folder. Name a file to write.")
    if path.exists() and not overwrite and path.is_file():
        raise OutputError(f"{path} exists. Choose another name, or replace it with --overwrite.")
    folder = path.parent
    if not folder.is_dir():
        raise OutputError(f"The folder {folder} of the output {path.name} does not exist. Make it first.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"The folder {folder} of the output {path.name} cannot be written to.")


def write_whole(path: Path, content: str | bytes, *, overwrite: bool) -> None:
    """Write to a temporary file beside ``path`` and rename it; a device or pipe is written directly.

    Text is written as UTF-8, a lone surrogate as its escape.

    Raises:
        OutputError: As ``check_output``, or writing failed; ``path`` is then as it was.
    """
    check_output(path, overwrite=overwrite)
    data = content if isinstance(content, bytes) else content.encode("utf-8", "backslashreplace")
    if path.exists() and not path.is_file():
        path.write_bytes(data)
        return
    target = path.resolve()
    temporary = target.with_name(f".firstsight-{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if overwrite:
            temporary.replace(target)
        else:
            _rename_new(temporary, target)
    except OSError as error:
        raise OutputError(f"{path} cannot be written: {error.strerror or error}.") from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def _rename_new(temporary: Path, target: Path) -> None:
    """Give the file its name unless another took it meanwhile."""
    try:
        target.hardlink_to(temporary)
    except FileExistsError:
        raise OutputError(f"{target} appeared while this ran. Choose another name, or use --overwrite.") from None
    except OSError:  # a file system without hard links
        temporary.replace(target)
