"""Korean morphemes; needs Kiwi."""

from __future__ import annotations

import importlib.util
from importlib.metadata import version

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firstsight.errors import MissingDependencyError
from firstsight.tokenizers.korean import KoreanTokenizer
from firstsight.tokenizers.words import is_wordless

HAS_KIWI = importlib.util.find_spec("kiwipiepy") is not None
needs_kiwi = pytest.mark.skipif(not HAS_KIWI, reason="the extra korean is not installed")


@needs_kiwi
@pytest.mark.parametrize(
    ("caption", "tokens"),
    [
        ("고양이 두 마리가 소파 위에 있다.", "고양이 두 마리 가 소파 위 에 있 다"),
        ("한 남자가 해변에서 빨간 연을 날리고 있다!", "한 남자 가 해변 에서 빨갛 ᆫ 연 을 날리 고 있 다"),
        ("고양이 (사진 3장) 😀", "고양이 사진 3 장"),
        ("Photo of A DOG.", "photo of a dog"),
        ("MRI. (iPhone), C++ 3.5 e\u0302.", "mri iphone c 3.5 ê"),
    ],
)
def test_morphemes(caption: str, tokens: str):
    assert KoreanTokenizer().tokenize(caption) == tokens.split()


@needs_kiwi
def test_particles_are_cut_off_so_that_the_noun_agrees():
    first, second = (set(KoreanTokenizer().tokenize(text)) for text in ("강아지가 공을 문다", "강아지는 공과 논다"))
    assert {"강아지", "공"} <= first & second


@needs_kiwi
def test_decomposed_text_is_the_same_text():
    import unicodedata

    caption = "강아지가 공을 문다"
    assert KoreanTokenizer().tokenize(unicodedata.normalize("NFD", caption)) == KoreanTokenizer().tokenize(caption)


@needs_kiwi
def test_long_captions_go_to_kiwi_in_pieces_that_end_between_words(monkeypatch: pytest.MonkeyPatch):
    from types import SimpleNamespace

    given: list[str] = []

    class Kiwi:
        def tokenize(self, text: str) -> list[object]:
            given.append(text)
            return [SimpleNamespace(form=word) for word in text.split()]

    monkeypatch.setattr("firstsight.tokenizers.korean._kiwi", Kiwi)
    words = ["고양이", "x" * 256] * 40
    assert KoreanTokenizer().tokenize("\t".join(words)) == words
    assert len(given) == 3
    assert max(map(len, given)) <= 4096
    assert KoreanTokenizer().tokenize("y" * 1000) == ["y" * 256] * 3 + ["y" * 232]


@needs_kiwi
def test_the_version_names_the_model():
    assert KoreanTokenizer.version == f"1+kiwi{version('kiwipiepy_model')}"


@needs_kiwi
@settings(max_examples=60)
@given(st.text(max_size=40) | st.text(st.sampled_from("가각힣ㄱㅏ a1.\ud800\x00\n"), max_size=40))
def test_any_text_has_the_same_tokens_again(caption: str):
    tokens = KoreanTokenizer().tokenize(caption)
    assert tokens == KoreanTokenizer().tokenize(caption)
    for token in tokens:
        assert token.split() == [token]
        assert not is_wordless(token)


def test_without_kiwi_it_names_the_extra(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r'pip install "firstsight\[korean\]"'):
        KoreanTokenizer()
