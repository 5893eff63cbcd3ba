"""Which Java is taken, and what its version needs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from firstsight.metrics.spice import java as java_module
from firstsight.metrics.spice.java import Java, child_environment, find_java, java_major

posix = pytest.mark.skipif(sys.platform == "win32", reason="the stub is a shell script")


def stub(path: Path, answer: str, code: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{answer}\nEND\nexit {code}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("answer", "major"),
    [
        ('java version "1.8.0_392"\nJava(TM) SE Runtime Environment (build 1.8.0_392-b08)', 8),
        ('openjdk version "11.0.22" 2024-01-16', 11),
        ('openjdk version "17" 2021-09-14', 17),
        ('openjdk version "21-ea" 2023-09-19', 21),
        ('Picked up JAVA_TOOL_OPTIONS: -Dversion=3\nopenjdk version "25.0.2" 2026-01-20 LTS', 25),
        ("", None),
        ("The operation couldn't be completed. Unable to locate a Java Runtime.", None),
        ('version "unknown"', None),
    ],
)
def test_the_version_is_read_from_what_java_prints(answer: str, major: int | None):
    assert java_major(answer) == major


@pytest.mark.parametrize(
    ("major", "opens", "has_javascript"), [(8, 0, True), (11, 6, True), (17, 6, False), (21, 6, False)]
)
def test_flags_and_javascript_by_version(major: int, opens: int, has_javascript: bool):
    java = Java(Path("java"), major)
    assert sum(flag.startswith("--add-opens") for flag in java.flags) == opens
    assert java.has_javascript == has_javascript
    assert {"-Dfile.encoding=UTF-8", "-Duser.language=en"} <= set(java.flags)


@posix
def test_a_named_java_is_the_only_one_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("JAVA_HOME", str(stub(tmp_path / "home/bin/java", 'openjdk version "21.0.1"').parents[1]))
    assert find_java(stub(tmp_path / "old", 'java version "1.8.0_392"')) == Java(tmp_path / "old", 8)
    assert find_java(tmp_path / "absent") == f"{tmp_path / 'absent'} cannot be run (FileNotFoundError)"


@posix
def test_the_first_java_that_answers_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    home = stub(tmp_path / "home/bin/java", 'openjdk version "1.7.0"')
    on_path = stub(tmp_path / "path/java", 'openjdk version "21.0.1"')
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", f"{on_path.parent}:/usr/bin:/bin")
    assert find_java(None) == Java(on_path, 21)
    stub(on_path, "Unable to locate a Java Runtime.", 1)
    monkeypatch.setattr(java_module, "package_folders", lambda name: [])
    assert find_java(None) == f"{home} is Java 7; {on_path} does not tell its version"


def test_no_java_at_all_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(java_module, "_candidates", list)
    assert find_java(None) == "no java in the PATH"


def test_variables_that_change_flags_are_not_passed_on(monkeypatch: pytest.MonkeyPatch):
    for name in ("JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH", "KEPT"):
        monkeypatch.setenv(name, "x")
    assert {"JAVA_TOOL_OPTIONS", "_JAVA_OPTIONS", "JDK_JAVA_OPTIONS", "CLASSPATH"}.isdisjoint(child_environment())
    assert child_environment()["KEPT"] == "x"
