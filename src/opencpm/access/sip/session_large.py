"""Standalone messages over MSRP: large message mode (OMA CPM), and file transfer to devices (RFC 5547)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.file_out import FileOut, offer_of, thumbnail
from opencpm.access.sip.media_out import Result
from opencpm.access.sip.session_content import Codec
from opencpm.access.sip.session_leg import SessionLeg, SessionRoom
from opencpm.access.sip.session_out import Fork
from opencpm.access.sip.session_terms import FileOffer
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.report import Report
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Context, Done, Inbox
from opencpm.protocols import sdp
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.features import ICSI, ICSI_TAG, parse_accept_contact
from opencpm.protocols.sip.message import Message as SipMessage

__all__ = ["StandaloneEvents", "StandaloneOut", "service_asked_for"]

LARGE = frozenset({"largemsg", "largemsg.group"})
FILE = frozenset({"filetransfer", "filetransfer.group"})
_REMEMBERED = 1000
OFFER_AGAIN = 1800.0
"""Seconds until a file that nobody accepted is offered again."""


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
        self.outcome: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        if outcomes and not self.outcome.done():
            self.outcome.set_result(outcomes[0])


class StandaloneOut:
    """Messages to devices over MSRP that are no session: large message mode, and file transfer."""

    def __init__(self, room: SessionRoom, context: Context) -> None:
        self._room, self._context = room, context
        self._reached: dict[tuple[str, str], int] = {}
        self._closing: set[asyncio.Future[str]] = set()
        self.inbox: Inbox | None = None

    async def large(self, delivery: Delivery, binding: Binding) -> Result:
        """The whole message in CPIM. Raises SendError."""
        return await self._carry(delivery, binding, "largemsg", None, None)

    async def file(self, delivery: Delivery, binding: Binding) -> Result:
        """The one file of the message (RFC 5547). Raises SendError."""
        part = delivery.message.parts[0]
        small = await thumbnail(self._context.media, part)
        key = delivery.id, binding.name
        start = self._reached.pop(key, 0)
        codec = FileOut(part, start)
        try:
            return await self._carry(delivery, binding, "filetransfer", offer_of(delivery, small, start), codec)
        except SendError as error:
            if codec.reached:
                self._remember(key, codec.reached)
            if error.reason is Reason.NO_ANSWER:  # nobody looked: the file is kept, and offered again
                detail = "Nobody accepted the file; it is offered again later."
                raise SendError(error.reason, retryable=True, retry_after=OFFER_AGAIN, detail=detail) from None
            raise

    def _remember(self, key: tuple[str, str], reached: int) -> None:
        """How far a file came whose transfer broke off, for the next attempt; bounded, and forgotten at a restart. A
        device that will not go on from there refuses that attempt, and the one after it begins anew."""
        self._reached[key] = reached
        if len(self._reached) > _REMEMBERED:
            del self._reached[next(iter(self._reached))]

    async def _carry(
        self, delivery: Delivery, binding: Binding, service: str, file: FileOffer | None, codec: Codec | None
    ) -> Result:
        assert self.inbox is not None
        events = _OneDelivery(self.inbox)
        owner = self._context.directory.owner_of(delivery.source)
        offer = self._offer(delivery)
        fork = Fork(self._room, offer, events, owner, service=service, direction=sdp.SENDONLY, file=file, codec=codec)
        leg = await fork.ask([binding])
        try:
            leg.send([delivery])
            outcome = await events.outcome
        finally:
            self._close(leg)
        if outcome.error is not None:
            raise outcome.error
        return Result(source=outcome.source)

    def _close(self, leg: SessionLeg) -> None:
        """BYE; nobody waits for its answer: the device has said what it had to say."""
        closing = asyncio.ensure_future(leg.close(CloseReason.NORMAL))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def _offer(self, delivery: Delivery) -> SessionOffer:
        message = delivery.message
        return SessionOffer(
            id="",
            initiator=delivery.source,
            target=delivery.target,
            origin=self._room.name,
            at=message.sent_at,
            conversation_id=message.conversation_id,
            contribution_id=message.contribution_id,
            in_reply_to=message.in_reply_to,
        )
