"""Deliveries in hand: each is one task with one outcome, bounded in number and in time; and duties beside them."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any

from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Reference
from opencpm.interfaces import Context, Inbox

log = logging.getLogger("opencpm.mms")


class Carrier:
    """``carry`` makes the outcome of one delivery, or raises SendError; ``where`` names the network for people."""

    def __init__(
        self,
        context: Context,
        bound: int,
        carry: Callable[[Delivery], Awaitable[Outcome]],
        where: str,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._context, self._bound, self._carry, self._where = context, bound, carry, where
        self._changed = changed
        self._tasks: set[asyncio.Task[None]] = set()
        self._in_hand = 0
        self._inbox: Inbox | None = None

    def __len__(self) -> int:
        return self._in_hand

    @property
    def full(self) -> bool:
        return self._in_hand >= self._bound

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Take them all (interfaces, rule 3)."""
        for delivery in deliveries:
            if self.full:
                detail = f"too many messages wait for {self._where}"
                error = SendError(Reason.CONGESTION, retryable=True, retry_after=5.0, detail=detail)
                self._settle(failed(delivery, error, self._context.clock.now()))
            else:
                self._in_hand += 1
                self.spawn(self._one(delivery))
        self._changed()

    def spawn(self, duty: Coroutine[Any, Any, None]) -> None:
        """Do something beside; what fails is logged."""
        task = asyncio.get_running_loop().create_task(duty)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def close(self) -> None:
        """Give up what is in hand: its leases end, and it is tried again."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _one(self, delivery: Delivery) -> None:
        try:
            outcome = await self._outcome(delivery)
        finally:
            self._in_hand -= 1
        self._settle(outcome)
        self._changed()

    async def _outcome(self, delivery: Delivery) -> Outcome:
        now = self._context.clock.now()
        if delivery.expires_at and delivery.expires_at <= now:
            return failed(
                delivery, SendError(Reason.EXPIRED, detail="its validity was over before it could be sent"), now
            )
        try:
            async with asyncio.timeout(max(0.0, delivery.deadline - now)):
                return await self._carry(delivery)
        except SendError as error:
            return failed(delivery, error, self._context.clock.now(), self._where if error.code else "this server")
        except TimeoutError:
            late = SendError(Reason.CONGESTION, retryable=True, detail=f"{self._where} did not take it in time")
            return failed(delivery, late, self._context.clock.now())

    def _settle(self, outcome: Outcome) -> None:
        self.counters[outcome.kind.value] += 1
        if self._inbox is not None:
            self._inbox.settled([outcome])

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("%s: a duty failed", self._context.name, exc_info=error)


def failed(delivery: Delivery, error: SendError, at: float, source: str = "this server") -> Outcome:
    """The outcome of an attempt that failed."""
    return Outcome(
        delivery_id=delivery.id, token=delivery.token, kind=OutcomeKind.FAILED, at=at, source=source, error=error
    )


def accepted(delivery: Delivery, at: float, source: str, detail: str, key: str) -> Outcome:
    """The network took it, and will name it so."""
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.ACCEPTED,
        at=at,
        source=source,
        references=(Reference(key=key),),
        detail=detail,
    )


def told(delivery: Delivery, at: float, source: str, detail: str) -> Outcome:
    """Word of a message has gone back to where the message came from."""
    return Outcome(
        delivery_id=delivery.id,
        token=delivery.token,
        kind=OutcomeKind.DELIVERED,
        at=at,
        source=source,
        detail=detail,
    )
