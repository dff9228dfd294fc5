"""One side of a session: a conversation on MSN."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import LegEvents
from opencpm.interworking.msn.inbound import hand_over

if TYPE_CHECKING:
    from opencpm.interworking.msn.conversation import Conversation

TYPING_EVERY = 5.0  # seconds: a typing notice lapses after 6 to 10
TYPING_LAPSE = 10.0

_Tell = Callable[[LegEvents], None]


class MsnLeg:
    """A session's MSN side (:class:`opencpm.interfaces.Leg`).

    What the peer does before the other side has answered is kept and told in order once it has.
    """

    def __init__(self, conversation: Conversation, session_id: str, network: str) -> None:
        self.network = network
        self.session_id = session_id
        self._conversation = conversation
        self._events: LegEvents | None = None
        self._early: list[_Tell] = []
        self._repeat: asyncio.TimerHandle | None = None
        self._lapses = 0.0

    # --- what messaging calls ------------------------------------------------------------------------------------

    def ringing(self) -> None:
        """MSN cannot show that the other side is being alerted."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self._stop_typing()
        self._conversation.deliver(deliveries, self._settled)

    def composing(self, composing: Composing) -> None:
        """Typing is shown by notices every 5 s; there is none that says "stopped"."""
        self._stop_typing()
        if composing.active:
            self._lapses = asyncio.get_running_loop().time() + composing.refresh
            self._show_typing()

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        """Say OUT and wait until the service closes the connection."""
        self._stop_typing()
        return await self._conversation.close(self)

    # --- what the conversation calls -----------------------------------------------------------------------------

    def attach(self, events: LegEvents) -> None:
        """The other side has answered."""
        self._events = events
        early, self._early = self._early, []
        for tell in early:
            tell(events)

    def received(self, message: Message) -> None:
        self._tell(lambda events: hand_over(message, events.received))

    def typed(self) -> None:
        self._tell(lambda events: events.composing(Composing(True, TYPING_LAPSE)))

    def ended(self, reason: CloseReason, detail: str) -> None:
        self._stop_typing()
        self._tell(lambda events: events.closed(reason, detail))

    def _settled(self, outcomes: Sequence[Outcome]) -> None:
        self._tell(lambda events: events.settled(outcomes))

    def _tell(self, tell: _Tell) -> None:
        if self._events is None:
            self._early.append(tell)
        else:
            tell(self._events)

    # --- typing --------------------------------------------------------------------------------------------------

    def _show_typing(self) -> None:
        self._conversation.show_typing()
        loop = asyncio.get_running_loop()
        again = loop.time() + TYPING_EVERY
        self._repeat = loop.call_at(again, self._show_typing) if again < self._lapses else None

    def _stop_typing(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
