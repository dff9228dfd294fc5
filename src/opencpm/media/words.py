"""Losses in words, for the trail and for the sender."""

from __future__ import annotations

from typing import Final

from opencpm.media.values import Inspection, Kind

_LONGEST_NAME: Final = 64
_EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
    "text/plain": "txt",
}
_NOUNS: Final = {
    "image/jpeg": "photograph",
    "image/heic": "photograph",
    "image/svg+xml": "drawing",
    "text/x-vcard": "card",
    "text/x-vcalendar": "calendar entry",
    "application/smil": "presentation",
}
_KINDS: Final = {
    Kind.TEXT: "text",
    Kind.IMAGE: "picture",
    Kind.AUDIO: "sound",
    Kind.VIDEO: "video",
    Kind.OTHER: "attachment",
}


def noun(seen: Inspection) -> str:
    """What a person calls it. Never a name from the message: words go into trails and onto pages."""
    if seen.kind is Kind.IMAGE and seen.frames > 1:
        return "animation"
    return _NOUNS.get(seen.media_type) or _KINDS[seen.kind]


def size(octets: int) -> str:
    """``38 kB``, ``3.2 MB``; a kB is 1024 octets (OMA MMS Conformance)."""
    if octets < 1024:
        return f"{octets} B"
    if octets < 1000 * 1024:
        return f"{round(octets / 1024)} kB"
    return f"{octets / 2**20:.1f} MB"


def pixels(width: int, height: int) -> str:
    return f"{width}×{height}"


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02d} min"


def upright(seen: Inspection) -> tuple[int, int]:
    """Width and height as a person sees them (EXIF orientations 5 to 8 lie on their side)."""
    return (seen.height, seen.width) if seen.orientation > 4 else (seen.width, seen.height)


def described(seen: Inspection) -> str:
    """``photograph 4000×3000, 3.2 MB``; ``video 2:10 min, 9.0 MB``."""
    words = noun(seen)
    if seen.kind is Kind.IMAGE and seen.width:
        words += " " + pixels(*upright(seen))
    if seen.duration and seen.frames != 1:
        words += " " + duration(seen.duration)
    return f"{words}, {size(seen.size)}"


def renamed(name: str, media_type: str) -> str:
    """A file name with the extension of its new type; no folder, nothing unprintable, 64 characters at most."""
    base = "".join(c for c in name.replace("\\", "/").rpartition("/")[2] if c.isprintable()).strip(". ")
    extension = _EXTENSIONS.get(media_type, "")
    stem, dot, old = base.rpartition(".")
    if not base or not extension:
        return base[-_LONGEST_NAME:]
    stem = stem if dot and len(old) <= 5 else base
    return f"{stem[: _LONGEST_NAME - 1 - len(extension)]}.{extension}"
