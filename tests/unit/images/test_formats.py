"""Every format and pixel format, against pixels that are known."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from firstsight.images import IMAGE_SUFFIXES, load_image

_LOSSLESS = [
    ("PNG", {}),
    ("WEBP", {"lossless": True}),
    ("TIFF", {}),
    ("TIFF", {"compression": "tiff_lzw"}),
    ("BMP", {}),
]


def encoded(image: Image.Image, image_format: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, image_format, **options)
    return file.getvalue()


def corners() -> Image.Image:
    """6 × 4 px: red, green, blue and white quarters; no turn or flip leaves it as it is."""
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:2, :3], pixels[:2, 3:], pixels[2:, :3], pixels[2:, 3:] = (255, 0, 0), (0, 255, 0), (0, 0, 255), 255
    return Image.fromarray(pixels)


@pytest.mark.parametrize(("image_format", "options"), _LOSSLESS)
def test_lossless_formats_keep_every_pixel(image_format, options):
    pixels = load_image(encoded(corners(), image_format, **options))
    assert pixels.dtype == np.uint8
    assert pixels.flags.c_contiguous
    np.testing.assert_array_equal(pixels, np.asarray(corners()))


@pytest.mark.parametrize("image_format", ["JPEG", "WEBP"])
def test_lossy_formats_come_close(image_format):
    image = corners().resize((60, 40), Image.Resampling.NEAREST)
    pixels = load_image(encoded(image, image_format, quality=95))
    assert np.abs(pixels.astype(int) - np.asarray(image)).mean() < 6


def test_first_frame_of_a_gif_and_of_an_animated_webp():
    red, blue = Image.new("RGB", (5, 3), "red"), Image.new("RGB", (5, 3), "blue")
    for image_format, options in (("GIF", {}), ("WEBP", {"lossless": True})):
        data = encoded(red, image_format, save_all=True, append_images=[blue], **options)
        assert (load_image(data) == (255, 0, 0)).all()


def test_phone_picture_with_more_pictures_behind_it():
    red = Image.new("RGB", (64, 48), "red")
    data = encoded(red, "MPO", save_all=True, append_images=[Image.new("RGB", (8, 8), "blue")])
    assert load_image(data, fit_px=8).shape == (24, 32, 3)
    assert np.abs(load_image(data).astype(int) - (255, 0, 0)).max() < 3


# EXIF 2.32, table 6: what row 0 and column 0 of the stored picture are when it is upright.
_STORED_FROM_UPRIGHT = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.transpose(1, 0, 2),
    6: lambda upright: upright.transpose(1, 0, 2)[::-1],
    7: lambda upright: upright.transpose(1, 0, 2)[::-1, ::-1],
    8: lambda upright: upright.transpose(1, 0, 2)[:, ::-1],
}


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("image_format", ["PNG", "TIFF", "WEBP"])
def test_orientation_is_applied(orientation, image_format):
    upright = np.asarray(corners())
    stored = Image.fromarray(np.ascontiguousarray(_STORED_FROM_UPRIGHT[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {"lossless": True} if image_format == "WEBP" else {}
    np.testing.assert_array_equal(load_image(encoded(stored, image_format, exif=exif, **options)), upright)


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_orientation_holds_for_a_jpeg_decoded_smaller(orientation):
    upright = np.asarray(corners().resize((240, 160), Image.Resampling.NEAREST))
    stored = Image.fromarray(np.ascontiguousarray(_STORED_FROM_UPRIGHT[orientation](upright)))
    exif = Image.Exif()
    exif[0x0112] = orientation
    pixels = load_image(encoded(stored, "JPEG", exif=exif, quality=95), fit_px=20)
    assert pixels.shape == (40, 60, 3)
    assert pixels[3, 3, 0] > 200 > 60 > pixels[3, 3, 2]
    assert pixels[-3, 3, 2] > 200


def test_broken_exif_turns_nothing():
    data = encoded(corners(), "PNG", exif=b"Exif\0\0II*\0\xff\xff\xff\xff")
    np.testing.assert_array_equal(load_image(data), np.asarray(corners()))


@pytest.mark.parametrize("image_format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(image_format):
    values = np.array([[0, 128, 257, 1000, 32768, 65535]], np.uint16)
    pixels = load_image(encoded(Image.fromarray(values), image_format))
    # round(v * 255 / 65535) = round(v / 257): 0, 0.498, 1, 3.89, 127.5 (to even: 128), 255
    assert pixels[0, :, 0].tolist() == [0, 0, 1, 4, 128, 255]
    assert (pixels[..., 0] == pixels[..., 2]).all()


def test_16_bit_colour_png_is_scaled():
    import struct
    import zlib

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    row = b"\0" + struct.pack(">6H", 65535, 32768, 0, 257, 514, 771)
    header = struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(row)) + chunk(b"IEND", b"")
    assert load_image(png).tolist() == [[[255, 128, 0], [1, 2, 3]]]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0]], np.float32), [0, 128, 255]),
        (np.array([[0.0, 100.4, 255.0]], np.float32), [0, 100, 255]),
        (np.array([[0.0, 257.0, 65535.0]], np.float32), [0, 1, 255]),
        (np.array([[-1.0, 0.0, 3.0]], np.float32), [0, 64, 255]),
        (np.array([[np.nan, np.inf, 0.5]], np.float32), [0, 255, 128]),
        (np.array([[7.0, 7.0, 7.0]], np.float32) * -1, [0, 0, 0]),
        (np.array([[0, 128, 255]], np.int32), [0, 128, 255]),
        (np.array([[0, 257, 65535]], np.int32), [0, 1, 255]),
        (np.array([[-(2**31), 0, 2**31 - 1]], np.int32), [0, 128, 255]),
    ],
)
def test_wide_values_are_scaled_by_the_range_they_lie_in(values, expected):
    assert load_image(Image.fromarray(values))[0, :, 0].tolist() == expected
    assert load_image(encoded(Image.fromarray(values), "TIFF"))[0, :, 0].tolist() == expected


def test_transparency_lies_on_white():
    rgba = Image.new("RGBA", (2, 1), (200, 0, 0, 255))
    rgba.putpixel((1, 0), (200, 0, 0, 0))
    half = Image.new("RGBA", (1, 1), (0, 0, 0, 128))
    assert load_image(encoded(rgba, "PNG")).tolist() == [[[200, 0, 0], [255, 255, 255]]]
    assert load_image(encoded(half, "PNG")).tolist() == [[[127, 127, 127]]]  # 255 * (1 - 128/255)
    grey_alpha = Image.new("LA", (1, 1), (10, 0))
    assert load_image(encoded(grey_alpha, "PNG")).tolist() == [[[255, 255, 255]]]


def test_palette_with_and_without_transparency():
    palette = Image.new("P", (2, 1))
    palette.putpalette([9, 8, 7, 1, 2, 3])
    palette.putpixel((1, 0), 1)
    for image_format in ("PNG", "GIF", "BMP", "TIFF"):
        assert load_image(encoded(palette, image_format)).tolist() == [[[9, 8, 7], [1, 2, 3]]]
    for image_format in ("PNG", "GIF"):
        data = encoded(palette, image_format, transparency=0)
        assert load_image(data).tolist() == [[[255, 255, 255], [1, 2, 3]]]
    data = encoded(palette, "PNG", transparency=bytes([255, 0]))
    assert load_image(data).tolist() == [[[9, 8, 7], [255, 255, 255]]]


@pytest.mark.parametrize(("mode", "transparent"), [("1", 1), ("L", 255), ("RGB", (255, 255, 255)), ("I;16", 65535)])
def test_transparent_colour_of_a_png(mode, transparent):
    black = Image.new(mode, (2, 1))
    black.putpixel((1, 0), transparent)
    data = encoded(black, "PNG", transparency=transparent)
    assert load_image(data).tolist() == [[[0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("mode", ["1", "L"])
def test_black_and_white(mode):
    image = Image.new(mode, (2, 1), 255)
    image.putpixel((0, 0), 0)
    for image_format in ("PNG", "TIFF", "BMP", "GIF"):
        assert load_image(encoded(image, image_format)).tolist() == [[[0, 0, 0], [255, 255, 255]]]


@pytest.mark.parametrize("image_format", ["JPEG", "TIFF"])
def test_cmyk_is_not_inverted(image_format):
    # ink: nothing is white, full black is black, full magenta and yellow are red; Pillow writes JPEG as Adobe does
    for ink, expected in (((0, 0, 0, 0), 255), ((0, 0, 0, 255), 0), ((0, 255, 255, 0), (255, 0, 0))):
        data = encoded(Image.new("CMYK", (16, 16), ink), image_format)
        assert np.abs(load_image(data).astype(int) - expected).max() <= 4


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_other_colour_spaces(mode):
    white = {"YCbCr": (255, 128, 128), "LAB": (255, 128, 128)}[mode]
    assert load_image(encoded(Image.new(mode, (4, 4), white), "TIFF")).min() >= 250


def test_a_wide_gamut_profile_is_brought_to_srgb():
    swapped = _swapped_profile()
    pixels = load_image(encoded(Image.new("RGB", (4, 4), (250, 10, 10)), "PNG", icc_profile=swapped))
    assert pixels[0, 0, 2] > 200 > 60 > pixels[0, 0, 0]


def _swapped_profile() -> bytes:
    """Return an sRGB profile under another name whose red and blue primaries are exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    for start in range(132, 132 + 12 * int.from_bytes(data[128:132]), 12):
        name = bytes(data[start : start + 4])
        if name in (b"rXYZ", b"bXYZ"):
            data[start : start + 4] = b"bXYZ" if name == b"rXYZ" else b"rXYZ"
        if name == b"desc":
            at, n = int.from_bytes(data[start + 4 : start + 8]), int.from_bytes(data[start + 8 : start + 12])
            data[at : at + n] = data[at : at + n].replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    return bytes(data)


@pytest.mark.parametrize("profile", [b"", b"no profile", b"\xff" * 500, _swapped_profile()[:300]])
def test_a_broken_profile_is_left_aside(profile):
    data = encoded(corners(), "PNG", icc_profile=profile)
    np.testing.assert_array_equal(load_image(data), np.asarray(corners()))


def test_a_profile_of_another_colour_space_is_left_aside():
    grey = Image.new("L", (2, 2), 77)
    assert (load_image(encoded(grey, "PNG", icc_profile=_swapped_profile())) == 77).all()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    np.testing.assert_array_equal(load_image(encoded(corners(), "PNG", icc_profile=lab)), np.asarray(corners()))


@pytest.mark.parametrize(
    ("size", "expected"),
    [((4000, 3000), (1000, 750)), ((1039, 2000), (1039, 2000)), ((1040, 1200), (520, 600)), ((100, 50), (100, 50))],
)
@pytest.mark.parametrize("image_format", ["JPEG", "PNG"])
def test_fit_px_leaves_both_sides_at_twice_the_side_or_more(size, expected, image_format):
    data = encoded(Image.new("RGB", size, "navy"), image_format)
    height, width, _ = load_image(data, fit_px=260).shape
    if image_format == "JPEG":
        assert (width, height) == expected
    assert min(width, height) >= min(*size, 520)


def test_a_picture_decoded_smaller_looks_the_same_after_reduction():
    y, x = np.mgrid[0:1200, 0:1600]
    wave = 127 + 100 * np.sin(x / 37.0) * np.cos(y / 23.0)
    data = encoded(Image.fromarray(np.stack([wave, 255 - wave, x / 8], -1).astype(np.uint8)), "JPEG", quality=92)
    full, small = (
        np.asarray(Image.fromarray(pixels).resize((260, 260), Image.Resampling.BICUBIC)).astype(float)
        for pixels in (load_image(data), load_image(data, fit_px=260))
    )
    assert np.sqrt(np.mean((full - small) ** 2)) < 1.0


def test_every_kind_of_source_gives_the_same_pixels(tmp_path):
    data = encoded(corners(), "PNG")
    path = tmp_path / "사진 \x01.dat"
    path.write_bytes(data)
    expected = np.asarray(corners())
    for source in (data, path, str(path), io.BytesIO(data), corners(), np.asarray(corners()), bytearray(data)):
        np.testing.assert_array_equal(load_image(source), expected)
    with path.open("rb") as file:
        np.testing.assert_array_equal(load_image(file), expected)


def test_a_pil_image_of_the_caller_is_not_changed():
    image = Image.open(io.BytesIO(encoded(Image.new("RGB", (900, 900), "red"), "JPEG")))
    assert load_image(image, fit_px=100).shape == (225, 225, 3)
    assert image.size == (900, 900)
    assert image.getpixel((0, 0))[0] > 250


def test_suffixes_are_lower_case():
    assert all(suffix == suffix.lower() and Path(f"a{suffix}").suffix == suffix for suffix in IMAGE_SUFFIXES)
