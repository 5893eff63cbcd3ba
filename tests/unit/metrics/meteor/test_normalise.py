"""Normalised lines against ``edu.cmu.meteor.util.Normalizer`` of meteor-1.5.jar (in pycocoevalcap 1.2, OpenJDK 17).

Expected is ``normalizeLine(line, 0, true)`` for each line, in lower case.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.metrics.meteor import Meteor
from firstsight.metrics.meteor.normalise import normalise
from firstsight.metrics.meteor.vocabulary import line_of

KEEPS_DOT = frozenset({"Mr", "Dr", "St", "I"})  # those of english.prefixes that stand in the lines
KEEPS_DOT_BEFORE_NUMBER = frozenset({"No", "pp"})

ORIGINAL = [
    ("a dog runs", "a dog runs"),
    ("Two well-known U.S. dogs don't run.", "two well known us dogs don 't run ."),
    ("a-b-c-d", "a b-c d"),
    ("a man's dog and the dogs' bowls", "a man 's dog and the dogs ' bowls"),
    ("it 's 5's and 1980 s", "it ' s 5 's and 1980 s"),
    ("10,000 people, 3,a a,3 and a,b", "10,000 people , 3 , a a , 3 and a , b"),
    ("wait... what.. now.", "wait ... what .. now ."),
    ("Mr. Smith and Dr. Who", "mr. smith and dr. who"),
    ("No. 7 and no. seven and No. Eleven", "no. 7 and no. seven and no . eleven"),
    ("pp. 12 pp. twelve", "pp. 12 pp. twelve"),
    ("at 5 p.m. a train leaves. it is late", "at 5 pm a train leaves. it is late"),
    ("St. Patrick's", "st. patrick 's"),
    ("i.e. this", "ie this"),
    ("a. b. c.", "a. b. c ."),
    ("3.5. A", "3.5 . a"),
    ("``quoted'' text and \u2018single\u2019 \u201cdouble\u201d", '" quoted " text and \' single \' " double "'),
    ("a \u2013 b -- c --- d", "a - b - c -- d"),
    ("-lrb- a -rrb-", "-lrb- a -rrb-"),
    ("'a' 'b", "' a ' ' b"),
    ("a ' b", "a ' b"),
    ("rock 'n' roll", "rock ' n ' roll"),
    ("don't'll", "don 't'll"),
    ("5'4 tall", "5 ' 4 tall"),
    ("a&b @ #1 100% $5", "a & b @ # 1 100 % $ 5"),
    ("Caf\xe9 \u017di\u017ekov \xfcber na\xefve", "caf\xe9 \u017ei\u017ekov \xfcber na\xefve"),
    ("\uac08\ub9e4\uae30 \ub09c\ub2e4", "\uac08 \ub9e4 \uae30 \ub09c \ub2e4"),
    ("a\U0001f642b", "a \U0001f642 b"),
    ("x\u3000y z", "x y z"),
    (" lead and trail\t ", "lead and trail"),
    (".", "."),
    (".. a", ".. a"),
    (",", ","),
    ("-", "-"),
    ("'", "'"),
    ("I. Bush", "i. bush"),
    ("a\x01b \x1f", "a \x01 b"),
    ("\x00a\x00", "a"),
    ("a\u2028b", "a \u2028 b"),
    ("\uff0e", "\uff0e"),
    ("a\xa0b \xa0c", "a b c"),
    ("a\x0bb\x0cc", "a\x0bb c"),
    ("$1 \\1 \\", "$ 1 \\ 1 \\"),
    ("\ue000 .. a\ue001b", "\ue000 .. a \ue001 b"),
    ("a.b.c. D", "abc d"),
    ("U.S.A.", "usa"),
    ("...", "..."),
    ("a-", "a-"),
    ("-a", "-a"),
    ("5-7", "5 7"),
    ("1.5-2", "1.5 2"),
    ("'s", "' s"),
    ("''", '"'),
    ("\u2019s dog\u2019s", "' s dog 's"),
    ("a'b'c'd", "a 'b'c 'd"),
]


def spaced(line: str) -> str:
    return " ".join(normalise(line, KEEPS_DOT, KEEPS_DOT_BEFORE_NUMBER))


@pytest.mark.parametrize(("line", "expected"), ORIGINAL)
def test_lines_equal_those_of_the_original(line: str, expected: str):
    assert spaced(line) == expected


def test_prefixes_keep_their_dot_only_as_the_data_say():
    assert normalise("St. 5 No. 7 No. A", keeps_dot=()) == ["st", ".", "5", "no", ".", "7", "no", ".", "a"]
    assert normalise("St. 5 No. 7", {"St"}, {"No"}) == ["st.", "5", "no.", "7"]


def test_a_lone_surrogate_is_a_symbol():
    assert spaced("a\ud800b") == "a \ud800 b"


@given(
    line=st.text(st.sampled_from("aZ7 .,-'`\u2019\u201c\u2013|\0\t\xa0\u00e9\uac00\U0001f642\ud800\ue000"), max_size=30)
)
def test_letters_and_digits_stay_in_order_and_words_hold_no_space(line: str):
    words = normalise(line, KEEPS_DOT)
    kept = [character for character in line.lower() if character.isalnum()]
    assert [character for word in words for character in word if character.isalnum()] == kept
    assert all(word and not set(word) & set(" \t\n\r\f\xa0") for word in words)


def test_the_separator_of_the_original_is_taken_out_and_double_spaces_become_single_once():
    tokens = ["a", "|||", "dog", "|", "||", "", "", "runs"]
    assert line_of(tokens, is_candidate=False) == "a  dog | ||   runs"
    assert line_of(tokens, is_candidate=True) == "a dog | ||  runs"


def test_words_are_those_of_the_prefixes_in_the_data(tiny: Meteor):
    vocabulary = tiny._words()
    assert vocabulary.words("\0 st. No. 7 a no. 7 x. 7 ") == "st. no . 7 a no. 7 x . 7".split()
