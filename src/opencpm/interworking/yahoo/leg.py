"""One side of a session: a talk with somebody on Yahoo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import LegEvents
from opencpm.interworking.yahoo.inbound import Taken, hand_over, in_session, standalone

if TYPE_CHECKING:
    from opencpm.interworking.yahoo.chat import Chat

TYPING_EVERY = 7.0  # seconds: a typing notice lapses after 10 to 15
TYPING_LAPSE = 15.0

_Tell = Callable[[LegEvents], None]


class YahooLeg:
    """A session's Yahoo side (:class:`opencpm.interfaces.Leg`).

    What the person does before the other side has answered is kept and told in order once it has.
    """

    def __init__(self, chat: Chat, session_id: str, network: str) -> None:
        self.network = network
        self.session_id = session_id
        self._chat = chat
        self._events: LegEvents | None = None
        self._early: list[_Tell] = []
        self._texts: list[tuple[Message, Taken]] = []
        self._repeat: asyncio.TimerHandle | None = None
        self._lapses = 0.0

    # --- what messaging calls ------------------------------------------------------------------------------------

    def ringing(self) -> None:
        """Yahoo cannot show that the other side is being alerted."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self._stop_repeating()
        self._chat.deliver(deliveries, self.settled, self)

    def composing(self, composing: Composing) -> None:
        """A notice is repeated while somebody types, and taken back when they stop."""
        typed = self._repeat is not None
        self._stop_repeating()
        if composing.active:
            self._lapses = asyncio.get_running_loop().time() + composing.refresh
            self._show_typing()
        elif typed:
            self._chat.show_typing(False)

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        self._stop_repeating()
        return self._chat.close(self)

    # --- what the chat calls -------------------------------------------------------------------------------------

    def attach(self, events: LegEvents) -> None:
        """The other side has answered."""
        self._events = events
        texts, self._texts = self._texts, []
        for said, taken in texts:
            hand_over(said, events.received, taken)
        early, self._early = self._early, []
        for tell in early:
            tell(events)

    def not_taken(self, page: Callable[[Message, Taken], None]) -> None:
        """No session came of it: what was said meanwhile goes on, each text as a message by itself."""
        self._early.clear()
        texts, self._texts = self._texts, []
        for said, taken in texts:
            page(standalone(said), taken)

    def received(self, said: Message, taken: Taken) -> None:
        text = in_session(said, self.session_id)
        if self._events is None:
            self._texts.append((text, taken))
        else:
            hand_over(text, self._events.received, taken)

    def typed(self, active: bool) -> None:
        if self._events is not None:
            self._events.composing(Composing(active, TYPING_LAPSE))

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._tell(lambda events: events.settled(outcomes))

    def ended(self, reason: CloseReason, detail: str) -> None:
        self._stop_repeating()
        self._tell(lambda events: events.closed(reason, detail))

    def _tell(self, tell: _Tell) -> None:
        if self._events is None:
            self._early.append(tell)
        else:
            tell(self._events)

    # --- typing --------------------------------------------------------------------------------------------------

    def _show_typing(self) -> None:
        self._chat.show_typing(True)
        loop = asyncio.get_running_loop()
        again = loop.time() + TYPING_EVERY
        self._repeat = loop.call_at(again, self._show_typing if again < self._lapses else self._typing_lapsed)

    def _typing_lapsed(self) -> None:
        self._repeat = None
        self._chat.show_typing(False)

    def _stop_repeating(self) -> None:
        if self._repeat is not None:
            self._repeat.cancel()
            self._repeat = None
