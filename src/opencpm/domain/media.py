"""What a receiver takes of pictures, sound and video, and what adaptation made of a message: plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opencpm.domain.message import Part

KB: Final = 1024  # the standards' kB


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What the receiving side takes. Start from :func:`target` and replace what is known better.

    Codecs are in order of preference: the first is what others are converted to. A picture box holds either way up:
    640×480 takes 480×640.
    """

    max_bytes: int  # of the whole message
    accepts: tuple[str, ...]  # media types, "image/*" and "*/*" included
    image_box: tuple[int, int] = (0, 0)  # (0, 0): no pictures
    audio_codecs: tuple[str, ...] = ()  # "amr", "aac"
    video_codecs: tuple[str, ...] = ()  # "h263", "h264-baseline"
    video_box: tuple[int, int] = (176, 144)
    video_fps: int = 15
    video_rate: int = 64_000  # bits a second at most
    reserve: int = 4 * KB  # of max_bytes, for headers and presentation
    best_quality: int = 85  # of JPEG
    least_quality: int = 40
    least_side: int = 320  # pixels of the longer side below which no picture is reduced to fit
    stand_in: bool = True  # a line of text says what could not go

    def takes(self, media_type: str) -> bool:
        main = media_type.partition("/")[0]
        return any(pattern in (media_type, f"{main}/*", "*/*") for pattern in self.accepts)

    @property
    def budget(self) -> int:
        """Bytes for content."""
        return max(0, self.max_bytes - self.reserve)


@dataclass(frozen=True, slots=True, kw_only=True)
class Adapted:
    """What goes to the receiver.

    ``origins[i]`` is the place, among the parts given, of what ``parts[i]`` was made from. ``incomplete`` are the
    places of parts of which the receiver gets a stand-in only (a line of text, the first picture of a video): the
    caller may add a link to the original.
    """

    parts: tuple[Part, ...]
    origins: tuple[int, ...]
    losses: tuple[str, ...] = ()
    incomplete: tuple[int, ...] = ()

    @property
    def size(self) -> int:
        return sum(len(part.body) for part in self.parts)
