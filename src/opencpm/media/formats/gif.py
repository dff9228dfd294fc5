"""GIF 87a and 89a: size, frames and duration from the blocks; comments and foreign blocks taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from opencpm.media.values import Inspection, Kind, MediaError

_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_GRAPHIC_CONTROL, _APPLICATION = 0xF9, 0xFF
_LOOPING: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_MOST_BLOCKS: Final = 100_000


class Block(NamedTuple):
    introducer: int
    label: int  # of an extension
    start: int
    end: int


def read(body: bytes) -> Inspection:
    """Raises MediaError for blocks that do not follow each other, or a picture larger than the screen it is on."""
    width, height = _pair(body, 6)
    if not width or not height:
        raise MediaError("is damaged: it has no size")
    frames, hundredths, alpha = 0, 0, False
    for introducer, label, start, _ in blocks(body):
        if introducer == _IMAGE:
            frames += 1
            _check_inside(body, start, width, height)
        elif label == _GRAPHIC_CONTROL:
            alpha = alpha or bool(body[start + 3] & 1)
            hundredths += int.from_bytes(body[start + 4 : start + 6], "little")
    if not frames:
        raise MediaError("is damaged: it has no picture")
    return Inspection(
        media_type="image/gif",
        kind=Kind.IMAGE,
        size=len(body),
        width=width,
        height=height,
        frames=frames,
        duration=hundredths / 100 if frames > 1 else 0.0,
        alpha=alpha,
    )


def stripped(body: bytes) -> bytes:
    """Pictures, their timing and the loop count; nothing else, and nothing behind the trailer."""
    kept = [body[: _first_block(body)]]
    for block in blocks(body):
        if block.introducer != _EXTENSION or _worth_keeping(body, block):
            kept.append(body[block.start : block.end])
    return b"".join(kept)


def _worth_keeping(body: bytes, block: Block) -> bool:
    looping = block.label == _APPLICATION and body[block.start + 3 : block.start + 14] in _LOOPING
    return looping or block.label == _GRAPHIC_CONTROL


def blocks(body: bytes) -> Iterator[Block]:
    """All blocks, the trailer last. Raises MediaError where the file ends before it."""
    at = _first_block(body)
    for _ in range(_MOST_BLOCKS):
        introducer, start, label = body[at], at, 0
        if introducer == _TRAILER:
            yield Block(introducer, 0, at, at + 1)
            return
        if introducer == _EXTENSION:
            label = body[at + 1]
            at = _skip_data(body, at + 2)
        elif introducer == _IMAGE:
            at = _skip_data(body, at + 10 + _table(body[at + 9]) + 1)
        else:
            raise MediaError("is damaged")
        yield Block(introducer, label, start, at)
    raise MediaError("is damaged: too many blocks")


def _skip_data(body: bytes, at: int) -> int:
    """Behind the sub-blocks that begin at ``at``."""
    while length := body[at]:
        at += 1 + length
    return at + 1


def _check_inside(body: bytes, start: int, width: int, height: int) -> None:
    left, top = _pair(body, start + 1)
    wide, high = _pair(body, start + 5)
    if left + wide > width or top + high > height:
        raise MediaError("is damaged: a frame is larger than its screen")


def _first_block(body: bytes) -> int:
    return 13 + _table(body[10])


def _table(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _pair(body: bytes, at: int) -> tuple[int, int]:
    return body[at] | body[at + 1] << 8, body[at + 2] | body[at + 3] << 8
