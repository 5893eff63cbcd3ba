"""Diversity: how many different things a captioner says, about all images and about one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from firstsight.errors import UsageError
from firstsight.metrics.bleu import Bleu
from firstsight.tokenizers import TokenTable

__all__ = [
    "CaptionGroups",
    "Measure",
    "caption_keys",
    "diversity_measures",
    "most_frequent_captions",
    "ngram_codes",
    "ratio",
    "self_cider",
]

VERSION = "1"
MAX_N = 4
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_BLEU_4 = 3
_ROUNDING = 1e-12  # eigenvalues below this share of the largest are zeros

Floats = npt.NDArray[np.float64]


class CaptionGroups:
    """The captions of n images, one or more an image, as tokens.

    Attributes:
        table: All captions, image by image.
        offsets: Array (n + 1,) int64: image i has the captions ``table[offsets[i]:offsets[i + 1]]``.

    Example:
        >>> groups = CaptionGroups.from_tokens([[["a", "dog"], ["dogs"]], [["a", "cat"]]])
        >>> len(groups), len(groups.table), groups.images.tolist()
        (2, 3, [0, 0, 1])
    """

    def __init__(self, table: TokenTable, offsets: npt.NDArray[np.int64]) -> None:
        """Hold both; tokens with white space inside are split, as n-gram metrics count words."""
        self.table = table.split_at_white_space()
        self.offsets = offsets

    @classmethod
    def from_tokens(cls, groups: Sequence[Sequence[Sequence[str]]]) -> CaptionGroups:
        """Return the groups of captions that are tokenised already.

        Raises:
            UsageError: An image has no caption.
        """
        for number, group in enumerate(groups, 1):
            if not group:
                raise UsageError(f"Image number {number} has no caption; leave it out.")
        table = TokenTable.from_tokens(caption for group in groups for caption in group)
        return cls(table, np.cumsum([0, *map(len, groups)], dtype=np.int64))

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self.offsets) - 1

    @cached_property
    def images(self) -> npt.NDArray[np.int64]:
        """Array (n_captions,) int64: the number of the image of each caption."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.offsets))

    @cached_property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Array (n_captions,) int64: the words of each caption."""
        return np.diff(self.table.offsets)

    def of_image(self, index: int) -> list[list[str]]:
        """Return the captions of one image."""
        return self.table[int(self.offsets[index]) : int(self.offsets[index + 1])]

    def sums(self, *columns: npt.ArrayLike) -> Floats:
        """Return the sums over the captions of each image, array (image, column), of values (caption,) each."""
        values = [np.asarray(column, dtype=np.float64) for column in columns]
        return np.stack([np.bincount(self.images, value, len(self)) for value in values], axis=1)


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """One number about captions, or why there is none.

    Attributes:
        name: Such as ``distinct_1``.
        meaning: What it is, in a few words.
        value: The number; None where it is undefined.
        reason: Why it is undefined; None where it is not.
        statistics: Array (image, statistic) float64 whose sums ``from_statistics`` turns into the value, for resampling
            of images; only images that count are in it. None where resampling images would change what is measured: a
            resample holds images twice, so that its captions repeat and its words are fewer.
        from_statistics: Turns sums (..., statistic) into values (..., 1).
    """

    name: str
    meaning: str
    value: float | None
    reason: str | None = None
    statistics: Floats | None = None
    from_statistics: Callable[[Floats], Floats] | None = None


def ratio(name: str, meaning: str, sums: Floats, undefined: str) -> Measure:
    """Return the measure that is a ratio of sums over images.

    Args:
        name: Its name.
        meaning: What it is.
        sums: Array (image, 2) float64: numerator and denominator of each image.
        undefined: The reason that is given where the denominators sum to 0.
    """
    counted = sums[sums[:, 1] > 0]
    if len(counted) == 0:
        return Measure(name, meaning, None, undefined)
    return Measure(name, meaning, float(_ratio(counted.sum(axis=0))[0]), None, counted, _ratio)


def diversity_measures(groups: CaptionGroups, documents: CaptionGroups | None = None) -> list[Measure]:
    r"""Return what is measured of captions by themselves.

    ===============  =================================================================================================
    length           mean words of a caption; ``length_sd`` their standard deviation (of the population), ``length_p5``
                     to ``length_p95`` their quantiles, linear between neighbours
    vocabulary       different words
    distinct_1, _2   different words, and different pairs of words, over the number of words (Li et al. 2016)
    repeats          share of the captions that another image has too, word for word
    div_1, div_2     the same as distinct_1 and _2 within the captions of one image; mean over images with several
    mbleu_4          BLEU-4 of each caption against the others of its image, the mean over these, then over images
    self_cider       see `self_cider`; mean over images with several captions
    ===============  =================================================================================================

    Of ``mbleu_4`` and ``repeats`` lower is more diverse, of the others higher. The last four are undefined where no
    image has several captions.

    Args:
        groups: The captions.
        documents: The captions from which self-CIDEr takes its document frequencies, such as the references; those of
            ``groups`` unless given.

    Raises:
        UsageError: There is no caption.

    Example:
        >>> groups = CaptionGroups.from_tokens([[["a", "dog"]], [["a", "dog"]], [["a", "cat"]]])
        >>> {m.name: m.value for m in diversity_measures(groups) if m.name in ("vocabulary", "distinct_1")}
        {'vocabulary': 3.0, 'distinct_1': 0.5}

    Papers: Li, Galley, Brockett, Gao and Dolan, "A diversity-promoting objective function for neural conversation
    models", NAACL 2016, section 5.3 (distinct-n); Shetty, Rohrbach, Hendricks, Fritz and Schiele, "Speaking the same
    language", ICCV 2017, section 5.2 (Div-n, mBLEU); Wang and Chan, "Describing like humans: on diversity in image
    captioning", CVPR 2019 (self-CIDEr).
    """
    if len(groups.table) == 0:
        raise UsageError("There is no caption, so that nothing can be measured.")
    return [*_length_measures(groups), *_corpus_measures(groups), *_set_measures(groups, documents or groups)]


def most_frequent_captions(groups: CaptionGroups, n: int) -> list[tuple[int, int]]:
    """Return the captions that most images have: a caption's number, and of how many images it is.

    Args:
        groups: The captions.
        n: How many to return at most; those of one image alone are left out.

    Example:
        >>> groups = CaptionGroups.from_tokens([[["a", "dog"]], [["a", "cat"]], [["a", "dog"]]])
        >>> most_frequent_captions(groups, 3)
        [(0, 2)]
    """
    keys = caption_keys(groups.table)
    first: dict[bytes, int] = {}
    for number, key in enumerate(keys):
        first.setdefault(key, number)
    n_images = Counter(key for key, _ in set(zip(keys, groups.images.tolist(), strict=True)))
    common = sorted(((-count, first[key]) for key, count in n_images.items() if count > 1))[:n]
    return [(number, -count) for count, number in common]


def caption_keys(table: TokenTable) -> list[bytes]:
    """Return what is equal for captions of equal words in one table."""
    ids = np.ascontiguousarray(table.ids)
    return [ids[start:end].tobytes() for start, end in pairwise(table.offsets.tolist())]


def ngram_codes(table: TokenTable) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield for n = 1 to 4 the n-grams as numbers, equal where the words are, and the number of the caption of each.

    Example:
        >>> [codes.tolist() for codes, _ in ngram_codes(TokenTable.from_tokens([["a", "b", "a"], ["b", "a"]]))][:2]
        [[0, 1, 0, 1, 0], [0, 1, 1]]
    """
    captions = np.repeat(np.arange(len(table), dtype=np.int64), np.diff(table.offsets))
    ids = table.ids.astype(np.int64)
    codes, starts = ids, np.arange(len(ids))  # code of the n-gram that starts at each of `starts`
    for n in range(1, MAX_N + 1):
        if n > 1:
            ends = starts + n - 1
            fits = ends < len(ids)
            fits[fits] = captions[ends[fits]] == captions[starts[fits]]
            codes, starts, ends = codes[fits], starts[fits], ends[fits]
            codes = np.unique(codes * max(1, len(table.words)) + ids[ends], return_inverse=True)[1].reshape(-1)
        yield codes, captions[starts]


def self_cider(captions: Sequence[Sequence[str]], weight: Callable[[tuple[str, ...]], float]) -> float | None:
    r"""Return the self-CIDEr diversity of the captions of one image, 0 to 1, higher is more diverse.

    With K the matrix of the CIDEr similarities of each caption with each, :math:`\lambda` its eigenvalues and m the
    number of captions

    .. math::
        \text{self-CIDEr} = -\log_m \frac{\max_i \sqrt{\lambda_i}}{\sum_i \sqrt{\lambda_i}}

    so that captions that are all equal have 0 and captions without a common word 1. The similarity is the mean over
    n = 1 to 4 of the cosines of the vectors of n-gram counts, each times its weight: CIDEr, which makes K symmetric and
    without negative eigenvalues, not the clipped CIDEr-D with a penalty on length that the program of the authors uses.

    Args:
        captions: The words of two or more captions.
        weight: The inverse document frequency of an n-gram, such as the logarithm of N over the images that have it.

    Returns:
        The diversity, or None where no caption has an n-gram with a weight.

    Paper: Wang and Chan, "Describing like humans: on diversity in image captioning", CVPR 2019, section 4.
    """
    m = len(captions)
    kernel = np.zeros((m, m))
    for n in range(1, MAX_N + 1):
        counts = [Counter(tuple(words[i : i + n]) for i in range(len(words) - n + 1)) for words in captions]
        places = {ngram: place for place, ngram in enumerate(dict.fromkeys(g for count in counts for g in count))}
        vectors = np.zeros((m, len(places)))
        for row, count in zip(vectors, counts, strict=True):
            for ngram, occurrences in count.items():
                row[places[ngram]] = occurrences * weight(ngram)
        norms = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))[:, None]
        vectors = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 0)
        kernel += vectors @ vectors.T / MAX_N
    if not np.trace(kernel) > 0:
        return None
    values = np.linalg.eigvalsh(kernel)
    roots = np.sqrt(np.where(values > _ROUNDING * values.max(), values, 0.0))
    return abs(math.log(float(roots.max() / roots.sum())) / math.log(m))


def _ratio(totals: Floats) -> Floats:
    values: Floats = totals[..., :1] / totals[..., 1:]
    return values


def _standard_deviation(totals: Floats) -> Floats:
    """Return the deviation (..., 1) of sums (..., 3) of values, of their squares, and of how many they are."""
    mean = totals[..., :1] / totals[..., 2:]
    deviation: Floats = np.sqrt(np.maximum(totals[..., 1:2] / totals[..., 2:] - mean**2, 0.0))
    return deviation


def _length_measures(groups: CaptionGroups) -> list[Measure]:
    lengths = groups.lengths.astype(np.float64)
    moments = groups.sums(lengths, lengths**2, np.ones_like(lengths))
    deviation = float(_standard_deviation(moments.sum(axis=0))[0])
    return [
        ratio("length", "words of a caption, mean", moments[:, [0, 2]], "There is no caption."),
        Measure("length_sd", "its standard deviation", deviation, None, moments, _standard_deviation),
        *(
            Measure(f"length_p{100 * q:.0f}", f"its {100 * q:.0f} % quantile", float(np.quantile(lengths, q)))
            for q in QUANTILES
        ),
    ]


def _corpus_measures(groups: CaptionGroups) -> list[Measure]:
    n_words = len(groups.table.ids)
    orders = list(ngram_codes(groups.table))
    keys = caption_keys(groups.table)
    n_images = Counter(key for key, _ in set(zip(keys, groups.images.tolist(), strict=True)))
    n_repeated = sum(n_images[key] > 1 for key in keys)
    measures = [Measure("vocabulary", "different words", float(len(np.unique(orders[0][0]))))]
    for n, what in ((1, "words"), (2, "pairs of words")):
        value = len(np.unique(orders[n - 1][0])) / n_words if n_words else None
        reason = None if n_words else "The captions have no word."
        measures.append(Measure(f"distinct_{n}", f"different {what} over words", value, reason))
    measures.append(Measure("repeats", "share of captions that another image has", n_repeated / len(keys)))
    return measures


def _set_measures(groups: CaptionGroups, documents: CaptionGroups) -> list[Measure]:
    """Return the measures of the captions of one image among themselves, of images with several."""
    several = [index for index in range(len(groups)) if groups.offsets[index + 1] - groups.offsets[index] > 1]
    none = "No image has several captions."
    captions = [groups.of_image(index) for index in several]
    measures = [
        ratio(f"div_{n}", f"distinct_{n} within an image", _pairs([_div(group, n) for group in captions]), none)
        for n in (1, 2)
    ]
    measures.append(
        ratio("mbleu_4", "BLEU-4 against the image's others", _pairs([_mbleu_4(group) for group in captions]), none)
    )
    if len(documents) < 2:
        none = "With one image, no word is weighed by how few images have it."
        return [*measures, Measure("self_cider", "self-CIDEr within an image", None, none)]
    weight = _weight_of(documents) if captions else None
    values = _pairs([self_cider(group, weight) for group in captions] if weight else [])
    return [*measures, ratio("self_cider", "self-CIDEr within an image", values, none)]


def _pairs(values: Sequence[float | None]) -> Floats:
    """Return array (image, 2) of value and 1, without the images that have no value."""
    rows = [(value, 1.0) for value in values if value is not None]
    return np.array(rows, dtype=np.float64).reshape(-1, 2)


def _div(captions: Sequence[Sequence[str]], n: int) -> float | None:
    n_words = sum(map(len, captions))
    different = {tuple(words[i : i + n]) for words in captions for i in range(len(words) - n + 1)}
    return len(different) / n_words if n_words else None


def _mbleu_4(captions: Sequence[Sequence[str]]) -> float:
    bleu = Bleu()
    rows = [
        bleu.statistics(words, [other for place, other in enumerate(captions) if place != number])
        for number, words in enumerate(captions)
    ]
    return float(bleu.from_statistics(np.stack(rows))[:, _BLEU_4].mean())


def _weight_of(documents: CaptionGroups) -> Callable[[tuple[str, ...]], float]:
    """Return the function that gives ln N - ln max(1, images that have the n-gram), N being the number of images."""
    frequency: Counter[tuple[str, ...]] = Counter()
    for index in range(len(documents)):
        captions = documents.of_image(index)
        frequency.update(
            {
                tuple(words[i : i + n])
                for words in captions
                for n in range(1, MAX_N + 1)
                for i in range(len(words) - n + 1)
            }
        )
    log_n_images = math.log(len(documents))
    return lambda ngram: log_n_images - math.log(max(1, frequency[ngram]))
