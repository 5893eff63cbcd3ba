"""Words of the embedded captioner: splitting, numbering, joining."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.captioners.embedded.vocabulary import END, START, UNKNOWN, Vocabulary, join_words, split_words


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("A dog runs.", ["a", "dog", "runs"]),
        ("a man\u2019s T-shirt , blue", ["a", "man's", "t-shirt", "blue"]),
        ("two dogs--one black", ["two", "dogs", "one", "black"]),
        ("\ud83d\udc36 dog\u2028runs\x00", ["dog", "runs"]),
        ("개가 달린다", ["개가", "달린다"]),
        ("...", []),
        ("", []),
    ],
)
def test_a_caption_is_split_into_lower_case_words(caption: str, words: list[str]) -> None:
    assert split_words(caption) == words


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop() -> None:
    assert join_words(["a", "dog"]) == "A dog."
    assert join_words([]) == ""


def test_an_unknown_word_has_a_number_of_its_own_and_is_never_said() -> None:
    vocabulary = Vocabulary(["a", "dog"])
    assert vocabulary.encode(["a", "zebra", "dog"]) == [4, UNKNOWN, 5]
    assert vocabulary.sentence([START, 4, UNKNOWN, 5, END]) == "A dog."
    assert "dog" in vocabulary
    assert len(vocabulary) == 6


@given(st.lists(st.text("abcdefghij", min_size=1), max_size=12))
def test_words_survive_joining_and_splitting(words: list[str]) -> None:
    assert split_words(join_words(words)) == words
