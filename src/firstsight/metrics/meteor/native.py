"""METEOR's statistics of a whole corpus by the native core: what it must know of each word, looked up once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import ModuleType

import numpy as np
import numpy.typing as npt

from firstsight._core import n_threads
from firstsight.metrics.corpus import Corpus
from firstsight.metrics.meteor.score import ALPHA, BETA, DELTA, GAMMA, WEIGHTS
from firstsight.metrics.meteor.vocabulary import Vocabulary, line_of
from firstsight.tokenizers import TokenTable

__all__ = ["MAX_WORDS", "corpus_statistics"]

MAX_WORDS = 128
"""Images with a longer caption are left to the Python core, whose limits they may reach."""

_PLAIN = re.compile(r"[a-z0-9]+")
"""Tokens that normalisation leaves as they are, whatever stands beside them."""
_NEIGHBOURS = re.compile(r"[.|]")
"""In tokens whose words depend on the tokens beside them: a last dot, or bars that may be taken out."""

Ints = npt.NDArray[np.int32]


def corpus_statistics(core: ModuleType, vocabulary: Vocabulary, corpus: Corpus) -> npt.NDArray[np.float64]:
    """Return the statistics (image, 24) float64 of every image, and NaN for images with a caption of too many words.

    Args:
        core: The native core.
        vocabulary: Where words are looked up.
        corpus: The images.
    """
    lines = normalised(vocabulary, corpus)
    lexicon, trie = core.MeteorLexicon(*_lexicon(vocabulary, lines.words)), core.MeteorTrie(*vocabulary.index.trie())
    lengths = np.diff(lines.offsets)
    is_long = (
        np.maximum(lengths[: len(corpus)], np.maximum.reduceat(lengths, corpus.reference_offsets[:-1])) > MAX_WORDS
    )
    if is_long.any():
        lines = _without(lines, np.repeat(is_long, np.diff(corpus.reference_offsets)), is_long)
    rows: npt.NDArray[np.float64] = core.meteor_statistics(
        lines.ids,
        lines.offsets,
        corpus.reference_offsets,
        lexicon,
        trie,
        (ALPHA, BETA, GAMMA, DELTA),
        WEIGHTS,
        n_threads(),
    )
    rows[is_long] = np.nan
    return rows


def normalised(vocabulary: Vocabulary, corpus: Corpus) -> TokenTable:
    """Return the normalised words of every caption.

    Most tokens are words already. A token that is not, and that stands between two that are, always becomes the same
    words; where two such tokens meet, or where one has a dot, the caption is normalised as a whole.
    """
    tokens = corpus.tokens.table
    is_plain = np.array([_PLAIN.fullmatch(word) is not None for word in tokens.words], dtype=bool)
    if is_plain.all():
        return tokens
    words = {word: place for place, word in enumerate(tokens.words)}
    depends = np.array([bool(_NEIGHBOURS.search(word)) or not word for word in tokens.words], dtype=bool)
    whole = _captions_with_rival_tokens(tokens, is_plain, depends)
    pieces: list[list[int]] = [[place] for place in range(len(tokens.words))]
    for place in np.flatnonzero(~is_plain & ~depends).tolist():
        pieces[place] = [words.setdefault(word, len(words)) for word in vocabulary.words(tokens.words[place])]
    n_pieces = np.array(list(map(len, pieces)), dtype=np.int64)
    firsts = np.cumsum(n_pieces) - n_pieces
    counts = n_pieces[tokens.ids]
    ends = np.cumsum(counts)
    steps = np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)
    ids = np.concatenate(pieces).astype(np.int32)[np.repeat(firsts[tokens.ids], counts) + steps]
    offsets = np.concatenate([[0], ends])[tokens.offsets]
    return _replaced(vocabulary, tokens, TokenTable(list(words), ids, offsets), whole, len(corpus))


def _captions_with_rival_tokens(
    tokens: TokenTable, is_plain: npt.NDArray[np.bool_], depends: npt.NDArray[np.bool_]
) -> list[int]:
    """Return the captions that must be normalised as a whole."""
    is_special = ~is_plain[tokens.ids]
    rivals = np.flatnonzero(depends[tokens.ids] | (is_special & np.append(is_special[1:], False)))
    captions = np.searchsorted(tokens.offsets, rivals, side="right") - 1
    found: list[int] = np.unique(captions).tolist()
    return found


def _replaced(
    vocabulary: Vocabulary, tokens: TokenTable, lines: TokenTable, captions: Sequence[int], n_candidates: int
) -> TokenTable:
    """Return ``lines`` with some captions normalised anew from their tokens."""
    words = {word: place for place, word in enumerate(lines.words)}
    known: dict[str, Ints] = {}
    lengths = np.diff(lines.offsets)
    parts, done = [], 0
    for caption in captions:
        text = line_of(tokens[caption], is_candidate=caption < n_candidates)
        if text not in known:
            numbers = [words.setdefault(word, len(words)) for word in vocabulary.words(text)]
            known[text] = np.array(numbers, dtype=np.int32)
        parts += [lines.ids[done : lines.offsets[caption]], known[text]]
        done = int(lines.offsets[caption + 1])
        lengths[caption] = len(known[text])
    ids = np.concatenate([*parts, lines.ids[done:]]).astype(np.int32, copy=False)
    return TokenTable(list(words), ids, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64))


def _without(lines: TokenTable, references: npt.NDArray[np.bool_], candidates: npt.NDArray[np.bool_]) -> TokenTable:
    """Return the table with some captions empty."""
    lengths = np.diff(lines.offsets)
    keeps = ~np.concatenate([candidates, references])
    ids = lines.ids[np.repeat(keeps, lengths)]
    return TokenTable(lines.words, ids, np.concatenate([[0], np.cumsum(lengths * keeps)]).astype(np.int64))


def _lexicon(
    vocabulary: Vocabulary, words: Sequence[str]
) -> tuple[Ints, npt.NDArray[np.uint8], npt.NDArray[np.int64], Ints, Ints, Ints]:
    """Return what `MeteorLexicon` of the native core takes, for distinct words."""
    found = [vocabulary.word(word) for word in words]
    stems: dict[str, int] = {}
    synsets = [sorted(word.synsets) for word in found]
    return (
        np.array([stems.setdefault(word.stem, len(stems)) for word in found], dtype=np.int32),
        np.array([word.is_function for word in found], dtype=np.uint8),
        np.concatenate([[0], np.cumsum(list(map(len, synsets)))]).astype(np.int64),
        np.array([synset for group in synsets for synset in group], dtype=np.int32),
        np.array([word.number for word in found], dtype=np.int32),
        np.array([word.node for word in found], dtype=np.int32),
    )
