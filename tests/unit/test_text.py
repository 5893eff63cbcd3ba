"""Untrusted text made visible: for a person to read, and as a name that stays exact."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight._text import visible, visible_name

any_text = st.text(st.characters(codec=None), max_size=20)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("한국어 캡션", "한국어 캡션"),
        ("שלום", "שלום"),
        ("👩‍🚀 astronaut", "👩‍🚀 astronaut"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\u202eb", r"a\u202eb"),
        ("a\u2028b\x00", r"a\u2028b\x00"),
        ("a\ud800b", r"a\ud800b"),
        ("a\nb", r"a\nb"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(text: str, shown: str) -> None:
    assert visible(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("plain", "plain"),
        ("a\nb", r"a\nb"),
        ("\x1b[31m", r"\x1b[31m"),
        ("caf\udce9", r"caf\xe9"),
        ("\ud800", r"\ud800"),
        ("\u200fשם", "\u200fשם"),
        ("사진.jpg", "사진.jpg"),
        ("a\u2029b", r"a\u2029b"),
    ],
)
def test_a_name_keeps_its_marks_of_direction_and_shows_its_bytes(name: str, shown: str) -> None:
    assert visible_name(name) == shown


@given(any_text)
def test_what_is_visible_is_one_line_of_utf_8_without_controls(text: str) -> None:
    for shown in (visible(text), visible_name(text)):
        shown.encode()
        assert len(shown.splitlines()) <= 1
        assert not any(char < " " or "\x7f" <= char <= "\x9f" for char in shown)


@given(any_text)
def test_what_is_visible_already_is_not_changed_again(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert visible_name(visible_name(text)) == visible_name(text)
