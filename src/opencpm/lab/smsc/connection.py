"""One ESME connected to the lab's centre."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.events import (
    Answered,
    Asked,
    BindAsked,
    Closed,
    Event,
    Received,
    Unanswered,
)
from opencpm.protocols.smpp.pdu import Value
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.states import SessionState
from opencpm.protocols.smpp.status import RINVCMDID, RQUERYFAIL, RX_T_APPN
from opencpm.transport.link import Link

from .handset import SentText
from .log import LoggedSession
from .receipts import written

if TYPE_CHECKING:
    from .service import LabSmsc

_REDELIVERY = 0.2
_RECEIVING = (SessionState.BOUND_RX, SessionState.BOUND_TRX)


class Mobile(NamedTuple):
    """A message towards the ESME: a handset's text, or a receipt (``sent`` None)."""

    message: ShortMessage
    number: str
    sent: SentText | None


class Connection:
    """The SMSC's side of one session."""

    def __init__(self, smsc: LabSmsc, serial: int, now: float) -> None:
        self.account = ""
        self.session = Session(now, window=smsc.window, timers=smsc.timers)
        machine = LoggedSession(self.session, smsc.log, serial) if smsc.record else self.session
        self.link: Link[Event] = Link(
            machine, on_events=self._heard, on_lost=self._lost, on_ready=lambda _: smsc.arrived(self)
        )
        self._smsc = smsc
        self._backlog: deque[Mobile] = deque()
        self._loop = asyncio.get_running_loop()

    @property
    def receives(self) -> bool:
        return self.session.state in _RECEIVING

    def deliver(self, mobile: Mobile) -> None:
        """Send as soon as the window allows."""
        self._backlog.append(mobile)
        self._pump()
        self.link.wake()

    def outbind(self, system_id: str, password: str) -> None:
        """Say who we are on a connection that we opened; the ESME binds."""
        body: dict[str, Value] = {"system_id": system_id, "password": password}
        self.session.request(Command.OUTBIND, body, None, self._loop.time())
        self.link.wake()

    def abort(self) -> None:
        self.link.abort()

    def _pump(self) -> None:
        now = self._loop.time()
        room = self.session.room if self.receives else 0
        while self._backlog and room > 0:
            mobile = self._backlog.popleft()
            self.session.submit(mobile.message, mobile, now, Command.DELIVER_SM)
            room -= 1

    def _heard(self, link: Link[Event], events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Received):
                self._submitted(event)
            elif isinstance(event, Answered):
                self._answered(event)
            elif isinstance(event, BindAsked):
                self._bind(event)
            elif isinstance(event, Asked):
                self._asked(event)
            elif isinstance(event, Unanswered):
                self._again(event.context)
            elif isinstance(event, Closed):
                pass  # the link closes by itself
        self._pump()

    def _bind(self, asked: BindAsked) -> None:
        status = self._smsc.login(asked.system_id, asked.password)
        if status:
            self.session.refuse(asked, status)
            return
        self.account = asked.system_id
        self.session.accept(asked, "lab-smsc")
        self._loop.call_soon(self._smsc.joined, self)

    def _submitted(self, received: Received) -> None:
        sm = received.message
        fault = self._smsc.spoiled(sm)
        if fault == 0:
            self.session.forgive()
            return
        if fault is not None:
            self._respond(received, fault, "")
            return
        number = self._smsc.number()
        message_id = written(number, self._smsc.style.response)
        if self._smsc.style.early:
            self._smsc.carry(self, sm, number)
            self._pump()
            self._respond(received, 0, message_id)
        elif self._smsc.faults.delay:
            self._respond(received, 0, message_id)
            self._loop.call_later(self._smsc.faults.delay, self._smsc.carry, self, sm, number)
        else:
            self._respond(received, 0, message_id)
            self._smsc.carry(self, sm, number)

    def _respond(self, received: Received, status: int, message_id: str) -> None:
        delay = self._smsc.faults.delay
        if delay:
            self._loop.call_later(delay, self._respond_late, received, status, message_id)
        else:
            self.session.respond(received, status, message_id)

    def _respond_late(self, received: Received, status: int, message_id: str) -> None:
        self.session.respond(received, status, message_id)
        self.link.wake()

    def _asked(self, asked: Asked) -> None:
        """query_sm, cancel_sm and replace_sm; to several at once, and to cells, nothing is sent from here."""
        request = asked.pdu
        if request.command in (Command.CANCEL_SM, Command.REPLACE_SM):
            self.session.answer(request, status=self._smsc.changed(request))
            return
        if request.command != Command.QUERY_SM:
            self.session.answer(request, status=RINVCMDID)
            return
        message_id = str(request.body["message_id"])
        state = self._smsc.states.get(message_id)
        if state is None:
            self.session.answer(request, status=RQUERYFAIL)
            return
        body: dict[str, Value] = {"message_id": message_id, "final_date": "", "message_state": int(state)}
        self.session.answer(request, {**body, "error_code": 0})

    def _answered(self, event: Answered) -> None:
        if event.status == RX_T_APPN:
            self._loop.call_later(_REDELIVERY, self._again, event.context)
        else:
            self._smsc.answered(event.context, event.status)

    def _again(self, mobile: Mobile) -> None:
        """Not taken: deliver once more, here or over another connection."""
        if self.link.open and self.receives:
            self.deliver(mobile)
        else:
            self._smsc.left(self, [mobile])

    def _lost(self, link: Link[Event], error: Exception | None) -> None:
        undelivered = [event.context for event in self.session.lost() if isinstance(event, Unanswered)]
        undelivered += self._backlog
        self._backlog.clear()
        self._smsc.left(self, undelivered)
