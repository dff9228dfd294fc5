"""ISO base media files (ISO/IEC 14496-12): MP4, 3GP (TS 26.244), QuickTime, and the headers of HEIC and AVIF."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from opencpm.media.formats.sniff import media_type
from opencpm.media.values import Inspection, Kind, MediaError

_BOX = struct.Struct(">I4s")
_CONTAINERS: Final = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"iprp", b"ipco", b"moof", b"edts"})
_PRIVATE: Final = frozenset({b"udta", b"meta", b"uuid"})  # place, camera, names, XMP
_CODECS: Final = {
    b"s263": "h263",
    b"H263": "h263",
    b"mp4v": "mpeg4",
    b"hvc1": "hevc",
    b"hev1": "hevc",
    b"vp09": "vp9",
    b"av01": "av1",
    b"samr": "amr",
    b"sawb": "amr-wb",
    b"mp4a": "aac",
}
_AVC: Final = frozenset({b"avc1", b"avc3"})
_BASELINE: Final = 66
_MOST_BOXES: Final = 20_000
_DEEPEST: Final = 10
_UNKNOWN_DURATION: Final = 0xFFFFFFFF


class Box(NamedTuple):
    name: bytes
    start: int  # of its size
    data: int
    end: int


@dataclass(slots=True)
class _Found:
    width: int = 0
    height: int = 0
    duration: float = 0.0
    frames: int = 0
    simple: bool = True
    codecs: list[str] = field(default_factory=list)
    handlers: list[bytes] = field(default_factory=list)


def read(body: bytes) -> Inspection:
    """Raises MediaError for boxes that do not fit into each other, or without a movie or picture in them."""
    found = _Found()
    for box in boxes(body):
        _note(body, box, found)
    claimed = media_type(body, "")
    still = claimed.startswith("image/")
    sound_only = bool(found.handlers) and b"vide" not in found.handlers
    if not (found.width if still else found.handlers):
        raise MediaError("is damaged: there is nothing in it")
    kind = Kind.IMAGE if still else Kind.AUDIO if sound_only else Kind.VIDEO
    return Inspection(
        media_type="audio/mp4" if kind is Kind.AUDIO else claimed,
        kind=kind,
        size=len(body),
        width=found.width,
        height=found.height,
        frames=1 if still else found.frames,
        duration=0.0 if still else found.duration,
        codecs=tuple(dict.fromkeys(found.codecs)),
        simple=found.simple,
    )


def stripped(body: bytes) -> bytes:
    """With the boxes that hold place, camera and names made into empty ones of the same length: no offset changes."""
    changed = bytearray(body)
    for box in boxes(body):
        if box.name in _PRIVATE:
            changed[box.start + 4 : box.start + 8] = b"free"
            changed[box.data : box.end] = bytes(box.end - box.data)
    return bytes(changed)


def boxes(body: bytes) -> Iterator[Box]:
    """All boxes, outer before inner. Raises MediaError for damage, too many, or too deep."""
    waiting = [(0, len(body), 0)]
    seen = 0
    while waiting:
        at, end, depth = waiting.pop()
        while at + 8 <= end:
            seen += 1
            if seen > _MOST_BOXES or depth > _DEEPEST:
                raise MediaError("is damaged: too many boxes")
            box = _box(body, at, end)
            yield box
            if box.name in _CONTAINERS:
                waiting.append((box.data, box.end, depth + 1))
            elif box.name == b"meta" and not depth:  # of a still picture: a full box, with version and flags first
                waiting.append((box.data + 4, box.end, depth + 1))
            at = box.end


def _box(body: bytes, at: int, end: int) -> Box:
    size, name = _BOX.unpack_from(body, at)
    data = at + 8
    if size == 1:
        (size,) = struct.unpack_from(">Q", body, data)
        data += 8
    elif size == 0:
        size = end - at
    if size < data - at or at + size > end:
        raise MediaError("is cut off")
    return Box(name, at, data, at + size)


def _note(body: bytes, box: Box, found: _Found) -> None:
    name, at = box.name, box.data
    if name == b"mvhd":
        found.duration = _duration(body, at)
    elif name == b"tkhd":
        _note_track(body, at, found)
    elif name == b"hdlr":
        found.handlers.append(body[at + 8 : at + 12])
        found.simple = found.simple and body[at + 8 : at + 12] in (b"vide", b"soun", b"mdir", b"mdta")
    elif name == b"stsd":
        _note_samples(body, at, box.end, found)
    elif name == b"stsz" and found.handlers and found.handlers[-1] == b"vide":
        found.frames = max(found.frames, struct.unpack_from(">I", body, at + 8)[0])
    elif name == b"ispe":
        width, height = struct.unpack_from(">II", body, at + 4)
        if width * height > found.width * found.height:
            found.width, found.height = width, height


def _duration(body: bytes, at: int) -> float:
    layout = ">QQIQ" if body[at] == 1 else ">IIII"
    _, _, scale, length = struct.unpack_from(layout, body, at + 4)
    return length / scale if scale and length != _UNKNOWN_DURATION else 0.0


def _note_track(body: bytes, at: int, found: _Found) -> None:
    """Width, height and turning of a track (§8.3.2); a turned one is not simple."""
    matrix = at + (52 if body[at] == 1 else 40)
    a, b = struct.unpack_from(">ii", body, matrix)
    width, height = (value >> 16 for value in struct.unpack_from(">II", body, matrix + 36))
    if width * height > found.width * found.height:
        found.width, found.height = width, height
    if width and (a <= 0 or b):
        found.simple = False


def _note_samples(body: bytes, at: int, end: int, found: _Found) -> None:
    if at + 16 > end:
        raise MediaError("is damaged")
    code = body[at + 12 : at + 16]
    if code in _AVC:
        found.codecs.append("h264-baseline" if _is_baseline(body, at + 8, end) else "h264")
    elif code in _CODECS:
        found.codecs.append(_CODECS[code])
    else:
        found.codecs.append(code.decode("latin-1").strip() if code.isalnum() else "unknown")
        found.simple = False


def _is_baseline(body: bytes, entry: int, end: int) -> bool:
    """The profile in avcC (ISO/IEC 14496-15 §5.3.3), which stands behind the 86 octets of a visual sample entry."""
    at = body.find(b"avcC", entry + 86, min(entry + 1024, end))
    return at >= 0 and body[at + 5] == _BASELINE
