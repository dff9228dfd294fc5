"""Sound and video that the receiver plays as they are: needs no codec, only headers."""

from __future__ import annotations

from opencpm.domain.media import Target
from opencpm.domain.message import Part
from opencpm.media.formats import stripped
from opencpm.media.values import Inspection
from opencpm.media.worker.picture import fitting
from opencpm.media.worker.rendition import AsIs, Rendition


def kept_sound(part: Part, seen: Inspection, target: Target) -> AsIs | None:
    """As it is, if the receiver has the codec; place and names removed."""
    if not (seen.simple and seen.codecs and target.takes(seen.media_type)):
        return None
    if not set(seen.codecs) <= set(target.audio_codecs):
        return None
    body = stripped(seen.media_type, part.body)
    if body is None:
        return None
    return AsIs(Rendition(part._replace(content_type=seen.media_type, body=body)))


def kept_video(part: Part, seen: Inspection, target: Target) -> AsIs | None:
    """As it is, if the receiver has both codecs and the pictures are no larger than its own."""
    known = {*target.video_codecs, *target.audio_codecs}
    if "h264" in known:
        known.add("h264-baseline")
    fits = seen.simple and seen.width and fitting((seen.width, seen.height), target.video_box)
    if fits != (seen.width, seen.height) or not seen.codecs or not set(seen.codecs) <= known:
        return None
    body = stripped(seen.media_type, part.body) if target.takes(seen.media_type) else None
    return AsIs(Rendition(part._replace(content_type=seen.media_type, body=body))) if body else None
