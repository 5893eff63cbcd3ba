"""The files of an embedded model, and ONNX Runtime that runs them."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnxruntime

from firstsight.captioners.embedded.concepts import Floats, Ints, class_word_scores, concept_inputs, pool, sigmoid
from firstsight.captioners.embedded.vocabulary import END, START, Vocabulary
from firstsight.errors import CaptionerError
from firstsight.types import RgbImage

MODEL_FILE = "model.json"
ENCODER_FILE = "encoder.onnx"
KEYWORD_FILE = "keywords.npz"
FORMAT = 1


class ModelDescription(msgspec.Struct, frozen=True, kw_only=True):
    """What ``model.json`` holds."""

    format: int
    name: str
    version: str
    licence: str
    n_members: int
    """How many decoders vote; their log-probabilities are averaged."""
    n_layers: int
    n_heads: int
    width: int
    max_words: int
    words: list[str]
    keywords: list[str]
    class_words: list[str]
    words_of_class: list[list[str]]


@dataclass(frozen=True, slots=True)
class Percepts:
    """What the model sees in n images: the decoder's inputs, and the keyword probabilities (n, keywords)."""

    grid: Floats
    concepts: Ints
    levels: Ints
    keyword_scores: Floats


class EmbeddedModel:
    """An encoder and one or more decoders, on one thread."""

    def __init__(self, folder: Path) -> None:
        """Load every file.

        Args:
            folder: Holds ``model.json``, ``encoder.onnx``, ``keywords.npz``, ``memory-N.onnx`` and ``decoder-N.onnx``.

        Raises:
            CaptionerError: A file is missing, damaged or of another format; the message names it.
        """
        self.description = read_description(folder)
        self.vocabulary = Vocabulary(self.description.words)
        self._encoder = load_session(folder / ENCODER_FILE)
        members = range(self.description.n_members)
        self._memories = [load_session(folder / f"memory-{member}.onnx") for member in members]
        self._decoders = [load_session(folder / f"decoder-{member}.onnx") for member in members]
        try:
            with np.load(folder / KEYWORD_FILE) as arrays:
                self._keyword_weight = arrays["weight"] * arrays["scale"]  # int8 (2 · channels, keywords) and float32
                self._keyword_bias = arrays["bias"]
        except (OSError, ValueError, KeyError) as error:
            raise CaptionerError(_damaged(folder / KEYWORD_FILE, error)) from error
        column = {word: index for index, word in enumerate(self.description.class_words)}
        self._word_of_class = np.zeros((len(self.description.words_of_class), len(column)), np.float32)
        for row, words in enumerate(self.description.words_of_class):
            self._word_of_class[row, [column[word] for word in words]] = 1.0
        n_keywords = len(self.description.keywords)
        self._concept_rows = (np.arange(n_keywords), n_keywords + np.arange(len(column)))
        self._folder = folder
        self._lock = threading.Lock()
        self._hash: str | None = None

    @property
    def weights_hash(self) -> str:
        """``sha256:`` and the hash of all files of the model, by name."""
        with self._lock:
            if self._hash is None:
                digest = hashlib.sha256()
                members = range(self.description.n_members)
                graphs = [f"{part}-{member}.onnx" for part in ("decoder", "memory") for member in members]
                for name in (*sorted([*graphs, ENCODER_FILE]), KEYWORD_FILE, MODEL_FILE):
                    digest.update(name.encode() + b"\0" + hashlib.sha256((self._folder / name).read_bytes()).digest())
                self._hash = "sha256:" + digest.hexdigest()
            return self._hash

    def perceive(self, pixels: RgbImage) -> Percepts:
        """Encode images (n, 260, 260, 3) uint8, one after the other: a larger batch is slower on a core's cache."""
        encoded = [run(self._encoder, {"pixels": pixels[row : row + 1]}) for row in range(len(pixels))]
        grid, logits = (np.concatenate([parts[part] for parts in encoded]) for part in (0, 1))
        keyword_scores = sigmoid(pool(grid) @ self._keyword_weight + self._keyword_bias)
        concepts, levels = concept_inputs(
            keyword_scores, class_word_scores(logits, self._word_of_class), self._concept_rows
        )
        return Percepts(grid, concepts, levels, keyword_scores)

    def steps(self, percepts: Percepts) -> ModelSteps:
        """Return the decoders ready to speak of ``percepts``."""
        inputs: dict[str, npt.NDArray[Any]] = {
            "grid": percepts.grid,
            "concepts": percepts.concepts,
            "levels": percepts.levels,
        }
        return ModelSteps(self.description, self._decoders, [run(memory, inputs) for memory in self._memories])


class ModelSteps:
    """The ``Steps`` of an embedded model: keeps each member's cache of the words so far."""

    start, end = START, END

    def __init__(
        self, description: ModelDescription, decoders: list[onnxruntime.InferenceSession], memories: list[list[Floats]]
    ) -> None:
        """Begin before the first word."""
        self.n_images = memories[0][0].shape[1]
        self.max_words = description.max_words - 1
        self._description, self._decoders, self._memories = description, decoders, memories
        self._pasts: list[list[Floats]] = []
        self._place = 0

    def advance(self, words: Ints, parents: Ints | None) -> Floats:
        """Return the log-probabilities (n, b, vocabulary) of the next word, the mean over the members."""
        n, b = words.shape
        if parents is None:
            d = self._description
            empty = np.zeros((d.n_layers, n * b, d.n_heads, 0, d.width // d.n_heads), np.float32)
            self._pasts = [[empty, empty] for _ in self._decoders]
        else:
            rows = (parents + np.arange(n)[:, None] * b).ravel()
            self._pasts = [[part[:, rows] for part in past] for past in self._pasts]
        outputs: list[Floats] = []
        for member, decoder in enumerate(self._decoders):
            keys, values = self._memories[member]
            inputs: dict[str, npt.NDArray[Any]] = {"keys": keys, "values": values, "words": words}
            inputs |= {"place": np.array(self._place, np.int64)}
            inputs |= zip(("past_keys", "past_values"), self._pasts[member], strict=True)
            log_probs, *self._pasts[member] = run(decoder, inputs)
            outputs.append(log_probs)
        self._place += 1
        return outputs[0] if len(outputs) == 1 else np.mean(outputs, axis=0)


def read_description(folder: Path) -> ModelDescription:
    """Read ``model.json``.

    Raises:
        CaptionerError: There is none, or it is not one that this version reads.
    """
    file = folder / MODEL_FILE
    try:
        description = msgspec.json.decode(file.read_bytes(), type=ModelDescription)
    except FileNotFoundError as error:
        raise CaptionerError(
            f"{folder} holds no {MODEL_FILE}, so it is no embedded model; name a folder written by 'firstsight train'."
        ) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise CaptionerError(_damaged(file, error)) from error
    if description.format != FORMAT:
        raise CaptionerError(
            f"{file} has format {description.format}; this version reads format {FORMAT}. "
            "Train the model again or install the version that wrote it."
        )
    return description


def load_session(file: Path) -> onnxruntime.InferenceSession:
    """Load an ONNX file for one thread.

    Raises:
        CaptionerError: The file is missing or damaged.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime raises a class of its own for every status, none of them public
        raise CaptionerError(_damaged(file, error)) from error


def run(session: onnxruntime.InferenceSession, inputs: Mapping[str, npt.NDArray[Any]]) -> list[Floats]:
    """Run a session.

    Raises:
        CaptionerError: It failed.
    """
    try:
        outputs: list[Floats] = session.run(None, dict(inputs))
    except Exception as error:  # as in load_session
        raise CaptionerError(f"The embedded model failed: {error}") from error
    return outputs


def _damaged(file: Path, error: Exception) -> str:
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"{file} cannot be loaded ({reason}); install firstsight again, or train the model again."
