"""Which photos a report shows, how its text is made safe, and that its colours can be read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from firstsight.evaluation._report_page import choose_groups
from firstsight.evaluation._report_text import both

ranks = st.lists(st.none() | st.floats(0, 10), max_size=80)


@given(ranks, st.integers(3, 40), st.integers(0, 5))
def test_no_photo_is_chosen_twice_and_the_limit_holds(values: list[float | None], max_photos: int, seed: int) -> None:
    groups = choose_groups(values, max_photos, seed)
    shown = [member for group in groups for member in group.members]

    assert len(shown) == len(set(shown)) <= max_photos
    if len(values) <= max_photos:
        assert sorted(shown) == list(range(len(values)))
    assert groups == choose_groups(values, max_photos, seed)


@given(ranks, st.integers(3, 40))
def test_the_best_are_the_highest_and_the_weakest_the_lowest(values: list[float | None], max_photos: int) -> None:
    groups = {group.kind: list(group.members) for group in choose_groups(values, max_photos, 0)}
    scored = [value for value in values if value is not None]

    if "best" in groups:
        n = len(groups["best"])
        assert [values[index] for index in groups["best"]] == sorted(scored, reverse=True)[:n]
        assert [values[index] for index in groups["weakest"]] == sorted(scored)[:n]


def test_few_photos_are_one_group() -> None:
    assert [(group.kind, list(group.members)) for group in choose_groups([0.3, 0.1, 0.2], 60, 0)] == [
        ("all", [0, 1, 2])
    ]


def test_many_photos_without_a_score_are_a_random_sample_that_the_seed_decides() -> None:
    (one,) = choose_groups([None] * 100, 10, 0)
    (other,) = choose_groups([None] * 100, 10, 1)

    assert one.kind == other.kind == "random"
    assert len(one.members) == 10
    assert list(one.members) == sorted(one.members)
    assert one.members != other.members


def test_values_are_escaped_once_and_braces_in_them_stay() -> None:
    html = both("{a} and {b}", "{b} 그리고 {a}", a="<i>{b}</i>", b=Markup("<b>x</b>"))

    assert html == (
        '<span class="en" lang="en">&lt;i&gt;{b}&lt;/i&gt; and <b>x</b></span>'
        '<span class="ko" lang="ko"><b>x</b> 그리고 &lt;i&gt;{b}&lt;/i&gt;</span>'
    )


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize("paper", ["paper", "surface"])
@pytest.mark.parametrize("ink", ["ink", "grey", "accent", "warning", "good"])
def test_every_text_colour_has_a_contrast_of_at_least_four_and_a_half(
    repo_root: Path, ink: str, paper: str, theme: int
) -> None:
    css = (repo_root / "src/firstsight/evaluation/static/tokens.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): light-dark\(([^)]+)\)", css))
    lighter, darker = sorted((_luminance(colours[name].split(", ")[theme]) for name in (ink, paper)), reverse=True)

    assert (lighter + 0.05) / (darker + 0.05) >= 4.5  # WCAG 2.2, 1.4.3


def _luminance(colour: str) -> float:
    """Return the relative luminance (WCAG 2.2) of ``#rrggbb``."""
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
