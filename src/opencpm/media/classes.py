"""The content classes of MMS (OMA MMS Conformance 1.3) as data, and what a receiver takes."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from typing import Final

from opencpm.domain.media import KB, Target

_PICTURES = ("image/jpeg", "image/gif", "image/vnd.wap.wbmp")
_TEXTS = ("text/plain", "application/smil")
_CARDS = ("text/x-vcard", "text/x-vcalendar")


class ContentClass(StrEnum):
    """X-Mms-Content-Class (OMA MMS ENC), by the names that MM7 and MM4 write."""

    TEXT = "text"
    IMAGE_BASIC = "image-basic"
    IMAGE_RICH = "image-rich"
    VIDEO_BASIC = "video-basic"
    VIDEO_RICH = "video-rich"
    MEGAPIXEL = "megapixel"
    CONTENT_BASIC = "content-basic"
    CONTENT_RICH = "content-rich"


_IMAGE_BASIC = Target(
    max_bytes=30 * KB,
    accepts=(*_TEXTS, *_PICTURES, *_CARDS, "audio/amr"),
    image_box=(160, 120),
    audio_codecs=("amr",),
    least_side=80,
)
_IMAGE_RICH = replace(_IMAGE_BASIC, max_bytes=100 * KB, image_box=(640, 480), least_side=320)
_VIDEO_BASIC = replace(_IMAGE_RICH, accepts=(*_IMAGE_RICH.accepts, "video/3gpp"), video_codecs=("h263",))
_VIDEO_RICH = replace(_VIDEO_BASIC, max_bytes=300 * KB)
_MEGAPIXEL = replace(_VIDEO_RICH, image_box=(1600, 1200))

CLASSES: Final[dict[ContentClass, Target]] = {
    ContentClass.TEXT: Target(max_bytes=30 * KB, accepts=_TEXTS),
    ContentClass.IMAGE_BASIC: _IMAGE_BASIC,
    ContentClass.IMAGE_RICH: _IMAGE_RICH,
    ContentClass.VIDEO_BASIC: _VIDEO_BASIC,
    ContentClass.VIDEO_RICH: _VIDEO_RICH,
    ContentClass.MEGAPIXEL: _MEGAPIXEL,
    ContentClass.CONTENT_BASIC: replace(_VIDEO_BASIC, accepts=(*_VIDEO_BASIC.accepts, "application/*", "text/*")),
    ContentClass.CONTENT_RICH: replace(_MEGAPIXEL, accepts=(*_MEGAPIXEL.accepts, "application/*", "text/*")),
}


def target(
    content_class: ContentClass | str,
    *,
    max_bytes: int = 0,
    max_image: tuple[int, int] | None = None,
    accepts: tuple[str, ...] = (),
    audio_codecs: tuple[str, ...] = (),
    video_codecs: tuple[str, ...] = (),
) -> Target:
    """A class, with what an operator or a phone (UAProf, MM7 UACapabilities) says differently.

    ``accepts`` adds to the class; the others replace. Raises ValueError for an unknown class.
    """
    base = CLASSES[ContentClass(content_class)]
    chosen = replace(
        base,
        max_bytes=max_bytes or base.max_bytes,
        image_box=max_image or base.image_box,
        accepts=tuple(dict.fromkeys((*base.accepts, *accepts))),
        audio_codecs=audio_codecs or base.audio_codecs,
        video_codecs=video_codecs or base.video_codecs,
    )
    return _taking_codecs(chosen)


def _taking_codecs(chosen: Target) -> Target:
    """Where AAC or H.264 is taken, so are its file formats and the larger pictures it is used for."""
    more: tuple[str, ...] = ()
    if "aac" in chosen.audio_codecs:
        more += ("audio/mp4", "audio/aac")
    if any(codec.startswith("h264") for codec in chosen.video_codecs):
        more += ("video/3gpp", "video/mp4")
        chosen = replace(chosen, video_box=(320, 240), video_rate=384_000)
    return replace(chosen, accepts=tuple(dict.fromkeys((*chosen.accepts, *more))))
