"""The HTML report: what it shows, that it needs nothing else, and that text in it cannot act."""

from __future__ import annotations

import base64
import hashlib
import io
import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from firstsight.errors import OutputError, UsageError
from firstsight.evaluation import Evaluation, EvaluationOptions, HumanBaseline
from firstsight.evaluation.report import PhotoCredit, ReportItem, ReportOptions, write_report
from firstsight.types import Failure, Provenance, Score

VOID = {"img", "input", "link", "meta", "wbr"}
HOSTILE = [
    "<script>window.pwned=1</script>",
    '"><img src=x onerror="window.pwned=1">',
    "</style></script><!-- <svg onload=alert(1)>",
    "{{ 7*7 }} {% raw %}",
    "{name} {0} {",
    "\u202eright to left\u202c",
    "\x1b[31mred\x1b[0m",
    "one\u2028two\u2029three\x00four",
    "lone \ud800 surrogate",
    "=HYPERLINK(1)",
]


class Page(HTMLParser):
    """The elements of a page with their attributes and own text; fails on a wrong nesting."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html = html
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(html)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and data.strip():
            self.texts.append((self._open[-1], data.strip()))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        whole = " ".join(text for tag, text in self.texts if tag not in {"style", "script"})
        return whole.replace("| ", "|")  # a signature may break there


Write = Callable[..., Page]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(
        items: Sequence[ReportItem], evaluation: Evaluation | None = None, options: ReportOptions | None = None
    ) -> Page:
        path = tmp_path / "report.html"
        write_report(path, evaluation, items, options, overwrite=True)
        return Page(path.read_bytes().decode("utf-8"))

    return written


def evaluation_of(per_image: Mapping[str, Sequence[float]], n: int, **fields: Any) -> Evaluation:
    scores = fields.pop("scores", (Score("CIDEr-D", 0.5, "CIDEr-D|v1|seed:0", low=0.25, high=1.5),))
    return Evaluation(
        image_ids=tuple(f"image-{index}" for index in range(n)),
        scores=tuple(scores),
        per_image={name: np.array(values, np.float64) for name, values in per_image.items()},
        options=EvaluationOptions(),
        n_references=5 * n,
        reference_set="0" * 64,
        **fields,
    )


def items_of(n: int, photo: bytes | None = None) -> list[ReportItem]:
    return [
        ReportItem(f"image-{index}", f"Caption number {index}.", (f"First {index}.", f"Second {index}."), photo)
        for index in range(n)
    ]


def jpeg(width_px: int, height_px: int) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width_px, height_px)).convert("RGB").save(file, "JPEG")
    return file.getvalue()


def test_a_photo_stands_with_its_caption_references_and_scores(write: Write) -> None:
    evaluation = evaluation_of({"CIDEr-D": [1.25], "BLEU-4": [0.5], "ROUGE-L": [1 / 3]}, 1)
    page = write(items_of(1, jpeg(40, 30)), evaluation)

    (photo,) = page.all("img")
    assert photo["alt"] == "Caption number 0."
    assert (photo["width"], photo["height"], photo["loading"]) == ("40", "30", "lazy")
    figure = page.text()
    assert "Caption number 0. References 참조 캡션 First 0. Second 0." in figure
    assert "CIDEr-D 1.250 BLEU-4 0.500 ROUGE-L 0.333" in figure


def test_the_score_table_has_interval_signature_and_a_scale_that_holds_the_interval(write: Write) -> None:
    page = write(items_of(1), evaluation_of({}, 1))

    assert "CIDEr-D 0.500 0.250 – 1.500 0 2" in page.text()
    assert "CIDEr-D|v1|seed:0" in page.text()
    whisker = next(line for line in page.all("line") if line.get("class") == "whisker")
    assert (whisker["x1"], whisker["x2"]) == ("12.5%", "75.0%")  # 0.25 and 1.5 of an axis that ends at 2
    assert page.all("circle")[0]["cx"] == "25.0%"


@pytest.mark.parametrize(
    ("value", "score_range", "label"),
    [
        (0.4, "0..1", "0 1"),
        (0.4, "0..10", "0 1 of 10 10 중 1"),
        (1.4, "0..10", "0 2 of 10 10 중 2"),
        (7.0, "0..10", "0 10"),
        (0.4, "0..inf", "0 1"),
        (0.4, "0..0.5", "0 1"),
    ],
)
def test_an_axis_that_ends_before_the_score_can_says_so(
    write: Write, value: float, score_range: str, label: str
) -> None:
    score = Score("X", value, f"metric:X|better:higher|range:{score_range}|tok:ptb@1")
    page = write(items_of(1), evaluation_of({}, 1, scores=[score]))

    assert f"X {value:.3f} – {label} Signatures" in page.text()


def test_scores_with_one_signature_share_it(write: Write) -> None:
    scores = [Score(f"BLEU-{order}", 0.5, "BLEU|v1") for order in (1, 2, 3, 4)]
    page = write(items_of(1), evaluation_of({}, 1, scores=scores))

    assert page.text().count("BLEU|v1") == 1
    assert "BLEU-1, BLEU-2, BLEU-3, BLEU-4 BLEU|v1" in page.text()
    assert all(line.get("class") != "whisker" for line in page.all("line"))


def test_what_all_signatures_share_stands_once(write: Write) -> None:
    signatures = {name: f"metric:{name}|version:1|tok:ptb@1|images:1|seed:0" for name in ("ROUGE-L", "CIDEr-D")}
    page = write(
        items_of(1), evaluation_of({}, 1, scores=[Score(name, 0.5, text) for name, text in signatures.items()])
    )

    assert "ROUGE-L metric:ROUGE-L|version:1 CIDEr-D metric:CIDEr-D|version:1 All of them" in page.text()
    assert page.text().count("tok:ptb@1|images:1|seed:0") == 1


def with_humans(fewest: int = 4, most: int = 4, n_images: int = 1, **of_humans: Any) -> Evaluation:
    human = HumanBaseline((Score("CIDEr-D", **of_humans),), n_images, 0, (fewest, most))
    return evaluation_of({"CIDEr-D": [0.5]}, 1, human=human, notes=(*human.notes, "One more note."))


def test_the_signature_of_humans_stands_on_the_page(write: Write) -> None:
    page = write(items_of(1), with_humans(value=3.0, signature="metric:CIDEr-D|tok:ptb@1|human:leave-one-out"))

    assert "Humans 사람 tok:ptb@1|human:leave-one-out" in page.text()


def test_human_captions_are_a_yardstick_on_the_axis(write: Write) -> None:
    page = write(items_of(1), with_humans(value=3.0, signature="s", low=2.5, high=4.0))

    assert "CIDEr-D 0.500 0.250 – 1.500 Humans 사람 3.000 2.500 – 4.000 0 5" in page.text()
    lines = {line["class"]: line for line in page.all("line") if line.get("class")}
    assert (lines["human"]["x1"], lines["human"]["x2"]) == ("60.0%", "60.0%")  # 3 of an axis that ends at 5
    assert (lines["band"]["x1"], lines["band"]["x2"]) == ("50.0%", "80.0%")
    assert page.all("circle")[0]["cx"] == "10.0%"
    assert "Human captions score 3.000 against each other. 사람이 쓴 캡션끼리 견준 점수는 3.000입니다." in page.text()


def test_the_page_says_in_both_languages_that_humans_meet_one_reference_fewer(write: Write) -> None:
    text = write(items_of(1), with_humans(value=3.0, signature="s")).text()

    assert "A human caption meets 4 references, the captioner's 5; most scores rise with their number" in text
    assert "사람이 쓴 캡션은 참조 4개와, 캡셔너의 캡션은 5개와 견줍니다." in text
    assert "Human captions are scored against" not in text
    assert "One more note." in text
    uneven = write(items_of(1), with_humans(1, 3, value=3.0, signature="s")).text()
    assert "meets 1–3 references, the captioner's 2–4;" in uneven


def test_humans_without_a_score_are_a_dash_and_no_mark(write: Write) -> None:
    page = write(items_of(1), with_humans(0, 0, 0, value=None, signature="s", reason="no second reference"))

    assert "CIDEr-D 0.500 0.250 – 1.500 Humans 사람 – 0 2" in page.text()
    assert {line.get("class") for line in page.all("line")} == {None, "whisker"}
    assert "No image has two references or more, so no human caption can be scored." in page.text()
    assert "Human captions score" not in page.text()


def test_without_a_baseline_no_word_is_said_of_humans(write: Write) -> None:
    page = write(items_of(1), evaluation_of({}, 1))

    assert "umans" not in page.text()
    assert {line.get("class") for line in page.all("line")} == {None, "whisker"}


def test_an_undefined_metric_says_why_and_the_lede_takes_the_next(write: Write) -> None:
    scores = [
        Score("ROUGE-L", 0.75, "ROUGE-L|v1"),
        Score("CIDEr-D", None, "CIDEr-D|v1", reason="it needs at least two images"),
    ]
    page = write(items_of(1), evaluation_of({"ROUGE-L": [0.75]}, 1, scores=scores))

    assert "Undefined: it needs at least two images" in page.text()
    assert "계산할 수 없음: it needs at least two images" in page.text()
    assert "its captions score ROUGE-L 0.750." in page.text()


def test_images_without_scores_and_values_that_are_no_number_are_dashes(write: Write) -> None:
    evaluation = evaluation_of({"CIDEr-D": [float("nan")]}, 1)
    page = write([*items_of(1), ReportItem("unscored", "Not in the evaluation.")], evaluation)

    assert page.text().count("CIDEr-D –") == 2
    assert "nan" not in page.text().lower()


def test_without_references_there_are_photos_and_no_scores(write: Write) -> None:
    page = write([ReportItem("a", "One."), ReportItem("b", "Two.")])

    assert "scores" not in [section.get("id") for section in page.all("section")]
    assert "No references 참조 캡션 없음" in page.text()
    assert {"One.", "Two."} <= {text for _, text in page.texts}


def test_a_failed_image_is_listed_with_code_and_reason(write: Write) -> None:
    failed = ReportItem("broken", failure=Failure("truncated", "The image ends too soon."))
    page = write([*items_of(1), failed])

    assert "broken truncated The image ends too soon." in page.text()
    assert "1 of 2 images have no caption." in page.text()


def test_only_failures_is_a_page_too(write: Write) -> None:
    page = write([ReportItem("broken", failure=Failure("empty", "The file is empty."))])

    assert "No image has a caption yet." in page.text()


def test_a_photo_that_cannot_be_read_leaves_its_caption_and_a_reason(write: Write) -> None:
    page = write([ReportItem("junk", "Still here.", photo=b"this is no image")])

    assert page.all("img") == []
    assert "The photo is not shown: " in page.text()
    assert "Still here." in page.text()


@pytest.mark.parametrize(
    ("size", "shown"), [((1200, 400), (560, 187)), ((30, 40), (30, 40)), ((700, 1400), (280, 560))]
)
def test_photos_are_reduced_and_never_enlarged(write: Write, size: tuple[int, int], shown: tuple[int, int]) -> None:
    page = write([ReportItem("a", "A photo.", photo=jpeg(*size))])

    (photo,) = page.all("img")
    data = base64.b64decode((photo["src"] or "").removeprefix("data:image/jpeg;base64,"), validate=True)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == shown == (int(photo["width"] or 0), int(photo["height"] or 0))


def test_best_weakest_and_others_are_shown_once_each(write: Write) -> None:
    values = [0.5, 0.9, 0.1, 0.4, 0.3, 0.2, 0.8, 0.7]
    page = write(items_of(8), evaluation_of({"CIDEr-D": values}, 8))

    shown = [text for tag, text in page.texts if tag == "p" and text.startswith("Caption number")]
    order = [int(text.split()[-1].rstrip(".")) for text in shown]
    assert order == [1, 6, 7, 2, 5, 4, 0, 3]  # three best, three weakest (worst first), the rest as given
    assert "The 3 best by CIDEr-D CIDEr-D 점수가 가장 높은 3장" in page.text()


def test_photos_stand_before_the_scores_and_the_others_after_them(write: Write) -> None:
    page = write(items_of(9), evaluation_of({"CIDEr-D": [index / 10 for index in range(9)]}, 9))

    assert [section.get("id") for section in page.all("section")] == ["photos", "scores", "others", "images", "used"]


def test_a_thousand_images_show_a_stated_selection_and_a_row_each(write: Write) -> None:
    values = np.random.default_rng(7).random(1000)
    page = write(items_of(1000), evaluation_of({"CIDEr-D": list(values)}, 1000))

    assert len(page.all("figure")) == 36
    assert (
        "Shown are the 12 best and the 12 weakest by CIDEr-D, and 12 of the rest drawn at random (seed 0)."
        in page.text()
    )
    table = page.html[page.html.index('<table class="rows">') :]
    assert table.count('<th scope="row">') == 1000
    assert len(page.html) < 1_500_000


def test_links_within_the_page_lead_somewhere_and_ids_are_unique(write: Write) -> None:
    page = write(items_of(30), evaluation_of({"CIDEr-D": [0.1] * 30}, 30))

    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    targets = {href.removeprefix("#") for link in page.all("a") if (href := link["href"] or "").startswith("#")}
    assert len(targets) > 30
    assert targets <= set(ids)


def test_headings_stand_in_order_and_landmarks_are_there(write: Write) -> None:
    page = write(items_of(9), evaluation_of({"CIDEr-D": [0.1] * 9}, 9))

    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(len(page.all(landmark)) == 1 for landmark in ("header", "nav", "main", "footer"))


def test_the_page_loads_nothing_and_runs_only_its_own_script(write: Write) -> None:
    page = write(items_of(2, jpeg(8, 8)), evaluation_of({"CIDEr-D": [0.1, 0.2]}, 2))

    policy = next(meta["content"] for meta in page.all("meta") if meta.get("http-equiv") == "Content-Security-Policy")
    style = page.html[page.html.index("<style>") + 7 : page.html.index("</style>")]
    script = page.html[page.html.index("<script>") + 8 : page.html.index("</script>")]
    assert policy == (
        f"default-src 'none'; img-src data:; style-src '{_sha256(style)}'; script-src '{_sha256(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in style
    assert "@import" not in style
    assert len(style) + len(script) < 100_000
    assert [a for _, a in page.elements if any(name.startswith("on") or name == "style" for name in a)] == []
    sources = [a["src"] or "" for _, a in page.elements if "src" in a] + [a["href"] or "" for a in page.all("link")]
    assert all(source.startswith("data:") for source in sources)


def test_credits_are_those_of_the_photos_shown_and_link_only_to_the_web(write: Write) -> None:
    credits = [
        PhotoCredit("image-0", "Cow", "A. Painter", "CC0 1.0", "https://example.org/cc0", "javascript:alert(1)"),
        PhotoCredit("absent", "Elsewhere", "Nobody", "CC0 1.0", "https://example.org/cc0", "https://example.org"),
    ]
    page = write(items_of(1), options=ReportOptions(credits=credits))

    assert [link["href"] for link in page.all("a") if "rel" in link] == ["https://example.org/cc0"]
    assert "Cow , A. Painter , CC0 1.0" in page.text()
    assert "Elsewhere" not in page.text()


def test_what_was_used_names_captioner_weights_parameters_licence_and_time(write: Write) -> None:
    options = ReportOptions(
        provenance=Provenance("embedded", "0.1.0", "sha256:" + "ab" * 32, {"seed": 0, "beam_size": 3}),
        weights_licence="research only",
        created=datetime(2026, 3, 9, 8, 5, tzinfo=timezone(timedelta(hours=9))),
        next_command="firstsight caption photos/",
    )
    text = write(items_of(1), options=options).text()

    assert "Captioner 캡셔너 embedded 0.1.0" in text
    assert "sha256:" + "ab" * 32 in text
    assert "beam_size=3, seed=0" in text
    assert "Licence of the weights 가중치의 라이선스 research only" in text
    assert "9 March 2026, 08:05 UTC+09:00 2026년 3월 9일 08:05 UTC+09:00" in text
    assert "firstsight caption photos/" in text


def test_notes_of_the_evaluation_are_repeated(write: Write) -> None:
    page = write(items_of(1), evaluation_of({}, 1, notes=("2 images have no candidate.",)))

    assert "2 images have no candidate." in page.text()


def test_every_english_text_has_its_korean_beside_it(write: Write) -> None:
    items = [*items_of(70), ReportItem("broken", failure=Failure("empty", "The file is empty."))]
    evaluation = evaluation_of({"CIDEr-D": list(range(70))}, 70)
    options = ReportOptions(provenance=Provenance("embedded", "1", ""), created=datetime(2026, 1, 1, tzinfo=UTC))
    page = write(items, evaluation, options)

    spans = [span.get("class") for span in page.all("span") if span.get("class") in ("en", "ko")]
    assert spans == ["en", "ko"] * (len(spans) // 2)
    assert len(spans) > 40
    pairs = re.findall(r'<span class="en" lang="en">(.*?)</span><span class="ko" lang="ko">(.*?)</span>', page.html)
    assert len(pairs) >= len(spans) // 2 - 1  # the time holds a span of its own
    for english, korean in pairs:
        assert re.search("[가-힣]", korean), english
        assert not re.search("[가-힣]", english), english


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_shown_and_does_nothing(write: Write, text: str) -> None:
    evaluation = evaluation_of(
        {}, 1, scores=[Score(text, 0.5, text), Score("x", None, "x", reason=text)], notes=(text,)
    )
    items = [
        ReportItem(text, text, [text], photo=b"junk"),
        ReportItem(text + "2", failure=Failure(text, text)),
    ]
    options = ReportOptions(
        provenance=Provenance(text, text, text, {text: text}),
        weights_licence=text,
        credits=[PhotoCredit(text, text, text, text, text, text)],
        next_command=text,
    )
    plain = write([ReportItem("a", "b", ["c"], photo=b"junk"), ReportItem("d", failure=Failure("e", "f"))])
    page = write(items, evaluation, options)

    for tag in ("script", "style", "img", "svg"):
        assert len(page.all(tag)) == len(plain.all(tag)) + (tag == "svg")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", page.html)
    shown = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    assert page.text().count(shown) > 8


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), min_size=1), st.text(st.characters()))
def test_no_text_changes_the_structure_of_the_page(write: Write, caption: str, reference: str) -> None:
    page = write([ReportItem("a", caption, [reference])])
    plain = write([ReportItem("a", "b", ["c"])])

    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]


def test_the_same_input_gives_the_same_bytes(write: Write) -> None:
    items = items_of(100)
    evaluation = evaluation_of({"CIDEr-D": [index / 100 for index in range(100)]}, 100)

    assert write(items, evaluation).html == write(items, evaluation).html


def test_an_existing_report_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("mine", encoding="utf-8")

    with pytest.raises(
        OutputError, match=r"report\.html exists\. Choose another name, or replace it with --overwrite\."
    ):
        write_report(path, None, items_of(1))
    assert path.read_text(encoding="utf-8") == "mine"

    write_report(path, None, items_of(1), overwrite=True)
    assert "Caption number 0." in path.read_text(encoding="utf-8")
    assert [entry.name for entry in tmp_path.iterdir()] == ["report.html"]


def test_a_report_into_no_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="does not exist"):
        write_report(tmp_path / "absent" / "report.html", None, items_of(1))


@pytest.mark.parametrize(
    ("items", "options", "message"),
    [
        ([], ReportOptions(), "A report needs at least one image; got none."),
        ([ReportItem("a", "x"), ReportItem("a", "y")], ReportOptions(), "names image_id 'a' twice"),
        ([ReportItem("a")], ReportOptions(), "'a' of the report needs either a caption or a failure"),
        ([ReportItem("a", "x", failure=Failure("empty", "m"))], ReportOptions(), "either a caption or a failure"),
        ([ReportItem("a", "x")], ReportOptions(max_photos=2), "max_photos is 2; a report shows at least 3."),
        ([ReportItem("a", "x")], ReportOptions(created=datetime(2026, 1, 1)), "has no zone"),
    ],
)
def test_wrong_input_is_named(tmp_path: Path, items: list[ReportItem], options: ReportOptions, message: str) -> None:
    with pytest.raises(UsageError, match=re.escape(message)):
        write_report(tmp_path / "report.html", None, items, options)
    assert list(tmp_path.iterdir()) == []


def _sha256(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
