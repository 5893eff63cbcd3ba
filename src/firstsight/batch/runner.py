"""Turns planned images into records: decodes ahead in threads while the model works, and keeps the order."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import TypeAlias

from firstsight.batch.plan import PlannedImage
from firstsight.captioners.base import Captioner
from firstsight.errors import CaptionerError, ImageError, UsageError
from firstsight.images import load_image
from firstsight.types import CaptionRecord, CaptionResult, Failure, RgbImage

__all__ = ["MAX_FAILURES_IN_A_ROW", "caption_images"]

MAX_FAILURES_IN_A_ROW = 20
"""So many images in a row on which the captioner itself fails mean that it is broken, not the images."""
_N_DECODERS = 2
_CAPTIONER_CODE = "captioner"

_Decoded: TypeAlias = "tuple[PlannedImage, Future[RgbImage]]"


def caption_images(
    images: Iterable[PlannedImage], captioner: Captioner, *, batch_size: int | None = None
) -> Iterator[CaptionRecord]:
    """Yield one record an image, in order.

    Two threads decode the images of the next batch while the captioner works on this one; no more than two batches
    are in memory. An image that cannot be read gives a record with ``error``. A batch on which the captioner fails is
    given to it again one by one, so that only the image that it fails on is lost (code ``captioner``).

    Args:
        images: The images; read no more than two batches ahead.
        captioner: What says the captions.
        batch_size: How many images the captioner is given at a time; its own choice if None.

    Raises:
        CaptionerError: The captioner failed on ``MAX_FAILURES_IN_A_ROW`` images one after the other. No record is
            yielded for these.
        UsageError: ``batch_size`` is below 1.
    """
    size = captioner.batch_size if batch_size is None else batch_size
    if size < 1:
        raise UsageError(f"The batch size is {size}; it must be at least 1.")
    held_back: list[CaptionRecord] = []
    with ThreadPoolExecutor(_N_DECODERS, thread_name_prefix="decode") as pool:
        try:
            for batch in _batches(images, captioner, pool, size):
                for record in _records(batch, captioner):
                    held_back.append(record)
                    if record.error is None or record.error.code != _CAPTIONER_CODE:
                        yield from held_back
                        held_back.clear()
                    elif len(held_back) == MAX_FAILURES_IN_A_ROW:
                        raise CaptionerError(
                            f"The captioner {captioner.name!r} failed on {MAX_FAILURES_IN_A_ROW} images in a row, "
                            f"last on {record.file!r}: {record.error.message}"
                        )
            yield from held_back
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _batches(
    images: Iterable[PlannedImage], captioner: Captioner, pool: ThreadPoolExecutor, size: int
) -> Iterator[list[_Decoded]]:
    """Yield batches of images that are being decoded, with the next batch begun already."""
    waiting: deque[list[_Decoded]] = deque()
    iterator = iter(images)
    while True:
        batch = [
            (image, pool.submit(load_image, image.path, fit_px=captioner.image_size_px))
            for image in itertools.islice(iterator, size)
        ]
        if batch:
            waiting.append(batch)
        if not waiting:
            return
        if len(waiting) > 1 or not batch:
            yield waiting.popleft()


def _records(batch: list[_Decoded], captioner: Captioner) -> list[CaptionRecord]:
    pixels: list[RgbImage] = []
    failures: dict[int, Failure] = {}
    for index, (_, decoded) in enumerate(batch):
        try:
            pixels.append(decoded.result())
        except ImageError as error:
            failures[index] = Failure(error.code, str(error))
    results = iter(_results(pixels, captioner))
    records = []
    for index, (image, _) in enumerate(batch):
        outcome = failures[index] if index in failures else next(results)
        record = CaptionRecord(image.image_id, image.file, provenance=captioner.provenance)
        if isinstance(outcome, Failure):
            records.append(replace(record, error=outcome))
        else:
            records.append(replace(record, captions=outcome.captions, score=outcome.score))
    batch.clear()  # the pixels go before the records are waited for
    return records


def _results(pixels: list[RgbImage], captioner: Captioner) -> list[CaptionResult | Failure]:
    """Return one result or failure an image; a batch that fails is tried image by image."""
    if not pixels:
        return []
    try:
        return _checked(pixels, captioner)
    except CaptionerError as error:
        if len(pixels) == 1:
            return [Failure(_CAPTIONER_CODE, str(error))]
    return [result for image in pixels for result in _results([image], captioner)]


def _checked(pixels: list[RgbImage], captioner: Captioner) -> list[CaptionResult | Failure]:
    results = captioner.caption_batch(pixels)
    if len(results) != len(pixels):
        raise CaptionerError(
            f"The captioner {captioner.name!r} gave {len(results)} results for {len(pixels)} images; "
            "it must give one each."
        )
    return [
        result
        if result.captions
        else Failure(_CAPTIONER_CODE, f"The captioner {captioner.name!r} gave no caption. Try other options.")
        for result in results
    ]
