"""Properties of the PTB tokenizer on any text."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.tokenizers import TokenTable
from firstsight.tokenizers._ptb_rules import KEEPS_PERIOD, MAY_KEEP_PERIOD
from firstsight.tokenizers.ptb import PUNCTUATION, PtbTokenizer

ANY_TEXT = st.text(st.characters(), max_size=60)
MARKS = st.text(
    st.sampled_from(list("aAbS1290 .,'\"`-_/\\@#&+<>()[]{}:;=?!*$%^~|\u00ad\u00a0\u2019\u201c\u2026é가\ud800\n"))
)
TEXT = st.one_of(ANY_TEXT, MARKS)
# Pieces of which the rules have something to say, put together with and without spaces.
PIECES = [
    *"cannot gonna gotta n't 's 'll 'em 'tis don't o'clock y' ol' cont'd 'n' x-ray".split(),
    *"U.S. a.m. K. Mr. Inc. etc. no. 22 3/4 1,000.5 12:30pm .5 -5 555 6789 (555) 6.x 50% $5 #1 1/2 f16 T-shirt".split(),
    *"a-b.c A.B. www. .com http:// <b> -lrb- -- ----- ... ?! ( ) (x) :) ; : , . - ' \" ! ? & / < >".split(),
    *"dog it doesn The".split(),
    *KEEPS_PERIOD,
    *MAY_KEEP_PERIOD,
    " ",
    "\n",
    "",
]
PIECED = st.lists(st.sampled_from(PIECES), max_size=8).flatmap(
    lambda pieces: st.sampled_from(["", " ", ".", "-", ","]).map(lambda mark: mark.join(pieces))
)
TOKENIZER = PtbTokenizer()

untimed = settings(deadline=None)
"""The first caption of a kind takes longer: its rules are compiled."""


@untimed
@given(caption=TEXT)
def test_tokens_are_never_empty_nor_hold_a_space_nor_a_surrogate(caption: str):
    for token in TOKENIZER.tokenize_with_punctuation(caption):
        assert token
        assert " " not in token
        assert token == token.lower()
        token.encode("utf-8")


@untimed
@given(caption=TEXT)
def test_punctuation_is_all_that_is_dropped(caption: str):
    everything = TOKENIZER.tokenize_with_punctuation(caption)
    assert TOKENIZER.tokenize(caption) == [token for token in everything if token not in PUNCTUATION]


@untimed
@given(left=TEXT, right=TEXT)
def test_a_bar_between_white_space_separates_texts(left: str, right: str):
    """Nothing reaches across a sign of its own with white space around, but the end of a sentence."""
    left, right = left.replace(".", ""), right.replace(".", "")
    for mark in "<'\"":
        left, right = left.replace(mark, ""), right.replace(mark, "")
    both = TOKENIZER.tokenize(f"{left} | {right}")
    assert both == [*TOKENIZER.tokenize(f"{left} |"), *TOKENIZER.tokenize(right)]


@untimed
@given(caption=TEXT)
def test_a_line_feed_is_a_space(caption: str):
    assert TOKENIZER.tokenize(caption.replace(" ", "\n")) == TOKENIZER.tokenize(caption.replace("\n", " "))


@untimed
@given(captions=st.lists(st.one_of(TEXT, PIECED), max_size=6))
def test_a_table_of_many_captions_holds_the_tokens_of_each(captions: list[str]):
    table = TOKENIZER.table(captions)
    expected = TokenTable.from_tokens(map(TOKENIZER.tokenize, captions))
    assert (table.words, list(table)) == (expected.words, list(expected))


@untimed
@given(captions=st.lists(st.lists(st.text("ab\u00a0\u2003", min_size=1, max_size=4), max_size=4), max_size=5))
def test_a_split_table_is_that_of_the_split_captions(captions: list[list[str]]):
    found = TokenTable.from_tokens(captions).split_at_white_space()
    expected = TokenTable.from_tokens(" ".join(tokens).split() for tokens in captions)
    assert list(found) == list(expected)
    assert found.words == expected.words
