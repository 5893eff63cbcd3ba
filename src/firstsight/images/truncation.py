"""Tells image files that end too soon."""

from __future__ import annotations

import io
from typing import BinaryIO, Literal

import numpy as np

from firstsight.types import RgbImage

__all__ = ["is_cut_short", "jpeg_was_filled"]

_JPEG_END = b"\xff\xd9"
_JPEG_SCAN = b"\xff\xda"
_GREY = np.int16(128)
_PROBE_BYTES = 4096


def is_cut_short(file: BinaryIO) -> bool:
    """Return whether a file that failed to decode lacks its end, by what its format says of its own length."""
    file.seek(0)
    data = file.read()
    if data.startswith(b"\xff\xd8"):  # no end marker after the last scan; a thumbnail has its own before it
        return data.rfind(_JPEG_END) <= data.rfind(_JPEG_SCAN)
    if data.startswith(b"\x89PNG"):
        return b"IEND" not in data
    if data.startswith(b"GIF8"):
        return not data.rstrip(b"\0").endswith(b";")
    if data.startswith(b"RIFF"):
        return int.from_bytes(data[4:8], "little") + 8 > len(data)
    if data.startswith(b"BM"):
        return int.from_bytes(data[2:6], "little") > len(data)
    if data.startswith((b"II", b"MM")):
        return _tiff_is_cut_short(data, "little" if data.startswith(b"II") else "big")
    return False


def _tiff_is_cut_short(data: bytes, order: Literal["little", "big"]) -> bool:
    """Return whether the first directory or a strip or tile that it lists lies behind the end of the file."""

    def number(at: int, n_bytes: int) -> int:
        if at + n_bytes > len(data):
            raise EOFError
        return int.from_bytes(data[at : at + n_bytes], order)

    def values(entry: int) -> list[int]:
        width = {3: 2, 4: 4}.get(number(entry + 2, 2), 0)
        count = min(number(entry + 4, 4), len(data))
        start = entry + 8 if count * width <= 4 else number(entry + 8, 4)
        return [number(start + i * width, width) for i in range(count)] if width else []

    try:
        directory = number(4, 4)
        entries = {number(at, 2): at for at in range(directory + 2, directory + 2 + 12 * number(directory, 2), 12)}
        for offsets, lengths in ((273, 279), (324, 325)):
            if offsets in entries and lengths in entries:
                pieces = zip(values(entries[offsets]), values(entries[lengths]), strict=False)
                if any(offset + length > len(data) for offset, length in pieces):
                    return True
    except EOFError:
        return True
    return False


def jpeg_was_filled(file: BinaryIO, pixels: RgbImage, mode: str) -> bool:
    """Return whether the end of a decoded JPEG is filling that the decoder made up.

    Pillow passes over two signs. A file without an end marker may be filled up with zeros, which decode to some
    pattern. Where there is an end marker, libjpeg fills what is missing before it with mid grey. So where a corner is
    flat in that grey, the file is decoded once more with other bits added at the end of its data: a complete picture
    does not change, one that was cut short does.
    """
    n_bytes = file.seek(0, io.SEEK_END)
    file.seek(max(0, n_bytes - _PROBE_BYTES))
    if _JPEG_END not in file.read() and is_cut_short(file):
        return True
    if not _has_filled_corner(pixels, mode):
        return False
    from PIL import Image

    file.seek(0)
    data = file.read()
    end = data.rfind(_JPEG_END)
    probe = data[:end] + b"\x55" * _PROBE_BYTES + data[end:]
    with (
        Image.open(io.BytesIO(data), formats=("JPEG",)) as before,
        Image.open(io.BytesIO(probe), formats=("JPEG",)) as after,
    ):
        try:
            return before.tobytes() != after.tobytes()
        except (OSError, SyntaxError, ValueError):
            return True


def _has_filled_corner(pixels: RgbImage, mode: str) -> bool:
    """Return whether any corner is flat mid grey; orientation may have moved the one that is decoded last.

    Of a CMYK picture, whose grey may have become any colour, a flat corner is enough.
    """
    n = 4
    corners = (pixels[:n, :n], pixels[:n, -n:], pixels[-n:, :n], pixels[-n:, -n:])
    greys = (corner[0, 0].astype(np.int16) if mode == "CMYK" else _GREY for corner in corners)
    return any(bool(np.all(np.abs(corner - grey) <= 1)) for corner, grey in zip(corners, greys, strict=True))
