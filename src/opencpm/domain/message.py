"""One neutral form for what people send each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntFlag, StrEnum
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from opencpm.domain.address import Address


class Disposition(IntFlag):
    """What the sender asked to be told (RFC 5438 §6.3 and the CPM addition ``interworking``)."""

    NONE = 0
    POSITIVE_DELIVERY = 1
    NEGATIVE_DELIVERY = 2
    DISPLAY = 4
    PROCESSING = 8
    INTERWORKING = 16


class MessageKind(StrEnum):
    STANDALONE = "standalone"  # pager or large message mode
    CHAT = "chat"  # inside a session
    SYSTEM = "system"  # from the server to its user (ICSI systemmsg)


class Part(NamedTuple):
    """One medium of a message: a MIME part without its transfer encoding."""

    content_type: str  # with parameters, as received: "text/plain;charset=UTF-8"
    body: bytes
    name: str = ""  # file name, where there is one
    disposition: str = ""  # Content-Disposition: "", "render", "attachment", "notification"

    @property
    def media_type(self) -> str:
        """Type and subtype in lower case, without parameters."""
        return _media_type(self.content_type)

    @property
    def text(self) -> str:
        """The body as text. What is not valid in its charset is replaced, never raised."""
        return self.body.decode(_charset(self.content_type), "replace")


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person sent, once, to one or more receivers.

    ``id`` is ours and is derived from the sender and the sender's own Message-ID (:func:`message_ident`), so a
    repeated message has the same id wherever it enters. Times are seconds since the epoch.
    """

    id: str
    message_id: str  # imdn.Message-ID (RFC 5438 §6.1), or what stands for it
    sender: Address
    recipients: tuple[Address, ...]
    parts: tuple[Part, ...]
    sent_at: float  # the sender's DateTime; never changed by us
    received_at: float
    origin: str  # name of the connector that brought it
    conversation_id: str = ""  # empty: the server chooses (one per pair of people)
    contribution_id: str = ""
    in_reply_to: str = ""  # InReplyTo-Contribution-ID
    wants: Disposition = Disposition.NONE
    expires_at: float | None = None  # None: the operator's default
    not_before: float = 0.0  # the sender wants it kept until then; 0: at once
    subject: str = ""
    kind: MessageKind = MessageKind.STANDALONE
    session_id: str = ""  # SessionOffer.id, for chat messages
    route: str = ""  # the sender's explicit choice of network for this message
    headers: tuple[tuple[str, str], ...] = ()  # CPIM headers we do not know, kept in order

    @property
    def text(self) -> str:
        """All text parts, joined by a line end."""
        if len(self.parts) == 1:
            part = self.parts[0]
            return part.text if part.media_type == "text/plain" else ""
        return "\n".join(p.text for p in self.parts if p.media_type == "text/plain")

    @property
    def size(self) -> int:
        """Bytes of content, without any wire's envelope."""
        return len(self.parts[0].body) if len(self.parts) == 1 else sum([len(p.body) for p in self.parts])


class Replacement(NamedTuple):
    """What a sender puts in the place of a message that nobody has yet. None: as it was."""

    parts: tuple[Part, ...] | None = None
    wants: Disposition | None = None
    expires_at: float | None = None
    not_before: float | None = None

    def of(self, message: Message) -> Message:
        """The message as it is from now on, with the same ids."""
        return replace(
            message,
            parts=message.parts if self.parts is None else self.parts,
            wants=message.wants if self.wants is None else self.wants,
            expires_at=message.expires_at if self.expires_at is None else self.expires_at,
            not_before=message.not_before if self.not_before is None else self.not_before,
        )


def message_ident(sender: Address, message_id: str) -> str:
    """Our id of a message: 24 hex digits, the same for every repetition of it."""
    return blake2b(f"{sender.scheme}:{sender.value}\n{message_id}".encode(), digest_size=12).hexdigest()


def text_part(text: str) -> Part:
    return Part("text/plain;charset=UTF-8", text.encode())


@lru_cache(maxsize=1024)
def _media_type(content_type: str) -> str:
    return content_type.split(";", 1)[0].strip().lower()


@lru_cache(maxsize=1024)
def _charset(content_type: str) -> str:
    lowered = content_type.lower()
    at = lowered.find("charset=")
    if at < 0:
        return "utf-8"
    name = lowered[at + 8 :].split(";", 1)[0].strip(" \"'")
    return name if name in _CHARSETS else "utf-8"


_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1", "utf-16", "utf-16be", "utf-16le"})
