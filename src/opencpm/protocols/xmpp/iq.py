"""``<iq/>`` as a value (RFC 6120 §8.2.3): a question or its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import stanza_error
from opencpm.protocols.xmpp.stanza_error import StanzaError

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element


class IqStanza(NamedTuple):
    """``type``: get, set, result or error; ``query`` is what it carries, by namespace and name."""

    sender: str
    to: str
    id: str
    type: str
    space: str = ""
    query: str = ""
    node: str = ""
    element: Element | None = None


def read(stanza: Element) -> IqStanza:
    child = next((one for one in stanza if one.tag.rpartition("}")[2] != "error"), None)
    space, query = "", ""
    if child is not None:
        space, _, query = child.tag[1:].rpartition("}") if child.tag[:1] == "{" else ("", "", child.tag)
    return IqStanza(
        stanza.get("from", ""),
        stanza.get("to", ""),
        stanza.get("id", ""),
        stanza.get("type", ""),
        space,
        query,
        child.get("node", "") if child is not None else "",
        child,
    )


def write(kind: str, ident: str, sender: str, to: str, content: str = "") -> str:
    """``content`` is XML already."""
    return f'<iq type="{kind}" id="{escape(ident)}" from="{escape(sender)}" to="{escape(to)}"' + (
        f">{content}</iq>" if content else "/>"
    )


def result(asked: IqStanza, content: str = "") -> str:
    return write("result", asked.id, asked.to, asked.sender, content)


def refusal(asked: IqStanza, error: StanzaError) -> str:
    return write("error", asked.id, asked.to, asked.sender, stanza_error.write(error))
