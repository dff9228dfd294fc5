"""``<message/>`` as a value (RFC 6121 §5), with the extensions that people's clients use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import names, stanza_error, times
from opencpm.protocols.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TYPES = frozenset({"normal", "chat", "groupchat", "headline", "error"})
STATES = frozenset({"active", "composing", "paused", "inactive", "gone"})
MAX_URLS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageStanza:
    """One message. Texts are as sent, empty where there are none; ``delay`` is in seconds since the epoch."""

    sender: str
    to: str
    id: str = ""
    type: str = "normal"
    body: str = ""
    subject: str = ""
    thread: str = ""
    state: str = ""  # XEP-0085
    requests: bool = False  # XEP-0184: asks for a receipt
    received: str = ""  # XEP-0184: the id of the message that was received
    markable: bool = False  # XEP-0333: asks for markers
    displayed: str = ""  # XEP-0333: the id of the message up to which all was seen
    delay: float | None = None  # XEP-0203
    urls: tuple[str, ...] = ()  # XEP-0066
    replaces: str = ""  # XEP-0308: the id of the message that this one corrects
    attention: bool = False  # XEP-0224
    invited_to: str = ""  # XEP-0045 §7.8, XEP-0249: a room
    private: bool = False  # XEP-0280: not for the receiver's or our other devices
    error: StanzaError | None = None


def read(stanza: Element) -> MessageStanza:
    """Read a ``<message/>``, whatever is in it. What is said twice counts once, the first time."""
    found: dict[str, object] = {}
    urls: list[str] = []
    for child in stanza:
        space, _, local = child.tag[1:].rpartition("}") if child.tag[:1] == "{" else ("", "", child.tag)
        if space in _OWN:
            if local in _PLAIN:
                found.setdefault(local, child.text or "")
        elif space == names.OOB and local == "x":
            urls += [part.text.strip() for part in child if part.tag == _URL and part.text and len(urls) < MAX_URLS]
        else:
            _extension(child, space, local, found)
    kind = stanza.get("type") or "normal"
    kind = kind if kind in TYPES else "normal"  # RFC 6121 §5.2.2
    return MessageStanza(
        sender=stanza.get("from", ""),
        to=stanza.get("to", ""),
        id=stanza.get("id", ""),
        type=kind,
        urls=tuple(urls[:MAX_URLS]),
        error=stanza_error.read(stanza) if kind == "error" else None,
        **found,  # type: ignore[arg-type]
    )


_OWN = frozenset({"", names.CLIENT, names.COMPONENT})
_PLAIN = frozenset({"body", "subject", "thread"})
_URL = f"{{{names.OOB}}}url"


def _extension(child: Element, space: str, local: str, found: dict[str, object]) -> None:
    if space == names.CHAT_STATES and local in STATES:
        found.setdefault("state", local)
    elif space == names.RECEIPTS and local == "request":
        found["requests"] = True
    elif space == names.RECEIPTS and local == "received":
        found.setdefault("received", child.get("id", ""))
    elif space == names.MARKERS and local == "markable":
        found["markable"] = True
    elif space == names.MARKERS and local in ("displayed", "acknowledged"):
        found.setdefault("displayed", child.get("id", ""))
    elif space == names.MARKERS and local == "received":
        found.setdefault("received", child.get("id", ""))
    elif space == names.DELAY and local == "delay":
        found.setdefault("delay", times.read(child.get("stamp", "")))
    elif space == names.CORRECTION and local == "replace":
        found.setdefault("replaces", child.get("id", ""))
    elif space == names.ATTENTION and local == "attention":
        found["attention"] = True
    elif space == names.DIRECT_INVITATION and local == "x":
        found.setdefault("invited_to", child.get("jid", ""))
    elif space == names.MUC_USER and local == "x":
        _of_room(child, found)


def _of_room(child: Element, found: dict[str, object]) -> None:
    if any(part.tag == f"{{{names.MUC_USER}}}invite" for part in child):
        found.setdefault("invited_to", ".")  # the room is who sends it


def write(message: MessageStanza) -> str:
    """The stanza as text; characters that XML has no spelling for are left out, or they would break the stream."""
    parts = [_head(message)]
    if message.subject:
        parts.append(f"<subject>{escape(message.subject)}</subject>")
    if message.body:
        parts.append(f"<body>{escape(message.body)}</body>")
    if message.thread:
        parts.append(f"<thread>{escape(message.thread)}</thread>")
    if message.state:
        parts.append(f"<{message.state} xmlns='{names.CHAT_STATES}'/>")
    if message.requests:
        parts.append(f"<request xmlns='{names.RECEIPTS}'/>")
    if message.received:
        parts.append(f"<received xmlns='{names.RECEIPTS}' id=\"{escape(message.received)}\"/>")
    parts += _more(message)
    parts.append("</message>")
    return "".join(parts)


def _head(message: MessageStanza) -> str:
    kind = "" if message.type == "normal" else f' type="{message.type}"'
    ident = f' id="{escape(message.id)}"' if message.id else ""
    return f'<message{kind}{ident} from="{escape(message.sender)}" to="{escape(message.to)}">'


def _more(message: MessageStanza) -> list[str]:
    parts = []
    if message.markable:
        parts.append(f"<markable xmlns='{names.MARKERS}'/>")
    if message.displayed:
        parts.append(f"<displayed xmlns='{names.MARKERS}' id=\"{escape(message.displayed)}\"/>")
    if message.delay is not None:
        parts.append(f"<delay xmlns='{names.DELAY}' stamp=\"{times.write(message.delay)}\"/>")
    parts += [f"<x xmlns='{names.OOB}'><url>{escape(url)}</url></x>" for url in message.urls]
    if message.replaces:
        parts.append(f"<replace xmlns='{names.CORRECTION}' id=\"{escape(message.replaces)}\"/>")
    if message.attention:
        parts.append(f"<attention xmlns='{names.ATTENTION}'/>")
    if message.private:
        parts.append(f"<private xmlns='{names.CARBONS}'/><no-copy xmlns='{names.HINTS}'/>")
    if message.error is not None:
        parts.append(stanza_error.write(message.error))
    return parts
