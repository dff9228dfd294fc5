"""Errors of stanzas (RFC 6120 §8.3): type, condition, text."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import names

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

UNDEFINED = "undefined-condition"
# §8.3.3: the conditions, each with the type it has as a rule.
TYPES = {
    "bad-request": "modify",
    "conflict": "cancel",
    "feature-not-implemented": "cancel",
    "forbidden": "auth",
    "gone": "cancel",
    "internal-server-error": "cancel",
    "item-not-found": "cancel",
    "jid-malformed": "modify",
    "not-acceptable": "modify",
    "not-allowed": "cancel",
    "not-authorized": "auth",
    "payment-required": "auth",
    "policy-violation": "modify",
    "recipient-unavailable": "wait",
    "redirect": "modify",
    "registration-required": "auth",
    "remote-server-not-found": "cancel",
    "remote-server-timeout": "wait",
    "resource-constraint": "wait",
    "service-unavailable": "cancel",
    "subscription-required": "auth",
    UNDEFINED: "cancel",
    "unexpected-request": "wait",
}


class StanzaError(NamedTuple):
    """``type``: cancel, continue, modify, auth or wait (may be tried again)."""

    condition: str
    type: str = ""
    text: str = ""

    @property
    def temporary(self) -> bool:
        return self.type == "wait"


def read(stanza: Element) -> StanzaError:
    """The error in a stanza of type error; an undefined one where it says none."""
    for child in stanza:
        if child.tag.rpartition("}")[2] != "error":
            continue
        condition, text = "", ""
        for part in child:
            space, _, local = part.tag[1:].rpartition("}")
            if space != names.STANZA_ERRORS:
                continue
            if local == "text":
                text = (part.text or "")[:500]
            elif local in TYPES:
                condition = local
        condition = condition or UNDEFINED
        return StanzaError(condition, child.get("type", "") or TYPES[condition], text)
    return StanzaError(UNDEFINED, TYPES[UNDEFINED])


def write(error: StanzaError) -> str:
    """The ``<error/>`` element. A condition that RFC 6120 does not know is written as undefined."""
    condition = error.condition if error.condition in TYPES else UNDEFINED
    said = f"<text xmlns='{names.STANZA_ERRORS}'>{escape(error.text)}</text>" if error.text else ""
    kind = escape(error.type or TYPES[condition])
    return f"<error type=\"{kind}\"><{condition} xmlns='{names.STANZA_ERRORS}'/>{said}</error>"
