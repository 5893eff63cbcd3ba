"""Every metric, captioner, tokenizer, error and verb is documented, and no page lies about them."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest

from firstsight import errors
from firstsight.captioners import CAPTIONERS
from firstsight.cli.main import cli
from firstsight.errors import FirstsightError
from firstsight.metrics import METRICS
from firstsight.tokenizers import TOKENIZERS

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / "docs" / "reference"
_PAGES = [_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
_PAGES += sorted((_ROOT / "docs").rglob("*.md"))
_ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, FirstsightError)]
_VERBS = cli.list_commands(click.Context(cli))


def _page(name: str) -> str:
    return (_REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_is_documented(name: str) -> None:
    metric = METRICS.load(name)
    headings = re.findall(rf"^## (.*) \(`{re.escape(name)}`\)$", _page("metrics.md"), re.MULTILINE)
    assert len(headings) == 1, f"docs/reference/metrics.md has no heading that ends with (`{name}`)"
    assert set(metric.score_names) <= set(headings[0].split(", "))
    section = _page("metrics.md").split(f"(`{name}`)")[1].split("\n## ")[0]
    low, high = metric.score_range
    direction = (
        f"{'higher' if metric.higher_is_better else 'lower'} is better" if metric.is_quality else "a description"
    )
    assert f"Range {low:g} to {high:g}, {direction}" in section


@pytest.mark.parametrize("name", CAPTIONERS.names())
def test_every_captioner_is_documented(name: str) -> None:
    section = _page("captioners.md").split(f"\n## `{name}`\n")[1]
    assert "Licence of the weights" in section


def test_every_option_of_the_embedded_captioner_is_documented() -> None:
    import inspect

    options = inspect.signature(CAPTIONERS.load("embedded")).parameters.values()
    for option in options:
        row = re.search(rf"^\| `{option.name}` \| ([^|]+) \|", _page("captioners.md"), re.MULTILINE)
        assert row, f"docs/reference/captioners.md has no row for {option.name}"
        assert option.default is None or row.group(1) == str(option.default)


@pytest.mark.parametrize("name", TOKENIZERS.names())
def test_every_tokenizer_is_documented(name: str) -> None:
    assert f"\n## Tokenizer `{name}`\n" in _page("metrics.md")


@pytest.mark.parametrize("error", _ERRORS, ids=lambda error: error.__name__)
def test_every_error_is_documented(error: type[FirstsightError]) -> None:
    code = "see below" if error is errors.ImageError else f"`{error.code}`"
    exit_code = "2" if issubclass(error, errors.UsageError) else r"[^|]+"
    row = rf"^\| `{error.__name__}` \| {re.escape(code)} \| {exit_code} \| .+ \|$"
    assert re.search(row, _page("errors.md"), re.MULTILINE), f"docs/reference/errors.md has no row for {error.__name__}"


def test_every_code_of_an_image_error_is_documented_and_used() -> None:
    table = _page("errors.md").split("## Images that cannot be read")[1]
    documented = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    promised = set(re.findall(r"``(\w+)``", str(errors.ImageError.__doc__).split("is one of")[1]))
    sources = "".join(path.read_text(encoding="utf-8") for path in (_ROOT / "src/firstsight/images").glob("*.py"))
    assert documented == promised
    assert {code for code in promised if f'"{code}"' in sources} == promised


@pytest.mark.parametrize("verb", _VERBS)
def test_every_verb_has_help_with_an_example_that_fits_a_screen(verb: str) -> None:
    section = _page("cli.md").split(f"\n## firstsight {verb}\n")[1].split("\n## ")[0]
    assert "Example:  firstsight " in section
    assert len(section.splitlines()) <= 40
    assert max(map(len, section.splitlines())) <= 80


def test_the_page_of_the_command_line_is_up_to_date() -> None:
    assert _generator().cli_page() == _page("cli.md"), "run: make docs"


def _generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate_docs", _ROOT / "tools" / "generate_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        linked = (page.parent / path).resolve() if path else page
        assert linked.exists(), f"{page.name} links to {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {_anchor(heading) for heading in headings}, f"{page.name} links to {target}"


def _anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_extras_of_the_readme_exist() -> None:
    import tomllib

    extras = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for page in _PAGES:
        for extra in re.findall(r"firstsight\[([\w,]+)\]", page.read_text(encoding="utf-8")):
            assert set(extra.split(",")) <= set(extras)
