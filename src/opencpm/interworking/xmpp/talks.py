"""Chats that are sessions: who asks for one, what belongs to it, and when it is over (RFC 7573)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace
from typing import Any

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Context, Done, Inbox, LegEvents
from opencpm.protocols.xmpp.jid import Jid
from opencpm.protocols.xmpp.message import MessageStanza, write

from . import reasons
from .leg import XmppLeg
from .link import Link
from .names import Names
from .outbox import Entry, Outbox

log = logging.getLogger("opencpm.xmpp")

TYPING_LAPSE = 120.0  # XEP-0085 has no refresh: "composing" stands until something else is said

Deliver = Callable[[XmppLeg, Sequence[Delivery]], None]
Verdicts = Callable[[Sequence[MessageStanza]], Done]


class Talks:
    """All sessions of this network. A pair of people may have several, told apart by their threads."""

    def __init__(self, context: Context, names: Names, link: Link, outbox: Outbox, sessions: str, idle: float) -> None:
        self._context, self._names, self._link, self._outbox = context, names, link, outbox
        self._sessions, self._idle = sessions, idle
        self._legs: dict[tuple[str, str], list[XmppLeg]] = {}  # of a pair, the one that spoke last at the end
        self._tasks: set[asyncio.Task[Any]] = set()
        self._inviting: dict[XmppLeg, asyncio.Task[LegEvents]] = {}
        self._inbox: Inbox | None = None
        self.deliver: Deliver = lambda leg, deliveries: None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def __len__(self) -> int:
        return sum(len(legs) for legs in self._legs.values())

    # -- ours ask

    async def open(self, offer: SessionOffer, events: LegEvents) -> XmppLeg:
        """XMPP has no invitation: that we are there is said (``<active/>``), and the session stands when the server
        has taken it and has not said that nobody is there. Raises SendError."""
        peer = self._names.theirs(offer.target)
        ours = self._names.ours(offer.initiator, peer)
        leg = self._new(offer.id, ours, peer, offer.conversation_id or offer.id)
        self._join(leg)
        leg.attach(events)
        try:
            await self._proven(offer.id, leg, "active")
        except BaseException:
            self._forget(leg)
            leg.over = True
            raise
        return leg

    async def close(self, leg: XmppLeg) -> str:
        """See :meth:`opencpm.interfaces.Leg.close`."""
        if leg.over:
            return "they had left already"
        leg.over = True
        self._forget(leg)
        try:
            await self._proven(f"{leg.session_id}.gone", leg, "gone")
        except SendError as error:
            return f"<gone/> was not taken: {error.detail}"
        return "<gone/>, taken by the server"

    def show(self, leg: XmppLeg, state: str) -> None:
        """A chat state by itself."""
        self._link.write(self._state(leg, state, ""))

    async def _proven(self, ident: str, leg: XmppLeg, state: str) -> None:
        """Send a chat state and wait until the server has it. Raises SendError."""
        if not self._link.up:
            raise reasons.no_link(self._link.detail)
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._link.write(self._state(leg, state, ident))
        self._outbox.add(Entry(ident, leg.peer, waiter=waiter))
        self._outbox.confirm()
        await waiter

    def _state(self, leg: XmppLeg, state: str, ident: str) -> str:
        return write(MessageStanza(id=ident, type="chat", sender=leg.ours, to=leg.peer, thread=leg.thread, state=state))

    # -- they speak

    def said(self, ours: Jid, peer: Jid, stanza: MessageStanza, message: Message, verdicts: Verdicts) -> bool:
        """A text; whether it belongs to a session, standing or now asked for."""
        if stanza.type != "chat":
            return False
        leg = self._meant(ours, peer, stanza.thread)
        if leg is None:
            if stanza.delay is not None or not self._asks(stanza) or self._inbox is None:
                return False  # what waited in a store asks for nothing now
            leg = self._invite(ours, peer, stanza.thread, message)
        leg.resource = peer.resource
        self.spoke(leg)
        text = replace(message, kind=MessageKind.CHAT, session_id=leg.session_id)
        leg.received(text, verdicts([stanza]))
        if stanza.state == "gone":
            self._left(leg, f"{peer.bare} has closed the conversation")
        return True

    def showed(self, ours: Jid, peer: Jid, state: str, thread: str) -> bool:
        """A chat state by itself; whether it belongs to a session."""
        leg = self._meant(ours, peer, thread)
        if leg is None:
            return False
        if state == "gone":
            if leg.resource in ("", peer.resource):
                self._left(leg, f"{peer.bare} has closed the conversation")
        else:
            leg.typed(Composing(state == "composing", TYPING_LAPSE))
        return True

    def went_offline(self, ours: Jid, peer: Jid, last: bool) -> None:
        """A client of theirs is gone; ``last``: none is left."""
        for leg in tuple(self._legs.get((ours.bare, peer.bare), ())):
            if last or (leg.resource and leg.resource == peer.resource):
                self._left(leg, f"{peer.bare} went offline")

    def _meant(self, ours: Jid, peer: Jid, thread: str) -> XmppLeg | None:
        """The session of a thread. Without a thread, or with one that is new, the one in which was spoken last: many
        clients begin new threads, or have none."""
        legs = self._legs.get((ours.bare, peer.bare))
        if not legs:
            return None
        return next((leg for leg in legs if leg.thread == thread), legs[-1])

    def _asks(self, stanza: MessageStanza) -> bool:
        return self._sessions == "chat" or (self._sessions == "thread" and stanza.thread != "")

    def _invite(self, ours: Jid, peer: Jid, thread: str, first: Message) -> XmppLeg:
        """Ask our side for a session; what is said until it has answered waits in the leg."""
        assert self._inbox is not None
        session_id = self._context.ids.new()
        leg = self._new(session_id, ours.bare, peer.bare, thread or session_id)
        self._join(leg)
        offer = SessionOffer(
            id=session_id,
            initiator=first.sender,
            target=first.recipients[0],
            origin=self._context.name,
            at=self._context.clock.now(),
            conversation_id=first.conversation_id,
            subject=first.subject,
        )
        task = self._spawn(self._inbox.invited(offer, leg))
        self._inviting[leg] = task
        task.add_done_callback(lambda task: self._answered(task, leg))
        return leg

    def _answered(self, task: asyncio.Task[LegEvents], leg: XmppLeg) -> None:
        self._inviting.pop(leg, None)
        if not task.cancelled() and task.exception() is None:
            leg.attach(task.result())
            return
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, SendError):
            log.error("an invitation from %s failed", leg.peer, exc_info=error)
        self._forget(leg)
        leg.not_taken(self._page)

    def _page(self, message: Message, done: Done) -> None:
        assert self._inbox is not None
        self._inbox.received([replace(message, kind=MessageKind.STANDALONE, session_id="")], done)

    # -- ends

    def tick(self) -> None:
        """End what nobody has said a word in for long."""
        if not self._idle:
            return
        late = self._moment() - self._idle
        standing = [leg for legs in self._legs.values() for leg in legs if leg not in self._inviting]
        for leg in [leg for leg in standing if leg.active_at < late]:
            self.show(leg, "gone")
            self._forget(leg)
            leg.ended(CloseReason.IDLE, f"nobody has said a word for {self._idle:.0f} s")

    def spoke(self, leg: XmppLeg) -> None:
        """Something was said in it: what comes without a thread belongs here."""
        leg.active_at = self._moment()
        legs = self._legs.get((leg.ours, leg.peer), [])
        if leg in legs and legs[-1] is not leg:
            legs.remove(leg)
            legs.append(leg)

    def _left(self, leg: XmppLeg, detail: str) -> None:
        self._forget(leg)
        inviting = self._inviting.get(leg)
        if inviting is not None:
            inviting.cancel()  # what they said goes on as messages
        else:
            leg.ended(CloseReason.LEFT, detail)

    async def stop(self) -> None:
        """Messaging ends the sessions; invitations are withdrawn here."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*tuple(self._tasks), return_exceptions=True)

    # -- small things

    def _new(self, session_id: str, ours: str, peer: str, thread: str) -> XmppLeg:
        leg = XmppLeg(self, self._context.name, session_id, ours, peer, thread)
        leg.active_at = self._moment()
        return leg

    def _join(self, leg: XmppLeg) -> None:
        """A session of the same thread takes the place of the older one."""
        legs = self._legs.setdefault((leg.ours, leg.peer), [])
        for older in [one for one in legs if one.thread == leg.thread]:
            legs.remove(older)
            older.ended(CloseReason.REPLACED, "a new session took its place")
        legs.append(leg)

    def _forget(self, leg: XmppLeg) -> None:
        legs = self._legs.get((leg.ours, leg.peer), [])
        if leg in legs:
            legs.remove(leg)
        if not legs:
            self._legs.pop((leg.ours, leg.peer), None)

    def _spawn(self, work: Coroutine[Any, Any, LegEvents]) -> asyncio.Task[LegEvents]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    @staticmethod
    def _moment() -> float:
        return asyncio.get_running_loop().time()
