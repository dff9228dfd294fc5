"""``<presence/>`` as a value (RFC 6121 §3 and §4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import names, stanza_error
from opencpm.protocols.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TYPES = frozenset({"", "unavailable", "subscribe", "subscribed", "unsubscribe", "unsubscribed", "probe", "error"})
SHOWS = frozenset({"", "chat", "away", "xa", "dnd"})
MAX_STATUS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class PresenceStanza:
    """One presence. ``type`` is empty for "available"; ``show`` refines it."""

    sender: str
    to: str
    id: str = ""
    type: str = ""
    show: str = ""
    status: str = ""
    priority: int = 0
    nick: str = ""  # XEP-0172
    room_codes: frozenset[str] = frozenset()  # XEP-0045 §15.6: "110" is oneself
    join: bool = False  # XEP-0045 §7.2: enters a room
    error: StanzaError | None = None


def read(stanza: Element) -> PresenceStanza | None:
    """Read a ``<presence/>``; None for a type that RFC 6121 does not know (§4.7.1: ignored)."""
    kind = stanza.get("type") or ""
    if kind not in TYPES:
        return None
    texts: dict[str, str] = {}
    codes: set[str] = set()
    for child in stanza:
        local = child.tag.rpartition("}")[2]
        if child.tag == _ROOM:
            codes = {part.get("code", "") for part in child if part.tag == _STATUS}
        else:
            texts.setdefault(local, (child.text or "")[:MAX_STATUS])
    show = texts.get("show", "").strip()
    return PresenceStanza(
        sender=stanza.get("from", ""),
        to=stanza.get("to", ""),
        id=stanza.get("id", ""),
        type=kind,
        show=show if show in SHOWS else "",
        status=texts.get("status", ""),
        priority=_priority(texts.get("priority", "")),
        nick=texts.get("nick", ""),
        room_codes=frozenset(codes),
        error=stanza_error.read(stanza) if kind == "error" else None,
    )


_ROOM = f"{{{names.MUC_USER}}}x"
_STATUS = f"{{{names.MUC_USER}}}status"


def _priority(text: str) -> int:
    """§4.7.2.3: -128 to 127."""
    try:
        return max(-128, min(127, int(text[:5])))
    except ValueError:
        return 0


def write(presence: PresenceStanza) -> str:
    kind = f' type="{presence.type}"' if presence.type else ""
    ident = f' id="{escape(presence.id)}"' if presence.id else ""
    parts = [f'<presence{kind}{ident} from="{escape(presence.sender)}" to="{escape(presence.to)}">']
    if presence.show:
        parts.append(f"<show>{presence.show}</show>")
    if presence.status:
        parts.append(f"<status>{escape(presence.status)}</status>")
    if presence.priority:
        parts.append(f"<priority>{presence.priority}</priority>")
    if presence.nick:
        parts.append(f"<nick xmlns='{names.NICK}'>{escape(presence.nick)}</nick>")
    if presence.join:
        parts.append(f"<x xmlns='{names.MUC}'><history maxstanzas='0'/></x>")
    if presence.error is not None:
        parts.append(stanza_error.write(presence.error))
    parts.append("</presence>")
    return "".join(parts)
