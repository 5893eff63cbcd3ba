"""The flat form of many captions."""

from __future__ import annotations

import doctest

import pytest

from firstsight.tokenizers import TokenTable, table


def test_examples_run():
    assert doctest.testmod(table).failed == 0


def test_it_is_a_sequence_of_captions():
    captions = [["a", "b"], [], ["b"]]
    found = TokenTable.from_tokens(captions)
    assert list(found) == captions
    assert found[1:] == [[], ["b"]]
    assert found[-1] == ["b"]
    with pytest.raises(IndexError):
        found[3]


def test_nothing_is_split_where_no_token_has_white_space():
    found = TokenTable.from_tokens([["a"], ["b"]])
    assert found.split_at_white_space() is found


def test_a_token_of_white_space_alone_is_no_word():
    assert list(TokenTable.from_tokens([["\u00a0", "a\u2003b"]]).split_at_white_space()) == [["a", "b"]]
