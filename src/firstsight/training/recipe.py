"""The whole recipe of an embedded model: pairs in, a folder of ONNX files and a model card out.

The steps are: encode the photos once, choose the words, fit the keyword head, train each decoder, write the files,
measure them. Each step keeps its result in the cache folder, so that the same command goes on where it was killed.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from firstsight.captioners.embedded import WEIGHTS_FOLDER
from firstsight.captioners.embedded.concepts import (
    Floats,
    Ints,
    class_word_scores,
    concept_inputs,
    pool,
)
from firstsight.captioners.embedded.model import ENCODER_FILE, load_session, run
from firstsight.captioners.embedded.vocabulary import Vocabulary, split_words
from firstsight.datasets.pairs import Pair
from firstsight.errors import TrainingError
from firstsight.training.concepts import (
    N_FOLDS,
    ConceptWords,
    ImaginedConcepts,
    KeywordHead,
    choose_words,
    fit_keywords,
    keyword_targets,
)
from firstsight.training.features import Features, encode_images, silent
from firstsight.training.loop import LoopOptions, PairData, TextData, Trainer, pad_words
from firstsight.training.model_folder import ModelName, write_model
from firstsight.training.network import CaptionNetwork, NetworkOptions
from firstsight.training.self_critical import Reward

Words = Sequence[Sequence[Sequence[str]]]
"""Of each image or text, of each caption, the words."""

MIN_PAIRS = 8
_BLOCK = 100  # images whose features are in memory at a time


@dataclass(frozen=True)
class RecipeOptions:
    """What a user may choose."""

    name: ModelName
    loop: LoopOptions = field(default_factory=LoopOptions)
    n_members: int = 1
    n_views: int = 6
    min_count: int = 4
    """A word enters the vocabulary when the pairs have it this often, or the texts three times as often."""


@dataclass(frozen=True)
class Progress:
    """``on_step`` is told a step's name, done, total and a remark; ``on_failure`` a photo left out, and why."""

    on_step: Callable[[str, int, int, str], None] = silent
    on_failure: Callable[[Path, str], None] = silent


@dataclass(frozen=True)
class Seen:
    """The photos that could be read: their features, their rows among them, and the words of their captions."""

    features: Features
    rows: Ints
    captions: Words


def train_model(
    pairs: Sequence[Pair],
    texts: Sequence[Sequence[str]],
    folder: Path,
    cache: Path,
    options: RecipeOptions,
    progress: Progress | None = None,
) -> None:
    """Train on ``pairs`` and write the model into ``folder``.

    Args:
        pairs: Photos with captions.
        texts: Caption sets without photos, which teach words and sentences that the photos do not show.
        folder: Where the model goes; files of an earlier model in it are replaced.
        cache: Where features and checkpoints are kept.
        options: The recipe's options.
        progress: Told about every step.

    Raises:
        TrainingError: There are too few pairs that can be read, or none of the captions has a word.
    """
    progress = progress or Progress()
    torch.set_num_threads(1)
    captions = [[split_words(caption) for caption in pair.captions] for pair in pairs]
    text_words = [[split_words(caption) for caption in text] for text in texts]
    if len(pairs) < MIN_PAIRS or not any(words for image in captions for words in image):
        raise TrainingError(
            f"Training needs at least {MIN_PAIRS} photos with captions that have words, got {len(pairs)} photos."
        )
    encoder = WEIGHTS_FOLDER / ENCODER_FILE
    features = encode_pairs(pairs, encoder, cache, options.n_views, progress)
    for index, reason in features.failures.items():
        progress.on_failure(pairs[index].file, reason)
    rows = np.array([row for row in range(len(pairs)) if row not in features.failures], np.int64)
    captions = [captions[row] for row in rows]
    if len(rows) < MIN_PAIRS:
        raise TrainingError(f"Only {len(rows)} of {len(pairs)} photos can be read; training needs {MIN_PAIRS}.")
    vocabulary = choose_vocabulary(captions, text_words, options.min_count)
    concepts = choose_words(captions, vocabulary)
    place = cache / "runs" / _key(pairs, texts, encoder, options)
    place.mkdir(parents=True, exist_ok=True)
    seen = Seen(features, rows, captions)
    head, lists = learn_concepts(seen, (vocabulary, concepts), place / "concepts.npz", progress)
    sizes = NetworkOptions(n_words=len(vocabulary))
    data = (
        _pair_data(seen, lists, vocabulary, sizes.max_words),
        _text_data(text_words, lists, captions, (vocabulary, concepts), sizes.max_words),
    )
    reward = Reward(captions, vocabulary)
    networks = []
    for member in range(options.n_members):
        loop = replace(options.loop, seed=options.loop.seed + member)
        torch.manual_seed(loop.seed)
        trainer = Trainer(CaptionNetwork(sizes), data, reward, loop, place / f"member-{member}.pt")
        trainer.run(_reporter(progress, f"train decoder {member + 1} of {options.n_members}", loop))
        networks.append(trainer.averaged())
    write_model(folder, options.name, encoder, (vocabulary, concepts), head, networks)


def _reporter(progress: Progress, name: str, loop: LoopOptions) -> Callable[[int, float], None]:
    n_steps = loop.n_steps + loop.self_critical.n_steps

    def report(step: int, loss: float) -> None:
        remark = f"loss {loss:.3f}" if step <= loop.n_steps else f"reward {-loss:.3f}"
        progress.on_step(name, step, n_steps, remark)

    return report


def encode_pairs(pairs: Sequence[Pair], encoder: Path, cache: Path, n_views: int, progress: Progress) -> Features:
    """Return the features of the photos, encoding those that the cache does not hold."""
    session = load_session(encoder)

    def encode(pixels: npt.NDArray[np.uint8]) -> tuple[Floats, Floats]:
        grid, logits = run(session, {"pixels": pixels})
        return grid, logits

    return encode_images(
        [pair.file for pair in pairs],
        encode,
        cache / "features",
        n_variants=n_views,
        seed=0,
        encoder_hash=hashlib.sha256(encoder.read_bytes()).hexdigest(),
        on_progress=lambda done, total: progress.on_step("encode photos", done, total, ""),
    )


def choose_vocabulary(captions: Words, texts: Words, min_count: int) -> Vocabulary:
    """Return the words that are frequent enough, the most frequent first."""
    of_pairs = Counter(word for image in captions for caption in image for word in caption)
    of_texts = Counter(word for text in texts for caption in text for word in caption)
    frequent = {word for word, n in of_pairs.items() if n >= min_count}
    frequent |= {word for word, n in of_texts.items() if n >= 3 * min_count}
    return Vocabulary(sorted(frequent, key=lambda word: (-(of_pairs[word] + of_texts[word]), word)))


def learn_concepts(
    seen: Seen, words: tuple[Vocabulary, ConceptWords], file: Path, progress: Progress
) -> tuple[KeywordHead, tuple[Ints, Ints]]:
    """Fit the keyword head; return it with the concept numbers and levels (n, views, k) of every view.

    The keyword scores of a training image come from a head that was fitted without that image, so that the decoder
    sees them as right and as wrong as it will see those of new images.
    """
    vocabulary, concepts = words
    if not file.exists():
        pooled = _pooled(seen)
        n, n_views = pooled.shape[:2]
        targets = keyword_targets(seen.captions, concepts.keywords)
        scores = np.empty((n, n_views, targets.shape[1]), np.float32)
        fold_of = np.random.default_rng(0).permutation(n) % N_FOLDS
        for fold in range(N_FOLDS):
            inside, outside = np.flatnonzero(fold_of == fold), np.flatnonzero(fold_of != fold)
            fitted = fit_keywords(_rows(pooled[outside]), np.repeat(targets[outside], n_views, 0))
            scores[inside] = fitted.scores(_rows(pooled[inside])).reshape(len(inside), n_views, -1)
            progress.on_step("fit keywords", fold + 1, N_FOLDS + 1, "")
        head = fit_keywords(_rows(pooled), np.repeat(targets, n_views, 0))
        progress.on_step("fit keywords", N_FOLDS + 1, N_FOLDS + 1, "")
        logits = np.asarray(seen.features.logits[seen.rows], np.float32)
        class_scores = class_word_scores(_rows(logits), concepts.word_of_class)
        numbers, levels = concept_inputs(_rows(scores), class_scores, concepts.numbers(vocabulary))
        arrays = {
            "weight": head.weight,
            "bias": head.bias,
            "numbers": numbers.reshape(n, n_views, -1),
            "levels": levels.reshape(n, n_views, -1),
        }
        temporary = file.with_name("part." + file.name)
        np.savez(temporary, **arrays)  # type: ignore[arg-type]
        temporary.replace(file)
    with np.load(file) as arrays:
        return KeywordHead(arrays["weight"], arrays["bias"]), (arrays["numbers"], arrays["levels"])


def _pooled(seen: Seen) -> Floats:
    """Return mean and maximum over the cells (n, views, 2 · channels), read block by block."""
    grid = seen.features.grid
    blocks = [seen.rows[start : start + _BLOCK] for start in range(0, len(seen.rows), _BLOCK)]
    pooled = [pool(np.asarray(grid[block], np.float32).reshape(-1, *grid.shape[2:])) for block in blocks]
    return np.concatenate(pooled).reshape(len(seen.rows), grid.shape[1], -1)


def _rows(array: npt.NDArray[np.float32]) -> Floats:
    """(n, views, k) to (n · views, k)."""
    return array.reshape(array.shape[0] * array.shape[1], array.shape[2])


def _pair_data(seen: Seen, lists: tuple[Ints, Ints], vocabulary: Vocabulary, max_words: int) -> PairData:
    encoded = [[vocabulary.encode(caption) for caption in image] for image in seen.captions]
    return PairData(seen.features.grid, seen.rows, lists[0], lists[1], pad_words(encoded, max_words))


def _text_data(
    texts: Words,
    lists: tuple[Ints, Ints],
    captions: Words,
    words: tuple[Vocabulary, ConceptWords],
    max_words: int,
) -> TextData | None:
    if not texts:
        return None
    vocabulary, concepts = words
    numbers, levels = lists[0][:, 0], lists[1][:, 0]
    said = [set(vocabulary.encode(word for caption in image for word in caption)) for image in captions]
    confirmed = np.array([[int(number) in own for number in row] for row, own in zip(numbers, said, strict=True)])
    imagined = ImaginedConcepts(texts, (numbers, levels, confirmed), concepts, vocabulary)
    encoded = [[vocabulary.encode(caption) for caption in text] for text in texts]
    return TextData(pad_words(encoded, max_words), imagined)


def _key(pairs: Sequence[Pair], texts: Sequence[Sequence[str]], encoder: Path, options: RecipeOptions) -> str:
    """Name a run by all that it depends on: with the same pairs and options it is the same run.

    The number of members is left out, for another member is trained beside those that exist.
    """
    digest = hashlib.sha256(encoder.read_bytes())
    digest.update(repr((asdict(options.loop), options.n_views, options.min_count)).encode())
    for pair in pairs:
        digest.update(repr((pair.file.name, pair.file.stat().st_size, tuple(pair.captions))).encode())
    for text in texts:
        digest.update(repr(tuple(text)).encode())
    return digest.hexdigest()[:16]
