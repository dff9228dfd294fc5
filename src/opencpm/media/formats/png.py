"""PNG (ISO/IEC 15948): size, transparency and animation from the chunks; metadata taken away without decoding."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from opencpm.media.formats.exif import orientation
from opencpm.media.values import Inspection, Kind, MediaError

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_CHUNK = struct.Struct(">I4s")
_IHDR = struct.Struct(">IIBBBBB")
_KEPT: Final = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"pHYs"})
_WITH_ALPHA: Final = frozenset({4, 6})
_COLOUR_TYPES: Final = frozenset({0, 2, 3, 4, 6})
_MOST_CHUNKS: Final = 100_000
_LARGEST: Final = 2**31 - 1


class Chunk(NamedTuple):
    name: bytes
    start: int  # of its length
    end: int  # behind its checksum


def read(body: bytes) -> Inspection:
    """Raises MediaError for a header that makes no sense. Chunks behind the first IDAT are not looked at."""
    width, height, _, colour, compression, filtering, _ = _IHDR.unpack_from(body, 16)
    sizes_right = 0 < width <= _LARGEST and 0 < height <= _LARGEST
    if body[12:16] != b"IHDR" or not sizes_right or colour not in _COLOUR_TYPES or compression or filtering:
        raise MediaError("is damaged")
    alpha, frames, turned = colour in _WITH_ALPHA, 1, 1
    for name, start, end in chunks(body):
        if name == b"IDAT":
            break
        if name == b"tRNS":
            alpha = True
        elif name == b"acTL":
            frames = max(1, int.from_bytes(body[start + 8 : start + 12], "big"))
        elif name == b"eXIf":
            turned = orientation(body[start + 8 : end - 4])
    return Inspection(
        media_type="image/png",
        kind=Kind.IMAGE,
        size=len(body),
        width=width,
        height=height,
        alpha=alpha,
        frames=frames,
        orientation=turned,
    )


def stripped(body: bytes) -> bytes:
    """Pixels, palette, transparency and gamma only: no text, place, time, profile, animation, nor what follows IEND."""
    kept = [_SIGNATURE]
    for name, start, end in chunks(body):
        if name in _KEPT:
            kept.append(body[start:end])
        if name == b"IEND":
            return b"".join(kept)
    raise MediaError("is cut off")


def chunks(body: bytes) -> Iterator[Chunk]:
    """All chunks as far as the file goes. Raises MediaError for one that is longer than the file, or too many."""
    at = len(_SIGNATURE)
    for _ in range(_MOST_CHUNKS):
        if at >= len(body):
            return
        length, name = _CHUNK.unpack_from(body, at)
        end = at + 12 + length
        if end > len(body):
            raise MediaError("is cut off")
        yield Chunk(name, at, end)
        at = end
    raise MediaError("is damaged: too many chunks")
