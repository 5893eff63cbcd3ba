"""Stems against ``org.tartarus.snowball.ext.englishStemmer`` of meteor-1.5.jar (in pycocoevalcap 1.2, OpenJDK 17).

Each word was given to the original by ``setCurrent``, then ``stem``; ``getCurrent`` is what stands after ">".
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.metrics.meteor.stemmer import stem

ORIGINAL = """
a>a by>by sky>sky skis>ski skies>sky dying>die idly>idl gently>gentl news>news andes>andes inning>inning
outings>outing proceed>proceed succeeded>succeed kites>kite kite>kite flies>fli flying>fli ties>tie died>die
tied>tie gas>gas this>this glass>glass glasses>glass bus>bus buses>buse running>run hopping>hop hoping>hope
hoped>hope falling>fall agreed>agre feed>feed bleed>bleed seedling>seedl generously>generous communal>communal
arsenal>arsenal happily>happili cry>cri say>say saying>say youth>youth boyish>boyish yyy>yyy
conditional>condit organization>organ organize>organ national>nation rational>ration hopefulness>hope
activeness>activ callousness>callous sensibility>sensibl fearlessly>fearless realism>realism formality>formal
operator>oper digitizer>digit apology>apolog biologist>biologist quickly>quick fully>fulli electricity>electr
electrical>electr goodness>good replacement>replac adoption>adopt controller>control controlling>control
rate>rate vile>vile dog's>dog dogs'>dog 'tis>tis '>' ''s> luxuriated>luxuri conflated>conflat troubled>troubl
sized>size café>café 갈매기>갈매기 early>earli ugly>ugli only>onli singly>singl lying>lie tying>tie howe>howe
atlas>atlas cosmos>cosmos bias>bias canning>canning herring>herring earring>earring exceed>exceed
outing>outing proceeds>proceed
"""
PAIRS = [pair.split(">") for pair in ORIGINAL.split()]


@pytest.mark.parametrize(("word", "expected"), PAIRS)
def test_stems_equal_those_of_the_original(word: str, expected: str):
    assert stem(word) == expected


@given(word=st.text(st.sampled_from("aeiouybdlnstgz'\u00e9\uac00\ud800\0"), max_size=12))
def test_a_stem_is_no_longer_than_its_word(word: str):
    assert len(stem(word)) <= len(word)
