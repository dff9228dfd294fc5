"""XMPP's content rules, pure: text as it is, and what stanzas say as our messages.

Media are not carried: messaging makes a text with a private link of what is none, for every such network alike.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, Part, text_part
from opencpm.domain.profile import WHOLE, Fit
from opencpm.protocols.xmpp.message import MessageStanza

_MAX_ID = 128
_TOKEN = re.compile(r"[A-Za-z0-9.!%*_+`'~-]{1,128}\Z")
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator says."""

    max_text_bytes: int = 65536
    nudge_text: str = "(nudge)"
    correction_mark: str = "Correction: "


def fit(message: Message, terms: Terms) -> Fit:
    """How a message would go: the same rules, nothing sent."""
    try:
        text_of(message, terms)
    except SendError as error:
        return Fit(segments=0, error=error)
    return WHOLE


def text_of(message: Message, terms: Terms) -> str:
    """The body of a message. Raises SendError for what cannot go."""
    for part in message.parts:
        if part.media_type != "text/plain":
            kind = part.media_type[:60] or "this"
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"XMPP carries text here, not {kind}.")
    text = plain(message.text)
    if not text.strip():
        raise SendError(Reason.NOT_ACCEPTABLE, detail="There is no text in the message.")
    if len(text) * 4 > terms.max_text_bytes and len(text.encode()) > terms.max_text_bytes:
        raise SendError(Reason.TOO_LARGE, detail=f"A text on XMPP may have {terms.max_text_bytes} bytes at most.")
    return text


def plain(text: str) -> str:
    """Without what XML cannot spell."""
    return _FORBIDDEN.sub("", text)


# ---------------------------------------------------------------------------------------------- what comes in


def parts_of(stanza: MessageStanza, terms: Terms) -> tuple[Part, ...]:
    """What a person is shown of a message; empty where there is nothing to show (typing, receipts).

    Extensions that change an earlier message are shown as messages: what was read cannot be unread here.
    """
    body = stanza.body
    missing = [url for url in stanza.urls if url not in body]
    if missing:
        body = "\n".join([*filter(None, [body]), *missing])
    if not body.strip():
        body = terms.nudge_text if stanza.attention else _invitation(stanza)
    elif stanza.replaces:
        body = terms.correction_mark + body
    return (text_part(body),) if body else ()


def _invitation(stanza: MessageStanza) -> str:
    """XEP-0249, or XEP-0045 §7.8.2, where the room itself passes it on."""
    if not stanza.invited_to:
        return ""
    room = stanza.sender.partition("/")[0] if stanza.invited_to == "." else stanza.invited_to[:200]
    return f"Invitation to the room xmpp:{room}"


def wants_of(stanza: MessageStanza) -> Disposition:
    """What the sender asked to be told. An error is always told, unless to a headline (RFC 6121 §5.2.2)."""
    wants = Disposition.NONE if stanza.type == "headline" else Disposition.NEGATIVE_DELIVERY
    if not message_key(stanza.id):
        return wants
    if stanza.requests:
        wants |= Disposition.POSITIVE_DELIVERY
    if stanza.markable:
        wants |= Disposition.DISPLAY
    return wants


def conversation_of(thread: str) -> str:
    """A thread as a Conversation-ID: opaque to both sides, and kept as it is where devices can carry it."""
    return thread if _TOKEN.match(thread) else ""


def message_key(stanza_id: str) -> str:
    """A stanza's id as a token, to be kept in our Message-ID; empty for none, and for one too long to answer.

    Clients count their ids from 1 anew in each session: an id alone does not name a message (see
    docs/decisions/0015), but receipts have to repeat it.
    """
    if not stanza_id or len(stanza_id) > _MAX_ID:
        return ""
    return urlsafe_b64encode(stanza_id.encode("utf-8", "replace")).decode().rstrip("=")


def stanza_id_of(message_id: str) -> str:
    """The stanza's id that :func:`message_key` put into a Message-ID, behind the point."""
    key = message_id.partition(".")[2]
    try:
        return urlsafe_b64decode(key + "=" * (-len(key) % 4)).decode("utf-8", "replace")
    except ValueError:
        return ""
