"""The content rules of MMS, both ways: neutral parts as MIME parts with a presentation, and back. Pure.

What does not fit the receiver has been adapted before (``Context.media``); nothing here decodes a picture.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import MediaError, inspect
from opencpm.protocols import mime, smil
from opencpm.protocols.mms import content as mms
from opencpm.protocols.mms.content import SMIL

from .slides import slides_of

_EXTENSIONS: Final = {
    "text/plain": "txt",
    "text/x-vcard": "vcf",
    "text/x-vcalendar": "vcs",
    "image/jpeg": "jpg",
    "image/gif": "gif",
    "image/png": "png",
    "image/vnd.wap.wbmp": "wbmp",
    "audio/amr": "amr",
    "audio/mp4": "m4a",
    "video/3gpp": "3gp",
    "video/mp4": "mp4",
    "application/pdf": "pdf",
}
_KINDS: Final = {"image": "img", "audio": "audio", "video": "video"}
_PROTECTED: Final = re.compile(r"application/vnd\.oma\.drm\.")
_TYPE: Final = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,126}/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}", re.ASCII)
_PROTECTED_SAID: Final = "[protected content: not passed on]"
_NO_TYPE: Final = ("", "application/octet-stream", "application/x-octet-stream")
_MARK: Final = "\ufeff"


# -- to MMS


def composed(parts: Sequence[Part], unique: str) -> tuple[mime.Part, ...]:
    """The parts as MMS carries them, the presentation first; ``unique`` (the delivery's id) makes the Content-IDs.

    Texts are UTF-8, long ones cut into slides. Names on the wire are ASCII and unique ("item1.jpg"); a file's own name
    stands in the parameter ``name``. A presentation among the parts is replaced by ours: it names what is sent.
    """
    made = [_named(piece, number, unique) for number, piece in enumerate(_pieces(parts), 1)]
    items = [smil.Item(_kind(part), part.get("Content-Location") or "") for part in made]
    presentation = smil.write(smil.pages_of(items))
    return (mms.part_of(f"{SMIL}; charset=utf-8", presentation, f"smil.{unique}", "smil.xml"), *made)


def content_of(parts: Sequence[Part], unique: str, *, binary: bool = False) -> mime.Part:
    """The content of a message as one part: multipart/related that begins with its presentation."""
    return mms.multipart(composed(parts, unique), f"=_part.{unique}", content_id=f"content.{unique}", binary=binary)


def _pieces(parts: Sequence[Part]) -> Iterator[Part]:
    for part in parts:
        if part.media_type == SMIL:
            continue
        if part.media_type == "text/plain" and part.disposition != "attachment":
            for piece in slides_of(part.text):
                yield text_part(piece)._replace(name=part.name)
        else:
            yield part


def _named(part: Part, number: int, unique: str) -> mime.Part:
    extension = _EXTENSIONS.get(part.media_type, "bin")
    location = f"item{number}.{extension}"
    content_type = "text/plain; charset=utf-8" if part.media_type == "text/plain" else _type(part)
    body = part.text.encode() if part.media_type == "text/plain" else part.body
    return mms.part_of(
        f'{content_type}; name="{_quotable(part.name) or location}"', body, f"{number}.{unique}", location
    )


def _type(part: Part) -> str:
    """The type without parameters; what is no type at all (RFC 6838 §4.2) is octets."""
    return part.media_type if _TYPE.fullmatch(part.media_type) else "application/octet-stream"


def _quotable(name: str) -> str:
    """A file name for a quoted parameter: its last component, without what would end or leave the quotes."""
    bare = name.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in bare if c.isprintable() and c not in '"\\')[:64].strip()


def _kind(part: mime.Part) -> str:
    media_type = mime.media_type(part.content_type)
    if media_type == "text/plain":
        return "text"
    return _KINDS.get(media_type.partition("/")[0], "ref")


# -- from MMS


def received(content: mime.Part) -> tuple[Part, ...]:
    """What a phone sent, in the order of its presentation, as neutral parts without the presentation.

    Texts become UTF-8; types are told by content where the phone said none; protected content (DRM) is named in a
    line of text and not passed on. Raises SendError (MALFORMED): no MIME, too many parts, too deep; or nothing in it.
    """
    try:
        flat = mms.flatten(content)
    except mime.MimeError as error:
        raise SendError(Reason.MALFORMED, detail=f"the content cannot be read: {error}") from None
    return in_order(flat, mms.presentation(content, flat))


def in_order(flat: Sequence[mime.Part], presentation: mime.Part | None) -> tuple[Part, ...]:
    """The same of leaf parts that are read already (MM1). Raises SendError: there is nothing in it."""
    slides = smil.ordered(presentation.body if presentation else None, tuple(flat))
    parts = tuple(part for slide in slides for one in slide if (part := _neutral(one)) is not None)
    if not parts:
        raise SendError(Reason.MALFORMED, detail="there is nothing in the message")
    return parts


def _neutral(part: mime.Part) -> Part | None:
    media_type = mime.media_type(part.content_type)
    if _PROTECTED.match(media_type):
        return text_part(_PROTECTED_SAID)
    if media_type == "text/plain":
        text = _text(part)
        return text_part(text) if text.strip() else None
    if not part.body:
        return None
    found = Part(part.content_type, part.body, _name(part))
    if media_type in _NO_TYPE or media_type.endswith("/*"):
        return found._replace(content_type=_seen(found))
    return found._replace(content_type=media_type)


def _text(part: mime.Part) -> str:
    """UTF-16 without a word on its byte order is big-endian, as phones mean it (RFC 2781 §4.3)."""
    charset = mime.charset_of(part.content_type)
    if charset == "utf-16" and part.body[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        charset = "utf-16be"
    text = part.body.decode(charset, "replace").replace("\r\n", "\n").replace("\r", "\n").lstrip(_MARK)
    return "".join(c for c in text if c in "\n\t" or ord(c) >= 0x20).rstrip("\0")


def _name(part: mime.Part) -> str:
    named = mime.parse_content_type(part.content_type)[1].get("name", "")
    filed = mime.parse_content_type(part.get("Content-Disposition") or "")[1].get("filename", "")
    return _quotable(filed or named or part.get("Content-Location") or "")


def _seen(part: Part) -> str:
    try:
        return inspect(part).media_type or "application/octet-stream"
    except MediaError:
        return "application/octet-stream"
