"""A user of the stand-in server: a client, as far as a conversation with somebody behind a component needs one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.xmpp import jid, message, presence
from opencpm.protocols.xmpp.message import MessageStanza
from opencpm.protocols.xmpp.presence import PresenceStanza

Send = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Text:
    """What the person's client shows. ``delayed``: it waited in the server's store."""

    sender: str
    text: str
    id: str
    thread: str
    delayed: bool
    stanza: MessageStanza


class Person:
    """One user with one client at a time. ``happenings`` are those of the service."""

    def __init__(self, address: str, send: Send, happenings: Happenings) -> None:
        self.address = address
        self.resource = ""
        self.texts: list[Text] = []
        self.states: list[tuple[str, str]] = []  # (who, chat state)
        self.receipts: list[str] = []  # ids of own messages that were received
        self.displayed: list[str] = []  # ids of own messages that were seen
        self.errors: list[MessageStanza] = []
        self.sees: dict[str, PresenceStanza] = {}  # whose presence is known
        self.watched_by: set[str] = set()  # who may see this person
        self.watches: set[str] = set()
        self.approves = True  # answers requests at once
        self.confirms = True  # sends receipts
        self.reads = False  # sends "displayed" as soon as a text is there
        self.show, self.status = "", ""
        self._send, self._happenings = send, happenings
        self._stored: list[MessageStanza] = []
        self._last = 0

    @property
    def online(self) -> bool:
        return bool(self.resource)

    @property
    def jid(self) -> str:
        return f"{self.address}/{self.resource}" if self.resource else self.address

    # -- what a person does

    def sign_in(self, resource: str = "phone") -> None:
        """Be there: what was stored comes, and those who may see it are told."""
        self.resource = resource
        self.set_status(self.show, self.status)
        for who in sorted(self.watches):
            self._presence(who, "probe")
        stored, self._stored = self._stored, []
        for stanza in stored:
            self._show(stanza)

    def sign_out(self) -> None:
        for who in sorted(self.watched_by):
            self._presence(who, "unavailable")
        self.resource = ""
        self._tell("signed-out")

    def set_status(self, show: str = "", status: str = "") -> None:
        """``show``: "", chat, away, xa or dnd."""
        self.show, self.status = show, status
        for who in sorted(self.watched_by):
            self._presence(who)

    def watch(self, who: str) -> None:
        """Ask to see somebody's presence."""
        self._presence(who, "subscribe", bare=True)

    def forget(self, who: str) -> None:
        """See somebody no longer, and be seen by them no longer."""
        self.watches.discard(who)
        self.watched_by.discard(who)
        self._presence(who, "unsubscribe", bare=True)
        self._presence(who, "unsubscribed", bare=True)

    def approve(self, who: str, yes: bool = True) -> None:
        """Answer a request."""
        self._presence(who, "subscribed" if yes else "unsubscribed", bare=True)
        if yes:
            self.watched_by.add(who)
            if self.online:
                self._presence(who)

    def write(self, to: str, text: str, **more: object) -> str:
        """Send a chat message that asks for a receipt; returns its id. ``more``: fields of the stanza."""
        self._last += 1
        first = MessageStanza(
            sender=self.jid,
            to=to,
            id=f"m{self._last}",
            type="chat",
            body=text,
            state="active",
            requests=True,
            markable=True,
        )
        stanza = replace(first, **more)  # type: ignore[arg-type]
        self._send(message.write(stanza))
        return stanza.id

    def show_state(self, to: str, state: str, thread: str = "") -> None:
        """composing, paused, active, inactive or gone."""
        self._send(message.write(MessageStanza(sender=self.jid, to=to, type="chat", state=state, thread=thread)))

    def mark(self, text: Text) -> None:
        """Say that a text was seen."""
        self._send(message.write(MessageStanza(sender=self.jid, to=text.sender, type="chat", displayed=text.id)))

    async def text(self, words: str, patience: float = 10.0) -> Text:
        """Wait until a text is shown, and give it. Raises TimeoutError."""
        await self._happenings.until(lambda: any(one.text == words for one in self.texts), patience)
        return next(one for one in reversed(self.texts) if one.text == words)

    async def until(self, true: Callable[[], bool], patience: float = 10.0) -> None:
        """Wait until something that happened makes it true. Raises TimeoutError."""
        await self._happenings.until(true, patience)

    # -- what the server brings

    def take_message(self, stanza: MessageStanza) -> str:
        """A message for this person; the condition of the error where it cannot be taken."""
        if self.online:
            self._show(stanza)
        elif stanza.body and stanza.type in ("chat", "normal"):
            self._stored.append(replace(stanza, delay=time.time()))
            self._tell("stored", stanza.sender, stanza.body)
        elif stanza.state and not stanza.body:
            return "service-unavailable"
        return ""

    def take_presence(self, stanza: PresenceStanza) -> None:
        who = jid.parse(stanza.sender).bare
        if stanza.type == "subscribe":
            self._tell("asked", who, stanza.status)
            if self.approves:
                self.approve(who)
        elif stanza.type == "subscribed":
            self.watches.add(who)
        elif stanza.type in ("unsubscribe", "unsubscribed"):
            (self.watched_by if stanza.type == "unsubscribe" else self.watches).discard(who)
        elif stanza.type == "probe":
            self._probed(who)
        elif stanza.type in ("", "unavailable"):
            self.sees[who] = stanza
        self._tell("presence", who, stanza.type or stanza.show or "available")

    def _probed(self, who: str) -> None:
        """RFC 6121 §4.3.2: the server answers, for the person or in their place."""
        if who not in self.watched_by:
            self._presence(who, "unsubscribed", bare=True)
        else:
            self._presence(who, "" if self.online else "unavailable")

    def _show(self, stanza: MessageStanza) -> None:
        if stanza.type == "error":
            self.errors.append(stanza)
            self._tell("error", stanza.sender, stanza.error.condition if stanza.error else "")
            return
        if stanza.received:
            self.receipts.append(stanza.received)
            self._tell("receipt", stanza.sender, stanza.received)
        if stanza.displayed:
            self.displayed.append(stanza.displayed)
            self._tell("displayed", stanza.sender, stanza.displayed)
        if stanza.state:
            self.states.append((stanza.sender, stanza.state))
            self._tell("state", stanza.sender, stanza.state)
        if stanza.body:
            self._read(stanza)

    def _read(self, stanza: MessageStanza) -> None:
        text = Text(stanza.sender, stanza.body, stanza.id, stanza.thread, stanza.delay is not None, stanza)
        self.texts.append(text)
        if stanza.requests and self.confirms and stanza.id:
            self._send(message.write(MessageStanza(sender=self.jid, to=stanza.sender, received=stanza.id)))
        if self.reads and stanza.markable:
            self.mark(text)
        self._tell("text", stanza.sender, stanza.body)

    def _presence(self, to: str, kind: str = "", *, bare: bool = False) -> None:
        stanza = PresenceStanza(sender=self.address if bare else self.jid, to=to, type=kind)
        if not kind:
            stanza = replace(stanza, show=self.show, status=self.status)
        self._send(presence.write(stanza))

    def _tell(self, what: str, peer: str = "", text: str = "") -> None:
        self._happenings.add(Happening(time.time(), what, self.address, peer, text))
