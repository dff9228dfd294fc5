"""A foreign SMS centre of the fixed network: lines call it to submit, it calls lines to deliver."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.fsk.events import Acknowledged, Arrived, Event, Item, NotSent, Refused, Unclear
from opencpm.protocols.gsm.segmentation import segment
from opencpm.protocols.gsm.tpdu import times
from opencpm.protocols.gsm.tpdu.address import TpAddress
from opencpm.protocols.gsm.tpdu.content import UserData, text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, StatusReport, Submit, read_from_terminal

if TYPE_CHECKING:
    from .end import LabCall

_GSM7_CLASS_1 = 0xF1


@dataclass(slots=True)
class Taken:
    """A message that a line submitted."""

    at: float
    line: str
    submit: Submit

    @property
    def text(self) -> str:
        return text_of(self.submit.dcs, [self.submit.data.content]) or ""


@dataclass(slots=True)
class Delivery:
    """Something the centre has for a line. ``status``: calling, delivered, refused, failed."""

    line: str
    status: str = "calling"
    left: int = 1


Dial = Callable[["LabCentre", str, Sequence[Item]], None]


@dataclass(slots=True, eq=False)
class LabCentre:
    """One centre; ``taken`` is what lines submitted. Made by ``LabExchange.centre``."""

    number: str
    happenings: Happenings
    dial: Dial
    protocols: tuple[int, ...] = (1,)
    taken: list[Taken] = field(default_factory=list)

    async def wait_taken(self, index: int | None = None, patience: float = 20.0) -> Taken:
        """The message at ``index`` (left out: the next one to come). Raises TimeoutError."""
        index = len(self.taken) if index is None else index
        await self.happenings.until(lambda: len(self.taken) > index, patience)
        return self.taken[index]

    def deliver(self, text: str, sender: str, line: str) -> Delivery:
        """Call a line with a text."""
        cut = segment(text, 77)
        delivery = Delivery(line, left=len(cut.segments))
        items = []
        for part in cut.segments:
            message = Deliver(
                originator=TpAddress.of(sender),
                stamp=times.of_epoch(time.time()),
                dcs=cut.coding.value or _GSM7_CLASS_1,
                data=UserData(part.content, part.header),
            )
            items.append(Item(delivery, {1: message.encode()}))
        self.dial(self, line, items)
        return delivery

    def report(self, taken: Taken, status: int = 0) -> Delivery:
        """Call the line of a message with what became of it."""
        now = times.of_epoch(time.time())
        submit = taken.submit
        report = StatusReport(
            reference=submit.reference, recipient=submit.destination, stamp=now, discharged=now, status=status
        )
        delivery = Delivery(taken.line)
        self.dial(self, taken.line, [Item(delivery, {1: report.encode()})])
        return delivery

    def failed(self, items: Sequence[Item], why: str) -> None:
        for item in items:
            self._settle(item.context, "failed")

    async def wait(self, delivery: Delivery, patience: float = 30.0) -> Delivery:
        """Until its call is over. Raises TimeoutError."""
        await self.happenings.until(lambda: delivery.status != "calling", patience)
        return delivery

    def heard(self, call: LabCall, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Arrived):
                self._take(call, event)
            elif isinstance(event, Acknowledged):
                event.item.context.left -= 1
                if not event.item.context.left:
                    self._settle(event.item.context, "delivered")
            elif isinstance(event, Refused):
                self._settle(event.item.context, "refused")
            elif isinstance(event, Unclear | NotSent):
                self._settle(event.item.context, "failed")

    def _take(self, call: LabCall, arrived: Arrived) -> None:
        try:
            submit = read_from_terminal(arrived.payload)
        except TpduError as error:
            call.machine.refuse(error.cause)
            return
        self.taken.append(Taken(time.time(), call.call.caller, submit))
        self.happenings.add(Happening(time.time(), "submitted", self.number, call.call.caller, self.taken[-1].text))
        call.machine.accept()

    def _settle(self, delivery: Delivery, status: str) -> None:
        if delivery.status == "calling":
            delivery.status = status
            self.happenings.add(Happening(time.time(), status, self.number, delivery.line))
