"""What can be set about a run of SPICE; nothing here changes a score."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from firstsight.errors import UsageError

__all__ = ["SpiceOptions"]

_MAX_MEMORY_MB = 4096
_MEGABYTE = 1 << 20
_CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@dataclass(frozen=True, slots=True)
class SpiceOptions:
    """Where the jars are and how Java runs them.

    Every field has an environment variable, because a metric is made by its name alone:

    ============================  =================  ================================================================
    variable                      field              meaning
    ============================  =================  ================================================================
    FIRSTSIGHT_SPICE              ``paths``          folders with jars and wheel files, joined as in PATH
    FIRSTSIGHT_SPICE_JAVA         ``java``           the ``java`` program
    FIRSTSIGHT_SPICE_MEMORY_MB    ``memory_mb``      heap of the Java machine (-Xmx); 4096, or half of what there is
    FIRSTSIGHT_SPICE_THREADS      ``threads``        parsing threads; the number of processors
    FIRSTSIGHT_SPICE_IMAGES       ``n_images``       images a Java process scores before its results are kept; 500
    FIRSTSIGHT_SPICE_LIMIT_S      ``limit_s``        most seconds one process may take, whatever its captions
    FIRSTSIGHT_SPICE_PARSES       ``parses``         folder of SPICE's own cache of parses; off
    ============================  =================  ================================================================

    ``start_limit_s`` is the time that one process may take before its captions, for loading the models.
    """

    paths: tuple[Path, ...] = ()
    java: Path | None = None
    memory_mb: int | None = None
    threads: int | None = None
    n_images: int = 500
    limit_s: float | None = None
    parses: Path | None = None
    start_limit_s: float = 180.0

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> SpiceOptions:
        """Return the options that the environment variables say.

        Raises:
            UsageError: A number is not one, or not above zero.
        """
        said = os.environ if environment is None else environment
        paths = tuple(_path(part) for part in said.get("FIRSTSIGHT_SPICE", "").split(os.pathsep) if part)
        java, parses = said.get("FIRSTSIGHT_SPICE_JAVA"), said.get("FIRSTSIGHT_SPICE_PARSES")
        return cls(
            paths=paths,
            java=_path(java) if java else None,
            memory_mb=_number(said, "FIRSTSIGHT_SPICE_MEMORY_MB"),
            threads=_number(said, "FIRSTSIGHT_SPICE_THREADS"),
            n_images=_number(said, "FIRSTSIGHT_SPICE_IMAGES") or cls().n_images,
            limit_s=_number(said, "FIRSTSIGHT_SPICE_LIMIT_S"),
            parses=_path(parses) if parses else None,
        )

    @property
    def heap_mb(self) -> int:
        """The heap of the Java machine: ``memory_mb``, else 4096, less where half of the memory is less."""
        return self.memory_mb or min(_MAX_MEMORY_MB, max(1024, _memory_bytes() // _MEGABYTE // 2))

    @property
    def n_threads(self) -> int:
        """Parsing threads: ``threads``, else the processors that this process may use."""
        if self.threads:
            return self.threads
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _path(text: str) -> Path:
    return Path(text).expanduser().absolute()


def _number(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "").strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise UsageError(f"{name} is {text!r}; it must be a whole number above zero.")
    return int(text)


def _memory_bytes() -> int:
    """Return the memory that this process can have, the container's where there is one; 8 GiB where nobody says."""
    sizes = []
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        sizes.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    for file in map(Path, _CGROUP_LIMITS):
        text = file.read_text(encoding="ascii").strip() if file.is_file() else ""
        if text.isdigit():
            sizes.append(int(text))
    return min((size for size in sizes if size > 0), default=8192 * _MEGABYTE)
