"""One terminal connected to the lab's centre."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.ucp.events import Answered, Event, LoginAsked, Received, Unanswered
from opencpm.protocols.ucp.operations import Message
from opencpm.protocols.ucp.session import Session
from opencpm.transport.link import Link

from .log import LoggedSession
from .phone import SentText

if TYPE_CHECKING:
    from .service import LabUcp

_REDELIVERY = 0.2
_TRY_AGAIN = 37


class Mobile(NamedTuple):
    """An operation towards the terminal: a phone's text (52), or a notification (53; ``sent`` None)."""

    ot: int
    message: Message
    sent: SentText | None


class Connection:
    """The centre's side of one session."""

    def __init__(self, centre: LabUcp, now: float) -> None:
        self.account = ""
        self.session = Session(now, centre=True, window=centre.window, timers=centre.timers)
        self.link: Link[Event] = Link(
            LoggedSession(self.session, centre.log),
            on_events=self._heard,
            on_lost=self._lost,
            on_ready=lambda _: centre.arrived(self),
        )
        self._centre = centre
        self._backlog: deque[Mobile] = deque()
        self._loop = asyncio.get_running_loop()

    def deliver(self, mobile: Mobile) -> None:
        """Send as soon as the window allows."""
        self._backlog.append(mobile)
        self._pump()
        self.link.wake()

    def _pump(self) -> None:
        while self._backlog and self.session.room > 0:
            mobile = self._backlog.popleft()
            self.session.submit(mobile.message, mobile, self._loop.time(), mobile.ot)

    def _heard(self, link: Link[Event], events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Received):
                self._submitted(event)
            elif isinstance(event, Answered):
                self._answered(event.context, event.ec)
            elif isinstance(event, Unanswered):
                self._again(event.context)
            elif isinstance(event, LoginAsked):
                self._login(event)
        self._pump()

    def _login(self, asked: LoginAsked) -> None:
        ec = self._centre.login(asked.operation.oadc, asked.password)
        if ec:
            self.session.refuse(asked, ec)
            return
        self.account = asked.operation.oadc
        self.session.accept(asked)
        self._loop.call_soon(self._centre.joined, self)

    def _submitted(self, received: Received) -> None:
        ec = self._centre.spoiled(received.message)
        if ec is None:
            self.session.forgive()
            return
        if ec:
            self.session.respond(received, ec, "REFUSED")
            return
        scts, sm = self._centre.name(received.message)
        if self._centre.faults.early:
            self._centre.carry(self, received.message, scts)
            self._pump()
            self.session.respond(received, 0, sm)
        else:
            self.session.respond(received, 0, sm)
            self._loop.call_soon(self._carry, received.message, scts)

    def _carry(self, message: Message, scts: str) -> None:
        self._centre.carry(self, message, scts)
        self.link.wake()

    def _answered(self, mobile: Mobile, ec: int) -> None:
        if ec == _TRY_AGAIN:
            self._loop.call_later(_REDELIVERY, self._again, mobile)
        else:
            self._centre.answered(mobile, ec)

    def _again(self, mobile: Mobile) -> None:
        if self.session.open:
            self.deliver(mobile)
        else:
            self._centre.left(self, [mobile])

    def _lost(self, link: Link[Event], error: Exception | None) -> None:
        undelivered = [event.context for event in self.session.lost() if isinstance(event, Unanswered)]
        undelivered += self._backlog
        self._backlog.clear()
        self._centre.left(self, undelivered)
