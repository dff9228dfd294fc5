"""The media side of a leg: texts, typing and dispositions over one MSRP session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencpm.access.sip.outgoing import Body
from opencpm.access.sip.session_content import Codec, Parties, composing_body
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.session import Composing
from opencpm.interfaces import Clock, Ids, LegEvents
from opencpm.protocols.msrp.session import Event, Failed, Limits, Receipt, Received, Reported, Sent, Session
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.protocols.sdp import MsrpMedia
from opencpm.transport.msrp import MsrpHub

__all__ = ["Media", "MediaPath", "Surroundings"]

_MAX_UNANSWERED = 1000
"""Texts of one device that wait to be stored; it is told 413 for more, which no client that waits for answers meets."""
_RETRY = 2.0
"""Seconds between our own attempts to connect to a device that listens."""
_MSRP_STATUS = {Reason.TOO_LARGE: 413, Reason.UNSUPPORTED_MEDIA: 415, Reason.MALFORMED: 400}
_REASON = {403: Reason.REJECTED, 413: Reason.TOO_LARGE, 415: Reason.UNSUPPORTED_MEDIA, 400: Reason.REJECTED}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every media side uses."""

    hub: MsrpHub
    clock: Clock
    ids: Ids
    limits: Limits


@dataclass(frozen=True, slots=True)
class MediaPath:
    """Both ends of a path. `target`: where we connect; None where the peer does."""

    ours: MsrpMedia
    theirs: MsrpMedia
    target: MsrpUri | None = None


class Media:
    """Runs from the answer to the end of a leg, over as many connections as it takes.

    `on_traffic()` is called when the peer did anything, `on_lost(detail)` when the connection has gone,
    `on_found()` when there is one again.
    """

    def __init__(
        self,
        around: Surroundings,
        path: MediaPath,
        parties: Parties,
        events: LegEvents,
        codec: Codec,
        *,
        on_traffic: Callable[[], None],
        on_lost: Callable[[str], None],
        on_found: Callable[[], None],
    ) -> None:
        self.path = path
        self._around, self._parties, self._events, self._codec = around, parties, events, codec
        self._on_traffic, self._on_lost, self._on_found = on_traffic, on_lost, on_found
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, Delivery] = {}
        self._unanswered = 0
        self._settled = asyncio.Event()
        self._retry: asyncio.TimerHandle | None = None
        self._ended = False
        self._session = self._begin(path)

    def _begin(self, path: MediaPath) -> Session:
        around = self._around
        session = Session(path.ours.path, path.theirs.path, around.ids.new, around.limits)
        if path.target is not None:
            around.hub.connect(session, self, path.target)
        else:
            around.hub.expect(session, self)
        return session

    def move(self, path: MediaPath) -> None:
        """Go on over another path (a re-INVITE after a lost connection)."""
        self._around.hub.forget(self._session)
        self._fail_all("the path changed")
        self.path = path
        self._session = self._begin(path)

    @property
    def connected(self) -> bool:
        return self._around.hub.bound(self._session)

    # towards the device

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Each is settled when the device has answered for it, or the connection has gone."""
        now, refused = self._loop.time(), []
        for delivery in deliveries:
            try:
                body = self._body(delivery)
            except SendError as error:
                refused.append(self._outcome(delivery, error))
                continue
            self._waiting[delivery.id] = delivery
            self._session.send(delivery.id, body.content_type, body.content, now)
        self._around.hub.wake(self._session)
        if refused:
            self._events.settled(refused)

    def _body(self, delivery: Delivery) -> Body:
        theirs = self.path.theirs
        if self._ended:
            raise SendError(Reason.UNREACHABLE, retryable=True, detail="the session has ended")
        if theirs.direction in ("sendonly", "inactive"):
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail="the device only sends in this session")
        body = self._codec.body(delivery, theirs, self._parties)
        if theirs.max_size is not None and len(body.content) > theirs.max_size:
            raise SendError(Reason.TOO_LARGE, detail=f"the device takes {theirs.max_size} bytes at most")
        return body

    def composing(self, composing: Composing) -> None:
        """Typing, if the device understands it; nobody waits for an answer."""
        theirs, message_id = self.path.theirs, self._around.ids.new()
        body = composing_body(
            composing, theirs.accept_types, theirs.wrapped_types, message_id, self._around.clock.now()
        )
        if body is not None and self.connected:
            self._session.send(message_id, body.content_type, body.content, self._loop.time(), failure="partial")
            self._around.hub.wake(self._session)

    # from the device

    def media_happened(self, events: Sequence[Event]) -> None:
        """See `MsrpUser`."""
        self._on_traffic()
        self._on_found()
        texts: list[Message] = []
        receipts: list[Receipt] = []
        outcomes: list[Outcome] = []
        for event in events:
            if isinstance(event, Received):
                message = self._read(event)
                if message is not None:
                    texts.append(message)
                    receipts.append(event.receipt)
            elif isinstance(event, Sent | Failed | Reported):
                outcomes += self._answered(event)
        if outcomes:
            self._settle(outcomes)
        if texts:
            session = self._session
            self._unanswered += len(texts)
            self._events.received(texts, lambda verdicts: self._stored(session, receipts, verdicts))

    def _read(self, event: Received) -> Message | None:
        """A text to be stored; everything else is dealt with here."""
        now = self._around.clock.now()
        try:
            if not self._codec.takes(event.content_type, self.path.ours.accept_types):
                raise SendError(Reason.UNSUPPORTED_MEDIA)
            if self._unanswered >= _MAX_UNANSWERED:
                raise SendError(Reason.TOO_LARGE)
            limit = self._around.limits.max_size
            found = self._codec.read(event.content_type, event.body, event.message_id, self._parties, now, limit)
        except SendError as error:
            self._session.reject(event.receipt, _MSRP_STATUS.get(error.reason, 403))
            return None
        if isinstance(found, Message):
            return found
        session, receipt = self._session, event.receipt
        if isinstance(found, Composing):
            session.accept(receipt)
            self._events.composing(found)
        else:
            self._events.reported(found, lambda: self._answer(session, [receipt], [None]))
        return None

    def _stored(self, session: Session, receipts: Sequence[Receipt], verdicts: Sequence[SendError | None]) -> None:
        self._unanswered -= len(receipts)
        self._answer(session, receipts, verdicts)

    def _answer(self, session: Session, receipts: Sequence[Receipt], verdicts: Sequence[SendError | None]) -> None:
        for receipt, error in zip(receipts, verdicts, strict=True):
            if error is None:
                session.accept(receipt)
            else:
                session.reject(receipt, _MSRP_STATUS.get(error.reason, 403))
        self._around.hub.wake(session)

    def _answered(self, event: Sent | Failed | Reported) -> list[Outcome]:
        if isinstance(event, Reported) and event.status == 200:
            return []  # its 200 has settled it already
        delivery = self._waiting.pop(event.message_id, None)
        if delivery is None:
            return []
        if isinstance(event, Sent):
            return [self._outcome(delivery, None)]
        return [self._outcome(delivery, _error(event.status), doubled=event.status == 408)]

    def _outcome(self, delivery: Delivery, error: SendError | None, *, doubled: bool = False) -> Outcome:
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.FAILED if error else OutcomeKind.DELIVERED,
            at=self._around.clock.now(),
            source=f"MSRP {error.code}" if error and error.code else "MSRP 200 from device",
            error=error,
            doubled=doubled,
        )

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        self._events.settled(outcomes)
        if not self._waiting:
            self._settled.set()

    def _fail_all(self, detail: str) -> None:
        lost = [self._outcome(d, _lost(detail), doubled=True) for d in self._waiting.values()]
        self._waiting.clear()
        if lost:
            self._settle(lost)

    # the connection

    def media_lost(self, error: Exception | None) -> None:
        """See `MsrpUser`. What was under way fails for now; a fresh session waits for the next connection."""
        self._codec.broken(self._session.unfinished(), self._session.reached())
        if self._ended:
            self._around.hub.forget(self._session)
            return
        detail = f"MSRP connection lost ({error})" if error else "MSRP connection closed"
        self._around.hub.forget(self._session)
        self._fail_all(detail)
        if self.path.target is None:
            self._session = self._begin(self.path)
        else:
            self._retry = self._loop.call_later(_RETRY, self._again)
        self._on_lost(detail)

    def _again(self) -> None:
        if not self._ended:
            self._session = self._begin(self.path)

    # the end

    async def drained(self, patience: float) -> None:
        """Wait until the device has answered for everything sent, or `patience` seconds."""
        self._settled.clear()
        if self._waiting and self.connected:
            try:
                async with asyncio.timeout(patience):
                    await self._settled.wait()
            except TimeoutError:
                pass

    def end(self, linger: float) -> None:
        """The leg is over. What the device has under way may still arrive for `linger` seconds."""
        if self._ended:
            return
        self._ended = True
        if self._retry is not None:
            self._retry.cancel()
        self._fail_all("the session has ended")
        session, hub = self._session, self._around.hub
        self._codec.broken(session.unfinished(), session.reached())
        if linger and hub.bound(session):
            self._loop.call_later(linger, hub.forget, session)
        else:
            hub.forget(session)


def _error(status: int) -> SendError:
    reason = _REASON.get(status, Reason.UNREACHABLE)
    return SendError(reason, retryable=reason is Reason.UNREACHABLE, code=f"{status} from device")


def _lost(detail: str) -> SendError:
    return SendError(Reason.UNREACHABLE, retryable=True, detail=detail, code="connection lost")
