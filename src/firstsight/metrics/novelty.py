"""Novelty: what captions say that a given corpus, such as the training captions, does not."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from firstsight.errors import UsageError
from firstsight.metrics.diversity import MAX_N, CaptionGroups, Measure, caption_keys, ngram_codes, ratio
from firstsight.tokenizers import TokenTable

__all__ = ["novelty_measures", "untold_nouns"]


def novelty_measures(groups: CaptionGroups, corpus: TokenTable) -> list[Measure]:
    """Return the share of the captions, and of their n-grams for n = 1 to 4, that the corpus does not have.

    ``new_captions`` counts captions, word for word; ``new_1_grams`` to ``new_4_grams`` count each occurrence. All are
    0 to 1; that more is new does not make it true.

    Args:
        groups: The captions.
        corpus: The captions that are known already.

    Raises:
        UsageError: The corpus has no caption.

    Example:
        >>> groups = CaptionGroups.from_tokens([[["a", "dog", "runs"]], [["a", "cat"]]])
        >>> corpus = TokenTable.from_tokens([["a", "cat"], ["a", "dog"]])
        >>> [(m.name, m.value) for m in novelty_measures(groups, corpus)][:2]
        [('new_captions', 0.5), ('new_1_grams', 0.2)]
    """
    if len(corpus) == 0:
        raise UsageError("The corpus has no caption, so that everything would be new. Name another file.")
    both, n_own = _joined(groups.table, corpus.split_at_white_space()), len(groups.table)
    keys = caption_keys(both)
    known = set(keys[n_own:])
    is_new = np.array([key not in known for key in keys[:n_own]], dtype=np.float64)
    measures = [
        ratio(
            "new_captions",
            "share of captions that the corpus has not",
            groups.sums(is_new, np.ones(n_own)),
            "There is no caption.",
        )
    ]
    for n, (codes, captions) in zip(range(1, MAX_N + 1), ngram_codes(both), strict=True):
        is_own = captions < n_own
        new = ~np.isin(codes[is_own], codes[~is_own])
        counts = [np.bincount(captions[is_own], values, n_own) for values in (new.astype(np.float64), None)]
        meaning = f"share of {n}-grams that the corpus has not"
        measures.append(ratio(f"new_{n}_grams", meaning, groups.sums(*counts), f"No caption has {n} words."))
    return measures


def untold_nouns(
    candidates: CaptionGroups,
    references: Sequence[Sequence[Sequence[str]]],
    corpus: TokenTable,
    nouns: Callable[[Sequence[str]], Sequence[str]],
) -> Measure:
    """Return how many of the nouns of the references that the corpus never has the candidates name.

    Does the captioner see what it was never told? For each image the different nouns of its references, in their base
    form, are looked up in the corpus: a noun is known if the corpus has it as a word, or a word of which it is the base
    form. Of those that are not, the share is returned that a caption of the image names. The sums are over images.

    Args:
        candidates: The captions of each image.
        references: The tokens of the references of the same images, in the same order.
        corpus: The captions that the captioner has learnt from.
        nouns: Gives the base forms of the nouns of a tokenised caption.

    Raises:
        UsageError: There are references of another number of images.
    """
    if len(references) != len(candidates):
        raise UsageError(f"There are candidates of {len(candidates)} images and references of {len(references)}.")
    vocabulary = set(corpus.split_at_white_space().words)
    known = vocabulary | {base for word in vocabulary for base in nouns([word])}
    rows = np.zeros((len(candidates), 2))
    for index, group in enumerate(references):
        untold = {noun for tokens in group for noun in nouns(tokens)} - known
        if untold:
            captions = candidates.of_image(index)
            said = {word for tokens in captions for word in (*tokens, *nouns(tokens))}
            rows[index] = len(untold & said), len(untold)
    reason = "The corpus has every noun of the references."
    return ratio("untold_nouns", "recall of nouns that the corpus never has", rows, reason)


def _joined(first: TokenTable, second: TokenTable) -> TokenTable:
    """Return one table of the captions of both."""
    places = {word: place for place, word in enumerate(first.words)}
    moved = np.array([places.setdefault(word, len(places)) for word in second.words], dtype=np.int32)
    ids = np.concatenate([first.ids, moved[second.ids] if len(second.ids) else second.ids]).astype(np.int32)
    return TokenTable(list(places), ids, np.concatenate([first.offsets, first.offsets[-1] + second.offsets[1:]]))
