"""Opening sound and video with FFmpeg, by PyAV: one named demuxer, bounded streams, no protocol and no second file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import av
from av.container import InputContainer

from opencpm.domain.errors import Reason
from opencpm.media import words
from opencpm.media.values import Inspection, Limits, MediaError

# Never by probing: playlists (HLS, concat) would have FFmpeg open other files and addresses.
_DEMUXERS: Final = {
    "audio/amr": "amr",
    "audio/amr-wb": "amr",
    "audio/mp4": "mov",
    "audio/aac": "aac",
    "audio/mpeg": "mp3",
    "audio/ogg": "ogg",
    "audio/flac": "flac",
    "audio/x-wav": "wav",
    "video/3gpp": "mov",
    "video/mp4": "mov",
    "video/quicktime": "mov",
    "video/webm": "matroska",
    "video/x-msvideo": "avi",
}
_MOST_STREAMS: Final = 8

av.logging.set_level(av.logging.PANIC)


@contextmanager
def opened(body: bytes, seen: Inspection, limits: Limits) -> Iterator[InputContainer]:
    """The container; whatever FFmpeg dislikes in the block becomes a MediaError."""
    demuxer = _DEMUXERS.get(seen.media_type)
    if demuxer is None:
        raise MediaError(f"is of a kind that cannot be read here ({seen.media_type})")
    options = {"enable_drefs": "0", "protocol_whitelist": ""}
    try:
        with av.open(io.BytesIO(body), "r", format=demuxer, options=options) as container:
            _check(container, limits)
            yield container
    except (MediaError, MemoryError):
        raise
    except (av.FFmpegError, ValueError, ArithmeticError, OSError, AttributeError) as error:
        raise MediaError("is damaged") from error


def _check(container: InputContainer, limits: Limits) -> None:
    if len(container.streams) > _MOST_STREAMS:
        raise MediaError("has too many tracks")
    seconds = seconds_of(container)
    check_duration(seconds, limits)
    for stream in container.streams.video:
        check_picture(stream.codec_context, limits)
        stream.codec_context.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(limits.pixels)}
    for track in container.streams.audio:
        track.codec_context.thread_count = 1


def check_duration(seconds: float, limits: Limits) -> None:
    if seconds > limits.duration:
        raise MediaError(f"is too long ({words.duration(seconds)})", Reason.TOO_LARGE)


def check_picture(sized: Any, limits: Limits) -> None:
    if sized.width * sized.height > limits.pixels:
        raise MediaError(f"has too many pixels ({words.pixels(sized.width, sized.height)})", Reason.TOO_LARGE)


def seconds_of(container: InputContainer) -> float:
    """As the container claims; 0: not known. Decoders count for themselves."""
    return container.duration / av.time_base if container.duration else 0.0
