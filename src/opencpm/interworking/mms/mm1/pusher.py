"""PDUs to phones by WAP push: system messages that messaging carries over the network of short messages."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Disposition, Message, MessageKind, Part, message_ident
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.mm1.pdu import MEDIA_TYPE


class Pusher:
    """``service`` is who sends them: this centre."""

    def __init__(self, context: Context, network: str) -> None:
        self.service = Address("cpm", context.name)
        self._context, self._network = context, network
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def push(
        self, pdu: bytes, target: Address, ident: str, until: float, wants: Disposition = Disposition.NONE
    ) -> SendError | None:
        """Hand it in; why it was not taken, or None once it is stored. ``ident`` makes a repetition the same."""
        assert self._inbox is not None
        now = self._context.clock.now()
        message = Message(
            id=message_ident(self.service, ident),
            message_id=ident,
            sender=self.service,
            recipients=(target,),
            parts=(Part(MEDIA_TYPE, pdu),),
            sent_at=now,
            received_at=now,
            origin=self._context.name,
            wants=wants,
            expires_at=until,
            kind=MessageKind.SYSTEM,
            route=self._network,
        )
        taken: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()

        def done(verdicts: Sequence[SendError | None]) -> None:
            if not taken.done():
                taken.set_result(verdicts[0])

        self._inbox.received([message], done)
        return await taken
