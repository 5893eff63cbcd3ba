"""Learns the concept words of a training set, and imagines them for captions that have no image."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from firstsight.captioners.embedded.concepts import N_KEYWORDS, Floats, Ints, sigmoid
from firstsight.captioners.embedded.vocabulary import Vocabulary

N_FOLDS = 4
_MIN_IMAGES = 12  # a keyword occurs in the captions of at least this many images,
_IMAGES_PER_WORD = 500  # or, in a small set, of one in so many
_MAX_KEYWORDS = 1000
_MIN_HEAD_STEPS, _MAX_HEAD_STEPS = 50, 250
_SIMILAR_SHARE = 0.7  # wrong words of imagined lists that come from captions about something similar

FUNCTION_WORDS = frozenset(
    """
    a an the of in on at to with and or is are was were be been being it its it's he she they them him her his hers
    their there this that these those while as by from for into onto over under up down out off near next through
    across along around behind beside between during has have had having do does doing who which what where when
    some one two three four several many other another each all both no not very so just about against toward
    towards above below after before something someone something's i you we me my your our us if but than then too
    can could will would may off get gets getting go goes going gone taking takes take look looks looking seen made
    being like together himself herself themselves itself image picture photo photograph shot view front back side
    top bottom middle left right
    """.split()  # noqa: SIM905 - a list of quoted words would be longer and harder to read
)


def imagenet_words() -> list[list[str]]:
    """Return the caption words of each of the 1,000 ImageNet classes; some have none."""
    text = resources.files("firstsight.training").joinpath("imagenet_words.tsv").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in text.splitlines() if not line.startswith("#"))
    return [words.split() for _, _, words in rows]


@dataclass(frozen=True)
class ConceptWords:
    """The keywords and class words of a model, by their numbers in the vocabulary."""

    keywords: tuple[str, ...]
    class_words: tuple[str, ...]
    word_of_class: Floats
    """(1000, class words), 1 where the class has the word."""

    def numbers(self, vocabulary: Vocabulary) -> tuple[Ints, Ints]:
        """Return the vocabulary numbers of the keywords and of the class words."""
        return (
            np.array(vocabulary.encode(self.keywords), np.int64),
            np.array(vocabulary.encode(self.class_words), np.int64),
        )


def choose_words(captions: Sequence[Sequence[Sequence[str]]], vocabulary: Vocabulary) -> ConceptWords:
    """Choose the keywords that enough images speak of, and the class words that the vocabulary knows.

    Args:
        captions: The words of every caption of every training image.
        vocabulary: The decoder's words.
    """
    n_images: Counter[str] = Counter()
    for image in captions:
        n_images.update({word for caption in image for word in caption if word not in FUNCTION_WORDS})
    by_number = sorted(n_images, key=lambda word: (-n_images[word], word))  # no order of a set: a run must resume alike
    least = min(_MIN_IMAGES, max(2, len(captions) // _IMAGES_PER_WORD))
    common = [word for word in by_number[:_MAX_KEYWORDS] if n_images[word] >= least and word in vocabulary]
    of_class = [[word for word in words if word in vocabulary] for words in imagenet_words()]
    class_words = sorted({word for words in of_class for word in words})
    column = {word: index for index, word in enumerate(class_words)}
    matrix = np.zeros((len(of_class), len(class_words)), np.float32)
    for row, words in enumerate(of_class):
        matrix[row, [column[word] for word in words]] = 1.0
    return ConceptWords(tuple(common), tuple(class_words), matrix)


def keyword_targets(captions: Sequence[Sequence[Sequence[str]]], keywords: Sequence[str]) -> Floats:
    """Return (images, keywords): the share of an image's captions that have the word, 0 to 1."""
    column = {word: index for index, word in enumerate(keywords)}
    targets = np.zeros((len(captions), len(keywords)), np.float32)
    for row, image in enumerate(captions):
        for caption in image:
            targets[row, [column[word] for word in set(caption) if word in column]] += 1.0 / len(image)
    return targets


@dataclass(frozen=True)
class KeywordHead:
    """A linear head: probability = sigmoid((pooled - shift) / scale @ weight + bias)."""

    weight: Floats
    bias: Floats

    def scores(self, pooled: Floats) -> Floats:
        """Return probabilities (n, keywords) of pooled features (n, 2 · channels)."""
        return sigmoid(pooled @ self.weight + self.bias)


def fit_keywords(pooled: Floats, targets: Floats, *, weight_decay: float = 0.02) -> KeywordHead:
    """Fit the head by binary cross-entropy on soft targets that count a word in any caption as seen.

    Args:
        pooled: (rows, 2 · channels), rows being views of images.
        targets: (rows, keywords) in 0 to 1.
        weight_decay: Strength of the decoupled decay of the weights.
    """
    shift, scale = pooled.mean(0), pooled.std(0) + 1e-3
    x = torch.from_numpy((pooled - shift) / scale)
    y = torch.from_numpy(np.minimum(targets * 2.0, 1.0).astype(np.float32))
    rate = y.mean(0).clamp(1e-4, 1 - 1e-4)
    weight = torch.zeros(x.shape[1], y.shape[1], requires_grad=True)
    bias = torch.log(rate / (1 - rate)).requires_grad_()
    optimizer = torch.optim.AdamW(
        [{"params": [weight], "weight_decay": weight_decay}, {"params": [bias], "weight_decay": 0.0}], lr=2e-3
    )
    n_steps = min(_MAX_HEAD_STEPS, max(_MIN_HEAD_STEPS, len(x) // 20))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    generator = torch.Generator().manual_seed(0)
    for _ in range(n_steps):
        rows = torch.randint(len(x), (1024,), generator=generator)
        loss = functional.binary_cross_entropy_with_logits(
            functional.dropout(x[rows], 0.3) @ weight + bias, y[rows], reduction="sum"
        ) / len(rows)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    folded = weight.detach().numpy() / scale[:, None]
    return KeywordHead(folded, bias.detach().numpy() - shift @ folded)


class ImaginedConcepts:
    """Draws concept lists for captions without an image, as wrong and as right as those of real images.

    A list is drawn as a copy of a random training image's list in which each word that the image's captions confirm
    is replaced by a word of the captions at hand, and each word that they do not confirm by a word of another caption
    set, mostly one about something similar. So the decoder learns how far each level can be trusted.
    """

    def __init__(
        self,
        texts: Sequence[Sequence[Sequence[str]]],
        templates: tuple[Ints, Ints, npt.NDArray[np.bool_]],
        concepts: ConceptWords,
        vocabulary: Vocabulary,
    ) -> None:
        """Index the texts.

        Args:
            texts: The words of every caption of every set.
            templates: Word numbers, levels and confirmations (n, k) of the training images' lists.
            concepts: The words that lists may hold.
            vocabulary: The decoder's words.
        """
        self._templates = templates
        self._n_keywords = min(N_KEYWORDS, len(concepts.keywords))
        self._class_words = frozenset(concepts.numbers(vocabulary)[1].tolist())
        function_words = {vocabulary.number(word) for word in FUNCTION_WORDS if word in vocabulary}
        self._content: list[list[int]] = []
        for captions in texts:
            numbers = [vocabulary.number(word) for caption in captions for word in caption if word in vocabulary]
            self._content.append([number for number in numbers if number not in function_words])
        self._texts_of_word: dict[int, list[int]] = {}
        for index, numbers in enumerate(self._content):
            for number in set(numbers):
                self._texts_of_word.setdefault(number, []).append(index)

    def draw(self, index: int, random: np.random.Generator) -> tuple[Ints, Ints]:
        """Return word numbers and levels (k,) for the captions of text ``index``."""
        template = int(random.integers(len(self._templates[0])))
        concepts = self._templates[0][template].copy()
        levels = self._templates[1][template].copy()
        confirmed = self._templates[2][template]
        own = self._content[index]
        n = self._n_keywords
        for part, allowed in ((slice(0, n), None), (slice(n, None), self._class_words)):
            mine = [number for number in own if allowed is None or number in allowed]
            random.shuffle(mine)
            mine = list(dict.fromkeys(mine))
            for place in range(len(concepts))[part]:
                if confirmed[place] and mine:
                    concepts[place] = mine.pop()
                elif own and random.random() < _SIMILAR_SHARE:
                    concepts[place] = self._similar(own, allowed, random, int(concepts[place]))
        return concepts, levels

    def _similar(self, own: list[int], allowed: frozenset[int] | None, random: np.random.Generator, other: int) -> int:
        """Return a word of a text that shares a word with ``own``; ``other`` where that has none."""
        shared = own[int(random.integers(len(own)))]
        texts = self._texts_of_word[shared]
        content = self._content[texts[int(random.integers(len(texts)))]]
        choices = [number for number in content if allowed is None or number in allowed]
        return choices[int(random.integers(len(choices)))] if choices else other
