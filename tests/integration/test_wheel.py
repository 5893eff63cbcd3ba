"""What ``pip install firstsight`` gives: the wheel works without the checkout, its tools and the network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

_NO_NETWORK = """\
import socket

def _refuse(*args, **kwargs):
    raise OSError("this test has no network")

socket.socket.connect = socket.socket.connect_ex = socket.getaddrinfo = socket.create_connection = _refuse
"""


@dataclass(frozen=True)
class Installed:
    """An environment outside the checkout that holds the wheel and what the wheel depends on, nothing else."""

    folder: Path
    site_packages: Path

    def run(self, *args: str | Path, timeout_s: int = 120) -> subprocess.CompletedProcess[str]:
        """Run ``firstsight`` there, in a process that cannot reach the network."""
        command = [*_without_network(), self.folder / "bin" / "firstsight", *args]
        environment = {"PATH": os.defpath, "HOME": str(self.folder), "LANG": "C.UTF-8"}
        return subprocess.run(
            command, cwd=self.folder, env=environment, capture_output=True, text=True, timeout=timeout_s
        )


@pytest.fixture(scope="module")
def wheel(repo_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built by the build backend of pyproject.toml."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, repo_root]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The wheel in an empty environment; its dependencies are links to those of this one, so nothing is fetched."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    (site_packages,) = folder.glob("lib/python3*/site-packages")
    for name in _closure("firstsight"):
        _link(name, site_packages)
    pip = [sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--disable-pip-version-check"]
    done = subprocess.run(
        [*pip, "install", "--no-index", "--no-deps", "--quiet", wheel], capture_output=True, text=True, cwd=folder
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (site_packages / "refuse_network.py").write_text(_NO_NETWORK)
    (site_packages / "refuse_network.pth").write_text("import refuse_network\n")
    yield Installed(folder, site_packages)
    shutil.rmtree(folder)


def test_the_wheel_holds_what_the_program_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        sizes = {info.filename: info.file_size for info in archive.infolist()}
    wanted = [
        r"firstsight/py\.typed",
        r"firstsight/captioners/embedded/weights/\w+\.onnx",
        r"firstsight/samples/photos/\w+\.jpg",
        r"firstsight/samples/manifest\.json",
        r"firstsight/samples/references\.jsonl",
        r"firstsight/samples/CREDITS\.md",
        r"firstsight/evaluation/.+\.(html|jinja|j2|css)",
        r"firstsight-[\d.]+\.dist-info/licenses/LICENSE",
        r"firstsight-[\d.]+\.dist-info/licenses/NOTICE",
        r"firstsight-[\d.]+\.dist-info/entry_points\.txt",
    ]
    missing = [pattern for pattern in wanted if not any(re.fullmatch(pattern, name) for name in sizes)]
    assert missing == []
    foreign = [name for name in sizes if not name.startswith(("firstsight/", "firstsight-"))]
    assert foreign == []


def test_the_embedded_model_is_small(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        size_bytes = sum(info.file_size for info in archive.infolist() if "/embedded/weights/" in info.filename)
    assert size_bytes <= 40e6


def test_the_dependencies_are_complete(installed: Installed) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pip", "--python", installed.folder / "bin" / "python", "check"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    assert not (installed.site_packages / "torch").exists()
    assert not (installed.site_packages / "pytest").exists()


def test_there_is_no_network_to_reach(installed: Installed) -> None:
    program = "import socket; socket.create_connection(('192.0.2.1', 80), 1)"
    done = subprocess.run([installed.folder / "bin" / "python", "-c", program], capture_output=True, text=True)
    assert "this test has no network" in done.stderr


def test_version_and_help(installed: Installed) -> None:
    assert re.fullmatch(r"firstsight \d+\.\d+\.\d+\n", installed.run("--version").stdout)
    assert "Cannot be loaded" not in installed.run("--help").stdout


def test_training_says_which_extra_it_needs(installed: Installed, tmp_path: Path) -> None:
    done = installed.run("train", tmp_path, "-o", tmp_path / "model")
    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr


def test_a_photo_is_captioned(installed: Installed) -> None:
    photo = min((installed.site_packages / "firstsight" / "samples" / "photos").glob("*.jpg"))
    done = installed.run("caption", photo, "--format", "jsonl")
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record["image_id"] == photo.stem
    assert len(record["captions"][0].split()) >= 3
    assert record["provenance"]["captioner"] == "embedded"


def test_the_demo_writes_its_report(installed: Installed) -> None:
    done = installed.run("demo", "--no-open")
    assert done.returncode == 0, done.stderr
    (report,) = [path for path in installed.folder.rglob("*.html") if installed.site_packages not in path.parents]
    text = report.read_text(encoding="utf-8")
    assert "CIDEr-D" in text
    assert not re.search(r"""(?:\bsrc=|<link[^>]+href=|url\(|@import )["']?(?:https?:)?//""", text)
    assert report.name in done.stdout


def _without_network() -> list[str]:
    """Return the prefix of a command that puts it into a network of its own, where the system permits that."""
    command = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") and subprocess.run([*command, "true"], capture_output=True).returncode == 0:
        return command
    return []


def _closure(name: str) -> set[str]:
    """Return what a distribution needs by default, and what that needs, without itself."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in distribution(waiting.pop()).requires or []:
            requirement = Requirement(text)
            is_needed = requirement.marker is None or requirement.marker.evaluate({"extra": ""})
            if is_needed and requirement.name not in found:
                found.add(requirement.name)
                waiting.append(requirement.name)
    return found


def _link(name: str, site_packages: Path) -> None:
    """Link every top-level file and folder of a distribution into ``site_packages``."""
    package = distribution(name)
    for part in {file.parts[0] for file in package.files or [] if file.parts[0] not in {"..", "__pycache__"}}:
        target = site_packages / part
        if not target.exists():
            target.symlink_to(Path(str(package.locate_file(part))))
