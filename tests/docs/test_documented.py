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
from firstsight.metrics import METRICS, Metric
from firstsight.tokenizers import TOKENIZERS

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = _ROOT / "docs" / "reference"
_PAGES = [_ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
_PAGES += sorted((_ROOT / "docs").rglob("*.md"))
_ERRORS = [value for value in vars(errors).values() if isinstance(value, type) and issubclass(value, FirstsightError)]
_SECTIONS = ["Definition", "Range", "What it sees", "What it misses", "Differences from the original", "Source"]
_VERBS = cli.list_commands(click.Context(cli))


def _page(name: str) -> str:
    return (_REFERENCE / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", METRICS.names())
def test_every_metric_has_a_page(name: str) -> None:
    metric = METRICS.load(name)
    page = _page(f"metrics/{name}.md")
    title, *sections = re.findall(r"^#{1,2} (.*)$", page, re.MULTILINE)
    assert title == f"{', '.join(metric.score_names)} (`{name}`)"
    assert [section for section in sections if section in _SECTIONS] == _SECTIONS
    low, high = metric.score_range
    direction = f"{_direction(metric)} is better" if metric.is_quality else "a description"
    assert f"Range {low:g} to {high:g}, {direction}" in _section(page, "Range")


def _direction(metric: type[Metric]) -> str:
    return "higher" if metric.higher_is_better else "lower"


def _section(page: str, title: str) -> str:
    return page.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_the_index_has_a_row_for_each_metric_and_no_other() -> None:
    row = re.compile(
        r"^\| \[[^\]]+\]\(metrics/(\w+)\.md\) \| `(\w+)` \| ([^|]+) \| ([^|]+) \|(.*)\|(.*)\|$", re.MULTILINE
    )
    rows = {
        name: (page, span, language, needs) for page, name, span, language, needs, _ in row.findall(_page("metrics.md"))
    }
    assert sorted(rows) == METRICS.names() == sorted(page.stem for page in (_REFERENCE / "metrics").glob("*.md"))
    for name, (page, span, language, needs) in rows.items():
        metric = METRICS.load(name)
        low, high = metric.score_range
        assert (page, span) == (name, f"{low:g} to {high:g}")
        assert (language == "English") == (metric.languages == ("en",))
        assert (language == "the model's") == metric.takes_model
        assert ("images" in needs) == metric.needs_images


def test_the_scores_of_the_table_of_captions_are_right() -> None:
    from firstsight.evaluation import EvaluationOptions, evaluate
    from firstsight.samples import sample_references

    lines = _section(_page("metrics.md"), "The same captions under each metric").split("\n")
    head, _, *rows = [line.strip("| ").split(" | ") for line in lines if line.startswith("|")]
    text = " ".join(lines)
    references = {**sample_references(), "x": re.findall(r'"([^"]+)"', text)[:2]}
    candidates = {image_id: captions[0] for image_id, captions in references.items()}
    names = [name for name in ("bleu", "meteor", "rouge_l", "cider_d", "scene_graph", "chrf") if _can_run(name)]
    assert rows[0][0] == references["x"][0]
    for caption, *values in rows:
        found = evaluate(
            {**candidates, "x": caption}, references, metrics=names, options=EvaluationOptions(n_resamples=0)
        )
        at = found.image_ids.index("x")
        for name, value in zip(head[1:], values, strict=True):
            if name in found.per_image:
                assert f"{found.per_image[name][at]:.2f}" == value, f"{name} of {caption!r}"


def _can_run(name: str) -> bool:
    return METRICS.load(name).is_available()


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
    assert f"\n## `{name}`\n" in _page("tokenizers.md")


def test_every_field_of_a_signature_is_documented() -> None:
    from firstsight.evaluation import signature

    table = str(signature.__doc__).split("===\n")[1]
    rows = re.findall(r"^\| (`.*?`) \|", _page("signatures.md"), re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(re.findall(r"^(\w+) ", table, re.MULTILINE))


def test_every_environment_variable_is_documented() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in (_ROOT / "src/firstsight").rglob("*.py"))
    used = set(re.findall(r"FIRSTSIGHT(?:_[A-Z]+)+", sources)) - {"FIRSTSIGHT_COMPLETE"}  # click's own
    documented = "".join(_page(name) for name in ("python.md", "judges.md", "metrics/spice.md"))
    assert used == set(re.findall(r"^\| `(FIRSTSIGHT\w+)` \|", documented, re.MULTILINE))


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
