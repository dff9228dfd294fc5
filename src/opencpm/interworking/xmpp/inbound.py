"""What XMPP users send: texts become messages, receipts and errors become reports, typing is passed on."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, message_ident
from opencpm.domain.report import Report, Status
from opencpm.domain.session import Composing
from opencpm.interfaces import Context, Done, Inbox
from opencpm.protocols.xmpp import jid
from opencpm.protocols.xmpp.errors import XmppError
from opencpm.protocols.xmpp.jid import Jid
from opencpm.protocols.xmpp.message import MessageStanza, write

from . import adapt, reasons
from .adapt import Terms
from .link import Link
from .manners import Manners
from .names import Names
from .outbox import Outbox, reference
from .talks import TYPING_LAPSE, Talks

log = logging.getLogger("opencpm.xmpp")


@dataclass(frozen=True, slots=True)
class Heard:
    """A stanza with whom it is from and to, once these are known to be proper."""

    stanza: MessageStanza
    peer: Jid
    ours: Jid


class Inbound:
    """The way in of one network."""

    def __init__(
        self,
        context: Context,
        names: Names,
        terms: Terms,
        link: Link,
        outbox: Outbox,
        manners: Manners,
        talks: Talks,
        limit: int,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._context, self._names, self._terms = context, names, terms
        self._link, self._outbox, self._manners, self._talks = link, outbox, manners, talks
        self._limit = limit
        self._uncommitted = 0
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def take(self, stanzas: Sequence[MessageStanza]) -> None:
        """A batch of messages: one commit for what is said in it, one for its reports."""
        texts: list[tuple[Heard, Message]] = []
        reports: list[Report] = []
        for stanza in stanzas:
            heard = self._placed(stanza)
            if heard is None:
                continue
            if stanza.type == "error":
                self._error(heard, reports)
                continue
            self._words_about(heard, reports)
            self._manners.saw(heard.ours.bare, heard.peer.bare, stanza)
            message = self._message(heard)
            if message is not None and not self._talks.said(heard.ours, heard.peer, stanza, message, self._verdicts):
                texts.append((heard, message))
            elif message is None:
                self._state(heard)
        if reports and self._inbox is not None:
            self._inbox.reported(reports)
        self._hand_over(texts)

    # -- who

    def _placed(self, stanza: MessageStanza) -> Heard | None:
        """None for what is no business of ours: our own echo, a server speaking, a malformed address."""
        try:
            peer, ours = jid.parse(stanza.sender), jid.parse(stanza.to)
        except XmppError:
            self.counters["malformed addresses"] += 1
            return None
        if peer.domain == self._names.component or not peer.local:
            self.counters["not from people"] += 1
            return None
        if not ours.local or ours.domain != self._names.component or stanza.type == "groupchat":
            self.counters["not for people"] += 1
            if stanza.body and stanza.type in ("normal", "chat"):
                self._refuse(stanza, SendError(Reason.UNKNOWN_ADDRESS, detail="write to somebody at this domain"))
            return None
        return Heard(stanza, peer, ours)

    # -- reports

    def _error(self, heard: Heard, reports: list[Report]) -> None:
        """About something of ours: under way still, or confirmed before the far server refused it."""
        stanza, error = heard.stanza, heard.stanza.error
        if error is None or not stanza.id:
            return
        peer = heard.peer.bare
        self.counters[f"error {error.condition}"] += 1
        if self._outbox.refused(stanza.id, peer, error):
            return
        what = reasons.refused(error, peer)
        reports.append(self._report(Status.FAILED, "XMPP error", stanza.id, peer, what))

    def _words_about(self, heard: Heard, reports: list[Report]) -> None:
        stanza, peer = heard.stanza, heard.peer.bare
        if stanza.received:
            reports.append(self._report(Status.DELIVERED, "XMPP receipt (XEP-0184)", stanza.received, peer))
        if stanza.displayed:
            reports.append(self._report(Status.DISPLAYED, "XMPP marker (XEP-0333)", stanza.displayed, peer))

    def _report(self, status: Status, source: str, ident: str, peer: str, error: SendError | None = None) -> Report:
        self.counters[f"reports {status.value}"] += 1
        return Report(
            status=status,
            network=self._context.name,
            source=source,
            at=self._context.clock.now(),
            key=reference(ident[:200], peer),
            error=error,
            detail=error.code if error is not None else f"from {peer}",
        )

    # -- texts

    def _message(self, heard: Heard) -> Message | None:
        stanza = heard.stanza
        parts = adapt.parts_of(stanza, self._terms)
        if not parts:
            return None
        now = self._context.clock.now()
        sender = self._names.person(heard.peer)
        key = adapt.message_key(stanza.id)
        fresh = self._context.ids.new()
        ident = f"{fresh}.{key}" if key else fresh
        return Message(
            id=message_ident(sender, ident),
            message_id=ident,
            sender=sender,
            recipients=(self._names.met(heard.ours, heard.peer.bare),),
            parts=parts,
            sent_at=min(max(stanza.delay, 0.0), now) if stanza.delay is not None else now,
            received_at=now,
            origin=self._context.name,
            conversation_id=adapt.conversation_of(stanza.thread),
            wants=adapt.wants_of(stanza),
            subject=stanza.subject,
            kind=MessageKind.STANDALONE,
        )

    def _hand_over(self, texts: Sequence[tuple[Heard, Message]]) -> None:
        if not texts or self._inbox is None:
            return
        stanzas = [heard.stanza for heard, _ in texts]
        self._inbox.received([message for _, message in texts], self._verdicts(stanzas))

    def _verdicts(self, stanzas: Sequence[MessageStanza]) -> Done:
        """What is done once these are stored, or refused: nothing, or an error to whoever wrote."""
        self.counters["received"] += len(stanzas)
        self._count(len(stanzas))

        def done(verdicts: Sequence[SendError | None]) -> None:
            self._count(-len(stanzas))
            for stanza, verdict in zip(stanzas, verdicts, strict=True):
                if verdict is not None:
                    self._refuse(stanza, verdict)

        return done

    def _count(self, number: int) -> None:
        """Read nothing more while too much is not stored yet."""
        before, self._uncommitted = self._uncommitted, self._uncommitted + number
        if before < self._limit <= self._uncommitted:
            self._link.pause(True)
        elif self._uncommitted < self._limit <= before:
            self._link.pause(False)

    def _refuse(self, stanza: MessageStanza, error: SendError) -> None:
        self.counters["refused"] += 1
        if stanza.type == "headline":
            return
        answer = MessageStanza(
            id=stanza.id, type="error", sender=stanza.to, to=stanza.sender, error=reasons.told(error)
        )
        self._link.write(write(answer))

    # -- typing

    def _state(self, heard: Heard) -> None:
        """A chat state by itself."""
        state = heard.stanza.state
        if not state or self._talks.showed(heard.ours, heard.peer, state, heard.stanza.thread):
            return
        if self._inbox is not None and state in _TYPING:
            to: Address = self._names.met(heard.ours, heard.peer.bare)
            self._inbox.composing(self._names.person(heard.peer), to, composing(state))


_TYPING = frozenset({"composing", "paused", "active"})


def composing(state: str) -> Composing:
    return Composing(state == "composing", TYPING_LAPSE)
