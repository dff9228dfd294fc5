"""What goes into adaptation and what comes out: plain values, JSON-friendly, so that they cross to a worker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from opencpm.domain.errors import Reason, SendError


class MediaError(ValueError):
    """A part that cannot be read or made to fit.

    :param reason: ``UNSUPPORTED_MEDIA`` (damaged, hostile, or of a kind nobody here reads) or ``TOO_LARGE``.
    :param detail: why, as the end of a sentence: "is damaged".
    """

    def __init__(self, detail: str, reason: Reason = Reason.UNSUPPORTED_MEDIA) -> None:
        super().__init__(detail)
        self.detail = detail
        self.reason = reason

    def as_send_error(self, what: str) -> SendError:
        return SendError(self.reason, detail=f"{what} {self.detail}")


class Kind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    VIDEO = "video"
    OTHER = "other"  # documents, cards, presentation, and what nobody knows


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """What a part is, by its content and not by its claimed type. Read from headers only; nothing is decoded."""

    media_type: str
    kind: Kind
    size: int  # bytes
    width: int = 0  # pixels as stored, before ``orientation``; 0: not known
    height: int = 0
    frames: int = 1  # pictures of an animation or video; 0: not known
    duration: float = 0.0  # seconds; 0: not known, or a still picture
    codecs: tuple[str, ...] = ()  # "h263", "h264-baseline", "h264", "mpeg4", "hevc", "amr", "aac", …
    orientation: int = 1  # EXIF 1 to 8; 1: upright
    simple: bool = True  # nothing in it that a simple receiver may lack (progressive JPEG, 12 bits, CMYK, odd tracks)
    alpha: bool = False

    @property
    def pixels(self) -> int:
        return self.width * self.height


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one job may cost; everything over it is refused. Bytes, seconds, pixels."""

    pixels: int = 50_000_000  # of one picture, checked before it is decoded
    frames: int = 2_000  # of an animation
    video_frames: int = 60_000  # read from one video
    duration: float = 1_800.0  # of sound or video
    parts: int = 64
    input_bytes: int = 64 * 2**20  # of all parts of a job
    memory: int = 2**30  # address space of a worker
    cpu: float = 30.0  # of one job
    wall: float = 45.0  # of one job, however little it computes
    start: float = 30.0  # until a new worker is ready
    jobs: int = 200  # after which a worker is replaced
    waiting: int = 256  # jobs that may wait for a worker


DEFAULT_LIMITS = Limits()
