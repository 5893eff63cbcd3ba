"""Reads one image of any common format into an upright RGB array."""

from __future__ import annotations

from firstsight.images.decode import IMAGE_FORMATS, IMAGE_SUFFIXES, MAX_PIXELS, ImageSource, load_image

__all__ = ["IMAGE_FORMATS", "IMAGE_SUFFIXES", "MAX_PIXELS", "ImageSource", "load_image"]
