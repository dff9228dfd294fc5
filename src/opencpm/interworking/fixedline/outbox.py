"""What waits for a line: messages by the number to call, what became of each segment, one outcome each."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.protocols.fsk.events import Item

from .lines import Dialled
from .outgoing import Forms
from .settings import TrunkSettings

Value = TypeVar("Value")
Queue = tuple[str, str, str]
"""What goes in one call: trunk, number to call, number to call from (with a terminal's sub-address)."""
_REMEMBERED = 10_000


@dataclass(slots=True, eq=False)
class Job:
    """One delivery. ``waiting``: segments of the call under way that have no verdict yet."""

    delivery: Delivery
    trunk: TrunkSettings
    dialled: Dialled
    forms: list[Forms]
    waiting: set[int] = field(default_factory=set)
    error: SendError | None = None
    over: bool = False

    @property
    def queue(self) -> Queue:
        return self.trunk.name, self.dialled.number, self.dialled.caller


class Outbox:
    """Messages in hand. Segments once acknowledged are not said again in a later call."""

    def __init__(self, bound: int) -> None:
        self._bound = bound
        self._queues: OrderedDict[Queue, deque[Job]] = OrderedDict()
        self._open: dict[Job, None] = {}
        self._said: OrderedDict[str, set[int]] = OrderedDict()  # delivery -> segments acknowledged
        self._doubtful: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def full(self) -> bool:
        return len(self._open) >= self._bound

    def add(self, job: Job) -> None:
        self._open[job] = None
        self._queues.setdefault(job.queue, deque()).append(job)

    def waiting(self) -> Iterator[Job]:
        """The first job of every queue, the queue that has waited longest first."""
        for queue in list(self._queues.values()):
            while queue and queue[0].over:
                queue.popleft()
            if queue:
                yield queue[0]

    def take(self, queue: Queue, messages: int) -> list[Job]:
        """Jobs for one call: as many as it may carry, at least one."""
        jobs: list[Job] = []
        waiting = self._queues.pop(queue, deque())
        while waiting and (not jobs or messages >= len(waiting[0].forms)):
            job = waiting.popleft()
            if not job.over:
                messages -= len(job.forms)
                jobs.append(job)
        if waiting:
            self._queues[queue] = waiting
        return jobs

    def items(self, job: Job) -> list[Item]:
        """What is still to be said of it."""
        said = self._said.get(job.delivery.id, set())
        left = [index for index in range(len(job.forms)) if index not in said]
        job.waiting = set(left)
        return [Item((job, index), job.forms[index]) for index in left]

    def said(self, job: Job, index: int) -> bool:
        """A segment was acknowledged; whether the message is complete."""
        job.waiting.discard(index)
        _remember(self._said, job.delivery.id, set()).add(index)
        return not job.waiting and job.error is None

    def unsaid(self, job: Job, index: int, error: SendError, *, doubtful: bool = False) -> bool:
        """A segment was not; whether that was the last one without a verdict. The first error counts."""
        job.waiting.discard(index)
        job.error = job.error or error
        if doubtful:
            _remember(self._doubtful, job.delivery.id, None)
        return not job.waiting

    def close(self, job: Job, kind: OutcomeKind, at: float, source: str, detail: str = "") -> Outcome | None:
        """The outcome of a job; None where it had one."""
        if job.over:
            return None
        job.over = True
        self._open.pop(job, None)
        delivery = job.delivery
        failed_ = kind is OutcomeKind.FAILED
        if not failed_:
            self._said.pop(delivery.id, None)
        return Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=kind,
            at=at,
            source=source,
            error=job.error if failed_ else None,
            doubled=not failed_ and self._doubtful.pop(delivery.id, 0) is None,
            detail=detail,
        )

    def overdue(self, now: float) -> list[Job]:
        """Jobs whose lease ends, or whose validity ended while they waited."""
        return [
            job
            for job in self._open
            if not job.waiting
            and ((job.delivery.deadline and job.delivery.deadline <= now) or _expired(job.delivery, now))
        ]

    def all_waiting(self) -> list[Job]:
        """Jobs that no call has taken up."""
        return [job for job in self._open if not job.waiting]


def _expired(delivery: Delivery, now: float) -> bool:
    return bool(delivery.expires_at) and delivery.expires_at <= now


def _remember(kept: OrderedDict[str, Value], key: str, value: Value) -> Value:
    if key not in kept and len(kept) >= _REMEMBERED:
        kept.popitem(last=False)
    return kept.setdefault(key, value)


def failed(delivery: Delivery, error: SendError, at: float, source: str = "this server") -> Outcome:
    """The outcome of an attempt that did not begin."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )
