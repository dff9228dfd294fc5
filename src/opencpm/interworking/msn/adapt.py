"""MSN's content rules, pure: plain text, in pieces of what one payload holds."""

from __future__ import annotations

from functools import lru_cache
from mimetypes import MimeTypes

import regex

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Part
from opencpm.domain.profile import WHOLE, Fit
from opencpm.protocols.msnp import payload

ROOM = payload.MAX_PAYLOAD - len(payload.text(""))
"""Octets of text in one payload (1547): the switchboard cuts the connection for more."""

_CLUSTER = regex.compile(r"\X")
_TYPES = MimeTypes()  # the built-in ones: no file of the machine is read
_SPACE = regex.compile(r"\s")


def fit(message: Message, max_bytes: int) -> Fit:
    """How a message would go through."""
    try:
        pieces = split(text_of(message, max_bytes))
    except SendError as error:
        return Fit(error=error)
    losses = ("the subject is put before the text",) if message.subject else ()
    if len(pieces) > 1:
        losses = (*losses, f"the text is cut into {len(pieces)} messages")
    return Fit(len(pieces), losses) if losses else WHOLE


def text_of(message: Message, max_bytes: int) -> str:
    """The text that goes out, the subject before it. Raises SendError for what MSN cannot carry."""
    for part in message.parts:
        if part.media_type != "text/plain":
            kind = part.media_type[:60] or "this"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"MSN carries plain text only, not {kind}.")
    text = message.text
    if not text.strip():
        raise SendError(Reason.NOT_ACCEPTABLE, detail="There is no text in the message.")
    if len(text.encode("utf-8", "replace")) > max_bytes:
        raise SendError(Reason.TOO_LARGE, detail=f"A text on MSN may have {max_bytes} bytes at most.")
    return f"{message.subject}: {text}" if message.subject else text


@lru_cache(maxsize=256)
def split(text: str, room: int = ROOM) -> tuple[str, ...]:
    """Cut a text into pieces of at most `room` octets on the wire: between words, else between graphemes.

    Nothing is lost: the pieces joined are the text.
    """
    if 4 * len(text) <= room or len(payload.wire_text(text)) <= room:
        return (text,)
    pieces: list[str] = []
    start = end = word = size = 0
    for cluster in _clusters(text, room):
        octets = len(payload.wire_text(cluster))
        while size + octets > room:
            cut = word if word > start else end
            pieces.append(text[start:cut])
            start, size = cut, len(payload.wire_text(text[cut:end]))
        end += len(cluster)
        size += octets
        if _SPACE.match(cluster):
            word = end
    return (*pieces, text[start:])


def file_part(name: str, content: bytes) -> Part:
    """A file as a part of a message; what it is, is told by its name."""
    kind, encoding = _TYPES.guess_type(name)
    media_type = kind if kind is not None and encoding is None else "application/octet-stream"
    return Part(media_type, content, name, "attachment")


def _clusters(text: str, room: int) -> list[str]:
    """The graphemes; one that no piece could hold is taken apart into its characters."""
    found: list[str] = []
    for cluster in _CLUSTER.findall(text):
        if len(cluster) > 1 and len(payload.wire_text(cluster)) > room:
            found.extend(cluster)
        else:
            found.append(cluster)
    return found
