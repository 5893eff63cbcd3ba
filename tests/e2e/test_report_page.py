"""The report in a browser: it loads nothing, its switches work, it fits narrow screens, and text in it is inert."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from firstsight.evaluation import EvaluationOptions, evaluate
from firstsight.evaluation.report import PhotoCredit, ReportItem, ReportOptions, write_report
from firstsight.samples import sample_credits, sample_files, sample_references
from firstsight.types import Failure, Provenance

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

NewPage = Callable[..., "Page"]

HOSTILE = [
    "<script>window.pwned = 1; alert(1)</script>",
    '"><img src="http://127.0.0.1:9/x.png" onerror="window.pwned = 1">',
    "</style></script><iframe src='http://127.0.0.1:9/'></iframe>",
    "\u202eright to left\u202c \x1b[31mred",
    "x" * 400,
    "a brown dog and a black dog run after a red ball on a wide green meadow " * 3,
    "아주 긴 한국어 캡션이라도 칸을 넘지 않고 자연스럽게 줄이 바뀌어야 합니다 " * 4,
]


@pytest.fixture(scope="module")
def samples_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    references = sample_references()
    candidates = {
        image_id: " ".join(captions[0].split()[: 1 + number % 9])  # so that scores differ
        for number, (image_id, captions) in enumerate(references.items())
    }
    evaluation = evaluate(candidates, references, options=EvaluationOptions(n_resamples=50))
    items = [ReportItem(path.stem, candidates[path.stem], references[path.stem], path) for path in sample_files()]
    items.append(ReportItem("broken", failure=Failure("truncated", "The image ends too soon.")))
    credits = [
        PhotoCredit(c.image_id, c.title, c.author, c.licence_name, c.licence_url, c.origin_url)
        for c in sample_credits()
    ]
    options = ReportOptions(
        provenance=Provenance("embedded", "0.1.0", "sha256:" + "0" * 64, {"beam_size": 3}),
        weights_licence="research only",
        created=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        credits=credits,
        next_command="firstsight caption photos/ -o captions.jsonl",
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(path, evaluation, items, options)
    return path.as_uri()


@pytest.fixture(scope="module")
def hostile_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    candidates = {f"{text[:80]}{index}": text for index, text in enumerate(HOSTILE)}
    evaluation = evaluate(candidates, dict.fromkeys(candidates, HOSTILE), options=EvaluationOptions(n_resamples=0))
    items = [ReportItem(image_id, text, HOSTILE, b"junk") for image_id, text in candidates.items()]
    items += [ReportItem(f"{text}!", failure=Failure("unreadable", text)) for text in HOSTILE]
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    write_report(path, evaluation, items, ReportOptions(provenance=Provenance(HOSTILE[0], HOSTILE[1], HOSTILE[4])))
    return path.as_uri()


def test_it_requests_nothing_but_itself(new_page: NewPage, samples_report: str) -> None:
    page = new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(samples_report, wait_until="networkidle")
    for photo in page.locator("img").all():
        photo.scroll_into_view_if_needed()

    assert [url for url in requests if not url.startswith("data:")] == [samples_report]


def test_its_policy_forbids_requests_that_a_script_would_make(browser: Browser, samples_report: str) -> None:
    page = browser.new_page()
    page.goto(samples_report)
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = f"http://127.0.0.1:{server.getsockname()[1]}"
        fetched = page.evaluate(f"fetch('{address}').then(() => 'sent', () => 'refused')")
        refused = page.evaluate(
            f"""new Promise((resolve) => {{
              addEventListener('securitypolicyviolation', (event) => resolve(event.effectiveDirective));
              new Image().src = '{address}/x.png';
            }})"""
        )
        server.setblocking(False)
        with pytest.raises(BlockingIOError):  # nobody has called
            server.accept()
    page.context.close()

    assert (fetched, refused) == ("refused", "img-src")


def test_every_photo_is_drawn(new_page: NewPage, samples_report: str) -> None:
    page = new_page()
    page.goto(samples_report)
    photos = page.locator("img").all()

    assert len(photos) == len(sample_files())
    for photo in photos:
        photo.scroll_into_view_if_needed()
        photo.evaluate("photo => photo.decode()")
        assert photo.evaluate("photo => photo.naturalWidth") > 0


@pytest.mark.parametrize("with_script", [True, False], ids=["script", "no-script"])
def test_the_language_switch_shows_one_language(new_page: NewPage, samples_report: str, with_script: bool) -> None:
    page = new_page(java_script_enabled=with_script)
    page.goto(samples_report)
    title = page.locator("h1")
    assert title.inner_text() == "At first sight: 25 photos"

    page.get_by_text("한국어").click()
    assert title.inner_text() == "첫눈에 본 사진 25장"
    assert page.locator(".en:visible").count() == 0

    page.get_by_text("English").click()
    assert title.inner_text() == "At first sight: 25 photos"
    assert page.locator(".ko:visible").count() == 0


def test_the_switch_changes_the_language_and_title_of_the_document(new_page: NewPage, samples_report: str) -> None:
    page = new_page(locale="ko-KR")
    page.goto(samples_report)
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.title() == "첫눈에 본 사진 25장"

    page.get_by_text("English").click()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.title() == "At first sight: 25 photos"


@pytest.mark.parametrize("with_script", [True, False], ids=["script", "no-script"])
def test_the_theme_follows_the_system_until_it_is_switched(
    new_page: NewPage, samples_report: str, with_script: bool
) -> None:
    page = new_page(color_scheme="dark", java_script_enabled=with_script)
    page.goto(samples_report)
    assert _is_dark(page)

    page.locator("label", has_text="Light").click()
    assert not _is_dark(page)
    page.locator("label", has_text="Dark").click()
    assert _is_dark(page)
    page.locator("label", has_text="Auto").click()
    page.emulate_media(color_scheme="light")
    assert not _is_dark(page)


@pytest.mark.parametrize("report", ["samples_report", "hostile_report"])
@pytest.mark.parametrize(("width_px", "zoom"), [(360, 1), (640, 1), (640, 2), (1440, 1)])
@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_nothing_reaches_beyond_the_screen(
    new_page: NewPage, request: pytest.FixtureRequest, report: str, width_px: int, zoom: int, locale: str
) -> None:
    page = new_page(viewport={"width": width_px, "height": 800}, locale=locale)
    page.goto(request.getfixturevalue(report))
    page.evaluate(f"document.documentElement.style.fontSize = '{100 * zoom}%'")

    assert page.evaluate("document.documentElement.scrollWidth") <= width_px
    wide = page.evaluate(
        """[...document.querySelectorAll('body *')]
           .filter((element) => !element.closest('.scroll, .hidden, thead'))
           .filter((element) => element.getBoundingClientRect().right > innerWidth + 1)
           .map((element) => element.outerHTML.slice(0, 80))"""
    )
    assert wide == []


def test_hostile_text_is_inert_and_readable(new_page: NewPage, hostile_report: str) -> None:
    page = new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(hostile_report, wait_until="networkidle")

    assert page.evaluate("window.pwned") is None
    assert page.locator("iframe, img").count() == 0
    assert requests == [hostile_report]
    said = page.locator("figcaption .said").all_inner_texts()
    assert HOSTILE[0] in said
    assert r"\u202eright to left\u202c \x1b[31mred" in said


def test_every_stop_of_the_keyboard_can_be_seen(new_page: NewPage, samples_report: str) -> None:
    page = new_page()
    page.goto(samples_report)

    seen = 0
    for _ in range(12):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            """(() => {
              const at = document.activeElement;
              const shown = at.matches('input') ? at.nextElementSibling : at;
              const box = shown.getBoundingClientRect();
              return [at.tagName, getComputedStyle(shown).outlineStyle, box.width, box.height];
            })()"""
        )
        tag, outline, width_px, height_px = focused
        if tag == "BODY":
            break
        seen += 1
        assert outline == "solid", tag
        assert width_px > 20, tag
        assert height_px > 15, tag
    assert seen == 12


def test_switches_are_reached_and_turned_by_keyboard(new_page: NewPage, samples_report: str) -> None:
    page = new_page()
    page.goto(samples_report)
    page.locator("#lang-en").focus()
    page.keyboard.press("ArrowLeft")

    assert page.locator("h1").inner_text() == "첫눈에 본 사진 25장"


def test_the_table_sorts_by_keyboard_both_ways(new_page: NewPage, samples_report: str) -> None:
    page = new_page()
    page.goto(samples_report)
    header = page.locator("table.rows th", has_text="ROUGE-L")
    rows = page.locator("table.rows tbody tr")
    column = header.evaluate("cell => cell.cellIndex")  # METEOR stands before it where it is installed

    header.locator("button").focus()
    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "descending"
    falling = _column(rows, column)
    assert falling == sorted(falling, reverse=True)
    assert falling[0] > falling[-1]

    page.keyboard.press("Enter")
    assert header.get_attribute("aria-sort") == "ascending"
    assert _column(rows, column) == sorted(falling)

    page.locator("table.rows th button", has_text="image_id").click()
    assert page.locator("table.rows [aria-sort]").count() == 1
    assert rows.first.locator("th").inner_text() == "astronaut"


def test_the_first_column_and_the_header_stay_in_view(new_page: NewPage, samples_report: str) -> None:
    page = new_page(viewport={"width": 360, "height": 700})
    page.goto(samples_report)
    box = page.locator(".scroll")
    box.evaluate("box => box.scrollLeft = 200")

    left = page.locator("table.rows tbody th").first.evaluate("cell => cell.getBoundingClientRect().left")
    assert left == pytest.approx(box.evaluate("box => box.getBoundingClientRect().left"), abs=1)


def test_on_paper_there_are_no_controls_and_the_whole_table(new_page: NewPage, samples_report: str) -> None:
    page = new_page(color_scheme="dark")
    page.goto(samples_report)
    page.emulate_media(media="print")

    assert not page.locator(".switches").is_visible()
    assert not page.locator("nav").is_visible()
    assert not _is_dark(page)
    heights = page.locator(".scroll").evaluate("box => [box.clientHeight, box.scrollHeight]")
    assert heights[0] == heights[1]


def _is_dark(page: Page) -> bool:
    colour = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(",")) < 200


def _column(rows: Locator, index: int) -> list[float]:
    return [float(text) for text in rows.locator(f":nth-child({index + 1})").all_inner_texts()]
