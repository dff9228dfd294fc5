"""Texts on their way: in order, at the agreed rate, and exactly one outcome for each.

YMSG acknowledges no text. But packets are read in order: when the server answers a keepalive that was sent behind a
text, it has read the text. Servers that answer no keepalives are found out once a sign-on, and then "written" is all
there is.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.report import Reference
from opencpm.interworking.yahoo import adapt, reasons
from opencpm.interworking.yahoo.backoff import Cause
from opencpm.interworking.yahoo.desk import Desk, moment
from opencpm.protocols.bucket import Bucket
from opencpm.protocols.ymsg import Packet, services

if TYPE_CHECKING:
    from opencpm.interworking.yahoo.line import Line

_SILENT = "the server has gone silent"

Settle = Callable[[Sequence[Outcome]], None]


class Way(Protocol):
    """Where a text goes: to a person, or into a conference."""

    def packet(self, text: str, ident: str) -> Packet: ...


class Job:
    """One delivery in work; once `settled` nothing more is said about it. `at`: the piece that goes next."""

    __slots__ = ("at", "delivery", "pieces", "settle", "settled", "way")

    def __init__(self, delivery: Delivery, pieces: list[str], way: Way, settle: Settle) -> None:
        self.delivery, self.pieces, self.way, self.settle = delivery, pieces, way, settle
        self.at = 0
        self.settled = False

    @property
    def written(self) -> bool:
        return self.at == len(self.pieces)


class Question:
    """A keepalive behind texts. `until`: when those who wait for its answer give up; never beyond a deadline."""

    __slots__ = ("asked_at", "jobs", "number", "until")

    def __init__(self, number: int, asked_at: float, until: float, jobs: list[Job]) -> None:
        self.number, self.asked_at, self.until, self.jobs = number, asked_at, until, jobs


class Outbound:
    """The deliveries of one account."""

    def __init__(self, desk: Desk, line: Callable[[], Line | None]) -> None:
        settings = desk.settings
        self._desk, self._line = desk, line
        self._bucket = Bucket(settings.messages_per_second, settings.burst, moment())
        self._pause = 1.0 / settings.messages_per_second if settings.messages_per_second else 0.0
        self._queue: deque[Job] = deque()
        self._unsure: deque[Question] = deque()
        self._written: list[Job] = []  # in this turn, and no question asked yet
        self._timer: asyncio.TimerHandle | None = None
        self._due = False
        self._answers: bool | None = None  # whether this server answers keepalives; None: not known yet

    def begin(self) -> None:
        """Signed in: find out whether the server answers."""
        self._answers = None if self._desk.settings.confirm == "auto" else False
        self._wake()

    def take(self, deliveries: Iterable[Delivery], way: Way, settle: Settle) -> None:
        """Queue deliveries; what Yahoo cannot carry is settled at once."""
        refused: list[Outcome] = []
        for delivery in deliveries:
            try:
                if delivery.notice is not None:
                    raise reasons.no_dispositions()
                text = adapt.text_of(delivery.message, self._desk.settings.max_message_bytes)
            except SendError as error:
                refused.append(outcome(delivery, self._desk, error, "Yahoo"))
            else:
                self._queue.append(Job(delivery, adapt.split(text), way, settle))
                self._desk.counters.backlog += 1
        if refused:
            settle(refused)
        self._wake()

    def answered(self, number: int) -> None:
        """The server answered a keepalive: it has read everything before it."""
        self._answers = True
        while self._unsure and self._unsure[0].number <= number:
            self._settle(self._unsure.popleft().jobs, None, "keepalive answered", "the server has read it")
        self._arm()

    def lost(self, why: str) -> None:
        """The connection is gone: what was not proven to be read is unsure, what waits cannot go."""
        unsure = [*(job for question in self._unsure for job in question.jobs), *self._written]
        unsure += [job for job in self._queue if job.at]
        waiting = [job for job in self._queue if not job.at]
        self._unsure.clear()
        self._queue.clear()
        self._written = []
        self._settle(unsure, reasons.unsure(why), "Yahoo")
        self._settle(waiting, reasons.down(why), "Yahoo")
        self._arm()

    # --- one turn ------------------------------------------------------------------------------------------------

    def _wake(self) -> None:
        """Send at the end of this turn of the loop: what was queued in it leaves together."""
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._pump)

    def _pump(self) -> None:
        self._due = False
        self._expire()
        line = self._line()
        if line is not None and line.online:
            try:
                self._write(line)
            except SendError as error:
                self.lost(error.detail)
        self._arm()

    def _write(self, line: Line) -> None:
        """Write what the rate allows, and a keepalive behind it."""
        while self._queue and self._bucket.take(moment()):
            job = self._queue[0]
            line.put(job.way.packet(job.pieces[job.at], ident(job.delivery.id, job.at)))
            job.at += 1
            if job.written:
                self._written.append(self._queue.popleft())
        if self._answers is False:
            written, self._written = self._written, []
            self._settle(written, None, "written to the server", "this server confirms nothing")
        elif self._written or (self._answers is None and not self._unsure):
            number, now = line.ask(), moment()
            written, self._written = self._written, []
            self._unsure.append(Question(number, now, now + self._patience(written), written))

    def _patience(self, jobs: list[Job]) -> float:
        left = min((job.delivery.deadline for job in jobs), default=float("inf")) - self._desk.clock.now()
        return max(0.0, min(self._desk.settings.confirm_timeout, left))

    # --- time ----------------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        """One timer: for the next text, the first deadline, or an answer that does not come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        at = [question.until for question in self._unsure]
        if self._queue:
            line = self._line()
            if line is not None and line.online:
                at.append(moment() + self._pause)
            now = self._desk.clock.now()
            at.append(moment() + max(0.0, min(job.delivery.deadline for job in self._queue) - now))
        if at:
            self._timer = asyncio.get_running_loop().call_at(min(at), self._pump)

    def _expire(self) -> None:
        now = self._desk.clock.now()
        late = [job for job in self._queue if job.delivery.deadline <= now]
        if late:
            self._queue = deque(job for job in self._queue if job.delivery.deadline > now)
            self._settle([job for job in late if not job.at], reasons.late(), "Yahoo")
            self._settle([job for job in late if job.at], reasons.unsure("its time ran out"), "Yahoo")
        for question in [question for question in self._unsure if question.until <= moment()]:
            self._unanswered(question)

    def _unanswered(self, question: Question) -> None:
        jobs, question.jobs = question.jobs, []
        question.until = question.asked_at + self._desk.settings.confirm_timeout
        if question.until > moment():  # only the texts' own time is up
            self._settle(jobs, reasons.unsure("its time ran out"), "Yahoo")
        elif self._answers:  # a connection on which nothing comes back is not written to again
            self._unsure.remove(question)
            self._settle(jobs, reasons.unsure(_SILENT), "Yahoo")
            if (line := self._line()) is not None:
                line.end(Cause.LOST, _SILENT)
        else:
            self._unsure.remove(question)
            self._answers = False
            self._settle(jobs, None, "written to the server", "this server confirms nothing")

    # --- what is told --------------------------------------------------------------------------------------------

    def _settle(self, jobs: list[Job], error: SendError | None, source: str, detail: str = "") -> None:
        counters = self._desk.counters
        for job in jobs:
            if job.settled:
                continue
            job.settled = True
            counters.backlog -= 1
            counters.sent += error is None
            counters.failed += error is not None
            told = self._desk.settings.version >= services.ACKNOWLEDGED and error is None
            references = tuple(references_of(job)) if told else ()
            job.settle([outcome(job.delivery, self._desk, error, source, detail, references)])


def ident(delivery_id: str, piece: int) -> str:
    """What the receiver's client confirms (version 16): the same at every attempt."""
    return f"{delivery_id}-{piece}"


def references_of(job: Job) -> Iterable[Reference]:
    count = len(job.pieces)
    return (Reference(key=ident(job.delivery.id, at), segment=at, segments=count) for at in range(count))


def outcome(
    delivery: Delivery,
    desk: Desk,
    error: SendError | None,
    source: str,
    detail: str = "",
    references: tuple[Reference, ...] = (),
) -> Outcome:
    """What is told to messaging: never more than accepted."""
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.ACCEPTED if error is None else OutcomeKind.FAILED,
        at=desk.clock.now(),
        source=source,
        references=references,
        error=error,
        detail=detail,
    )
