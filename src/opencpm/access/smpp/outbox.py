"""What is on its way to one ESME: messages as segments, receipts, their answers, one outcome each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from opencpm.access.smpp import reasons
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.throttle import Throttle

_US = "this server"
_RESPONSE = "deliver_sm_resp"


@dataclass(slots=True, eq=False)
class Job:
    """One delivery: what goes for it, all over one connection and in order."""

    delivery: Delivery
    messages: tuple[ShortMessage, ...] = ()
    answered: int = 0
    over: bool = False


Entry = tuple[Job, int]


class Way(Protocol):
    """A bound connection, as the outbox sees it."""

    version: int
    work: deque[Entry]

    @property
    def receives(self) -> bool: ...

    @property
    def room(self) -> int: ...

    def submit(self, message: ShortMessage, entry: Entry, now: float) -> None: ...


Compose = Callable[[Delivery, int], tuple[ShortMessage, ...]]
"""The deliver_sm of a delivery for a peer of this interface_version. Raises SendError; none: nobody wants to know."""


class Outbox:
    """The queue of one account. ``compose`` is asked when a connection takes the delivery. Its methods give the
    outcomes that are due; ``now`` is loop time, ``at`` wall-clock time.
    """

    def __init__(self, bound: int, rate: float, compose: Compose, now: float) -> None:
        self._queue: deque[Job] = deque()
        self._open: set[Job] = set()
        self._bound = bound
        self._compose = compose
        self.throttle = Throttle(rate, now)

    def __len__(self) -> int:
        return len(self._open)

    def add(self, delivery: Delivery, at: float) -> Outcome | None:
        """Take a delivery, or say at once why not."""
        if len(self._open) >= self._bound:
            return failed(delivery, reasons.queue_full(), at)
        job = Job(delivery)
        self._queue.append(job)
        self._open.add(job)
        return None

    def pump(self, ways: Sequence[Way], now: float, at: float) -> list[Outcome]:
        """Hand out what windows and rate allow, evenly."""
        outcomes: list[Outcome] = []
        for way in sorted((way for way in ways if way.receives), key=lambda way: -way.room):
            if self._queue or way.work:
                self._feed(way, now, at, outcomes)
        return outcomes

    def again(self, now: float) -> float | None:
        """When the rate allows more, if that is what stops it."""
        due = self.throttle.next_time(now)
        return due if self._open and due > now else None

    def _feed(self, way: Way, now: float, at: float, outcomes: list[Outcome]) -> None:
        room = way.room
        allowed = self.throttle.allowance(now, room) if room > 0 else 0
        sent = 0
        while sent < allowed and (way.work or self._begin(way, at, outcomes)):
            job, index = entry = way.work.popleft()
            if not job.over:
                way.submit(job.messages[index], entry, now)
                sent += 1
        if sent:
            self.throttle.sent(sent, now)

    def _begin(self, way: Way, at: float, outcomes: list[Outcome]) -> bool:
        """Give the next delivery to a connection; False when there is none."""
        while self._queue:
            job = self._queue.popleft()
            if job.over:
                continue
            try:
                job.messages = self._compose(job.delivery, way.version)
            except SendError as error:
                outcomes.append(self._failed(job, error, at))
                continue
            if job.messages:
                way.work.extend((job, index) for index in range(len(job.messages)))
                return True
            self._end(job)
            outcomes.append(_delivered(job, at, _US, "not asked for by registered_delivery"))
        return False

    def answered(self, way: Way, entry: Entry, status: int, now: float, at: float) -> Outcome | None:
        """A response of the ESME. What it throttled goes again by itself."""
        job, _ = entry
        if job.over:
            return None
        if status in reasons.THROTTLING:
            self.throttle.complained(now)
            way.work.appendleft(entry)
            return None
        if status:
            return self._failed(job, reasons.refused(status), at, _RESPONSE)
        job.answered += 1
        if job.answered < len(job.messages):
            return None
        self._end(job)
        return _delivered(job, at, _RESPONSE, "")

    def unanswered(self, entry: Entry, at: float) -> Outcome | None:
        """No response came, or the connection broke first."""
        job, _ = entry
        return None if job.over else self._failed(job, reasons.unanswered(), at)

    def stranded(self, way: Way, others: bool, at: float) -> list[Outcome]:
        """A connection is gone: what it had begun is retried from the start; without another one nothing can go."""
        begun = [job for job in dict.fromkeys(job for job, _ in way.work) if not job.over]
        way.work.clear()
        outcomes = [self._failed(job, reasons.not_bound(), at) for job in begun]
        if not others:
            outcomes += [self._failed(job, reasons.not_bound(), at) for job in self._queue if not job.over]
            self._queue.clear()
        return outcomes

    def overdue(self, at: float) -> list[Outcome]:
        """Deliveries whose lease ends: messaging decides on them anew (interfaces, rule 3)."""
        late = [job for job in self._open if 0 < job.delivery.deadline <= at]
        return [self._failed(job, reasons.too_late(), at) for job in late]

    def _failed(self, job: Job, error: SendError, at: float, source: str = _US) -> Outcome:
        self._end(job)
        return failed(job.delivery, error, at, source)

    def _end(self, job: Job) -> None:
        job.over = True
        self._open.discard(job)


def failed(delivery: Delivery, error: SendError, at: float, source: str = _US) -> Outcome:
    """The outcome of an attempt that failed."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )


def _delivered(job: Job, at: float, source: str, detail: str) -> Outcome:
    delivery = job.delivery
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.DELIVERED,
        at=at,
        source=source,
        detail=detail,
    )
