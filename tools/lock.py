"""Writes requirements/*.txt: the exact versions that ``make demo`` and ``make test`` install.

``default.txt`` is the default install with the build backend, every file pinned by hash. ``dev.txt`` adds the tools of
the checks and the extras that tests use at exact versions, without hashes: torch is built for several kinds of
processor under one version, and any of them will do.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PIP_TOOLS = "pip-tools==7.6.2"
_TESTED_EXTRAS = ("clip", "korean", "meteor", "train")
_HEADER = "# Written by `make lock` from pyproject.toml; do not edit.\n"


def main() -> None:
    """Resolve both sets of requirements in a throw-away environment."""
    pyproject = tomllib.loads((_ROOT / "pyproject.toml").read_text())
    default = [*pyproject["project"]["dependencies"], *pyproject["dependency-groups"]["build"]]
    extras = pyproject["project"]["optional-dependencies"]
    tested = (requirement for extra in _TESTED_EXTRAS for requirement in extras[extra])
    dev = [*default, *pyproject["dependency-groups"]["dev"], *tested]
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        bin_folder = Path(folder) / "bin"
        subprocess.run([bin_folder / "pip", "install", "--quiet", _PIP_TOOLS], check=True)
        versions = _compile(bin_folder, default, "default.txt", "--generate-hashes")
        constraints = Path(folder) / "constraints.txt"
        constraints.write_text("\n".join(re.findall(r"^\S+==[^\s;]+", versions, re.MULTILINE)))
        _compile(bin_folder, dev, "dev.txt", "--constraint", str(constraints))


def _compile(bin_folder: Path, requirements: list[str], name: str, *options: str) -> str:
    """Write requirements/NAME and return its text."""
    output = _ROOT / "requirements" / name
    source = bin_folder.parent / f"{output.stem}.in"
    source.write_text("\n".join(requirements))
    quiet = ["--quiet", "--no-header", "--no-annotate", "--no-emit-options", "--strip-extras", "--allow-unsafe"]
    compiled = bin_folder.parent / name
    subprocess.run(
        [bin_folder / "pip-compile", *quiet, "--upgrade", *options, "-o", compiled, source],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    text = re.sub(r"^\s*#.*\n", "", compiled.read_text(), flags=re.MULTILINE).lstrip()
    text = re.sub(r"^(torch==[\w.]+)\+\w+", r"\1", text, flags=re.MULTILINE)
    if found := re.search(r"\S*(?:https?:|file:/|/home/|/opt/)\S*", text):
        sys.exit(f"requirements/{name} would name a place that others do not have: {found.group()}")
    output.write_text(_HEADER + re.sub(r"\n{2,}", "\n", text))
    return text


if __name__ == "__main__":
    main()
