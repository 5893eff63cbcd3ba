"""Words of languages with spaces, and characters of those without."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from firstsight.tokenizers.words import WordsTokenizer, is_wordless

WORDS = WordsTokenizer()


@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ("A dog doesn't run, 3.5 km!", "a dog doesn t run 3 5 km"),
        ("STRASSE Straße", "strasse strasse"),
        ("e\u0301te\u0301 \u00e9t\u00e9", "été été"),  # decomposed and composed
        ("कुत्ता दौड़ता है", "कुत्ता दौड\u093cता है"),  # vowel signs are marks; U+095C is normalised away
        ("می\u200cروم", "میروم"),  # a joiner is taken out
        ("co\u00adoperate", "cooperate"),
        ("두 마리의 개", "두 마리의 개"),
        ("两只狗在跑", "两 只 狗 在 跑"),
        ("犬がボールで遊ぶ", "犬 が ボ ー ル で 遊 ぶ"),
        ("か\u3099", "が"),  # composed by NFC
        ("iPhone15の写真", "iphone15 の 写 真"),
        ("狗dog狗", "狗 dog 狗"),
        ("a\u200bb", "a b"),
        ("\u0301 \ufe0f 😀 _ -", ""),
        ("½ Ⅷ ²", "½ ⅷ ²"),
    ],
)
def test_tokens(caption: str, tokens: str):
    assert WORDS.tokenize(caption) == tokens.split()


@given(st.text(max_size=60))
def test_every_letter_and_number_is_kept_and_nothing_else_stands_alone(caption: str):
    tokens = WORDS.tokenize(caption)
    folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", caption).casefold())
    assert [c for token in tokens for c in token if not is_wordless(c)] == [c for c in folded if not is_wordless(c)]
    assert not any(is_wordless(token) for token in tokens)
    for token in tokens:
        assert token == token.casefold() or unicodedata.normalize("NFC", token.casefold()) == token
        token.encode("utf-8")


@given(st.text(st.sampled_from("aZ9 _-'.\t"), max_size=30))
def test_the_fast_path_for_ascii_says_the_same(caption: str):
    assert WORDS.tokenize(caption) == WORDS.tokenize(f"{caption} \u00e9")[:-1]
