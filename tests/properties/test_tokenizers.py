"""Properties of the PTB tokenizer on any text."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firstsight.tokenizers.ptb import PUNCTUATION, PtbTokenizer

ANY_TEXT = st.text(st.characters(), max_size=60)
MARKS = st.text(
    st.sampled_from(list("aAbS1290 .,'\"`-_/\\@#&+<>()[]{}:;=?!*$%^~|\u00ad\u00a0\u2019\u201c\u2026é가\ud800\n"))
)
TEXT = st.one_of(ANY_TEXT, MARKS)
TOKENIZER = PtbTokenizer()


@given(caption=TEXT)
def test_tokens_are_never_empty_nor_hold_a_space_nor_a_surrogate(caption: str):
    for token in TOKENIZER.tokenize_with_punctuation(caption):
        assert token
        assert " " not in token
        assert token == token.lower()
        token.encode("utf-8")


@given(caption=TEXT)
def test_punctuation_is_all_that_is_dropped(caption: str):
    everything = TOKENIZER.tokenize_with_punctuation(caption)
    assert TOKENIZER.tokenize(caption) == [token for token in everything if token not in PUNCTUATION]


@given(left=TEXT, right=TEXT)
def test_a_bar_between_white_space_separates_texts(left: str, right: str):
    """Nothing reaches across a sign of its own with white space around, but the end of a sentence."""
    left, right = left.replace(".", ""), right.replace(".", "")
    for mark in "<'\"":
        left, right = left.replace(mark, ""), right.replace(mark, "")
    both = TOKENIZER.tokenize(f"{left} | {right}")
    assert both == [*TOKENIZER.tokenize(f"{left} |"), *TOKENIZER.tokenize(right)]


@given(caption=TEXT)
def test_a_line_feed_is_a_space(caption: str):
    assert TOKENIZER.tokenize(caption.replace(" ", "\n")) == TOKENIZER.tokenize(caption.replace("\n", " "))
