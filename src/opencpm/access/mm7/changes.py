"""Messages of a VASP that it takes back or replaces (3GPP TS 23.140 §8.7.5, §8.7.6), by the MessageID it was told."""

from __future__ import annotations

import asyncio

from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, Replacement, message_ident
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Recalls, Store


class Changes:
    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, subscriber: Subscriber, message_id: str) -> Message | None:
        """A message that this account submitted."""
        found = (self._store.message(message_ident(own, message_id)) for own in subscriber.addresses)
        return next((message for message in found if message is not None), None)

    async def cancel(self, recalls: Recalls, message: Message) -> None:
        """Returns when nobody gets it any more. Raises SendError."""
        verdict = _Verdict()
        recalls.cancel(message.id, message.sender, verdict.given)
        await verdict.good()

    async def replace(self, recalls: Recalls, message: Message, instead: Replacement) -> None:
        """Returns when it is durable. Raises SendError."""
        verdict = _Verdict()
        recalls.replace(message.id, message.sender, instead, verdict.given)
        await verdict.good()


class _Verdict:
    """What is told after the commit, awaited by who asked; they may have gone meanwhile."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()

    def given(self, error: SendError | None) -> None:
        if not self._answer.done():
            self._answer.set_result(error)

    async def good(self) -> None:
        if (error := await self._answer) is not None:
            raise error
