"""In which form content reaches a device: what it listed when it registered, the way to it, and the size decide. Pure.

A device that takes only one form gets it in that form; see docs/decisions/0019-files.md for the order.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from opencpm.access.sip.binding import Binding
from opencpm.domain.message import Message, Part
from opencpm.protocols import fthttp
from opencpm.protocols.sip.features import IARI_TAG

__all__ = ["PAGER_LIMIT", "Form", "Terms", "choose", "is_media"]

PAGER_LIMIT: Final = 1300
"""Octets of a whole MESSAGE over an unreliable transport (RFC 3428 §8)."""
HEADERS: Final = 900
"""Octets to allow for the head of our MESSAGE."""
WRAPPING: Final = 330
"""Octets to allow for CPIM and MIME headers of a part."""

IARI: Final = "urn:urn-7:3gpp-application.ims.iari."
FT_HTTP: Final = IARI + "rcs.fthttp"
_FT_MSRP: Final = IARI + "rcse.ft"
_TEXTS: Final = frozenset({"text/plain", fthttp.CONTENT_TYPE})
_MEDIA: Final = ("image/", "audio/", "video/")
_SPOKEN: Final = "application/vnd.gsma."


class Form(StrEnum):
    """The words are those of the trail."""

    PAGER = "in pager mode"
    LARGE = "in large message mode"
    FILE = "by MSRP file transfer"
    HTTP = "by HTTP file transfer"
    LINK = "as a text with a link"


@dataclass(frozen=True, slots=True)
class Terms:
    """What the server can do now. Sizes in octets."""

    pager: int = 65_536  # body of a MESSAGE at most
    large: int = 10 << 20  # over MSRP
    http: bool = True  # files can be fetched here
    msrp: bool = True


def is_media(part: Part) -> bool:
    """Content that devices know as a file, and not as something said (text, a place, a card of a chatbot)."""
    kind = part.media_type
    if kind.startswith(_MEDIA):
        return True
    return kind not in _TEXTS and not kind.startswith((_SPOKEN, "message/")) and bool(part.name)


def choose(message: Message, binding: Binding, terms: Terms, *, reliable: bool) -> Form:
    """The form of a message for one device. PAGER where nothing else is better, also if that may fail."""
    size = message.size + WRAPPING * len(message.parts)
    if binding.cpim and size <= terms.pager and (reliable or size + HEADERS <= PAGER_LIMIT) and _is_text(message):
        return Form.PAGER  # the common case, and nothing else is looked at
    media = [part for part in message.parts if is_media(part)]
    if not binding.cpim:
        return _for_plain(message, binding, terms, size, media)
    if size + HEADERS <= PAGER_LIMIT:
        return Form.PAGER
    if media:
        found = _for_media(message, binding, terms, size, media)
        if found is not None:
            return found
    elif takes_large(binding) and terms.msrp and not reliable:
        return Form.LARGE
    if size <= terms.pager:
        return Form.PAGER
    if takes_large(binding) and terms.msrp and size <= terms.large:
        return Form.LARGE
    return Form.LINK if terms.http else Form.PAGER


def _for_plain(message: Message, binding: Binding, terms: Terms, size: int, media: list[Part]) -> Form:
    """A client without CPIM: text, and a link to the rest."""
    if media and terms.http and takes_http(binding) and not _others(message):
        return Form.HTTP
    bare = all(part.media_type == "text/plain" for part in message.parts)
    if terms.http and (not bare or size > terms.pager):
        return Form.LINK
    return Form.PAGER


def _for_media(message: Message, binding: Binding, terms: Terms, size: int, media: list[Part]) -> Form | None:
    if terms.http and takes_http(binding) and not _others(message):
        return Form.HTTP
    largest = max(len(part.body) for part in media)
    file = terms.msrp and takes_file(binding) and largest <= terms.large and not _others(message)
    large = terms.msrp and takes_large(binding) and size <= terms.large
    if file and (len(message.parts) == 1 or not large):
        return Form.FILE
    return Form.LARGE if large else None


def _is_text(message: Message) -> bool:
    return len(message.parts) == 1 and message.parts[0].content_type.startswith("text/plain")


def _others(message: Message) -> bool:
    """Parts that are neither text nor a file: they have to stay with what they came with."""
    return any(not is_media(part) and part.media_type != "text/plain" for part in message.parts)


def takes_large(binding: Binding) -> bool:
    return "largemsg" in binding.services or "+g.gsma.rcs.cpm.pager-large" in binding.features


def takes_file(binding: Binding) -> bool:
    return "filetransfer" in binding.services or _FT_MSRP in binding.features.get(IARI_TAG, ())


def takes_http(binding: Binding) -> bool:
    return FT_HTTP in binding.features.get(IARI_TAG, ()) or fthttp.CONTENT_TYPE in binding.accept
