"""Coding a picture into at most so many bytes, with a bounded search."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Final, NamedTuple

from PIL import Image

from opencpm.domain.media import Target
from opencpm.media.worker.picture import on_white
from opencpm.media.worker.rendition import too_large

_STEP: Final = 5  # of quality
_SHRINK: Final = 0.75  # of each side


class Coded(NamedTuple):
    media_type: str
    body: bytes
    size: tuple[int, int]
    quality: int


def encode(picture: Image.Image, media_type: str, quality: int) -> Coded:
    """Baseline JPEG 4:2:0, GIF, PNG or WebP, without metadata."""
    out = io.BytesIO()
    if media_type == "image/jpeg":
        on_white(picture).save(out, "JPEG", quality=quality, optimize=True, progressive=False, subsampling=2, exif=b"")
    elif media_type == "image/gif":
        on_white(picture).quantize(256).save(out, "GIF", optimize=True)
    elif media_type == "image/webp":
        picture.save(out, "WEBP", quality=quality)
    else:
        picture.save(out, "PNG", optimize=False)
    return Coded(media_type, out.getvalue(), picture.size, quality)


def within(picture: Image.Image, media_type: str, limit: int, target: Target) -> Coded:
    """The largest picture, then the best quality, that fits ``limit`` bytes. At most a dozen attempts.

    Raises MediaError (TOO_LARGE) where it would take less than the target's least quality and side.
    """
    for scaled in _sizes(picture, target.least_side):
        least = encode(scaled, media_type, target.least_quality)
        if len(least.body) <= limit:
            return _best(scaled, media_type, limit, target, least)
    raise too_large()


def _sizes(picture: Image.Image, least_side: int) -> Iterator[Image.Image]:
    longest = max(picture.size)
    yield picture
    while longest * _SHRINK >= least_side:
        scale = longest * _SHRINK / max(picture.size)
        longest = round(longest * _SHRINK)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        yield picture.resize(size, Image.Resampling.LANCZOS)
    if longest > least_side:
        scale = least_side / max(picture.size)
        size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
        yield picture.resize(size, Image.Resampling.LANCZOS)


def _best(picture: Image.Image, media_type: str, limit: int, target: Target, least: Coded) -> Coded:
    """Bisection over the steps of quality above the least."""
    best, low, high = least, 1, (target.best_quality - target.least_quality) // _STEP
    while low <= high and media_type != "image/png":
        middle = (low + high) // 2
        tried = encode(picture, media_type, target.least_quality + middle * _STEP)
        if len(tried.body) <= limit:
            best, low = tried, middle + 1
        else:
            high = middle - 1
    return best
