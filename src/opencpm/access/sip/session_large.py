"""Large message mode: one CPIM message over MSRP instead of a MESSAGE (OMA CPM large message mode, both ways)."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.outgoing import body_for
from opencpm.access.sip.session_leg import SessionRoom
from opencpm.access.sip.session_out import Fork
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Directory, Done, Inbox
from opencpm.protocols import sdp
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import ICSI, ICSI_TAG, parse_accept_contact
from opencpm.protocols.sip.message import Message as SipMessage

__all__ = ["LargeOut", "StandaloneEvents", "service_asked_for"]

log = logging.getLogger("opencpm.access.sip.session")

LARGE = frozenset({"largemsg", "largemsg.group"})
PAGER_LIMIT = 1300
"""Octets of a whole MESSAGE over an unreliable transport (RFC 3428 §8)."""
_HEADERS = 900
"""Octets to allow for the head of our MESSAGE."""


def service_asked_for(request: SipMessage) -> str:
    """The CPM service an INVITE is for, by suffix ("session", "largemsg"); empty for none."""
    for name in ("p-preferred-service", "p-asserted-service"):
        urn = request.get(name).lower()
        if urn.startswith(ICSI):
            return urn[len(ICSI) :]
    for value in request.values("accept-contact")[:8]:
        try:
            wanted = parse_accept_contact(value).features.get(ICSI_TAG, frozenset())
        except SipError:
            continue
        for urn in wanted:
            if urn.startswith(ICSI):
                return urn[len(ICSI) :]
    return ""


class StandaloneEvents:
    """The events of a leg that carries standalone messages: they are not of a session, so the inbox gets them."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def ringing(self) -> None: ...

    def received(self, messages: Sequence[Message], done: Done) -> None:
        self._inbox.received(messages, done)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._inbox.settled(outcomes)

    def composing(self, composing: Composing) -> None: ...

    def reported(self, reports: Sequence[Report], done: Callable[[], None] | None = None) -> None:
        self._inbox.reported(reports, done)

    def closed(self, reason: CloseReason, detail: str = "") -> None: ...


class _OneDelivery(StandaloneEvents):
    """Of a leg that carries one delivery to a device."""

    def __init__(self, inbox: Inbox) -> None:
        super().__init__(inbox)
        self.over = asyncio.Event()

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        super().settled(outcomes)
        self.over.set()


class LargeOut:
    """Takes over from pager mode what is too large for a datagram, for devices that list large message mode."""

    def __init__(self, room: SessionRoom, directory: Directory) -> None:
        self._room, self._directory = room, directory
        self._tasks: set[asyncio.Task[None]] = set()
        self.inbox: Inbox | None = None

    def take(self, delivery: Delivery, binding: Binding) -> bool:
        """See `Lanes.large`. True: it is settled from here."""
        room, flow = self._room, binding.flow
        if self.inbox is None or flow is None or flow.reliable or delivery.notice is not None:
            return False
        takes_large = "largemsg" in binding.services or "+g.gsma.rcs.cpm.pager-large" in binding.features
        if not takes_large or len(room.legs) + len(self._tasks) >= room.settings.max_sessions:
            return False
        if len(body_for(delivery, binding).content) + _HEADERS <= PAGER_LIMIT:
            return False
        task = asyncio.get_running_loop().create_task(self._carry(self.inbox, delivery, binding))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    def close(self) -> None:
        """Give up what is under way."""
        for task in self._tasks:
            task.cancel()

    async def _carry(self, inbox: Inbox, delivery: Delivery, binding: Binding) -> None:
        events = _OneDelivery(inbox)
        leg = None
        try:
            leg = await self._fork(delivery, events).ask([binding])
            leg.send([delivery])
            async with asyncio.timeout(max(0.0, delivery.deadline - self._room.around.clock.now())):
                await events.over.wait()
        except SendError as error:
            events.settled([self._failed(delivery, error)])
        except TimeoutError:
            pass  # closing the leg settles it
        except asyncio.CancelledError:
            if leg is None:
                stopping = SendError(Reason.NETWORK_DOWN, retryable=True, detail="the server is stopping")
                events.settled([self._failed(delivery, stopping)])
            raise
        except Exception:
            log.exception("a large message failed")
            if leg is None:
                events.settled([self._failed(delivery, SendError(Reason.INTERNAL))])
        if leg is not None:
            await leg.close(CloseReason.NORMAL)

    def _fork(self, delivery: Delivery, events: _OneDelivery) -> Fork:
        message = delivery.message
        offer = SessionOffer(
            id="",
            initiator=delivery.source,
            target=delivery.target,
            origin=self._room.name,
            at=message.sent_at,
            conversation_id=message.conversation_id,
            contribution_id=message.contribution_id,
            in_reply_to=message.in_reply_to,
        )
        owner = self._directory.owner_of(delivery.source)
        return Fork(self._room, offer, events, owner, service="largemsg", direction=sdp.SENDONLY)

    def _failed(self, delivery: Delivery, error: SendError) -> Outcome:
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.FAILED,
            at=self._room.around.clock.now(),
            source="device" if error.code else "this server",
            error=error,
            detail=error.code,
        )
