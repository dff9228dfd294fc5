"""Questions about us (``<iq/>``): what we are, who somebody is. Each get and set is answered (RFC 6120 §8.2.3)."""

from __future__ import annotations

from collections.abc import Callable

from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.xmlsafe import escape
from opencpm.protocols.xmpp import iq, jid, names
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.iq import IqStanza
from opencpm.protocols.xmpp.stanza_error import StanzaError

NO_REGISTRATION = "You need not register: write to anybody at this domain from the account you have."
_GATEWAY = (names.DISCO_INFO, names.DISCO_ITEMS, names.REGISTER, names.PING, names.VERSION, names.VCARD)
_PERSON = (
    names.DISCO_INFO,
    names.CHAT_STATES,
    names.RECEIPTS,
    names.MARKERS,
    names.OOB,
    names.PING,
    names.VCARD,
)


class Queries:
    """``who``: the subscriber behind a JID of ours, None for nobody."""

    def __init__(self, component: str, label: str, who: Callable[[str], Subscriber | None]) -> None:
        self._component, self._label, self._who = component, label, who

    def answer(self, asked: IqStanza) -> str | None:
        """The answer as a stanza; None for what is an answer itself."""
        if asked.type not in ("get", "set"):
            return None
        try:
            to = jid.parse(asked.to)
        except XmppError:
            return iq.refusal(asked, StanzaError("jid-malformed"))
        if not asked.id or asked.element is None:
            return iq.refusal(asked, StanzaError("bad-request"))
        if not to.local:
            return self._of_gateway(asked)
        person = self._who(to.bare)
        if person is None:
            return iq.refusal(asked, StanzaError("service-unavailable"))  # the same as for whatever is not known
        return self._of_person(asked, person)

    def _of_gateway(self, asked: IqStanza) -> str:
        if asked.space == names.REGISTER:
            return self._registration(asked)
        if asked.type == "get" and asked.space == names.DISCO_INFO:
            return iq.result(asked, _info(asked.node, "gateway", "simple", f"{self._label} gateway", _GATEWAY))
        if asked.type == "get" and asked.space == names.VCARD:
            return iq.result(asked, _vcard(f"{self._label} gateway"))
        return self._common(asked)

    def _of_person(self, asked: IqStanza, person: Subscriber) -> str:
        if asked.type == "get" and asked.space == names.DISCO_INFO:
            return iq.result(asked, _info(asked.node, "account", "registered", person.name, _PERSON))
        if asked.type == "get" and asked.space == names.VCARD:
            return iq.result(asked, _vcard(person.name))
        return self._common(asked)

    def _common(self, asked: IqStanza) -> str:
        if asked.type != "get":
            return iq.refusal(asked, StanzaError("not-allowed"))
        if asked.space == names.DISCO_ITEMS:
            return iq.result(asked, f"<query xmlns='{names.DISCO_ITEMS}'/>")
        if asked.space == names.PING:
            return iq.result(asked)
        if asked.space == names.VERSION:
            return iq.result(asked, f"<query xmlns='{names.VERSION}'><name>OpenCPM</name></query>")
        return iq.refusal(asked, StanzaError("service-unavailable"))

    def _registration(self, asked: IqStanza) -> str:
        """XEP-0077 as XEP-0100 uses it, for a gateway that everybody may use."""
        if asked.type == "get":
            told = f"<registered/><instructions>{escape(NO_REGISTRATION)}</instructions>"
            return iq.result(asked, f"<query xmlns='{names.REGISTER}'>{told}</query>")
        removes = asked.element is not None and any(part.tag == f"{{{names.REGISTER}}}remove" for part in asked.element)
        if removes:
            return iq.result(asked)  # nothing was kept, and nothing is
        return iq.refusal(asked, StanzaError("not-allowed", text=NO_REGISTRATION))


def _info(node: str, category: str, kind: str, name: str, features: tuple[str, ...]) -> str:
    of_node = f' node="{escape(node)}"' if node else ""
    told = "".join(f"<feature var='{feature}'/>" for feature in features)
    identity = f'<identity category="{category}" type="{kind}" name="{escape(name)}"/>'
    return f"<query xmlns='{names.DISCO_INFO}'{of_node}>{identity}{told}</query>"


def _vcard(name: str) -> str:
    return f"<vCard xmlns='{names.VCARD}'><FN>{escape(name)}</FN></vCard>"
