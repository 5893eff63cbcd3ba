"""Korean morphemes by Kiwi; the one file that imports kiwipiepy."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, ClassVar

from firstsight.errors import MissingDependencyError
from firstsight.tokenizers.base import Tokenizer
from firstsight.tokenizers.words import is_wordless, without_surrogates

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

__all__ = ["KoreanTokenizer"]

_MODEL_TYPE = "cong"
# Kiwi's time grows with the square of a run without white space, and of a text of many sentences.
_LONG_RUN = re.compile(r"(\S{256})(?=\S)")
_PIECE = re.compile(r".{1,4096}(?=\s|\Z)", re.DOTALL)  # there is white space at most 256 characters on


def _model_version() -> str:
    try:
        return version("kiwipiepy_model")
    except PackageNotFoundError:
        return "none"


class KoreanTokenizer(Tokenizer):
    """The morphemes of a caption as Kiwi forms them: nouns, particles, stems and endings.

    Korean writes particles and endings on to words, so that words between spaces seldom agree between two people who
    say the same; their morphemes do. The caption is normalised (NFC) and analysed with the model ``cong``. A contracted
    ending is one token or two as Kiwi forms it, a final consonant by itself being a Hangul Jamo. Tokens without a
    letter or a number are taken out: punctuation, symbols, emoji; so is what stands around the letters of a token, such
    as the full stop that Kiwi leaves on a Latin word. Latin letters are written in lower case.

    Captions of more than 4,096 characters are analysed in pieces that end at white space, and runs of more than 256
    characters without white space are cut, because Kiwi's time grows with their squares.

    Needs the extra ``korean``. The version names that of Kiwi's model, on which the tokens depend.

    Example:
        >>> KoreanTokenizer().tokenize("고양이 두 마리가 소파 위에 있다.")
        ['고양이', '두', '마리', '가', '소파', '위', '에', '있', '다']

    Tool: Kiwi, kiwipiepy 0.24 (Lee, "Kiwi: Developing a Korean morphological analyzer based on statistical language
    models and skip-bigram", Korean Journal of Digital Humanities 1(1), 2024).
    """

    name: ClassVar[str] = "korean"
    version: ClassVar[str] = f"1+kiwi{_model_version()}"

    def __init__(self) -> None:
        """Check that Kiwi is there; its model is loaded with the first caption.

        Raises:
            MissingDependencyError: kiwipiepy is not installed.
        """
        from importlib.util import find_spec

        if find_spec("kiwipiepy") is None:
            raise MissingDependencyError("The tokenizer 'korean'", extra="korean")

    def tokenize(self, caption: str) -> list[str]:
        """Return the morphemes of one caption, in order; never fails, whatever the caption holds."""
        text = unicodedata.normalize("NFC", without_surrogates(caption))
        pieces = _PIECE.findall(_LONG_RUN.sub(r"\1 ", text))
        forms = (str(token.form) for piece in pieces for token in _kiwi().tokenize(piece))
        words = (_bare(word) for form in forms for word in form.casefold().split())
        return [word for word in words if not is_wordless(word)]


def _bare(word: str) -> str:
    """Return a word without punctuation and symbols around it: Kiwi leaves the full stop on a Latin one."""
    first, end = 0, len(word)
    while end > first and unicodedata.category(word[end - 1])[0] in "PS":
        end -= 1
    while first < end and unicodedata.category(word[first])[0] in "PS":
        first += 1
    return word[first:end]


@lru_cache(maxsize=1)
def _kiwi() -> Kiwi:
    from kiwipiepy import Kiwi

    # One thread: the order of work then cannot change anything.
    return Kiwi(num_workers=1, model_type=_MODEL_TYPE, typos=None)
