"""Handing out one part over HTTP: ranges, HEAD, and nothing that a browser would run."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from opencpm.access.web.ranges import Unsatisfiable, asked
from opencpm.domain.message import Part

SHOWN: Final = frozenset(
    {
        *("image/png", "image/jpeg", "image/gif", "image/webp"),
        *("audio/mpeg", "audio/mp4", "audio/aac", "audio/ogg", "audio/wav", "audio/x-wav", "audio/amr", "audio/3gpp"),
        *("video/mp4", "video/webm", "video/3gpp"),
    }
)
"""What a browser shows without running anything of it. SVG, HTML, XML and PDF are saved, never shown."""
_EXTENSIONS: Final = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/gif": "gif",
    "image/webp": "webp",
    "audio/mpeg": "mp3",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "text/plain": "txt",
    "application/pdf": "pdf",
    "text/vcard": "vcf",
    "text/x-vcard": "vcf",
}
_UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\"<>:|?*\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]')


def file_name(name: str, fallback: str = "") -> str:
    """A name that is a name and no path; invisible letters that turn a name round are taken out."""
    name = name.encode("utf-8", "replace").decode()
    bare = _UNSAFE.sub("", re.split(r"[/\\]", name)[-1]).strip(" .")
    return bare[:150] or fallback


def name_of(part: Part, index: int) -> str:
    """The name under which a part is saved."""
    return file_name(part.name) or f"part-{index + 1}.{_EXTENSIONS.get(part.media_type, 'bin')}"


def disposition(kind: str, name: str) -> str:
    """Content-Disposition with a name in both forms (RFC 6266 §5)."""
    plain = re.sub(r"[^!#$&+.\w^`|~-]", "_", name, flags=re.ASCII)
    if plain == name:
        return f'{kind}; filename="{plain}"'
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def hand_out(request: Request, part: Part, index: int) -> Response:
    """200, 206 or 416; HEAD gets the same without a body."""
    shown = part.media_type in SHOWN
    size = len(part.body)
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Disposition": disposition("inline" if shown else "attachment", name_of(part, index)),
        "Content-Security-Policy": "default-src 'none'; sandbox",
        "X-Content-Type-Options": "nosniff",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }
    media_type = part.media_type if shown else "application/octet-stream"
    try:
        span = asked(request.headers.get("range", ""), size)
    except Unsatisfiable:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
    body, status = part.body, 200
    if span is not None:
        body, status = part.body[span.start : span.end], 206
        headers["Content-Range"] = f"bytes {span.start}-{span.end - 1}/{size}"
    if request.method == "HEAD":
        headers["Content-Length"] = str(len(body))
        body = b""
    return Response(body, status, headers, media_type)
