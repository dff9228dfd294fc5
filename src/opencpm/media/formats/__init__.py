"""What a part is, by its content: magic numbers and headers, in plain Python, bounded, nothing decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Final, TypeVar

from opencpm.domain.message import Part
from opencpm.media.formats import amr, bmff, gif, jpeg, png, simple, sniff
from opencpm.media.values import Inspection, Kind, MediaError

__all__ = ["inspect", "stripped"]

_T = TypeVar("_T")

_READERS: Final[dict[str, Callable[[bytes], Inspection]]] = {
    "image/jpeg": jpeg.read,
    "image/png": png.read,
    "image/gif": gif.read,
    "image/webp": simple.read_webp,
    "image/bmp": simple.read_bmp,
    "image/vnd.wap.wbmp": simple.read_wbmp,
    "image/heic": bmff.read,
    "image/avif": bmff.read,
    "audio/amr": amr.read,
    "audio/x-wav": simple.read_wav,
    "audio/mpeg": simple.read_mp3,
    "audio/mp4": bmff.read,
    "video/mp4": bmff.read,
    "video/3gpp": bmff.read,
    "video/quicktime": bmff.read,
}
_STRIPPERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "image/jpeg": jpeg.stripped,
    "image/png": png.stripped,
    "image/gif": gif.stripped,
    "image/vnd.wap.wbmp": bytes,
    "audio/amr": amr.stripped,
    "audio/mp4": bmff.stripped,
    "video/mp4": bmff.stripped,
    "video/3gpp": bmff.stripped,
}


def inspect(part: Part) -> Inspection:
    """What the part is. Cheap (headers only) and safe in the server's own process.

    Raises MediaError for what begins like a known format and is not one.
    """
    media_type = sniff.media_type(part.body, part.media_type)
    reader = _READERS.get(media_type)
    if reader is None:
        return Inspection(media_type=media_type, kind=kind_of(media_type), size=len(part.body), frames=0)
    return _guarded(reader, part.body)


def stripped(media_type: str, body: bytes) -> bytes | None:
    """The same medium without place, camera, comments and whatever is hidden behind its end; no picture is decoded.

    None for formats in which we cannot do that: they have to be encoded anew. Raises MediaError for damaged content.
    """
    stripper = _STRIPPERS.get(media_type)
    return _guarded(stripper, body) if stripper else None


def kind_of(media_type: str) -> Kind:
    main = media_type.partition("/")[0]
    if media_type == "text/plain":
        return Kind.TEXT
    return Kind(main) if main in ("image", "audio", "video") else Kind.OTHER


def _guarded(read: Callable[[bytes], _T], body: bytes) -> _T:
    try:
        return read(body)
    except (struct.error, IndexError, OverflowError) as error:
        raise MediaError("is damaged") from error
