"""JPEG (ITU-T T.81): size, process and orientation from the markers; metadata taken away without decoding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from opencpm.media.formats.exif import orientation
from opencpm.media.values import Inspection, Kind, MediaError

_SOI: Final = b"\xff\xd8"
_EOI, _SOS, _APP0, _APP2, _APP14, _APP15, _COM = 0xD9, 0xDA, 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
_FRAMES: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}  # SOFn without DHT, JPG, DAC
_BARE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_MOST_SEGMENTS: Final = 2_000
_AFTER_SCAN: Final = re.compile(rb"\xff+[^\x00\xff\xd0-\xd7]")


class Segment(NamedTuple):
    marker: int
    start: int  # of its 0xFF
    end: int  # behind it; for a scan, behind the coded data


def read(body: bytes) -> Inspection:
    """Raises MediaError where no frame header is found or it makes no sense."""
    turned = 1
    for marker, start, end in segments(body):
        data = body[start + 4 : end]
        if marker == 0xE1 and data.startswith(b"Exif\0\0"):
            turned = orientation(data[6:])
        if marker in _FRAMES:
            return _frame(body, marker, data, turned)
        if marker == _SOS:
            break
    raise MediaError("is damaged: it has no frame header")


def _frame(body: bytes, marker: int, data: bytes, turned: int) -> Inspection:
    precision, components = data[0], data[5]
    height, width = int.from_bytes(data[1:3], "big"), int.from_bytes(data[3:5], "big")
    if not width or not height:
        raise MediaError("is damaged: it has no size")
    simple = marker in (0xC0, 0xC1) and precision == 8 and components in (1, 3)
    return Inspection(
        media_type="image/jpeg",
        kind=Kind.IMAGE,
        size=len(body),
        width=width,
        height=height,
        orientation=turned,
        simple=simple,
    )


def stripped(body: bytes) -> bytes:
    """Without EXIF, XMP, comments, previews and what follows the end; JFIF, colour profile and Adobe's mark stay.

    Raises MediaError for a file that does not come to its end.
    """
    kept = [_SOI]
    for marker, start, end in segments(body):
        if marker == _EOI:
            kept.append(b"\xff\xd9")
            return b"".join(kept)
        if _worth_keeping(marker, body[start + 4 : start + 16]):
            kept.append(body[start:end])
    raise MediaError("is cut off")


def _worth_keeping(marker: int, head: bytes) -> bool:
    if marker == _APP0:
        return head.startswith(b"JFIF\0")
    if marker == _APP2:
        return head.startswith(b"ICC_PROFILE\0")
    if marker == _APP14:
        return head.startswith(b"Adobe")
    return not (_APP0 <= marker <= _APP15 or marker == _COM)


def segments(body: bytes) -> Iterator[Segment]:
    """All marker segments up to the end of the image; a scan carries its coded data. Raises MediaError."""
    at = 2
    for _ in range(_MOST_SEGMENTS):
        start = at
        while body[at : at + 1] == b"\xff":
            at += 1
        if at == start or at >= len(body):
            raise MediaError("is cut off" if at >= len(body) else "is damaged")
        marker, start = body[at], at - 1
        at += 1
        if marker == _EOI:
            yield Segment(marker, start, at)
            return
        if marker not in _BARE:
            at += _length(body, at)
        if marker == _SOS:
            at = _end_of_scan(body, at)
        yield Segment(marker, start, at)
    raise MediaError("is damaged: too many segments")


def _length(body: bytes, at: int) -> int:
    length = int.from_bytes(body[at : at + 2], "big")
    if length < 2 or at + length > len(body):
        raise MediaError("is cut off")
    return length


def _end_of_scan(body: bytes, at: int) -> int:
    found = _AFTER_SCAN.search(body, at)
    if found is None:
        raise MediaError("is cut off")
    return found.end() - 2
