"""What is on its way to the centre: messages as segments, their results, one outcome each.

Messages to one number go one at a time and a little apart, since UCP names them by number and second.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import heappop, heappush
from typing import Any, Protocol

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.report import Reference
from opencpm.protocols.throttle import Throttle
from opencpm.protocols.ucp.codes import NOT_ALLOWED, Retry, error_code
from opencpm.protocols.ucp.operations import Message
from opencpm.protocols.ucp.times import name_of

from . import reasons
from .names import message_key

_DOUBTFUL = 10_000
_DENIALS = 3
"""So many pauses in a row for "operation not allowed" mean that we are not logged in."""
_RESULT = "UCP 51 result"


class Way(Protocol):
    """What the outbox wants of the link."""

    account: str
    throttle: Throttle

    @property
    def room(self) -> int: ...

    def submit(self, message: Message, context: Any, now: float) -> None: ...

    def relogin(self) -> None: ...


@dataclass(slots=True, eq=False)
class Job:
    """One delivery: its segments and what became of each."""

    delivery: Delivery
    segments: tuple[Message, ...]
    number: str
    started: int = 0  # segments handed to the session at least once
    names: list[str] = field(default_factory=list)  # SCTS, empty where the centre gave none
    accepted: int = 0
    repeated: bool = False  # a segment was sent once more after a checksum error
    over: bool = False


@dataclass(slots=True, eq=False)
class Line:
    """Who waits for one number. ``parked``: it is among the ready or the resting ones."""

    number: str
    entries: deque[tuple[Job, int]] = field(default_factory=deque)
    parked: bool = False
    busy: bool = False


Entry = tuple[Job, int]


class Outbox:
    """The queue of one link. Its methods give the outcomes that are due."""

    def __init__(self, bound: int, apart: float) -> None:
        self._bound, self._apart = bound, apart
        self._open: set[Job] = set()
        self._lines: dict[str, Line] = {}
        self._ready: deque[Line] = deque()
        self._resting: list[tuple[float, int, Line]] = []
        self._serial = 0
        self._not_before = 0.0
        self._denials = 0
        self._doubtful: OrderedDict[str, None] = OrderedDict()  # deliveries of which an earlier attempt may have gone

    def __len__(self) -> int:
        """Deliveries in hand."""
        return len(self._open)

    @property
    def full(self) -> bool:
        return len(self._open) >= self._bound

    @property
    def crowded(self) -> bool:
        """Not full any more, but too full to say so."""
        return len(self._open) > self._bound * 0.8

    def add(self, delivery: Delivery, segments: tuple[Message, ...]) -> None:
        number = segments[0].adc
        job = Job(delivery, segments, number, names=[""] * len(segments))
        self._open.add(job)
        line = self._lines.setdefault(number, Line(number))
        line.entries.extend((job, index) for index in range(len(segments)))
        self._offer(line)

    # -- sending

    def opened(self, now: float) -> None:
        """A session begins: what the last one left unanswered may have been taken in this very second."""
        self._not_before = now + self._apart

    def pump(self, way: Way, now: float) -> float | None:
        """Hand out what window, rate and distance allow; returns when to try again, if time is what stops it."""
        if now < self._not_before:
            return self._not_before if self._lines else None
        while self._resting and self._resting[0][0] <= now:
            line = heappop(self._resting)[2]
            line.parked = False
            self._offer(line)
        room = way.room
        allowed = way.throttle.allowance(now, room) if room > 0 and self._ready else 0
        sent = 0
        while sent < allowed and self._ready:
            sent += self._send_next(way, now)
        if sent:
            way.throttle.sent(sent, now)
        return self._next_time(way, now)

    def _send_next(self, way: Way, now: float) -> int:
        line = self._ready.popleft()
        line.parked = False
        while line.entries:
            entry = line.entries.popleft()
            job, index = entry
            if job.over:
                continue
            way.submit(job.segments[index], entry, now)
            job.started = max(job.started, index + 1)
            line.busy = self._apart > 0
            self._offer(line)
            return 1
        self._lines.pop(line.number, None)
        return 0

    def _offer(self, line: Line) -> None:
        """Let the line have its turn, unless it has it, rests, or waits for a result."""
        if line.busy or line.parked:
            return
        if not line.entries:
            self._lines.pop(line.number, None)
            return
        line.parked = True
        self._ready.append(line)

    def _next_time(self, way: Way, now: float) -> float | None:
        times = [self._resting[0][0]] if self._resting else []
        if self._ready:
            rated = way.throttle.next_time(now)
            if rated > now:
                times.append(rated)
        return min(times, default=None)

    def _release(self, number: str, now: float) -> None:
        """The line's operation has ended; the next may go when its second is over."""
        line = self._lines.get(number)
        if line is None or not line.busy:
            return
        line.busy = False
        line.parked = True
        self._serial += 1
        heappush(self._resting, (now + self._apart, self._serial, line))

    def _again(self, entry: Entry) -> None:
        """The same segment once more, before all others to this number."""
        line = self._lines.setdefault(entry[0].number, Line(entry[0].number))
        line.entries.appendleft(entry)
        self._offer(line)

    # -- results

    def answered(self, way: Way, entry: Entry, ec: int, sm: str, now: float, at: float) -> Outcome | None:
        """A result. ``now`` is the loop's time, ``at`` wall-clock time for the outcome."""
        job, index = entry
        outcome = None
        if not job.over:
            outcome = self._taken(way, job, index, sm, at) if ec == 0 else self._denied(way, entry, ec, now, at)
        self._release(job.number, now)
        return outcome

    def _taken(self, way: Way, job: Job, index: int, sm: str, at: float) -> Outcome | None:
        self._denials = 0
        name = name_of(sm)
        job.names[index] = name[1] if name else ""
        job.accepted += 1
        return self._accepted(way, job, at) if job.accepted == len(job.segments) else None

    def _denied(self, way: Way, entry: Entry, ec: int, now: float, at: float) -> Outcome | None:
        job, index = entry
        if ec == NOT_ALLOWED:  # too fast, or not logged in: centres say both with this code
            self._slow_down(way, now)
            self._again(entry)
            return None
        retry = error_code(ec).retry
        if retry is Retry.PLAIN and job.segments[index].vp:
            job.segments = tuple([segment._replace(vp="") for segment in job.segments])
            self._again(entry)
            return None
        if retry is Retry.ONCE and not job.repeated:
            job.repeated = True
            self._again(entry)
            return None
        return self._failed(job, reasons.refused(ec), at, _RESULT)

    def _slow_down(self, way: Way, now: float) -> None:
        if way.throttle.next_time(now) <= now:
            self._denials += 1
        way.throttle.complained(now)
        if self._denials >= _DENIALS:
            self._denials = 0
            way.relogin()

    def unanswered(self, entry: Entry, now: float, at: float) -> Outcome | None:
        """No result came, or the link broke first."""
        job, _ = entry
        self._release(job.number, now)
        return None if job.over else self._failed(job, reasons.unanswered(), at, "no result", doubtful=True)

    def stranded(self, at: float) -> list[Outcome]:
        """The link is gone: nothing in hand can go."""
        self._lines.clear()
        self._ready.clear()
        self._resting.clear()
        return [
            self._failed(job, reasons.no_link(), at, "this server", doubtful=job.started > 0) for job in self._all()
        ]

    def overdue(self, at: float) -> list[Outcome]:
        """Deliveries whose lease ends: messaging decides on them anew (interfaces, rule 3)."""
        late = [job for job in self._all() if job.delivery.deadline and job.delivery.deadline <= at]
        return [self._failed(job, reasons.too_late(), at, "this server", doubtful=job.started > 0) for job in late]

    # -- outcomes

    def _all(self) -> Sequence[Job]:
        return list(self._open)

    def _accepted(self, way: Way, job: Job, at: float) -> Outcome:
        self._end(job)
        delivery = job.delivery
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.ACCEPTED,
            at=at,
            source=_RESULT,
            references=tuple(
                Reference(key=message_key(way.account, job.number, scts), segment=at_, segments=len(job.names))
                for at_, scts in enumerate(job.names)
                if scts
            ),
            doubled=delivery.id in self._doubtful,
            detail=f"SCTS {', '.join(job.names)} from {way.account}",
        )

    def _failed(self, job: Job, error: SendError, at: float, source: str, *, doubtful: bool = False) -> Outcome:
        self._end(job)
        if doubtful:
            self._doubtful[job.delivery.id] = None
            if len(self._doubtful) > _DOUBTFUL:
                self._doubtful.popitem(last=False)
        return failed(job.delivery, error, at, source)

    def _end(self, job: Job) -> None:
        job.over = True
        self._open.discard(job)


def failed(delivery: Delivery, error: SendError, at: float, source: str) -> Outcome:
    """The outcome of an attempt that failed."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )
