"""The stand-in XMPP server. It listens on loopback only, and knows no other server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self
from xml.etree.ElementTree import Element

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.lab.xmpp.faults import Faults
from opencpm.lab.xmpp.log import StanzaLog
from opencpm.lab.xmpp.person import Person
from opencpm.lab.xmpp.stream import ComponentSide
from opencpm.protocols.xmlsafe import parse_xml
from opencpm.protocols.xmpp import iq, jid, message, names, presence
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.message import MessageStanza
from opencpm.protocols.xmpp.stanza_error import StanzaError
from opencpm.transport.link import Link, address_of, listen

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LabXmpp:
    """One server with its people and one component."""

    def __init__(
        self,
        domain: str = "xmpp.test",
        component: str = "cpm.xmpp.test",
        secret: str = "",
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        if host not in _LOOPBACK:
            raise ValueError("the lab listens on loopback only")
        self.domain, self.component, self._secret = domain, component, secret or secrets.token_hex(8)
        self.faults = Faults()
        self.log = StanzaLog()
        self.happenings = Happenings()
        self.people: dict[str, Person] = {}
        self.answers: dict[str, Element] = {}  # id of a query of a person -> its answer
        self._host, self._port = host, port
        self._server: asyncio.Server | None = None
        self._links: list[Link[Element]] = []
        self._routed = 0
        self._late: list[str] = []

    # -- mains

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; after ``down`` where it did."""
        return self._host, self._port

    @property
    def settings(self) -> dict[str, Any]:
        """Of a network that is to be this server's component."""
        host, port = self.address
        return {"host": host, "port": port, "component": self.component, "secret": self._secret}

    async def up(self) -> None:
        """Listen; after ``down``, on the same port."""
        if self._server is None:
            self._server = await listen(self._accept, self._host, self._port)
            self._port = address_of(self._server)[1]

    async def down(self) -> None:
        """Stop listening and drop every connection, as a server that fails does."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        await self.disconnect()
        if server is not None:
            await server.wait_closed()

    async def disconnect(self) -> None:
        """Drop every connection; the component may come back."""
        for link in tuple(self._links):
            link.abort()
        await self.happenings.until(lambda: not self._links)

    @property
    def connected(self) -> bool:
        """Whether the component is there."""
        return self._joined() is not None

    async def wait_component(self, patience: float = 10.0) -> None:
        """Until the component is there. Raises TimeoutError."""
        await self.happenings.until(lambda: self.connected, patience)

    def person(self, user: str) -> Person:
        """The user ``user@domain``, made when first asked for; not signed in."""
        address = f"{user}@{self.domain}"
        if address not in self.people:
            self.people[address] = Person(address, self.send, self.happenings)
        return self.people[address]

    def ask(self, person: Person, to: str, kind: str, content: str) -> str:
        """A query of a person's client; the answer comes into ``answers`` under the id that is returned."""
        ident = f"q{secrets.token_hex(4)}"
        self.send(iq.write(kind, ident, person.jid, to, content))
        return ident

    # -- streams

    def send(self, text: str) -> None:
        """Give the component a stanza. While it is not there, whoever wrote gets an error."""
        stanza = _parsed(text)
        link = self._joined()
        if link is not None:
            self.log.add("S", stanza)
            side: Any = link.machine
            side.send(text)
            link.wake()
        elif stanza.tag.endswith("message") and stanza.get("type") != "error":
            self._bounce(message.read(stanza), "service-unavailable")

    def release(self) -> None:
        """Send the errors that were held back (``faults.late_errors``)."""
        late, self._late = self._late, []
        for text in late:
            self.send(text)

    def inject(self, octets: str) -> None:
        """Give the component what no server sends."""
        link = self._joined()
        assert link is not None, "no component"
        side: Any = link.machine
        side.send(octets)
        link.wake()

    def _accept(self) -> asyncio.Protocol:
        def gone(link: Link[Element], error: Exception | None) -> None:
            self._links.remove(link)
            self._tell("lost")

        side = ComponentSide(secrets.token_hex(12), self._secret_of, lambda: self._tell("joined"), self.faults)
        link: Link[Element] = Link(side, on_events=self._heard, on_lost=gone)
        self._links.append(link)
        return link

    def _secret_of(self, domain: str) -> str | None:
        return self._secret if domain == self.component else None

    def _joined(self) -> Link[Element] | None:
        for link in self._links:
            side: Any = link.machine
            if side.open and link.open:
                return link
        return None

    # -- routing

    def _heard(self, link: Link[Element], stanzas: Sequence[Element]) -> None:
        for stanza in stanzas:
            self._routed += 1
            if self.faults.drop_after and self._routed >= self.faults.drop_after:
                self.faults.drop_after = 0
                link.abort()
                return
            self.log.add("C", stanza)
            if not self.faults.silent:
                self._route(link, stanza)
        self._tell("heard")

    def _route(self, link: Link[Element], stanza: Element) -> None:
        kind = stanza.tag.rpartition("}")[2]
        try:
            to, sender = jid.parse(stanza.get("to", "")), jid.parse(stanza.get("from", ""))
        except XmppError:
            return
        if sender.domain != self.component:
            side: Any = link.machine
            side.error("invalid-from")  # XEP-0114 §3
        elif to.domain == self.component:
            self.send(_text(stanza))  # to itself: it comes back
        elif kind == "message":
            self._message(message.read(stanza), to)
        elif kind == "presence":
            read, person = presence.read(stanza), self.people.get(to.bare)
            if read is not None and person is not None:
                person.take_presence(read)
        elif stanza.get("type") in ("result", "error"):
            self.answers[stanza.get("id", "")] = stanza
        else:
            self.send(iq.refusal(iq.read(stanza), StanzaError("service-unavailable")))

    def _message(self, stanza: MessageStanza, to: jid.Jid) -> None:
        person = self.people.get(to.bare)
        condition = self.faults.errors.get(to.bare, "")
        if not condition and to.domain != self.domain:
            condition = "remote-server-not-found"
        if not condition:
            condition = person.take_message(stanza) if person is not None else "service-unavailable"
        if condition and stanza.type != "error":
            answer = _error(stanza, condition)
            if self.faults.late_errors:
                self._late.append(answer)
            else:
                self.send(answer)

    def _bounce(self, stanza: MessageStanza, condition: str) -> None:
        person = self.people.get(jid.parse(stanza.sender).bare)
        if person is not None:
            error = StanzaError(condition, "wait")
            person.take_message(replace(stanza, sender=stanza.to, to=stanza.sender, type="error", error=error))

    def _tell(self, what: str) -> None:
        self.happenings.add(Happening(time.time(), what, self.component))


def _error(stanza: MessageStanza, condition: str) -> str:
    error = StanzaError(condition)
    return message.write(MessageStanza(id=stanza.id, type="error", sender=stanza.to, to=stanza.sender, error=error))


def _text(stanza: Element) -> str:
    """A query of the component to itself, as it goes back."""
    asked = iq.read(stanza)
    inner = f"<{asked.query} xmlns='{asked.space}'/>" if asked.query else ""
    return iq.write(asked.type, asked.id, asked.sender, asked.to, inner)


def _parsed(text: str) -> Element:
    """A stanza in the namespace of the component's stream."""
    wrapped = f"<stream xmlns='{names.COMPONENT}'>{text}</stream>"
    return parse_xml(wrapped.encode(), limit=1 << 20)[0]
