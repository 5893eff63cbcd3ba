"""A comparison as one self-contained HTML page, in the look of the report."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace

from markupsafe import Markup, escape

from firstsight._text import visible
from firstsight.evaluation._comparison_output import SLICE_NOTE, headline, p_text, rank_text, signed, test_signature
from firstsight.evaluation._comparison_types import Pair, Slice, SystemScore
from firstsight.evaluation._html_page import render_html
from firstsight.evaluation._report_text import both
from firstsight.evaluation.comparison import Comparison
from firstsight.evaluation.signature import parse_signature, shared_part
from firstsight.types import Score

__all__ = ["render_comparison"]

_MAX_PAIRS = 400
_STEPS = (1.0, 2.0, 5.0)
_NAMED = 3
_TESTS = {
    "permutation": ("paired permutation test", "대응 순열 검정"),
    "bootstrap": ("paired bootstrap test", "대응 부트스트랩 검정"),
}
_CORRECTIONS = {
    "holm": ("Holm, for the number of pairs", "홀름 방법, 쌍의 수만큼"),
    "bh": ("Benjamini and Hochberg, for the number of pairs", "벤자미니-호크버그 방법, 쌍의 수만큼"),
    "none": ("none", "하지 않음"),
}


def render_comparison(comparison: Comparison) -> str:
    """Return the whole page as HTML; names, ids and values of slices are treated as untrusted text."""
    return render_html("comparison.html.j2", _page(comparison), "comparison.css")


def _page(comparison: Comparison) -> SimpleNamespace:
    main = headline(comparison)
    names = [main, *(name for name in comparison.scores if name != main)]
    shown_pairs = [(name, pair) for name in names for pair in comparison.pairs[name]]
    has_all = len(shown_pairs) <= _MAX_PAIRS
    if not has_all:
        shown_pairs = [(main, pair) for pair in comparison.pairs[main][:_MAX_PAIRS]]
    n_systems = len(comparison.systems)
    return SimpleNamespace(
        title_en=f"{n_systems} systems on {comparison.n_images:,} images",
        title_ko=f"시스템 {n_systems}개를 이미지 {comparison.n_images:,}개로 비교",
        lede=_lede(comparison, main),
        n=_n(comparison),
        scores_note=_scores_note(),
        scores=[_score(number, name, comparison.scores[name]) for number, name in enumerate(names)],
        notes=[visible(note) for note in comparison.notes],
        signatures=_signatures(comparison),
        pairs=[_pair(name, pair, comparison.options.alpha) for name, pair in shown_pairs],
        pairs_note=_pairs_note(comparison, None if has_all else main),
        slices=[_slice(comparison, part, main) for part in comparison.slices],
        slice_systems=[entry.system for entry in comparison.scores[main]],
        slices_note=_slices_note(),
        slices_title=both("{name} by slice", "부분별 {name}", name=main),
        facts=list(_facts(comparison)),
    )


def _n(comparison: Comparison) -> Markup:
    return both(
        "n = {n} images, {refs} references.",
        "이미지 {n}개, 참조 캡션 {refs}개.",
        n=f"{comparison.n_images:,}",
        refs=f"{comparison.n_references:,}",
    )


def _lede(comparison: Comparison, name: str) -> Markup:
    """Say which system is best by the first score, and which cannot be told apart from it."""
    entries = comparison.scores[name]
    best = entries[0]
    if best.score.value is None:
        return both("No score is defined for these images.", "이 이미지들로는 점수를 계산할 수 없습니다.")
    values = {"name": name, "best": best.system, "value": f"{best.score.value:.3f}"}
    alike = [entry.system for entry in entries[1:] if set(entry.groups) & set(best.groups)]
    if best.best_rank is None:
        return both("{name} is no quality: no value is better.", "{name} 값은 좋고 나쁨을 뜻하지 않습니다.", **values)
    if not alike:
        return both(
            "{best} has the best {name}, {value}, and the test tells every other system apart from it.",
            "{name} 점수는 {best}이(가) {value}로 가장 높고, 다른 모든 시스템과 통계적으로 구별됩니다."
            if _is_higher(best.score)
            else "{name} 점수는 {best}이(가) {value}로 가장 낮고(낮을수록 좋음), "
            "다른 모든 시스템과 통계적으로 구별됩니다.",
            **values,
        )
    shown = ", ".join(alike[:_NAMED])
    more = len(alike) - _NAMED
    return both(
        "{best} has the best {name}, {value}. The test does not tell it apart from {alike}{more}.",
        "{name} 점수가 가장 좋은 시스템은 {best}({value})입니다. {alike}{more_ko}와는 통계적으로 구별되지 않습니다.",
        alike=shown,
        more=f" and {more} more" if more > 0 else "",
        more_ko=f" 외 {more}개" if more > 0 else "",
        **values,
    )


def _is_higher(score: Score) -> bool:
    return parse_signature(score.signature).get("better") == "higher"


def _scores_note() -> Markup:
    return both(
        "A rank is the range of ranks that a system may have; the ranges of all systems hold together at 95 %. Systems "
        "that share a letter are not told apart by the test. The scores of the best group are bold.",
        "순위는 그 시스템이 가질 수 있는 순위의 범위이며, 모든 범위가 함께 95 % 신뢰수준을 지킵니다. 같은 글자가 붙은 "
        "시스템끼리는 검정으로 구별되지 않습니다. 가장 좋은 묶음의 점수는 굵게 표시했습니다.",
    )


def _score(number: int, name: str, entries: Sequence[SystemScore]) -> SimpleNamespace:
    shown = SimpleNamespace(anchor=f"score-{number}", name=visible(name), reason="")
    if entries[0].score.value is None:
        shown.reason = entries[0].score.reason or "no reason was given"
        return shown
    ends = [end for entry in entries for end in (entry.score.value, entry.score.low, entry.score.high)]
    start, end = _axis([value for value in ends if value is not None])
    shown.axis_start, shown.axis_end = f"{start:g}", f"{end:g}"
    shown.is_ranked = entries[0].best_rank is not None
    higher = both("Higher is better.", "높을수록 좋습니다.")
    lower = both("Lower is better.", "낮을수록 좋습니다.")
    shown.direction = (higher if _is_higher(entries[0].score) else lower) if shown.is_ranked else ""
    best = set(entries[0].groups)
    shown.rows = [_row(entry, (start, end), is_best=bool(set(entry.groups) & best)) for entry in entries]
    return shown


def _row(entry: SystemScore, axis: tuple[float, float], *, is_best: bool) -> SimpleNamespace:
    score = entry.score
    has_interval = score.low is not None and score.high is not None
    return SimpleNamespace(
        rank=rank_text(entry),
        system=visible(entry.system),
        value=f"{score.value:.3f}",
        interval=_interval(score.low, score.high),
        groups=entry.groups,
        is_best=is_best,
        at=_percent(score.value, axis),
        low_at=_percent(score.low, axis) if has_interval else None,
        high_at=_percent(score.high, axis) if has_interval else None,
    )


def _pair(name: str, pair: Pair, alpha: float) -> SimpleNamespace:
    return SimpleNamespace(
        name=visible(name),
        first=visible(pair.first),
        second=visible(pair.second),
        difference=signed(pair.difference),
        difference_value=pair.difference,
        interval=_interval(pair.low, pair.high, signed),
        low_value="" if pair.low is None else pair.low,
        p=p_text(pair.corrected),
        p_value=pair.corrected,
        is_different=pair.corrected < alpha,
        wins=pair.wins,
        ties=pair.ties,
        losses=pair.losses,
    )


def _pairs_note(comparison: Comparison, name: str | None) -> Markup:
    note = both(
        "The difference is the better score minus the other. p is that of the {test}, corrected for the number of "
        "pairs. Wins, ties and losses are counted by image.",
        "차이는 나은 쪽 점수에서 다른 쪽 점수를 뺀 값입니다. p는 {test_ko}의 값이며 쌍의 수만큼 보정했습니다. "
        "이김, 비김, 짐은 이미지마다 셌습니다.",
        test=_TESTS[comparison.options.test][0],
        test_ko=_TESTS[comparison.options.test][1],
    )
    if name is None:
        return note
    only = both(
        "Shown are {n} pairs of {name}; the JSON output has all.",
        "{name}의 쌍 {n}개를 보여 줍니다. 나머지는 JSON 출력에 있습니다.",
        n=min(len(comparison.pairs[name]), _MAX_PAIRS),
        name=name,
    )
    return Markup(" ").join([note, only])


def _slices_note() -> Markup:
    return both(
        SLICE_NOTE,
        "CIDEr-D의 문서 빈도처럼 지표가 전체 이미지에서 얻은 값은 모든 부분에 그대로 씁니다. 그래서 부분끼리 비교할 수 "
        "있습니다. 한 부분만 따로 채점하면 CIDEr-D 값이 달라집니다.",
    )


def _slice(comparison: Comparison, part: Slice, name: str) -> SimpleNamespace:
    by_system = dict(zip(comparison.systems, part.scores[name], strict=True))
    cells = [by_system[entry.system] for entry in comparison.scores[name]]
    return SimpleNamespace(
        label=visible(f"{part.column} = {part.value}"),
        n=f"{part.n_images:,}",
        n_value=part.n_images,
        cells=[
            SimpleNamespace(
                value="–" if score.value is None else f"{score.value:.3f}",
                number="" if score.value is None else score.value,
                interval=_interval(score.low, score.high),
            )
            for score in cells
        ],
    )


def _signatures(comparison: Comparison) -> list[tuple[Markup, str]]:
    """Return what belongs to each score, once for scores that share it, then what all of them share."""
    rows = []
    shared = ""
    for name, entries in comparison.scores.items():
        own, shared = shared_part(entries[0].score.signature)
        rows.append((escape(visible(name)), visible(own)))
    rows.append((both("All of them", "모두 공통"), visible(shared)))
    rows.append((both("Tests", "검정"), test_signature(comparison)))
    return rows


def _facts(comparison: Comparison) -> Iterable[tuple[Markup, Markup]]:
    options = comparison.options
    yield both("Systems", "시스템"), escape(", ".join(map(visible, comparison.systems)))
    yield both("Images", "이미지"), escape(f"{comparison.n_images:,}")
    yield both("References", "참조 캡션"), escape(f"{comparison.n_references:,}")
    yield (
        both("Intervals", "신뢰구간"),
        both(
            "95 %, {n} bootstrap resamples of the images, seed {seed}",
            "95 %, 이미지 부트스트랩 재표집 {n}회, 시드 {seed}",
            n=f"{options.evaluation.n_resamples:,}",
            seed=options.evaluation.seed,
        ),
    )
    english, korean = _TESTS[options.test]
    n_test = f"{options.n_test_resamples(len(comparison.systems)):,}"
    yield (
        both("Test", "검정"),
        both(
            "{test}, two-sided, {n} resamples, told apart below p = {alpha}",
            "{test_ko}(양측), 재표집 {n}회, 보정한 p가 {alpha}보다 작으면 구별됨",
            test=english,
            test_ko=korean,
            n=n_test,
            alpha=f"{options.alpha:g}",
        ),
    )
    yield both("Correction", "보정"), both(*_CORRECTIONS[options.correction])


def _axis(values: Sequence[float]) -> tuple[float, float]:
    """Return ends of an axis that holds all values: multiples of 1, 2 or 5 times a power of ten."""
    low, high = min(values), max(values)
    width = (high - low) or abs(high) or 1.0
    power = 10.0 ** math.floor(math.log10(width))
    step = next(power * factor / 10 for factor in (*_STEPS, 10.0) if power * factor >= width)
    return math.floor(low / step) * step, math.ceil(high / step) * step


def _percent(value: float | None, axis: tuple[float, float]) -> float:
    start, end = axis
    return round(100 * ((value or 0.0) - start) / ((end - start) or 1.0), 2)


def _interval(low: float | None, high: float | None, shown: Callable[[float], str] = "{:.3f}".format) -> str:
    return "" if low is None or high is None else f"{shown(low)} – {shown(high)}"
