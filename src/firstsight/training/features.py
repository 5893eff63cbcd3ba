"""Encodes the training images once and keeps the features on disk, so that every epoch and every run is cheap."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from firstsight._files import write_whole
from firstsight.captioners.embedded.preprocess import to_pixels
from firstsight.errors import ImageError, TrainingError
from firstsight.images import load_image
from firstsight.types import RgbImage

_CHECKPOINT_EVERY = 64  # images between two records of progress
_ARRAYS = ("grid", "logits")


def silent(*_: object) -> None:
    """Say nothing: the default of every progress callback."""


Encode = Callable[[RgbImage], tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]]
"""From pixels (n, 260, 260, 3) to the grid (n, cells, channels) and the ImageNet logits (n, 1000)."""


@dataclass(frozen=True)
class Features:
    """Encoded images on disk: ``grid`` (n, variants, cells, channels) and ``logits`` (n, variants, 1000), float16.

    Variant 0 is the image, 1 its mirror image, the others are random crops, half of them mirrored. ``failures`` says
    why an image could not be read, by its place; its features are zeros.
    """

    grid: npt.NDArray[np.float16]
    logits: npt.NDArray[np.float16]
    failures: dict[int, str]


def encode_images(
    files: Sequence[Path],
    encode: Encode,
    folder: Path,
    *,
    n_variants: int,
    seed: int,
    encoder_hash: str,
    on_progress: Callable[[int, int], None] = silent,
) -> Features:
    """Return the features of ``files``, encoding only what ``folder`` does not hold yet.

    The features are kept under a name made of the files' names and sizes, the encoder, the variants and the seed; a run
    that was killed goes on where it was.

    Args:
        files: The images, in the order of the result.
        encode: The encoder.
        folder: The cache folder, made if need be.
        n_variants: How many views of each image are encoded, at least 1.
        seed: Seed of the random crops.
        encoder_hash: Identifies the encoder's weights.
        on_progress: Called with the images done and the total.

    Raises:
        TrainingError: No image can be read.
    """
    folder = folder / _key(files, n_variants, seed, encoder_hash)
    folder.mkdir(parents=True, exist_ok=True)
    progress = folder / "progress.json"
    state: dict[str, Any] = json.loads(progress.read_text()) if progress.exists() else {"n_done": 0, "failures": {}}
    arrays: list[npt.NDArray[np.float16]] = []
    if state["n_done"]:
        arrays = [np.load(folder / f"{name}.npy", mmap_mode="r+") for name in _ARRAYS]
    for index in range(state["n_done"], len(files)):
        try:
            pixels = views(load_image(files[index]), n_variants, np.random.default_rng([seed, index]))
        except ImageError as error:
            state["failures"][str(index)] = str(error)
        else:
            encoded = [encode(view[None]) for view in pixels]
            if not arrays:
                arrays = [
                    np.lib.format.open_memmap(
                        folder / f"{name}.npy", "w+", np.float16, (len(files), n_variants, *encoded[0][part].shape[1:])
                    )
                    for part, name in enumerate(_ARRAYS)
                ]
            for part, array in enumerate(arrays):
                array[index] = np.concatenate([item[part] for item in encoded])
        if arrays and ((index + 1) % _CHECKPOINT_EVERY == 0 or index + 1 == len(files)):
            for array in arrays:
                array.flush()  # type: ignore[attr-defined]
            state["n_done"] = index + 1
            write_whole(progress, json.dumps(state), overwrite=True)
            on_progress(index + 1, len(files))
    if not arrays:
        raise TrainingError(f"None of the {len(files)} photos can be read; the first: {state['failures']['0']}")
    grid, logits = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in _ARRAYS)
    return Features(grid, logits, {int(index): reason for index, reason in state["failures"].items()})


def views(image: RgbImage, n_variants: int, random: np.random.Generator) -> list[RgbImage]:
    """Return the image, its mirror image and random crops of 60 to 100 % of its area, each (260, 260, 3)."""
    height_px, width_px = image.shape[:2]
    whole = to_pixels(image)
    pixels = [whole, np.ascontiguousarray(whole[:, ::-1])][:n_variants]
    while len(pixels) < n_variants:
        scale = np.sqrt(random.uniform(0.6, 1.0))
        ratio = np.exp(random.uniform(-0.15, 0.15))
        crop_width_px = min(width_px * scale * ratio, width_px)
        crop_height_px = min(height_px * scale / ratio, height_px)
        left = random.uniform(0, width_px - crop_width_px)
        top = random.uniform(0, height_px - crop_height_px)
        crop = to_pixels(image, (left, top, left + crop_width_px, top + crop_height_px))
        pixels.append(np.ascontiguousarray(crop[:, ::-1]) if len(pixels) % 2 else crop)
    return pixels


def _key(files: Sequence[Path], n_variants: int, seed: int, encoder_hash: str) -> str:
    digest = hashlib.sha256(f"{n_variants} {seed} {encoder_hash}\n".encode())
    for file in files:
        digest.update(f"{file.name}\0{file.stat().st_size}\n".encode())
    return digest.hexdigest()[:16]
