"""What the report shows, computed once as plain values, and the template that sets it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import numpy as np
from markupsafe import Markup, escape

from firstsight._text import visible
from firstsight.evaluation._html_page import render_html
from firstsight.evaluation._report_photos import EmbeddedPhoto, embed_photo
from firstsight.evaluation._report_text import both
from firstsight.evaluation.signature import parse_signature, shared_part
from firstsight.types import Score

if TYPE_CHECKING:
    from firstsight.evaluation import Evaluation, HumanBaseline
    from firstsight.evaluation._report_items import PhotoCredit, ReportItem, ReportOptions

__all__ = ["choose_groups", "render_page"]

_RANKED_BY = ("CIDEr-D", "ROUGE-L", "BLEU-4")
_SHOWN_SCORES = ("CIDEr-D", "BLEU-4", "METEOR", "ROUGE-L")
_FEW = 6  # fewer photos than two groups of three need no best and weakest
_AXIS_ENDS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True, slots=True)
class Group:
    """Photos under one heading, as indices into the captioned items."""

    kind: str
    """``all``, ``best``, ``weakest``, ``others`` or ``random``."""
    members: Sequence[int]


@dataclass(frozen=True, slots=True)
class _Fact:
    label: Markup
    value: Markup
    is_mono: bool = False


@dataclass(frozen=True)
class _Figures:
    """Scores of single images as the page prints them."""

    names: Sequence[str]
    values: Mapping[str, Mapping[str, float]]
    """By image_id, then by name of the score; a score that is undefined for an image is absent."""

    def printed(self, image_id: str) -> list[str]:
        of_image = self.values.get(image_id, {})
        return [f"{of_image[name]:.3f}" if name in of_image else "" for name in self.names]


def render_page(evaluation: Evaluation | None, items: Sequence[ReportItem], options: ReportOptions) -> str:
    """Return the whole page as HTML."""
    return render_html("report.html.j2", _page(evaluation, items, options))


def choose_groups(ranks: Sequence[float | None], max_photos: int, seed: int) -> list[Group]:
    """Return which photos are shown under which heading.

    Args:
        ranks: The score of every captioned image by which it is ranked; None where it has none.
        max_photos: With more images than this, a third of it are the best, the weakest, and a random sample.
        seed: Seed of the random sample.
    """
    n = len(ranks)
    ranked = sorted((index for index in range(n) if ranks[index] is not None), key=lambda index: -_number(ranks[index]))
    if n <= max_photos and len(ranked) <= _FEW:
        return [Group("all", range(n))] if n else []
    each = 3 if n <= max_photos else max_photos // 3
    each = min(each, len(ranked) // 2)
    best, weakest = ranked[:each], ranked[len(ranked) - each :][::-1]
    rest = sorted(set(range(n)) - set(best) - set(weakest))
    others = Group("others", rest)
    if n > max_photos:
        n_random = max_photos // 3 if each else max_photos
        drawn = np.random.default_rng(seed).choice(len(rest), size=min(n_random, len(rest)), replace=False)
        others = Group("random", [rest[at] for at in sorted(drawn.tolist())])
    return [group for group in (Group("best", best), Group("weakest", weakest), others) if group.members]


def _page(evaluation: Evaluation | None, items: Sequence[ReportItem], options: ReportOptions) -> SimpleNamespace:
    figures = _figures(evaluation)
    captioned = [item for item in items if item.caption is not None]
    ranked_by = next((name for name in _RANKED_BY if name in figures.names), None)
    ranks = [figures.values.get(item.image_id, {}).get(ranked_by or "") for item in captioned]
    groups = choose_groups(ranks, options.max_photos, options.seed)
    anchors = {
        captioned[index].image_id: f"photo-{number}"
        for number, index in enumerate((index for group in groups for index in group.members), start=1)
    }
    shown_groups = [
        (
            group,
            SimpleNamespace(
                title=_group_title(group, ranked_by),
                photos=[_photo(captioned[index], figures, anchors) for index in group.members],
            ),
        )
        for group in groups
    ]
    # The best and the weakest stand before the scores, the rest after them.
    lead = {"all", "best", "weakest"} if any(group.kind == "best" for group in groups) else {"all", "others", "random"}
    title_en, title_ko = _titles(len(items))
    return SimpleNamespace(
        title_en=title_en,
        title_ko=title_ko,
        lede=_lede(evaluation, options),
        scores=_scores(evaluation),
        has_humans=evaluation is not None and evaluation.human is not None,
        signatures=_signatures(evaluation),
        notes=_notes(evaluation),
        scores_caption=_scores_caption(evaluation, items),
        humans_note=_humans_note(evaluation.human) if evaluation and evaluation.human else "",
        groups=[shown for group, shown in shown_groups if group.kind in lead],
        later_groups=[shown for group, shown in shown_groups if group.kind not in lead],
        groups_note=_groups_note(groups, ranked_by, options.seed),
        row_names=figures.names,
        rows=[_row(item, figures, anchors) for item in captioned] if len(captioned) > 1 else [],
        failures=[
            SimpleNamespace(
                image_id=visible(item.image_id), code=visible(item.failure.code), message=visible(item.failure.message)
            )
            for item in items
            if item.failure is not None
        ],
        n_items=f"{len(items):,}",
        facts=list(_facts(evaluation, items, options)),
        credits=[_credit(credit) for credit in options.credits if credit.image_id in anchors],
        next_command=visible(options.next_command),
    )


def _figures(evaluation: Evaluation | None) -> _Figures:
    if evaluation is None:
        return _Figures((), {})
    per_image = evaluation.per_image
    names = [name for name in _SHOWN_SCORES if name in per_image] or list(per_image)[:3]
    values: dict[str, dict[str, float]] = {image_id: {} for image_id in evaluation.image_ids}
    for name in {*names, *per_image}:
        for image_id, value in zip(evaluation.image_ids, per_image[name].tolist(), strict=True):
            if math.isfinite(value):
                values[image_id][name] = value
    return _Figures(names, values)


def _scores(evaluation: Evaluation | None) -> list[SimpleNamespace]:
    if evaluation is None:
        return []
    humans = evaluation.human.scores if evaluation.human else [None] * len(evaluation.scores)
    return [_score(score, human) for score, human in zip(evaluation.scores, humans, strict=True)]


def _notes(evaluation: Evaluation | None) -> list[str]:
    """Return the notes that the page does not say in both languages elsewhere."""
    if evaluation is None:
        return []
    said = evaluation.human.notes if evaluation.human else ()
    return [visible(note) for note in evaluation.notes if note not in said]


def _score(score: Score, human: Score | None = None) -> SimpleNamespace:
    shown = SimpleNamespace(name=visible(score.name), signature=visible(score.signature), value=None)
    if score.value is None:
        shown.reason = score.reason or "no reason was given"
        return shown
    ends = [score.value, score.high, *((human.value, human.high) if human else ())]
    highest = max(end for end in ends if end is not None)
    axis_end = next((end for end in _AXIS_ENDS if end >= highest), math.ceil(highest))
    shown.value, shown.at = f"{score.value:.3f}", _percent(score.value, axis_end)
    shown.axis_end = _axis_label(axis_end, parse_signature(score.signature).get("range", ""))
    shown.interval, shown.low_at, shown.high_at = _interval(score, axis_end)
    shown.human, shown.human_at = "", None
    shown.human_interval, shown.human_low_at, shown.human_high_at = "", None, None
    if human is not None and human.value is not None:
        shown.human, shown.human_at = f"{human.value:.3f}", _percent(human.value, axis_end)
        shown.human_interval, shown.human_low_at, shown.human_high_at = _interval(human, axis_end)
    return shown


def _interval(score: Score, axis_end: int) -> tuple[str, float | None, float | None]:
    if score.low is None or score.high is None:
        return "", None, None
    return f"{score.low:.3f} – {score.high:.3f}", _percent(score.low, axis_end), _percent(score.high, axis_end)


def _axis_label(axis_end: int, score_range: str) -> Markup:
    """Return where an axis from 0 ends, and of how much, where the score itself can be higher than that."""
    highest = float(score_range.rpartition("..")[2] or axis_end)
    if highest <= axis_end or math.isinf(highest):
        return escape(axis_end)
    return both("{end} of {highest}", "{highest} 중 {end}", end=axis_end, highest=f"{highest:g}")


def _signatures(evaluation: Evaluation | None) -> list[tuple[Markup, str]]:
    """Return what belongs to each score, once for scores that share it, then what all of them share."""
    scores = evaluation.scores if evaluation else ()
    halves = [shared_part(score.signature) for score in scores]
    is_shared = len({shared for _, shared in halves}) == 1 and halves[0][1] != ""
    names: dict[str, list[str]] = {}
    for score, (own, _) in zip(scores, halves, strict=True):
        names.setdefault(visible(own if is_shared else score.signature), []).append(visible(score.name))
    rows = [(escape(", ".join(of_signature)), signature) for signature, of_signature in names.items()]
    if is_shared:
        rows.append((both("All of them", "모두 공통"), visible(halves[0][1])))
    if evaluation is not None and evaluation.human is not None:
        of_humans = evaluation.human.scores[0].signature
        rows.append((both("Humans", "사람"), visible(shared_part(of_humans)[1] or of_humans)))
    return rows


def _scores_caption(evaluation: Evaluation | None, items: Sequence[ReportItem]) -> Markup:
    if evaluation is None:
        return Markup()
    counts = sorted({len(item.references) for item in items if item.references})
    each = "–".join(str(count) for count in ({counts[0], counts[-1]} if counts else ()))
    has_interval = any(score.low is not None for score in evaluation.scores)
    n = f"{evaluation.n_images:,} image{'' if evaluation.n_images == 1 else 's'}"
    parts = [
        both(
            "n = {n}, {each} reference{s} each.",
            "이미지 {n_ko}개, 참조 캡션 {each}개씩.",
            n=n,
            n_ko=f"{evaluation.n_images:,}",
            each=each,
            s="" if each == "1" else "s",
        )
    ]
    if has_interval:
        parts.append(
            both(
                "The intervals are 95 % bootstrap intervals; how they were drawn is in the signatures below.",
                "신뢰구간은 95 % 부트스트랩 구간이며, 계산 조건은 아래 시그니처에 적혀 있습니다.",
            )
        )
    return Markup(" ").join(parts)


def _humans_note(human: HumanBaseline) -> Markup:
    """Return what the scores of human captions are, and against how many references each was scored."""
    low, high = human.references_each
    n = f"{human.n_images:,}"
    if not human.n_images:
        return both(
            "No image has two references or more, so no human caption can be scored.",
            "참조 캡션이 둘 이상인 이미지가 없어 사람이 쓴 캡션의 점수를 매길 수 없습니다.",
        )
    return both(
        "Humans: each reference scored against the other references of its image ({n} image{s}, the upright mark and "
        "its pale interval). A human caption meets {fewer} reference{s_fewer}, the captioner's {more}; most scores "
        "rise with their number, so the humans' are on the low side.",
        "사람: 참조 캡션 하나하나를 같은 이미지의 나머지 참조 캡션과 견준 점수입니다(이미지 {n}개, 세로 표시와 옅은 "
        "구간). 사람이 쓴 캡션은 참조 {fewer}개와, 캡셔너의 캡션은 {more}개와 견줍니다. 참조가 많을수록 대개 점수가 "
        "높아지므로 사람의 점수는 낮게 나온 편입니다.",
        n=n,
        s="" if human.n_images == 1 else "s",
        fewer=_between(low, high),
        s_fewer="" if low == high == 1 else "s",
        more=_between(low + 1, high + 1),
    )


def _between(low: int, high: int) -> str:
    return f"{low}" if low == high else f"{low}–{high}"


def _titles(n_items: int) -> tuple[str, str]:
    if n_items == 1:
        return "At first sight: one photo", "첫눈에 본 사진 한 장"
    return f"At first sight: {n_items:,} photos", f"첫눈에 본 사진 {n_items:,}장"


def _lede(evaluation: Evaluation | None, options: ReportOptions) -> Markup:
    name = options.provenance.captioner if options.provenance else ""
    parts = [
        both(
            "The captioner {name} looked at each photo and said in one sentence what it shows.",
            "캡셔너 {name}의 캡션입니다. 사진마다 보이는 것을 한 문장으로 적었습니다.",
            name=name,
        )
        if name
        else both("Each photo with the caption that describes it.", "사진과 그 사진을 설명한 캡션입니다.")
    ]
    defined = {score.name: score for score in (evaluation.scores if evaluation else ()) if score.value is not None}
    score = next((defined[name] for name in _RANKED_BY if name in defined), None)
    if score is not None and score.low is not None and score.high is not None:
        parts.append(
            both(
                "Against the references its captions score {metric} {value} (95 % interval {low} to {high}).",
                "참조 캡션과 견준 점수는 {metric} {value}(95 % 신뢰구간 {low}–{high})입니다.",
                metric=score.name,
                value=f"{score.value:.3f}",
                low=f"{score.low:.3f}",
                high=f"{score.high:.3f}",
            )
        )
    elif score is not None:
        parts.append(
            both(
                "Against the references its captions score {metric} {value}.",
                "참조 캡션과 견준 점수는 {metric} {value}입니다.",
                metric=score.name,
                value=f"{score.value:.3f}",
            )
        )
    of_humans = _human_of(evaluation, score)
    if of_humans is not None:
        parts.append(
            both(
                "Human captions score {value} against each other.",
                "사람이 쓴 캡션끼리 견준 점수는 {value}입니다.",
                value=f"{of_humans:.3f}",
            )
        )
    return Markup(" ").join(parts)


def _human_of(evaluation: Evaluation | None, score: Score | None) -> float | None:
    """Return what human captions score where the captioner has ``score``."""
    if evaluation is None or evaluation.human is None or score is None:
        return None
    return evaluation.human.score(score.name).value


def _group_title(group: Group, ranked_by: str | None) -> Markup:
    n = len(group.members)
    if group.kind == "best":
        return both("The {n} best by {metric}", "{metric} 점수가 가장 높은 {n}장", n=n, metric=ranked_by)
    if group.kind == "weakest":
        return both("The {n} weakest by {metric}", "{metric} 점수가 가장 낮은 {n}장", n=n, metric=ranked_by)
    if group.kind == "others":
        return both("The other photos", "나머지 사진")
    if group.kind == "random":
        return both("{n} photos at random", "무작위로 고른 {n}장", n=n)
    return Markup()


def _groups_note(groups: Sequence[Group], ranked_by: str | None, seed: int) -> Markup:
    sizes = {group.kind: len(group.members) for group in groups}
    if "random" not in sizes:
        return Markup()
    if "best" not in sizes:
        return both(
            "Shown are {n} of the photos, drawn at random (seed {seed}).",
            "사진 가운데 무작위로 뽑은 {n}장을 보여 줍니다(시드 {seed}).",
            n=sizes["random"],
            seed=seed,
        )
    return both(
        "Shown are the {best} best and the {weakest} weakest by {metric}, and {n} of the rest drawn at random "
        "(seed {seed}). The table below has every image.",
        "{metric} 점수가 가장 높은 {best}장과 가장 낮은 {weakest}장, 그리고 나머지에서 무작위로 뽑은 {n}장을 "
        "보여 줍니다(시드 {seed}). 모든 이미지의 점수는 아래 표에 있습니다.",
        best=sizes["best"],
        weakest=sizes["weakest"],
        n=sizes["random"],
        metric=ranked_by,
        seed=seed,
    )


def _photo(item: ReportItem, figures: _Figures, anchors: Mapping[str, str]) -> SimpleNamespace:
    photo: EmbeddedPhoto = embed_photo(item.photo)
    return SimpleNamespace(
        anchor=anchors[item.image_id],
        image_id=visible(item.image_id),
        caption=visible(item.caption or ""),
        references=[visible(reference) for reference in item.references],
        figures=list(zip(figures.names, figures.printed(item.image_id), strict=True)),
        uri=Markup(photo.uri),
        width_px=photo.width_px,
        height_px=photo.height_px,
        reason=photo.reason,
    )


def _row(item: ReportItem, figures: _Figures, anchors: Mapping[str, str]) -> SimpleNamespace:
    return SimpleNamespace(
        anchor=anchors.get(item.image_id),
        image_id=visible(item.image_id),
        caption=visible(item.caption or ""),
        figures=figures.printed(item.image_id),
    )


def _facts(evaluation: Evaluation | None, items: Sequence[ReportItem], options: ReportOptions) -> Iterable[_Fact]:
    provenance = options.provenance
    if provenance:
        yield _Fact(both("Captioner", "캡셔너"), _escaped(f"{provenance.captioner} {provenance.version}"))
        weights = _escaped(provenance.weights) if provenance.weights else both("none", "없음")
        yield _Fact(both("Weights", "가중치"), weights, is_mono=bool(provenance.weights))
        if provenance.parameters:
            text = ", ".join(f"{name}={json.dumps(value)}" for name, value in sorted(provenance.parameters.items()))
            yield _Fact(both("Parameters", "매개변수"), _escaped(text), is_mono=True)
    if options.weights_licence:
        licence = Markup('<span lang="en">{}</span>').format(visible(options.weights_licence))
        yield _Fact(both("Licence of the weights", "가중치의 라이선스"), licence)
    if options.created:
        yield _Fact(both("Made", "만든 때"), _time(options.created))
    n_failed = sum(item.failure is not None for item in items)
    n_scored = evaluation.n_images if evaluation else 0
    counts = {"n": f"{len(items):,}", "scored": f"{n_scored:,}", "failed": f"{n_failed:,}"}
    if not n_scored and not n_failed:
        images = both("{n}", "{n}개", **counts)
    elif n_scored == len(items):
        images = both("{n}, all scored", "{n}개, 모두 점수를 매김", **counts)
    else:
        images = both(
            "{n}, of which {scored} scored and {failed} without a caption",
            "{n}개(점수를 매긴 것 {scored}개, 캡션을 달지 못한 것 {failed}개)",
            **counts,
        )
    yield _Fact(both("Images", "이미지"), images)


def _time(moment: datetime) -> Markup:
    def element(text: str) -> Markup:
        iso = moment.isoformat(timespec="seconds")
        return Markup('<time datetime="{}">{}</time><span class="since"></span>').format(iso, text)

    clock = f"{moment:%H:%M} {moment.tzname() or ''}"
    return both(
        "{english}",
        "{korean}",
        english=element(f"{moment.day} {moment:%B %Y}, {clock}"),
        korean=element(f"{moment.year}년 {moment.month}월 {moment.day}일 {clock}"),
    )


def _credit(credit: PhotoCredit) -> SimpleNamespace:
    return SimpleNamespace(
        image_id=visible(credit.image_id),
        title=visible(credit.title),
        author=visible(credit.author),
        licence=visible(credit.licence),
        licence_url=_web_address(credit.licence_url),
        origin_url=_web_address(credit.origin_url),
    )


def _web_address(url: str) -> str:
    """Return ``url`` if following it can only open a web page, otherwise nothing."""
    return visible(url) if url.startswith(("https://", "http://")) else ""


def _escaped(text: str) -> Markup:
    return escape(visible(text))


def _percent(value: float, axis_end: int) -> float:
    return round(100 * min(max(value / axis_end, 0.0), 1.0), 2)


def _number(value: float | None) -> float:
    return -math.inf if value is None else value
