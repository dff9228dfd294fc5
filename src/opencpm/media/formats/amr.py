"""AMR narrow band in its file format (RFC 4867 §5): one frame is 20 ms."""

from __future__ import annotations

from typing import Final

from opencpm.media.values import Inspection, Kind, MediaError

MAGIC: Final = b"#!AMR\n"
FRAME_SECONDS: Final = 0.02
# Octets of a frame with its header, by frame type: 4.75 to 12.2 kbit/s, SID, and 15 for no data; 0 is reserved.
FRAME_OCTETS: Final = (13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1)
_PADDING_BITS: Final = 0x83


def read(body: bytes) -> Inspection:
    """Raises MediaError for frames that are none. A last frame that is cut off does not count."""
    frames, _ = _walk(body)
    return Inspection(
        media_type="audio/amr",
        kind=Kind.AUDIO,
        size=len(body),
        duration=frames * FRAME_SECONDS,
        frames=0,
        codecs=("amr",),
    )


def stripped(body: bytes) -> bytes:
    """Whole frames only."""
    return body[: _walk(body)[1]]


def _walk(body: bytes) -> tuple[int, int]:
    """How many frames there are, and where the last whole one ends."""
    at, frames = len(MAGIC), 0
    while at < len(body):
        header = body[at]
        octets = FRAME_OCTETS[header >> 3 & 0x0F]
        if not octets or header & _PADDING_BITS:
            raise MediaError("is damaged")
        if at + octets > len(body):
            break
        at, frames = at + octets, frames + 1
    if not frames:
        raise MediaError("is empty")
    return frames, at
