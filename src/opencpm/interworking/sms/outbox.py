"""What is on its way to the SMSC: messages as segments, their answers, one outcome each."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.report import Reference
from opencpm.protocols.smpp.message_id import Form, check_digits, normal
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.status import Retry, status_of

from . import reasons
from .lane import Lane
from .lesser import lesser
from .recall import Accepted

_DOUBTFUL = 10_000
_NO_LIMIT = 1 << 30
_RESPONSE = "submit_sm_resp"


@dataclass(slots=True, eq=False)
class Job:
    """One delivery: its segments and what became of each. All go over one lane, in order (SMPP long
    messages).
    """

    delivery: Delivery
    segments: tuple[ShortMessage, ...]
    started: int = 0  # segments handed to the session at least once
    ids: list[str | None] = field(default_factory=list)
    accepted: int = 0
    lessened: set[int] = field(default_factory=set)  # segments that went once more with less
    over: bool = False


Entry = tuple[Job, int]


class Outbox:
    """The queue that all lanes work on. Its methods give the outcomes that are due."""

    def __init__(self, bound: int) -> None:
        self._queue: deque[Job] = deque()
        self._bound = bound
        self._turn = 0
        self._open: set[Job] = set()
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

    def add(self, delivery: Delivery, segments: tuple[ShortMessage, ...]) -> None:
        job = Job(delivery, segments, ids=[None] * len(segments))
        self._queue.append(job)
        self._open.add(job)

    def pump(self, lanes: Sequence[Lane], now: float) -> float | None:
        """Hand out what the windows and rates allow; returns when to try again, if a rate is what stops it.

        Several lanes share the work evenly; what one cannot take, another does.
        """
        ways = [lane for lane in lanes if lane.open]
        if len(ways) > 1 and self._queue:
            self._share(ways, now)
        again: float | None = None
        for lane in ways:
            if lane.work or self._queue:
                self._feed(lane, now)
                if lane.work or self._queue:
                    at = lane.next_time(now)
                    if at > now and (again is None or at < again):
                        again = at
        return again

    def _share(self, ways: list[Lane], now: float) -> None:
        """A first round: those with the most room first, among equals by turns, no more than a fair part each."""
        self._turn += 1
        first = self._turn % len(ways)
        part = -(-len(self._queue) // len(ways))
        for lane in sorted(ways[first:] + ways[:first], key=lambda lane: -lane.room):
            self._feed(lane, now, part)

    def _feed(self, lane: Lane, now: float, most: int = _NO_LIMIT) -> None:
        """At most ``most`` new deliveries for a lane."""
        room = lane.room
        allowed = lane.allowance(now, room) if room > 0 else 0
        work = lane.work
        sent = 0
        while sent < allowed:
            if not work:
                if not self._queue or not most:
                    break
                most -= 1
                job = self._queue.popleft()
                work.extend((job, index) for index in range(len(job.segments)))
            entry = work.popleft()
            job, index = entry
            if job.over:
                continue
            lane.submit(job.segments[index], entry, now)
            job.started = max(job.started, index + 1)
            sent += 1
        if sent:
            lane.sent(sent, now)

    def answered(
        self, lane: Lane, entry: Entry, status: int, message_id: str, now: float, at: float, said: str = ""
    ) -> Outcome | None:
        """A response. Throttled segments go again by themselves.

        ``at`` is wall-clock time for the outcome, ``said`` what the SMSC adds in words.
        """
        job, index = entry
        if job.over:
            return None
        if status == 0:
            job.ids[index] = message_id
            job.accepted += 1
            return self._accepted(lane, job, at) if job.accepted == len(job.segments) else None
        if status in reasons.THROTTLING:
            lane.complained(now)
            lane.work.appendleft(entry)
            return None
        if self._with_less(job, index, status):
            lane.work.appendleft(entry)
            return None
        if status_of(status).retry is Retry.REBIND:
            lane.rebind()
        return self._failed(job, reasons.refused(status, job.delivery.attempt, said), at, _RESPONSE)

    def _with_less(self, job: Job, index: int, status: int) -> bool:
        """Whether a refused segment goes once more, without what was refused."""
        segment = None if index in job.lessened else lesser(status, job.segments[index])
        if segment is None:
            return False
        job.lessened.add(index)
        job.segments = (*job.segments[:index], segment, *job.segments[index + 1 :])
        return True

    def unanswered(self, entry: Entry, at: float) -> Outcome | None:
        """No response came, or the link broke first."""
        job, _ = entry
        return None if job.over else self._failed(job, reasons.unanswered(), at, "no response", doubtful=True)

    def stranded(self, lane: Lane, others: bool, at: float) -> list[Outcome]:
        """A lane is gone. What it had not begun goes to the others; without any, nothing can go."""
        left, queued = [job for job, _ in lane.work], list(self._queue)
        lane.work.clear()
        fresh = [job for job in dict.fromkeys(left) if not job.over and not job.started]
        begun = [job for job in dict.fromkeys(left) if not job.over and job.started]
        outcomes = [self._failed(job, reasons.unanswered(), at, "this server", doubtful=True) for job in begun]
        if others:
            self._queue.extendleft(reversed(fresh))
            return outcomes
        self._queue.clear()
        return outcomes + [
            self._failed(job, reasons.no_link(), at, "this server") for job in (*fresh, *queued) if not job.over
        ]

    def overdue(self, at: float) -> list[Outcome]:
        """Deliveries whose lease ends: messaging decides on them anew (interfaces, rule 3)."""
        late = [job for job in self._open if job.delivery.deadline and job.delivery.deadline <= at]
        return [self._overdue(job, at) for job in late]

    def _overdue(self, job: Job, at: float) -> Outcome:
        begun = job.started > 0
        return self._failed(
            job, reasons.unanswered() if begun else reasons.too_late(), at, "this server", doubtful=begun
        )

    def _accepted(self, lane: Lane, job: Job, at: float) -> Outcome:
        self._end(job)
        delivery = job.delivery
        ids = [message_id or "" for message_id in job.ids]
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=OutcomeKind.ACCEPTED,
            at=at,
            source=_RESPONSE,
            references=_references(lane, job, ids),
            doubled=delivery.id in self._doubtful,
            detail=Accepted(lane.account, tuple(ids)).written(),
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


def _references(lane: Lane, job: Job, ids: Sequence[str]) -> tuple[Reference, ...]:
    """Every form under which a receipt may name a segment; the plain one where none was asked for."""
    found = []
    for segment, message_id in enumerate(ids):
        asked = job.segments[segment].registered_delivery
        for key, weak in (lane.ids.forms(message_id) if asked else (Form(normal(message_id)),)) if message_id else ():
            check = check_digits(job.delivery.target.value) if weak else ""
            found.append(Reference(key=lane.key(key), segment=segment, segments=len(ids), weak=weak, check=check))
    return tuple(found)
