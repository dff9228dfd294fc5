"""The Controlling Function: joins two legs into one session and never sees a wire (invariant 6)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind
from opencpm.domain.plan import Action, Candidate, Form, Plan
from opencpm.domain.session import CloseReason, SessionEvent, SessionOffer, SessionState, advance
from opencpm.domain.trail import Step
from opencpm.interfaces import DeliveryRecord, Leg, LegEvents, SessionRecord
from opencpm.messaging.accept import Accept
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.feedback import closing_notice
from opencpm.messaging.ground import Ground
from opencpm.messaging.minutes import Minutes
from opencpm.messaging.report import Reporting
from opencpm.messaging.side import NEAR, PageSide, Side
from opencpm.messaging.text_session import TextSessions
from opencpm.messaging.threads import Threads

log = logging.getLogger("opencpm.session")


class Session:
    """One session: two sides, a state, and what joins them."""

    __slots__ = ("_house", "closing", "legs", "offer", "plan", "record", "sides")

    def __init__(self, house: Sessions, offer: SessionOffer, leg: Leg, plan: Plan, record: SessionRecord) -> None:
        self._house = house
        self.offer = offer
        self.plan = plan
        self.record = record
        self.legs: list[Leg | None] = [leg, None]
        self.sides = (Side(self, 0), Side(self, 1))
        self.closing: asyncio.Task[None] | None = None

    @property
    def state(self) -> SessionState:
        return self.record.state

    def other(self, side: int) -> Leg | None:
        return self.legs[1 - side]

    # What a side reports is carried out by the house, which knows the use cases.

    def ringing(self) -> None:
        self._house.ringing(self)

    def closed(self, side: int, reason: CloseReason, detail: str) -> None:
        self._house.closed(self, side, reason, detail)

    @property
    def house(self) -> Sessions:
        return self._house


class Sessions:
    """All sessions of this server."""

    def __init__(
        self, ground: Ground, accept: Accept, dispatch: Dispatch, reporting: Reporting, threads: Threads
    ) -> None:
        self.ground = ground
        self.accept = accept
        self.dispatch = dispatch
        self.reporting = reporting
        self.threads = threads
        self._open: dict[str, Session] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self.texts = TextSessions(ground, accept)
        self.minutes = Minutes(ground)
        dispatch.in_session = self._way_in_session
        dispatch.failed = self.texts.failed
        self.for_group: Callable[[SessionOffer, Leg], LegEvents | None] = lambda offer, leg: None

    # -- set-up ------------------------------------------------------------------------------------------------

    async def invited(self, offer: SessionOffer, leg: Leg) -> LegEvents:
        """See :meth:`opencpm.interfaces.Inbox.invited`."""
        offer = replace(offer, target=self.ground.canonical(offer.target))
        if (seat := self.for_group(offer, leg)) is not None:
            return seat
        offer = self._identified(offer)
        plan = self._plan(offer, frozenset())
        self.minutes.invited(offer)
        session = Session(self, offer, leg, plan, self._record(offer, plan))
        try:
            await self._ask(session)
        except SendError as error:
            self._refused(session, error)
            if offer.first is not None and self._is_ours(offer.target):
                return self._page_mode(offer)
            raise
        except asyncio.CancelledError:
            self._withdrawn(session)
            raise
        side = session.sides[NEAR]
        if offer.first is not None:
            side.received([offer.first], lambda _: None)
        return side

    async def _ask(self, session: Session) -> None:
        """Ask the far side, on the next network too where the first cannot."""
        tried: set[str] = set()
        while True:
            plan = session.plan
            if plan.action is not Action.SEND or plan.chosen is None:
                raise plan.error or SendError(Reason.NO_ROUTE, detail=plan.reason)
            self.minutes.selected(session.offer.id, plan)
            chosen = plan.chosen
            session.record.network = chosen.network
            far_offer = replace(session.offer, initiator=chosen.source, target=chosen.target, first=None)
            try:
                leg = await self._open_leg(chosen, far_offer, session.sides[1])
                break
            except SendError as error:
                tried.add(chosen.network)
                following = self._plan(session.offer, frozenset(tried))
                if not error.retryable or following.action is not Action.SEND:
                    raise
                session.plan = following
        session.legs[1] = leg
        self._established(session)

    async def _open_leg(self, chosen: Candidate, offer: SessionOffer, events: LegEvents) -> Leg:
        if chosen.form is Form.TEXTS:
            return await self.texts.open(offer, chosen.network, events)
        return await self.ground.connectors[chosen.network].open(offer, events)

    def _plan(self, offer: SessionOffer, tried: frozenset[str]) -> Plan:
        return self.ground.plan(None, offer.initiator, offer.target, session=True, route=offer.route, tried=tried)

    def _identified(self, offer: SessionOffer) -> SessionOffer:
        """Give an invitation without ids those of its conversation."""
        sent, received = self.ground.threads(offer.initiator, offer.target)
        conversation, last = self.threads.last(sent or received)
        return replace(
            offer,
            conversation_id=offer.conversation_id or conversation or self.ground.ids.new(),
            contribution_id=offer.contribution_id or self.ground.ids.new(),
            in_reply_to=offer.in_reply_to or last,
        )

    def _record(self, offer: SessionOffer, plan: Plan) -> SessionRecord:
        threads = tuple(t for t in self.ground.threads(offer.initiator, offer.target) if t)
        return SessionRecord(
            id=offer.id,
            initiator=offer.initiator,
            target=offer.target,
            network=plan.chosen.network if plan.chosen else "",
            origin=offer.origin,
            state=SessionState.INVITED,
            opened_at=self.ground.clock.now(),
            owner_threads=threads,
            conversation_id=offer.conversation_id,
            contribution_id=offer.contribution_id,
        )

    def _is_ours(self, address: Address) -> bool:
        return self.ground.directory.owner_of(address) is not None

    def _page_mode(self, offer: SessionOffer) -> LegEvents:
        """The receiver takes no session, but what was said is not lost: it goes on as standalone messages."""
        side = PageSide(self.accept, self.ground, offer)
        assert offer.first is not None
        side.received([offer.first], lambda _: None)
        return side

    # -- the states --------------------------------------------------------------------------------------------

    def ringing(self, session: Session) -> None:
        if session.state in (SessionState.INVITED, SessionState.RINGING):
            first = session.state is SessionState.INVITED
            self._step(session, SessionEvent.RING)
            near = session.legs[0]
            if near is not None:
                near.ringing()
            if first:
                self.minutes.line(
                    session.record, Step.RINGING, f"{session.record.network} is asking {session.offer.target}"
                )

    def _established(self, session: Session) -> None:
        self._step(session, SessionEvent.ANSWER)
        session.record.answered_at = self.ground.clock.now()
        self._replace_older(session)
        self._open[session.offer.id] = session
        chosen = session.plan.chosen
        who = chosen.target if chosen else session.offer.target
        self.minutes.line(session.record, Step.ESTABLISHED, f"{who} answered on {session.record.network}")

    def _replace_older(self, session: Session) -> None:
        """A second session of the same pair, from the same side, takes the place of the first."""
        for older in list(self._open.values()):
            same = (older.offer.initiator, older.offer.target) == (session.offer.initiator, session.offer.target)
            if same and older.state is SessionState.ESTABLISHED:
                self._spawn(self._end(older, CloseReason.REPLACED, "a new session took its place"))

    def _refused(self, session: Session, error: SendError) -> None:
        self._step(session, SessionEvent.REFUSE)
        session.record.closed_at = self.ground.clock.now()
        session.record.reason = error.reason.value
        self.minutes.refused(session.record, error, session.plan)

    def _withdrawn(self, session: Session) -> None:
        self._step(session, SessionEvent.GONE)
        session.record.closed_at = self.ground.clock.now()
        session.record.reason = Reason.CANCELLED.value
        self.minutes.line(session.record, Step.CLOSED, "withdrawn before it was answered")

    def closed(self, session: Session, side: int, reason: CloseReason, detail: str) -> None:
        """One side has closed: tell the other, and the one who closed what came of it."""
        if session.state is not SessionState.ESTABLISHED:
            return
        self._step(session, SessionEvent.CLOSE)
        who = session.offer.initiator if side == NEAR else session.offer.target
        self.minutes.line(
            session.record, Step.CLOSING, f"{who} closed ({reason.value})" + (f": {detail}" if detail else "")
        )
        session.closing = self._spawn(self._close_other(session, side, reason, detail))

    async def _close_other(self, session: Session, side: int, reason: CloseReason, detail: str) -> None:
        leg = session.other(side)
        answer = await leg.close(reason, detail) if leg is not None else "was not there any more"
        self._ended(session, reason, f"{leg.network if leg else 'the other side'}: {answer}")
        self._feed_back(session, side, reason, answer)

    async def _end(self, session: Session, reason: CloseReason, detail: str) -> None:
        """The server itself ends a session."""
        if session.state is not SessionState.ESTABLISHED:
            return
        self._step(session, SessionEvent.CLOSE)
        self.minutes.line(session.record, Step.CLOSING, detail)
        answers = [await leg.close(reason, detail) for leg in session.legs if leg is not None]
        self._ended(session, reason, "; ".join(answers))

    def _ended(self, session: Session, reason: CloseReason, what: str) -> None:
        self._open.pop(session.offer.id, None)
        self._step(session, SessionEvent.GONE)
        session.record.closed_at = self.ground.clock.now()
        session.record.reason = reason.value
        self.minutes.line(session.record, Step.CLOSED, what)

    def _feed_back(self, session: Session, side: int, reason: CloseReason, answer: str) -> None:
        """The far side's answer reaches the one who closed, as preferences and settings say (step 23)."""
        closer = session.offer.initiator if side == NEAR else session.offer.target
        peer = session.offer.target if side == NEAR else session.offer.initiator
        message, why = closing_notice(self.ground, closer, peer, session.record, reason, answer)
        self.minutes.line(session.record, Step.FEEDBACK, why)
        if message is not None:
            self.accept.received([message], lambda _: None)

    # -- texts -------------------------------------------------------------------------------------------------

    def take(self, session: Session, side: int, messages: Sequence[Message], done: Callable[..., None]) -> None:
        """Texts from one side: committed like any message, then given to the other leg."""
        if session.state is not SessionState.ESTABLISHED or session.other(side) is None:
            self.accept.received([replace(m, kind=MessageKind.STANDALONE, session_id="") for m in messages], done)
            return
        chosen = session.plan.chosen
        assert chosen is not None
        if side == NEAR:
            network, source, target, recipient = (
                session.record.network,
                chosen.source,
                chosen.target,
                session.offer.target,
            )
        else:
            network, source, target = session.record.origin, session.offer.target, session.offer.initiator
            recipient = session.offer.initiator
        offer = session.offer
        texts = [
            replace(
                m,
                kind=MessageKind.CHAT,
                session_id=offer.id,
                sender=offer.initiator if side == NEAR else offer.target,
                recipients=(recipient,),
                conversation_id=m.conversation_id or offer.conversation_id,
                contribution_id=m.contribution_id or offer.contribution_id,
            )
            for m in messages
        ]
        self.accept.in_session(texts, network, source, target, done)

    def _way_in_session(self, record: DeliveryRecord) -> Callable[[Sequence[Delivery]], None] | None:
        """The leg that takes this delivery, while its session stands."""
        session = self._open.get(record.message.session_id)
        if session is None or session.state is not SessionState.ESTABLISHED:
            return None
        to_initiator = record.recipient == session.offer.initiator
        if not to_initiator and session.plan.chosen is not None and session.plan.chosen.form is Form.TEXTS:
            return None  # a text like any other, on its own network
        leg = session.legs[0 if to_initiator else 1]
        return leg.send if leg is not None and leg.network == record.network else None

    # -- all of them -------------------------------------------------------------------------------------------

    def standing(self) -> list[SessionRecord]:
        return [session.record for session in self._open.values()]

    async def shutdown(self) -> None:
        """End every session in good order."""
        await asyncio.gather(
            *(self._end(s, CloseReason.SHUTDOWN, "the server is stopping") for s in list(self._open.values())),
            return_exceptions=True,
        )
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=5.0)

    def close_lost(self) -> None:
        """At start: sessions of a process that died are over."""
        for record in self.ground.store.open_sessions():
            record.state = SessionState.CLOSED
            record.closed_at = self.ground.clock.now()
            record.reason = CloseReason.LOST.value
            self.minutes.line(record, Step.CLOSED, "the server stopped while the session stood")

    # -- small things ------------------------------------------------------------------------------------------

    def _step(self, session: Session, event: SessionEvent) -> None:
        session.record.state = advance(session.record.state, event)

    def _spawn(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.error("a session could not be closed in good order", exc_info=task.exception())
