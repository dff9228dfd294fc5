"""The media type by magic number; the claimed type counts only where content cannot tell."""

from __future__ import annotations

import re
from typing import Final

_LOOK: Final = 1024
_MAGIC: Final = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"#!AMR-WB\n", "audio/amr-wb"),
    (b"#!AMR\n", "audio/amr"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"ID3", "audio/mpeg"),
    (b"MThd", "audio/midi"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
    (b"\x1f\x8b", "application/gzip"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
)
_RIFF: Final = {b"WEBP": "image/webp", b"WAVE": "audio/x-wav", b"AVI ": "video/x-msvideo"}
_STILL_BRANDS: Final = {b"avif": "image/avif", b"avis": "image/avif"} | dict.fromkeys(
    (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1"), "image/heic"
)
_MARKUP: Final = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<(?:\?xml|!|svg|[a-zA-Z]+[\s:>])", re.IGNORECASE)
_ALIASES: Final = {
    "image/jpg": "image/jpeg",
    "image/pjpeg": "image/jpeg",
    "audio/3gpp": "audio/amr",
    "text/vcard": "text/x-vcard",
    "text/directory": "text/x-vcard",
    "text/calendar": "text/x-vcalendar",
}


def media_type(body: bytes, claimed: str) -> str:
    """The type that the content has; ``application/octet-stream`` for media that are none. Never raises."""
    claimed = _ALIASES.get(claimed, claimed)
    if claimed.startswith("text/") and _is_text(body):
        return claimed
    found = _by_magic(body)
    if found:
        return found
    if claimed == "image/vnd.wap.wbmp" and body[:2] == b"\0\0":
        return claimed
    if not claimed.startswith(("image/", "audio/", "video/")) and claimed:
        return claimed if not claimed.startswith("text/") else "application/octet-stream"
    if _MARKUP.match(body[:_LOOK]):
        return "image/svg+xml" if b"<svg" in body[:_LOOK].lower() or claimed == "image/svg+xml" else "application/xml"
    return "application/octet-stream"


def _by_magic(body: bytes) -> str:
    for magic, found in _MAGIC:
        if body.startswith(magic):
            return found
    if body[:4] == b"RIFF":
        return _RIFF.get(body[8:12], "")
    if body[4:8] == b"ftyp":
        return _iso_type(body)
    if body[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return ""  # office documents and archives look alike: the claimed type says which
    return _framed_audio(body)


def _iso_type(body: bytes) -> str:
    """By the brands of ftyp (ISO/IEC 14496-12 §4.3, TS 26.244)."""
    end = min(int.from_bytes(body[:4], "big"), 256, len(body))
    brands = [body[8:12], *(body[at : at + 4] for at in range(16, end, 4))]
    for brand in brands:
        if brand in _STILL_BRANDS:
            return _STILL_BRANDS[brand]
    major = brands[0]
    if major == b"qt  ":
        return "video/quicktime"
    if major in (b"M4A ", b"M4B "):
        return "audio/mp4"
    return "video/3gpp" if major.startswith((b"3g", b"3G")) else "video/mp4"


def _framed_audio(body: bytes) -> str:
    """ADTS and MPEG audio begin with a synchronisation word (ISO/IEC 13818-7 §6.2, 11172-3 §2.4.2.3)."""
    if len(body) < 4 or body[0] != 0xFF:
        return ""
    if body[1] & 0xF6 == 0xF0:
        return "audio/aac"
    return "audio/mpeg" if body[1] & 0xE6 == 0xE2 and body[2] >> 4 not in (0, 15) else ""


def _is_text(body: bytes) -> bool:
    if b"\0" in body:
        return body[:2] in (b"\xff\xfe", b"\xfe\xff")  # UTF-16 with its mark
    return not body.startswith((b"\x89PNG", b"\xff\xd8\xff"))
