"""A session that the buddy starts: our side is asked, and may refuse, or the buddy leave before it has answered."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message
from opencpm.domain.session import SessionOffer
from opencpm.interfaces import LegEvents
from opencpm.interworking.msn import inbound
from opencpm.interworking.msn.desk import Desk

if TYPE_CHECKING:
    from opencpm.interworking.msn.leg import MsnLeg

log = logging.getLogger("opencpm.interworking.msn")


class Invitation:
    """The invitations from one peer, one at a time. `page` takes what becomes a message by itself after all."""

    def __init__(self, desk: Desk, peer: str, account: str, page: Callable[[Message], None]) -> None:
        self._desk, self._peer, self._account, self._page = desk, peer, account, page
        self._asking: asyncio.Task[LegEvents] | None = None

    def ask(self, leg: MsnLeg, first: Message, refused: Callable[[MsnLeg], None]) -> None:
        """Ask our side; `leg` is attached once it has answered. `refused` is called before, if it did not accept."""
        offer = SessionOffer(
            id=leg.session_id,
            initiator=Address("msn", self._peer),
            target=first.recipients[0],
            origin=self._desk.name,
            at=self._desk.clock.now(),
            first=first,
        )
        task: asyncio.Task[LegEvents] = self._desk.spawn(self._desk.inbox.invited(offer, leg))
        self._asking = task
        task.add_done_callback(lambda task: self._answered(task, first, leg, refused))

    def withdraw(self) -> None:
        """The peer has left."""
        if self._asking is not None:
            self._asking.cancel()

    def _answered(
        self, task: asyncio.Task[LegEvents], first: Message, leg: MsnLeg, refused: Callable[[MsnLeg], None]
    ) -> None:
        if self._asking is task:
            self._asking = None
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            leg.attach(task.result())
            return
        if error is not None and not isinstance(error, SendError):
            log.error("an invitation from %s failed", self._peer, exc_info=error)
        refused(leg)
        # No session came of it; what was said meanwhile goes on as messages.
        self._page(inbound.standalone(first))
        leg.attach(inbound.Pages(self._page, self._desk.inbox.settled))
