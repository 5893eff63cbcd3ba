"""What metrics score: the candidate and the references of each image, as text and as tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError
from firstsight.tokenizers import Tokenizer, TokenTable

__all__ = ["Corpus", "CorpusTokens", "Tokens"]

Tokens: TypeAlias = Sequence[str]
"""One caption after the tokenizer. A token may hold a no-break space (``22\\u00a03/4``): see ``TokenMetric.words``."""

_REPORT_EVERY = 256


class CorpusTokens:
    """The tokens of a corpus of n images in one table: the n candidates, then all references, image by image.

    Attributes:
        table: Candidates, then references.
        reference_offsets: Array (n + 1,) int64: image i has the references ``table[reference_offsets[i]]`` up to,
            without, ``table[reference_offsets[i + 1]]``; the first is n.
    """

    def __init__(self, table: TokenTable, reference_offsets: npt.NDArray[np.int64]) -> None:
        """Hold both as they are."""
        self.table = table
        self.reference_offsets = reference_offsets

    def candidate(self, index: int) -> list[str]:
        """Return the tokens of the candidate of one image."""
        return self.table[index]

    def references(self, index: int) -> list[list[str]]:
        """Return the tokens of each reference of one image."""
        return [self.table[at] for at in range(self.reference_offsets[index], self.reference_offsets[index + 1])]

    @property
    def words(self) -> CorpusTokens:
        """The same with every token split at white space, as n-gram metrics count words."""
        return self if self._split is None else self._split

    @cached_property
    def _split(self) -> CorpusTokens | None:
        """None where nothing is split: an object that holds itself lives until the next search for cycles."""
        table = self.table.split_at_white_space()
        return None if table is self.table else CorpusTokens(table, self.reference_offsets)


class Corpus:
    """Candidates and references of some images; cut into tokens once, when a metric asks for them.

    Attributes:
        image_ids: Their n ids; ``"0"``, ``"1"``, ... unless given.
        candidates: One caption an image.
        references: One or more captions an image.
        images: The image files by id, where the caller has them; metrics that look at the image need it.

    Example:
        >>> corpus = Corpus.from_tokens([["a", "kite"]], [[["a", "red", "kite"], ["kites"]]])
        >>> len(corpus), corpus.references, corpus.tokens.references(0)
        (1, [['a red kite', 'kites']], [['a', 'red', 'kite'], ['kites']])
    """

    def __init__(
        self,
        candidates: Sequence[str],
        references: Sequence[Sequence[str]],
        tokenizer: Tokenizer,
        *,
        image_ids: Sequence[str] | None = None,
        images: Mapping[str, Path] | None = None,
        on_progress: Callable[[str, int, int], None] | None = None,
    ) -> None:
        """Hold the captions of n images.

        Args:
            candidates: n captions.
            references: n groups of at least one caption.
            tokenizer: Cuts them into tokens.
            image_ids: n ids, distinct.
            images: Image files by id.
            on_progress: Called with the name of a stage, the number of images done and their total.

        Raises:
            UsageError: The lengths differ, or an image has no reference.
        """
        if len(candidates) != len(references):
            raise UsageError(
                f"Got {len(candidates)} candidates and references of {len(references)} images; "
                "give exactly one candidate for each image."
            )
        for index, group in enumerate(references):
            if len(group) == 0:
                raise UsageError(f"Image number {index + 1} has no reference; every image needs at least one.")
        self.candidates = candidates
        self.references = references
        self.image_ids = tuple(image_ids) if image_ids is not None else tuple(map(str, range(len(candidates))))
        self.images = images
        self._tokenizer = tokenizer
        self._on_progress = on_progress

    @classmethod
    def from_tokens(cls, candidates: Sequence[Tokens], references: Sequence[Sequence[Tokens]]) -> Corpus:
        """Return the corpus of captions that are tokenised already; its text is the tokens joined by spaces.

        Raises:
            UsageError: The lengths differ, or an image has no reference.
        """
        texts = [" ".join(tokens) for tokens in candidates]
        corpus = cls(texts, [[" ".join(tokens) for tokens in group] for group in references], _AlreadyTokenised())
        table = TokenTable.from_tokens([*candidates, *(tokens for group in references for tokens in group)])
        corpus.__dict__["tokens"] = CorpusTokens(table, corpus.reference_offsets)
        return corpus

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.candidates)

    @cached_property
    def reference_offsets(self) -> npt.NDArray[np.int64]:
        """Array (n + 1,) int64: where the references of each image begin in the list of all captions."""
        return np.cumsum([len(self), *map(len, self.references)], dtype=np.int64)

    @cached_property
    def tokens(self) -> CorpusTokens:
        """The tokens of all captions."""
        captions = [*self.candidates, *chain.from_iterable(self.references)]
        table = self._tokenizer.table(captions)
        self.report("tokenise", len(self))
        return CorpusTokens(table, self.reference_offsets)

    def report(self, stage: str, done: int) -> None:
        """Tell the caller that ``done`` images have passed a stage; cheap enough to call for every image."""
        if self._on_progress is not None and (done % _REPORT_EVERY == 0 or done == len(self)):
            self._on_progress(stage, done, len(self))


class _AlreadyTokenised(Tokenizer):
    """Stands where tokens were given; their text is never cut again."""

    name = "none"
    version = "1"

    def tokenize(self, caption: str) -> list[str]:
        return caption.split(" ") if caption else []
