"""What every tokenizer is: one caption in, its tokens out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import ClassVar

from firstsight.tokenizers.table import TokenTable

__all__ = ["Tokenizer"]


class Tokenizer(ABC):
    """Cuts a caption into the tokens that metrics count.

    A tokenizer is a class registered under the entry-point group ``firstsight.tokenizers`` whose constructor takes no
    argument. It depends on nothing but the caption: what one caption holds never changes the tokens of another.
    """

    name: ClassVar[str]
    """The name it is registered under and that signatures state."""
    version: ClassVar[str]
    """Version of the definition; a correction is a new version."""

    @abstractmethod
    def tokenize(self, caption: str) -> list[str]:
        """Return the tokens of one caption, in order; never fails, whatever the caption holds.

        A token has no space (U+0020) inside, but may have other white space such as a no-break space.
        """

    def table(self, captions: Iterable[str]) -> TokenTable:
        """Return the tokens of every caption, in order; each distinct caption is tokenised once."""
        known: dict[str, list[str]] = {}

        def tokens(caption: str) -> list[str]:
            if caption not in known:
                known[caption] = self.tokenize(caption)
            return known[caption]

        return TokenTable.from_tokens(map(tokens, captions))
