"""Every kind of bad image: the code, the message, and that nothing else gets out."""

from __future__ import annotations

import io
import os
import random
import struct
import threading
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from firstsight.errors import ImageError, UsageError
from firstsight.images import load_image
from firstsight.images.quiet import pillow_warnings_ignored

_FORMATS = ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"]


def noise(width: int = 96, height: int = 64) -> Image.Image:
    return Image.fromarray(np.random.default_rng(7).integers(0, 256, (height, width, 3), dtype=np.uint8))


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


_WHOLE = {image_format: encoded(noise(), image_format) for image_format in _FORMATS}


def failure(source: object, **options: int) -> ImageError:
    with pytest.raises(ImageError) as caught:
        load_image(source, **options)
    return caught.value


def test_missing(tmp_path):
    error = failure(tmp_path / "no.jpg")
    assert error.code == "missing"
    assert str(error) == f"There is no file {str(tmp_path / 'no.jpg')!r}. Check its path."
    (tmp_path / "file").write_bytes(b"x")
    assert failure(tmp_path / "file" / "below.jpg").code == "missing"
    (tmp_path / "link.jpg").symlink_to(tmp_path / "gone")
    assert failure(tmp_path / "link.jpg").code == "missing"
    assert "NUL character" in str(failure("a\0b.jpg"))


def test_empty(tmp_path):
    (tmp_path / "e.jpg").touch()
    error = failure(tmp_path / "e.jpg")
    assert (error.code, str(error)) == (
        "empty",
        f"{str(tmp_path / 'e.jpg')!r} is empty (0 bytes). Copy or download it again.",
    )
    assert str(failure(b"")) == "the image is empty (0 bytes). Copy or download it again."
    assert failure(np.zeros((0, 4, 3), np.uint8)).code == "empty"


@pytest.mark.parametrize(
    "data", [b"<!DOCTYPE html><html>", b"%PDF-1.7", b"\0" * 100, b"P6 1 1 255\nabc", b"%!PS-Adobe-3.0"]
)
def test_not_an_image(data):
    error = failure(data)
    assert error.code == "not_an_image"
    assert str(error) == (
        "the image is not an image of a format that is read (JPEG, PNG, WebP, GIF, TIFF, BMP): "
        f"it starts with {data[:12]!r}. Convert it or leave it out."
    )


def test_a_format_that_starts_programs_is_never_tried():
    eps = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"
    assert failure(eps).code == "not_an_image"


@pytest.mark.parametrize("image_format", _FORMATS)
@pytest.mark.parametrize("share", [0.02, 0.3, 0.5, 0.9, 0.98])
def test_truncated(image_format, share, tmp_path):
    path = tmp_path / "half.jpg"
    path.write_bytes(_WHOLE[image_format][: int(len(_WHOLE[image_format]) * share)])
    error = failure(path)
    assert error.code == "truncated"
    assert str(error) == (
        f"{str(path)!r} ends too soon: {path.stat().st_size:,} bytes hold only a part of the image. "
        "Copy or download it again."
    )


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_truncated_jpeg_with_zeros_behind_it_is_no_half_grey_picture(progressive, share):
    whole = encoded(noise(), "JPEG", progressive=progressive)
    n_bytes = int(len(whole) * share)
    assert failure(whole[:n_bytes] + bytes(len(whole) - n_bytes)).code == "truncated"


@pytest.mark.parametrize("fit_px", [None, 12])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_truncated_jpeg_with_an_end_marker_is_no_half_grey_picture(mode, fit_px):
    whole = encoded(noise().convert(mode), "JPEG")
    for share in (0.3, 0.5, 0.8):
        assert failure(whole[: int(len(whole) * share)] + b"\xff\xd9", fit_px=fit_px).code == "truncated"


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_picture_that_is_grey_is_whole(mode, progressive):
    grey = Image.new(mode, (61, 47), 128 if mode == "L" else (128, 128, 128))
    assert (load_image(encoded(grey, "JPEG", progressive=progressive)) == 128).all()
    half_grey = noise()
    half_grey.paste((128, 128, 128), (0, 32, 96, 64))
    assert load_image(encoded(half_grey, "JPEG")).shape == (64, 96, 3)


def test_trailing_bytes_do_no_harm():
    for image_format in _FORMATS:
        assert load_image(_WHOLE[image_format] + b"\0" * 100).shape == (64, 96, 3)


def png_of(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


def test_too_large_is_said_from_the_header(monkeypatch):
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("was decoded"))
    error = failure(png_of(20_000, 8_000), max_pixels=100_000_000)
    assert error.code == "too_large"
    assert str(error) == "the image has 20,000 × 8,000 px = 160.0 Mpx; allowed are 100.0 Mpx. Make it smaller first."
    error = failure(png_of(50_000, 50_000))
    assert str(error) == "the image has 2,500 Mpx; allowed are 179.0 Mpx. Make it smaller first."
    assert failure(png_of(13_000, 13_800)).code == "too_large"


def test_an_image_between_pillows_warning_and_our_limit_gives_no_warning():
    assert failure(png_of(10_000, 10_000)).code == "truncated"  # 100 Mpx, of which no byte is there


def test_out_of_memory_is_too_large(monkeypatch):
    def fail(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    assert str(failure(_WHOLE["PNG"])) == (
        "the image has 96 × 64 px, more than fit in memory; allowed are 179.0 Mpx. Make it smaller first."
    )


def test_unreadable(tmp_path, monkeypatch):
    assert failure(tmp_path).code == "unreadable"
    assert str(failure(tmp_path)) == f"{str(tmp_path)!r} is a folder, not an image. Name the files in it."
    (tmp_path / "a.png").write_bytes(_WHOLE["PNG"])

    def denied(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    name = repr(str(tmp_path / "a.png"))
    assert str(failure(tmp_path / "a.png")) == (
        f"{name} cannot be opened: Permission denied. Check the path and your rights."
    )


def test_a_name_that_is_too_long_is_unreadable(tmp_path):
    error = failure(tmp_path / ("n" * 300 + ".jpg"))
    assert error.code == "unreadable"
    assert "File name too long" in str(error)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_or_device_does_not_block(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "is a pipe, socket or device; allowed are files" in str(failure(tmp_path / "pipe.jpg"))
    assert failure("/dev/zero").code == "unreadable"


def test_a_whole_file_with_a_broken_inside_is_unreadable():
    data = bytearray(_WHOLE["PNG"])
    data[24] = 77  # bit depth
    error = failure(bytes(data))
    assert error.code == "unreadable"
    assert str(error).startswith("the image cannot be decoded: ")
    assert str(error).endswith("Open it in an image editor and save it again.")


@pytest.mark.parametrize(
    "array", [np.zeros((4, 4), np.uint8), np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4, 3), np.float32)]
)
def test_an_array_of_another_shape(array):
    error = failure(array)
    assert error.code == "unreadable"
    assert f"shape {array.shape} and type {array.dtype}" in str(error)
    assert "(height_px, width_px, 3) uint8" in str(error)


def test_a_pil_image_that_is_truncated():
    data = _WHOLE["JPEG"]
    image = Image.open(io.BytesIO(data[: len(data) // 2]))
    assert failure(image).code == "truncated"


@pytest.mark.parametrize("source", [7, None, io.StringIO("text"), ["a.jpg"]])
def test_something_else_is_a_usage_error(source):
    with pytest.raises(UsageError, match="is not an image source; allowed are a path"):
        load_image(source)


@pytest.mark.parametrize("option", ["fit_px", "max_pixels"])
def test_options_below_one(option):
    with pytest.raises(UsageError, match=f"{option} is 0; it must be at least 1"):
        load_image(_WHOLE["PNG"], **{option: 0})


@settings(max_examples=300, deadline=None)
@given(
    image_format=st.sampled_from(_FORMATS),
    edits=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=6)), max_size=4),
    cut=st.floats(0, 1),
    fit_px=st.sampled_from([None, 10]),
)
def test_any_damage_gives_pixels_or_an_image_error(image_format, edits, cut, fit_px):
    data = bytearray(_WHOLE[image_format])
    for place, patch in edits:
        at = int(place**3 * len(data))  # most damage near the header
        data[at : at + len(patch)] = patch
    outcome: object
    try:
        outcome = load_image(bytes(data[: int(cut * len(data))]), fit_px=fit_px)
    except ImageError as error:
        outcome = error
    if isinstance(outcome, ImageError):
        assert outcome.code in {"empty", "not_an_image", "truncated", "too_large", "unreadable"}
        assert str(outcome).isprintable()
    else:
        assert outcome.ndim == 3
        assert outcome.dtype == np.uint8


def test_many_threads_at_once_leave_the_warning_filters_as_they_were():
    before = list(warnings.filters)
    order = random.Random(0)
    sources = [_WHOLE[order.choice(_FORMATS)] for _ in range(40)]
    threads = [threading.Thread(target=load_image, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert warnings.filters == before


def test_only_pillows_warnings_are_ignored():
    with pillow_warnings_ignored(), pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn("mine", UserWarning, stacklevel=1)
