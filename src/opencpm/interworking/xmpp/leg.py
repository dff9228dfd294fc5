"""One side of a session: a chat with one person, held together by its thread (RFC 7573)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.message import Message
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import Done, LegEvents

if TYPE_CHECKING:
    from .talks import Talks

_Tell = Callable[[LegEvents], None]
Page = Callable[[Message, Done], None]


class XmppLeg:
    """A session's XMPP side (:class:`opencpm.interfaces.Leg`).

    What the person does before the other side has answered is kept, and told in order once it has.
    """

    def __init__(self, talks: Talks, network: str, session_id: str, ours: str, peer: str, thread: str) -> None:
        self.network = network
        self.session_id, self.ours, self.peer, self.thread = session_id, ours, peer, thread
        self.resource = ""  # which client of theirs spoke last
        self.active_at = 0.0
        self.over = False
        self._talks = talks
        self._events: LegEvents | None = None
        self._early: list[_Tell] = []
        self._texts: list[tuple[Message, Done]] = []
        self._lapse: asyncio.TimerHandle | None = None

    # -- what messaging calls

    def ringing(self) -> None:
        """XMPP cannot show that the other side is being alerted."""

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self._cancel_lapse()
        self._talks.deliver(self, deliveries)

    def composing(self, composing: Composing) -> None:
        """XEP-0085 has no refresh: a typing that is not renewed is ended by us."""
        self._cancel_lapse()
        self._talks.show(self, "composing" if composing.active else "paused")
        if composing.active:
            self._lapse = asyncio.get_running_loop().call_later(composing.refresh, self._paused)

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        """Say ``<gone/>``; returns once the server has it (RFC 7573 §5: the person need not answer)."""
        self._cancel_lapse()
        return await self._talks.close(self)

    # -- what the talks call

    def attach(self, events: LegEvents) -> None:
        """The other side has answered."""
        self._events = events
        for message, done in self._take_texts():
            events.received([message], done)
        early, self._early = self._early, []
        for tell in early:
            tell(events)

    def not_taken(self, page: Page) -> None:
        """No session came of it: what was said meanwhile goes on, each text as a message by itself."""
        self.over = True
        self._early.clear()
        for message, done in self._take_texts():
            page(message, done)

    def received(self, message: Message, done: Done) -> None:
        if self._events is None:
            self._texts.append((message, done))
        else:
            self._events.received([message], done)

    def typed(self, composing: Composing) -> None:
        if self._events is not None:
            self._events.composing(composing)

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._tell(lambda events: events.settled(outcomes))

    def ended(self, reason: CloseReason, detail: str) -> None:
        """The person left. Told once."""
        self._cancel_lapse()
        if not self.over:
            self.over = True
            self._tell(lambda events: events.closed(reason, detail))

    def _tell(self, tell: _Tell) -> None:
        if self._events is None:
            self._early.append(tell)
        else:
            tell(self._events)

    def _take_texts(self) -> list[tuple[Message, Done]]:
        texts, self._texts = self._texts, []
        return texts

    def _paused(self) -> None:
        self._lapse = None
        self._talks.show(self, "paused")

    def _cancel_lapse(self) -> None:
        if self._lapse is not None:
            self._lapse.cancel()
            self._lapse = None
