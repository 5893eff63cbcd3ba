"""Opens, checks and decodes one image; the one place where Pillow's exceptions become `ImageError`."""

from __future__ import annotations

import io
import os
import re
import stat
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NoReturn, TypeAlias

import numpy as np

from firstsight.errors import ImageError, UsageError
from firstsight.images.quiet import pillow_warnings_ignored
from firstsight.images.truncation import is_cut_short, jpeg_was_filled
from firstsight.types import RgbImage

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["IMAGE_FORMATS", "IMAGE_SUFFIXES", "MAX_PIXELS", "ImageSource", "load_image"]

ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | BinaryIO | Image.Image | RgbImage"
"""A path, the bytes of a file, a file opened for reading bytes, a PIL image, or an (h, w, 3) uint8 array."""

IMAGE_FORMATS = ("JPEG", "PNG", "WebP", "GIF", "TIFF", "BMP")
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".tif", ".tiff", ".bmp"})
"""Suffixes, in lower case, by which images are found in a folder; the content alone decides what a file is."""

MAX_PIXELS = 178_956_970
"""Most pixels that are decoded (0.5 GiB as RGB), the limit at which Pillow itself gives up."""

# Only these decoders are ever tried: others that Pillow knows start external programs (EPS) or are no pictures.
_PILLOW_FORMATS = tuple(name.upper() for name in IMAGE_FORMATS)
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"BM")
_MARGIN = 2
"""A picture is decoded at no less than this many times ``fit_px``, so that the last reduction still filters well."""
_REASON_CHARS = 160


def load_image(source: ImageSource, *, fit_px: int | None = None, max_pixels: int = MAX_PIXELS) -> RgbImage:
    """Return the image upright, in sRGB, without transparency.

    The first frame of an animation is taken. Orientation (EXIF) is applied. Transparency is laid on white. CMYK and
    wide-gamut colours go through the embedded ICC profile where it can be used. 16-bit values are scaled to 8 bits;
    32-bit integers and floats too, from 0 to 1, 0 to 255 or 0 to 65,535 if they lie in it, else from their own range.

    Args:
        source: A path, the bytes of a file, a file opened for reading bytes, a PIL image, or an (h, w, 3) uint8 array,
            which is returned as it is.
        fit_px: Side to which the caller will reduce the image. It may then be decoded smaller, which saves most of
            the time on a large JPEG (at 1/2, 1/4 or 1/8 of its size, inside the decoder) and memory on every format;
            both sides stay at least twice ``fit_px``, so that the caller's own reduction decides the quality.
        max_pixels: Largest width × height that is decoded; read from the header before any decoding.

    Returns:
        (height_px, width_px, 3) uint8, 0 to 255.

    Raises:
        ImageError: Code ``missing``, ``empty``, ``not_an_image``, ``truncated``, ``too_large`` or ``unreadable``. An
            image that ends too soon is always an error, never a picture with a grey end.
        UsageError: ``source`` is something else, or ``fit_px`` or ``max_pixels`` is below 1.

    Example:
        >>> import io
        >>> from PIL import Image
        >>> file = io.BytesIO()
        >>> Image.new("RGBA", (4, 3), (0, 0, 0, 0)).save(file, "PNG")
        >>> load_image(file.getvalue())[0, 0]
        array([255, 255, 255], dtype=uint8)
    """
    if isinstance(source, np.ndarray):
        return _checked_array(source)
    for name, value in (("fit_px", fit_px), ("max_pixels", max_pixels)):
        if value is not None and value < 1:
            raise UsageError(f"{name} is {value}; it must be at least 1.")
    from PIL import Image

    with ExitStack() as stack:
        stack.enter_context(pillow_warnings_ignored())
        if isinstance(source, Image.Image):
            return _pixels(source, None, "the image", fit_px=fit_px, max_pixels=max_pixels)
        file, name = _opened(source, stack)
        image = stack.enter_context(_recognised(file, name))
        return _pixels(image, file, name, fit_px=fit_px, max_pixels=max_pixels)


def _checked_array(array: RgbImage) -> RgbImage:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3:
        raise ImageError(
            "unreadable",
            f"An array of shape {array.shape} and type {array.dtype} is not an RGB image; "
            "allowed is (height_px, width_px, 3) uint8. Convert it first.",
        )
    if 0 in array.shape:
        raise ImageError("empty", f"An array of shape {array.shape} holds no pixel. Leave it out.")
    return array


def _opened(source: str | os.PathLike[str] | bytes | BinaryIO, stack: ExitStack) -> tuple[BinaryIO, str]:
    """Return the file, opened and not empty, and how messages call it."""
    file: BinaryIO
    if isinstance(source, str | os.PathLike):
        name = repr(os.fspath(source))
        file = stack.enter_context(_opened_path(Path(source), name))
    elif isinstance(source, bytes | bytearray | memoryview):
        name, file = "the image", io.BytesIO(source)
    elif hasattr(source, "read") and isinstance(data := source.read(), bytes):
        name, file = "the image", io.BytesIO(data)
    else:
        raise UsageError(
            f"A {type(source).__name__} is not an image source; allowed are a path, the bytes of a file, "
            "a file opened for reading bytes, a PIL image or an RGB array."
        )
    if not file.read(1):
        raise ImageError("empty", f"{name} is empty (0 bytes). Copy or download it again.")
    file.seek(0)
    return file, name


def _opened_path(path: Path, name: str) -> BinaryIO:
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ImageError("unreadable", f"{name} is a folder, not an image. Name the files in it.")
        if not stat.S_ISREG(mode):  # a pipe or a device could block for ever
            raise ImageError("unreadable", f"{name} is a pipe, socket or device; allowed are files. Save it to a file.")
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError("missing", f"There is no file {name}. Check its path.") from None
    except OSError as error:
        reason = error.strerror or _reason(error)
        raise ImageError("unreadable", f"{name} cannot be opened: {reason}. Check the path and your rights.") from None
    except ValueError:  # NUL in the path
        raise ImageError("missing", f"There is no file {name}: the name holds a NUL character.") from None


def _recognised(file: BinaryIO, name: str) -> Image.Image:
    # the plug-ins are imported one by one because Pillow would otherwise load all that it has
    from PIL import (  # noqa: F401
        BmpImagePlugin,
        GifImagePlugin,
        Image,
        JpegImagePlugin,
        PngImagePlugin,
        TiffImagePlugin,
        UnidentifiedImageError,
        WebPImagePlugin,
    )

    try:
        return Image.open(file, formats=_PILLOW_FORMATS)
    except Image.DecompressionBombError as error:
        n_pixels = re.search(r"\d+", str(error))
        _too_large(name, f"{int(n_pixels[0]) / 1e6:,.0f} Mpx" if n_pixels else "too many pixels", MAX_PIXELS)
    except MemoryError:
        _too_large(name, "more pixels than fit in memory", MAX_PIXELS)
    except Exception as error:  # decoders raise anything at all on a hostile file
        reason = "its header is broken" if isinstance(error, UnidentifiedImageError) else _reason(error)
        start = _start(file)
        is_webp = start.startswith(b"RIFF") and b"WEBP".startswith(start[8:12])
        if not (is_webp or start.startswith(_SIGNATURES)):
            raise ImageError(
                "not_an_image",
                f"{name} is not an image of a format that is read ({', '.join(IMAGE_FORMATS)}): "
                f"it starts with {start[:12]!r}. Convert it or leave it out.",
            ) from None
        _broken(file, name, reason)


def _pixels(image: Image.Image, file: BinaryIO | None, name: str, *, fit_px: int | None, max_pixels: int) -> RgbImage:
    from firstsight.images.modes import oriented, to_srgb

    width, height = image.size
    if not width or not height:
        raise ImageError("empty", f"{name} has {width} × {height} px. Leave it out.")
    if width * height > max_pixels:
        _too_large(name, f"{width:,} × {height:,} px = {width * height / 1e6:,.1f} Mpx", max_pixels)
    try:
        # a PIL image of the caller's is not changed, as draft() would
        if fit_px is not None and file is not None and image.format in ("JPEG", "MPO"):  # MPO: JPEG with more behind
            image.draft(None, (_MARGIN * fit_px, _MARGIN * fit_px))  # type: ignore[no-untyped-call,unused-ignore]
        image.load()
        rgb = to_srgb(image)
        if fit_px is not None and (factor := min(rgb.size) // (_MARGIN * fit_px)) > 1:
            rgb = rgb.reduce(factor)
        pixels = np.asarray(oriented(rgb, image))
    except MemoryError:
        _too_large(name, f"{width:,} × {height:,} px, more than fit in memory", max_pixels)
    except Exception as error:  # decoders raise anything at all on a hostile file
        if file is None:
            code = "truncated" if "truncat" in str(error).lower() else "unreadable"
            raise ImageError(code, f"{name} cannot be decoded: {_reason(error)}. Use another copy.") from None
        _broken(file, name, _reason(error))
    if file is not None and image.format == "JPEG" and jpeg_was_filled(file, pixels, image.mode):
        _broken(file, name, "the picture data end too soon", is_cut=True)
    return pixels


def _too_large(name: str, got: str, max_pixels: int) -> NoReturn:
    raise ImageError("too_large", f"{name} has {got}; allowed are {max_pixels / 1e6:,.1f} Mpx. Make it smaller first.")


def _broken(file: BinaryIO, name: str, reason: str, *, is_cut: bool = False) -> NoReturn:
    """Tell a file that ends too soon from one that is broken otherwise."""
    n_bytes = file.seek(0, io.SEEK_END)
    if is_cut or "truncat" in reason.lower() or is_cut_short(file):
        raise ImageError(
            "truncated",
            f"{name} ends too soon: {n_bytes:,} bytes hold only a part of the image. Copy or download it again.",
        ) from None
    raise ImageError(
        "unreadable", f"{name} cannot be decoded: {reason}. Open it in an image editor and save it again."
    ) from None


def _start(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(32)


def _reason(error: BaseException) -> str:
    """Return one short printable line of a foreign exception."""
    text = " ".join(str(error).split()) or type(error).__name__
    printable = "".join(char if char.isprintable() else "?" for char in text)
    return printable[:_REASON_CHARS].rstrip(".")
