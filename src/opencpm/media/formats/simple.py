"""Formats of which a fixed header says enough: WebP, BMP, WBMP, WAV, MPEG audio."""

from __future__ import annotations

import struct
from typing import Final

from opencpm.media.formats.exif import orientation
from opencpm.media.values import Inspection, Kind, MediaError

_MOST_CHUNKS: Final = 1_000
_BIT_RATES: Final = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0)  # layer III of MPEG-1, kbit/s


def read_webp(body: bytes) -> Inspection:
    """RFC 9649: the canvas of VP8X, or the frame of VP8 or VP8L."""
    kind = body[12:16]
    if kind == b"VP8X":
        flags = body[20]
        width, height = 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
        alpha, animated = bool(flags & 0x10), bool(flags & 0x02)
    elif kind == b"VP8L":
        (bits,) = struct.unpack_from("<I", body, 21)
        width, height, alpha, animated = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF), bool(bits >> 28 & 1), False
    elif kind == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        width, height = (value & 0x3FFF for value in struct.unpack_from("<HH", body, 26))
        alpha, animated = False, False
    else:
        raise MediaError("is damaged")
    turned = _webp_orientation(body) if kind == b"VP8X" else 1
    return _picture("image/webp", body, width, height, frames=2 if animated else 1, alpha=alpha, orientation=turned)


def _webp_orientation(body: bytes) -> int:
    at = 12
    for _ in range(_MOST_CHUNKS):
        if at + 8 > len(body):
            break
        (length,) = struct.unpack_from("<I", body, at + 4)
        if body[at : at + 4] == b"EXIF":
            return orientation(body[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0"))
        at += 8 + length + (length & 1)
    return 1


def read_bmp(body: bytes) -> Inspection:
    (header,) = struct.unpack_from("<I", body, 14)
    if header < 40:
        raise MediaError("is an old kind of bitmap")
    width, height = struct.unpack_from("<ii", body, 18)
    return _picture("image/bmp", body, width, abs(height))


def read_wbmp(body: bytes) -> Inspection:
    """WAP-237: type 0, no extensions, two multi-byte integers, one bit a pixel; the length has to be right."""
    at, width = _multi_byte(body, 2)
    at, height = _multi_byte(body, at)
    if len(body) != at + (width + 7) // 8 * height:
        raise MediaError("is damaged")
    return _picture("image/vnd.wap.wbmp", body, width, height)


def wbmp_pixels(body: bytes) -> bytes:
    """The rows of a WBMP that :func:`read_wbmp` has read: one bit a pixel, 1 is white, rows end at a whole octet."""
    at, _ = _multi_byte(body, 2)
    return body[_multi_byte(body, at)[0] :]


def _multi_byte(body: bytes, at: int) -> tuple[int, int]:
    value = 0
    for _ in range(3):
        octet = body[at]
        at, value = at + 1, value << 7 | octet & 0x7F
        if not octet & 0x80:
            return at, value
    raise MediaError("is damaged")


def read_wav(body: bytes) -> Inspection:
    at = 12
    rate = 0
    for _ in range(_MOST_CHUNKS):
        name, length = struct.unpack_from("<4sI", body, at)
        if name == b"fmt ":
            (rate,) = struct.unpack_from("<I", body, at + 16)
        if name == b"data":
            seconds = min(length, len(body) - at) / rate if rate else 0.0
            return _sound("audio/x-wav", body, seconds, "pcm")
        at += 8 + length + (length & 1)
    raise MediaError("is damaged")


def read_mp3(body: bytes) -> Inspection:
    """The duration is an estimate from the first frame's bit rate."""
    at = 0
    if body[:3] == b"ID3":
        at = 10 + sum((octet & 0x7F) << shift for octet, shift in zip(body[6:10], (21, 14, 7, 0), strict=False))
    head = body[at : at + 4]
    kbits = _BIT_RATES[head[2] >> 4] if len(head) == 4 and head[0] == 0xFF and head[1] & 0x1E == 0x1A else 0
    return _sound("audio/mpeg", body, (len(body) - at) / (kbits * 125) if kbits else 0.0, "mp3")


def _picture(
    media_type: str, body: bytes, width: int, height: int, *, frames: int = 1, alpha: bool = False, orientation: int = 1
) -> Inspection:
    if width <= 0 or height <= 0:
        raise MediaError("is damaged: it has no size")
    return Inspection(
        media_type=media_type,
        kind=Kind.IMAGE,
        size=len(body),
        width=width,
        height=height,
        frames=frames,
        alpha=alpha,
        orientation=orientation,
    )


def _sound(media_type: str, body: bytes, seconds: float, codec: str) -> Inspection:
    return Inspection(
        media_type=media_type, kind=Kind.AUDIO, size=len(body), duration=seconds, frames=0, codecs=(codec,)
    )
