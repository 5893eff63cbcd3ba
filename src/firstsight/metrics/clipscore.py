"""CLIPScore: how close the candidate is to the image itself, in the space of a CLIP model.

The one file of the metrics that imports torch and transformers.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from firstsight._text import visible
from firstsight.errors import (
    BackendError,
    ImageError,
    MetricUndefinedError,
    MissingDependencyError,
    UsageError,
)
from firstsight.metrics._images import image_files, unreadable
from firstsight.metrics.base import Metric
from firstsight.metrics.corpus import Corpus
from firstsight.tokenizers.words import without_surrogates
from firstsight.types import Json, RgbImage

if TYPE_CHECKING:
    import torch

__all__ = ["ClipScore"]

DEFAULT_MODEL = "openai/clip-vit-base-patch32"
PREFIX = "A photo depicts "
WEIGHT = 2.5
# Mean and standard deviation of red, green and blue in CLIP's training data, of values 0 to 1 (Radford et al. 2021).
_MEAN = np.array([0.48145466, 0.4578275, 0.40821073], dtype=np.float32)
_STD = np.array([0.26862954, 0.26130258, 0.27577711], dtype=np.float32)
_BLOCK_IMAGES = 512
_LONGEST_SHAPE = 16
_HASH_DIGITS = 12

Floats = npt.NDArray[np.float64]


class ClipScore(Metric):
    r"""CLIPScore and RefCLIPScore of a corpus: means over images, 0 to 2.5, higher is better.

    With :math:`c`, :math:`v` and :math:`r` the embeddings of candidate, image and reference, each caption written
    behind the words "A photo depicts ",

    .. math::
        \text{CLIPScore} = 2.5 \max(\cos(c, v), 0), \quad
        \text{RefCLIPScore} = \frac{2 a b}{a + b}, \quad a = \text{CLIPScore}, \;
        b = \max\bigl(\max_r \cos(c, r), 0\bigr)

    and RefCLIPScore 0 where a or b is 0; it is at most 10/7. CLIPScore looks at no reference. A caption that is longer
    than the model's context (77 tokens, begin and end mark counted) is cut there, so a long caption is judged by its
    beginning. An empty candidate is scored as any other.

    The image is reduced to the model's size by its shorter side with Pillow's bicubic filter, cut to the square in the
    middle and normalised with CLIP's mean and deviation. Embeddings are float32, cosines float64. With another
    ``batch_size`` or ``device`` scores differ by some 1e-7.

    Example:
        >>> ClipScore("openai/clip-vit-base-patch32", device="cpu").name
        'clipscore'

    Follows the paper and ``clipscore.py`` of its authors. Differences: a negative similarity to every reference counts
    as 0, as in the paper, where that program keeps it; on a GPU that program embeds in float16, here always in
    float32; the image is turned upright and its colours are converted first. Scores of different models do not compare:
    the signature names the model and the hash of its weights.

    Paper: Hessel, Holtzman, Forbes, Le Bras and Choi, "CLIPScore: a reference-free evaluation metric for image
    captioning", EMNLP 2021, sections 3 and 3.1.
    """

    name: ClassVar[str] = "clipscore"
    version: ClassVar[str] = "1"
    score_names: ClassVar[tuple[str, ...]] = ("CLIPScore", "RefCLIPScore")
    score_range: ClassVar[tuple[float, float]] = (0.0, WEIGHT)
    needs_images: ClassVar[bool] = True
    takes_model: ClassVar[bool] = True

    def __init__(
        self,
        model: str = DEFAULT_MODEL,
        *,
        revision: str | None = None,
        device: str = "cpu",
        batch_size: int = 32,
    ) -> None:
        """Say which model scores; it is loaded when first needed.

        Args:
            model: A folder with a CLIP model as ``transformers`` saves it, or the name of one on the Hugging Face hub,
                which is downloaded once.
            revision: Branch, tag or commit on the hub.
            device: Where torch computes: ``cpu``, ``cuda``, ``cuda:1``, ``mps``.
            batch_size: Images or captions that go through the model together.

        Raises:
            UsageError: The model has no name, or ``batch_size`` is below 1.
        """
        if not model.strip():
            raise UsageError("clipscore needs a model: the folder of a CLIP model, or its name on the hub.")
        if batch_size < 1:
            raise UsageError(f"batch_size is {batch_size}; it must be at least 1.")
        self._model_name = model
        self._revision = revision
        self._device = device
        self._batch_size = batch_size

    @classmethod
    def is_available(cls) -> bool:
        """Return whether torch and transformers are installed; a model is looked for when one is asked for."""
        return all(find_spec(package) is not None for package in ("torch", "transformers"))

    @cached_property
    def _encoder(self) -> _ClipEncoder:
        return _ClipEncoder(self._model_name, self._revision, self._device)

    @property
    def parameters(self) -> dict[str, Json]:
        """The model with the hash of its weights, and what is fixed; loads the model.

        Raises:
            MissingDependencyError: torch or transformers is not installed.
            BackendError: The model cannot be loaded.
        """
        encoder = self._encoder
        known: dict[str, Json] = {
            "model": encoder.name,
            "weights": encoder.weights,
            "prefix": PREFIX.strip(),
            "max_tokens": encoder.max_tokens,
            "w": WEIGHT,
        }
        return known | ({"revision": encoder.revision} if encoder.revision else {})

    def prepare(self, corpus: Corpus) -> None:
        """Check that every image has a file.

        Raises:
            MetricUndefinedError: The corpus has no images.
            UsageError: Files of images were not given, or not all.
        """
        super().prepare(corpus)
        image_files(corpus, self.name)

    def corpus_statistics(self, corpus: Corpus) -> Floats:
        """Return the scores of every image and the count 1.

        Args:
            corpus: Images with their files, candidates and references.

        Returns:
            Array (image, 3) float64: CLIPScore; RefCLIPScore; 1.

        Raises:
            ImageError: Images cannot be read; the message names them.
            UsageError: Files of images were not given, or not all.
            MissingDependencyError: torch or transformers is not installed.
            BackendError: The model cannot be loaded, or gives no finite numbers.
        """
        files = image_files(corpus, self.name)
        blocks = [
            self._block(corpus, files, range(start, min(start + _BLOCK_IMAGES, len(corpus))))
            for start in range(0, len(corpus), _BLOCK_IMAGES)
        ]
        return np.concatenate(blocks)

    def from_statistics(self, totals: Floats) -> Floats:
        """Return the means over images.

        Args:
            totals: Array (..., 3) float64: sums of both scores; number of images.

        Returns:
            Array (..., 2) float64: CLIPScore from 0 to 2.5, RefCLIPScore from 0 to 10/7.

        Raises:
            MetricUndefinedError: The number of images is zero.
        """
        totals = np.asarray(totals, dtype=np.float64)
        if np.any(totals[..., 2] == 0):
            raise MetricUndefinedError(f"{self.name} is undefined: it is a mean over images and there is none.")
        means: Floats = totals[..., :2] / totals[..., 2:]
        return means

    def _block(self, corpus: Corpus, files: Sequence[Path], indices: range) -> Floats:
        images = np.concatenate(list(self._image_batches(corpus, files, indices)))  # (block, d)
        groups = [corpus.references[index] for index in indices]
        captions = [corpus.candidates[index] for index in indices] + [text for group in groups for text in group]
        texts = np.concatenate(list(map(self._encoder.texts, _batches(captions, self._batch_size))))
        vectors, texts = _unit(images), _unit(texts)
        candidates, references = texts[: len(groups)], texts[len(groups) :]
        owners = np.repeat(np.arange(len(groups)), list(map(len, groups)))
        similarity = np.einsum("rd,rd->r", candidates[owners], references)  # of each reference with its candidate
        nearest = np.zeros(len(groups))
        np.maximum.at(nearest, owners, np.clip(similarity, 0.0, 1.0))
        score = WEIGHT * np.clip(np.einsum("nd,nd->n", candidates, vectors), 0.0, 1.0)
        total = score + nearest
        harmonic = 2 * score * nearest / np.where(total > 0, total, 1.0)
        return np.stack([score, harmonic, np.ones(len(groups))], axis=1)

    def _image_batches(self, corpus: Corpus, files: Sequence[Path], indices: range) -> Iterator[Floats]:
        """Yield the embeddings of batches of images; a file that cannot be read ends it, all such files named."""
        from firstsight.images import load_image

        for batch in _batches(indices, self._batch_size):
            pixels = []
            for index in batch:
                try:
                    pixels.append(load_image(files[index]))
                except ImageError:
                    raise unreadable(_all_unreadable(corpus, files, index), len(corpus), self.name) from None
            yield self._encoder.images(pixels)
            corpus.report(self.name, batch[-1] + 1)


def _all_unreadable(corpus: Corpus, files: Sequence[Path], first: int) -> list[tuple[str, ImageError]]:
    from firstsight.images import load_image

    failures = []
    for index in range(first, len(files)):
        try:
            load_image(files[index])
        except ImageError as error:
            failures.append((corpus.image_ids[index], error))
    return failures


class _ClipEncoder:
    """A CLIP model with its tokenizer; maps what transformers and torch raise."""

    def __init__(self, model: str, revision: str | None, device: str) -> None:
        if not ClipScore.is_available():
            raise MissingDependencyError("The metric clipscore", extra="clip")
        self._device = _checked_device(device)
        folder = Path(model).expanduser()
        is_local = folder.is_dir()
        if not is_local and _looks_like_a_path(model):
            raise BackendError(
                f"There is no folder {visible(str(folder))!r} with a CLIP model. Name the folder in which "
                "transformers' save_pretrained wrote one (it has config.json), or a model on the Hugging Face hub."
            )
        self.name = folder.resolve().name if is_local else model
        self._model, self._tokenizer = _load(str(folder) if is_local else model, revision, is_local=is_local)
        self._model.to(self._device)
        config = self._model.config
        self.revision = None if is_local else getattr(config, "_commit_hash", None) or revision
        self.weights = _hash_of(self._model)
        self.max_tokens = int(config.text_config.max_position_embeddings)
        self.size_px = int(config.vision_config.image_size)

    def texts(self, captions: Sequence[str]) -> Floats:
        """Return the embeddings (caption, d) of captions behind the prefix, cut at ``max_tokens``."""
        import torch

        # Always padded to the full context, so that a caption's numbers do not hang on its neighbours' length.
        tokens = self._tokenizer(
            [PREFIX + without_surrogates(caption) for caption in captions],
            padding="max_length",
            truncation=True,
            max_length=self.max_tokens,
            return_tensors="pt",
        ).to(self._device)
        with torch.inference_mode():
            states = self._model.text_model(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
            return _finite(self._model.text_projection(states.pooler_output), self.name)

    def images(self, images: Sequence[RgbImage]) -> Floats:
        """Return the embeddings (image, d)."""
        import torch

        pixels = np.stack([_normalised(image, self.size_px) for image in images])  # (image, channel, height, width)
        with torch.inference_mode():
            states = self._model.vision_model(pixel_values=torch.from_numpy(pixels).to(self._device))
            return _finite(self._model.visual_projection(states.pooler_output), self.name)


def _load(model: str, revision: str | None, *, is_local: bool) -> tuple[Any, Any]:
    from transformers import AutoConfig, AutoTokenizer, CLIPModel
    from transformers.utils import logging as untyped_logging

    logging: Any = untyped_logging
    known: dict[str, Any] = {"local_files_only": is_local, "revision": revision or "main"}
    level, has_bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    if is_local:
        logging.disable_progress_bar()
    try:
        kind = AutoConfig.from_pretrained(model, **known).model_type
        if kind != "clip":
            raise BackendError(
                f"{visible(model)!r} is a model of the kind {kind!r}; clipscore needs one of the kind 'clip', such as "
                f"{DEFAULT_MODEL!r}."
            )
        loaded: Any = CLIPModel.from_pretrained(model, **known)
        tokenizer = AutoTokenizer.from_pretrained(model, **known)
    except BackendError:
        raise
    except Exception as error:  # hub, file and format faults come as a dozen classes of three packages
        raise _not_loaded(model, error, is_local=is_local) from None
    finally:
        logging.set_verbosity(level)
        if has_bars:
            logging.enable_progress_bar()
    return loaded.float().eval(), tokenizer


def _not_loaded(model: str, error: Exception, *, is_local: bool) -> BackendError:
    reason = visible(" ".join(str(error).split())[:300]).rstrip(".") or type(error).__name__
    if is_local:
        return BackendError(
            f"The folder {visible(model)!r} holds no CLIP model that can be loaded: {reason}. It should have "
            "config.json, the weights and the tokenizer, as transformers' save_pretrained writes them."
        )
    return BackendError(
        f"The model {visible(model)!r} is not on this machine and could not be downloaded: {reason}. Check the name "
        "and the network; or copy its folder from a machine that has it and name the folder as the model."
    )


def _looks_like_a_path(model: str) -> bool:
    """Whether it cannot be a name on the hub, ``model`` or ``owner/model``."""
    return model.startswith((".", "~", "/", os.sep)) or model.count("/") > 1 or "\\" in model


def _checked_device(device: str) -> torch.device:
    import torch

    try:
        found = torch.device(device)
        torch.empty(1, device=found)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = visible(" ".join(str(error).split())[:200]).rstrip(".")
        raise UsageError(
            f"torch cannot compute on device {visible(device)!r}: {reason}. 'cpu' is always there."
        ) from None
    return found


def _hash_of(model: Any) -> str:
    """Return the first hex digits of the SHA-256 of all weights as float32, each behind its name."""
    digest = hashlib.sha256()
    for name, values in sorted(model.state_dict().items()):
        digest.update(name.encode() + b"\0")
        digest.update(np.ascontiguousarray(values.cpu().numpy()).tobytes())
    return digest.hexdigest()[:_HASH_DIGITS]


def _normalised(image: RgbImage, size_px: int) -> npt.NDArray[np.float32]:
    """Return the middle square (3, size_px, size_px) float32 of the image, reduced to ``size_px`` and normalised."""
    from PIL import Image

    image = _middle(image)
    height_px, width_px = image.shape[:2]
    short_px = min(height_px, width_px)
    width, height = size_px * width_px // short_px, size_px * height_px // short_px
    reduced = Image.fromarray(image).resize((width, height), Image.Resampling.BICUBIC)
    left, top = round((width - size_px) / 2), round((height - size_px) / 2)
    square = np.asarray(reduced.crop((left, top, left + size_px, top + size_px)), dtype=np.float32)
    return ((square / np.float32(255) - _MEAN) / _STD).transpose(2, 0, 1).astype(np.float32)


def _middle(image: RgbImage) -> RgbImage:
    """Return the image, or of a very long one the middle, which holds all of the square: a strip must not grow huge."""
    height_px, width_px = image.shape[:2]
    most_px = _LONGEST_SHAPE * min(height_px, width_px)
    top, left = max(0, height_px - most_px) // 2, max(0, width_px - most_px) // 2
    return np.ascontiguousarray(image[top : height_px - top, left : width_px - left])


def _unit(vectors: Floats) -> Floats:
    """Return each row at length 1; a row of zeros stays."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: Floats = vectors / np.where(lengths > 0, lengths, 1.0)
    return unit


def _finite(features: torch.Tensor, model: str) -> Floats:
    values: Floats = features.cpu().numpy().astype(np.float64)
    if not np.isfinite(values).all():
        raise BackendError(f"The model {visible(model)!r} gives numbers that are not finite. Its weights are broken.")
    return values


def _batches(items: Any, size: int) -> Iterator[Any]:
    """Yield slices of a sequence."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
