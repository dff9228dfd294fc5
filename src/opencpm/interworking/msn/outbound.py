"""Texts on their way: from a delivery to its ACKs, and exactly one outcome for each."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.interworking.msn import adapt, reasons
from opencpm.interworking.msn.desk import Desk
from opencpm.protocols.msnp.errors import MsnpError

if TYPE_CHECKING:
    from opencpm.interworking.msn.board import Board

Settle = Callable[[Sequence[Outcome]], None]


class Job:
    """One delivery in work; once `settled` nothing more is said about it.

    `acked` are the pieces that the service took, which are not sent again; `left` those left as offline messages;
    `again`: it was sent a second time, after its first switchboard had died.
    """

    __slots__ = ("acked", "again", "delivery", "left", "settle", "settled", "text", "waiting")

    def __init__(self, delivery: Delivery, text: str, settle: Settle) -> None:
        self.delivery, self.text, self.settle = delivery, text, settle
        self.acked: set[int] = set()
        self.waiting = self.left = 0
        self.settled = self.again = False


class Outbound:
    """The deliveries of one conversation, in order."""

    def __init__(self, desk: Desk, who: str) -> None:
        self._desk, self._who = desk, who
        self._queue: list[Job] = []
        self._elsewhere: dict[Job, None] = {}  # carried another way
        self._flying: dict[tuple[Board, int], tuple[Job, int]] = {}

    @property
    def waits(self) -> bool:
        """Whether something waits for a switchboard."""
        return bool(self._queue)

    def take(self, deliveries: Iterable[Delivery], settle: Settle) -> None:
        """Queue deliveries; what MSN cannot carry is settled at once."""
        refused: list[Outcome] = []
        for delivery in deliveries:
            try:
                if delivery.notice is not None:
                    raise reasons.no_dispositions()
                text = adapt.text_of(delivery.message, self._desk.settings.max_message_bytes)
            except SendError as error:
                refused.append(outcome(delivery, self._desk, error, "MSN"))
            else:
                self._queue.append(Job(delivery, text, settle))
                self._desk.counters.backlog += 1
        if refused:
            settle(refused)

    def flush(self, board: Board) -> None:
        """Send everything that waits."""
        queue, self._queue = self._queue, []
        for job in queue:
            self._send(job, board)

    def _send(self, job: Job, board: Board) -> None:
        job.waiting = 0
        try:
            for number, trid in self._pieces(job, board):
                self._flying[board, trid] = job, number
                job.waiting += 1
        except MsnpError as error:
            self._settle(job, reasons.lost(str(error)), "this server")

    def _pieces(self, job: Job, board: Board) -> Iterable[tuple[int, int]]:
        """Number and transaction id of each piece."""
        pieces = adapt.split(job.text)
        if len(pieces) > 1 and self._desk.settings.long_text == "chunk" and board.machine.takes_chunks:
            # Derived from the delivery, so that a resend carries the same id.
            name = uuid.uuid5(uuid.NAMESPACE_OID, job.delivery.id)
            for trid in board.chunks(job.text, f"{{{str(name).upper()}}}"):
                yield -1, trid
        else:
            for number, piece in enumerate(pieces):
                if number not in job.acked:
                    yield number, board.text(piece)

    def accepted(self, board: Board, trid: int) -> None:
        """ACK."""
        job, number = self._flying.pop((board, trid), (None, 0))
        if job is not None:
            job.acked.add(number)
            job.waiting -= 1
            if job.waiting == 0:
                self._settle(job, None, "switchboard ACK")

    def lost(self, board: Board, trid: int, cause: str) -> None:
        """NAK, or no ACK."""
        job, _ = self._flying.pop((board, trid), (None, 0))
        if job is not None:
            self._settle(job, reasons.lost(cause), "switchboard NAK" if "NAK" in cause else "switchboard")

    def recall(self, board: Board, cause: str, again: bool) -> None:
        """A switchboard is of no more use. `again`: what it had no ACK for goes first on the next one, but only once: a
        message that kills two switchboards is not tried on a third."""
        keys = [key for key in self._flying if key[0] is board]
        jobs = dict.fromkeys(self._flying.pop(key)[0] for key in keys)
        back: list[Job] = []
        for job in jobs:
            if job.settled:
                continue
            if again and not job.again:
                job.again = True
                back.append(job)
            else:
                self._settle(job, reasons.lost(cause), "switchboard")
        self._queue[:0] = back

    def take_back(self) -> list[Job]:
        """Everything that waits, to be carried another way; each is then given to `finish`."""
        queue, self._queue = self._queue, []
        self._elsewhere.update(dict.fromkeys(queue))
        return queue

    def finish(self, job: Job, error: SendError | None, source: str, detail: str = "") -> None:
        """How a job that was taken back ended."""
        self._elsewhere.pop(job, None)
        self._settle(job, error, source, detail)

    def fail(self, error: SendError) -> None:
        """No switchboard could be had: nothing that waits can go out."""
        queue, self._queue = self._queue, []
        for job in queue:
            self._settle(job, error, "MSN")

    def expire(self, now: float) -> None:
        """Give up what is past its deadline (epoch seconds)."""
        late = [job for job in self._jobs() if job.delivery.deadline <= now]
        self._queue = [job for job in self._queue if job not in late]
        for job in late:
            self._settle(job, SendError(Reason.TIMEOUT, retryable=True, detail="MSN did not answer in time."), "MSN")

    def next_deadline(self) -> float | None:
        """Epoch seconds, None when nothing is in work."""
        return min((job.delivery.deadline for job in self._jobs()), default=None)

    def backlog(self) -> int:
        """How many deliveries are in work."""
        return len(self._jobs())

    def _jobs(self) -> list[Job]:
        flying = dict.fromkeys(job for job, _ in self._flying.values() if not job.settled)
        return [*self._queue, *flying, *(job for job in self._elsewhere if not job.settled)]

    def _settle(self, job: Job, error: SendError | None, source: str, detail: str = "") -> None:
        if job.settled:
            return
        job.settled = True
        self._desk.counters.backlog -= 1
        if error is None:
            self._desk.counters.sent += 1
        else:
            self._desk.counters.failed += 1
        job.settle([outcome(job.delivery, self._desk, error, source, detail)])


def outcome(delivery: Delivery, desk: Desk, error: SendError | None, source: str, detail: str = "") -> Outcome:
    """What is told to messaging. ACK is the service's word, not the receiver's: never more than accepted."""
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.ACCEPTED if error is None else OutcomeKind.FAILED,
        at=desk.clock.now(),
        source=source,
        error=error,
        detail=(detail or "the switchboard took it") if error is None else "",
    )
