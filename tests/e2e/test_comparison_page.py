"""The page of a comparison in a browser: it loads nothing, speaks both languages, sorts, and fits narrow screens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from firstsight.evaluation import EvaluationOptions
from firstsight.evaluation._comparison_page import render_comparison
from firstsight.evaluation.comparison import ComparisonOptions, compare

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., "Page"]

NAMES = [
    "<img src=x onerror=alert(1)>",
    "아주 긴 이름을 가진 한국어 이미지 캡셔닝 시스템 최종 제출본",
    "w" * 80,
    "plain",
]


@pytest.fixture(scope="module")
def comparison_page(tmp_path_factory: pytest.TempPathFactory) -> str:
    references = {str(n): ["a brown dog runs on green grass", "a dog runs"] for n in range(12)}
    systems = {
        name: {str(n): " ".join("a brown dog runs on green grass".split()[: 2 + (n * at + at) % 6]) for n in range(12)}
        for at, name in enumerate(NAMES, 1)
    }
    found = compare(
        systems,
        references,
        metrics=["bleu", "rouge_l"],
        options=ComparisonOptions(EvaluationOptions(n_resamples=50)),
        slices={"half": {str(n): "first" if n < 6 else "second" for n in range(12)}},
    )
    path = tmp_path_factory.mktemp("comparison") / "comparison.html"
    path.write_text(render_comparison(found), encoding="utf-8")
    assert len(path.read_bytes()) < 150_000
    return Path(path).as_uri()


def test_it_requests_nothing_but_itself(new_page: NewPage, comparison_page: str) -> None:
    page = new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(comparison_page, wait_until="networkidle")
    assert [url for url in requests if not url.startswith("data:")] == [comparison_page]
    assert page.get_by_text(NAMES[0]).first.is_visible()


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_it_fits_the_screen(new_page: NewPage, comparison_page: str, width: int, locale: str) -> None:
    page = new_page(viewport={"width": width, "height": 800}, locale=locale)
    page.goto(comparison_page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    heading = "Scores" if locale == "en-US" else "점수"
    assert page.get_by_role("heading", name=heading, exact=True, level=2).is_visible()


def test_pairs_are_sorted_with_the_keyboard(new_page: NewPage, comparison_page: str) -> None:
    page = new_page()
    page.goto(comparison_page)
    table = page.locator("table.pairs")
    table.get_by_role("button", name="p, corrected").focus()
    page.keyboard.press("Enter")
    cells = table.locator("tbody tr td:nth-child(6)")
    values = [float(str(cell.get_attribute("data-value"))) for cell in cells.all()]
    assert values == sorted(values, reverse=True)
    page.keyboard.press("Enter")
    values = [float(str(cell.get_attribute("data-value"))) for cell in cells.all()]
    assert values == sorted(values)


def test_the_theme_is_switched(new_page: NewPage, comparison_page: str) -> None:
    page = new_page(color_scheme="light")
    page.goto(comparison_page)
    before = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_text("Dark", exact=True).click()
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") != before
