"""A telephone with SMS: it answers its centre, shows texts whole, and calls the centre to send."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.fsk import frames2
from opencpm.protocols.fsk.events import (
    Acknowledged,
    Arrived,
    Ended,
    Event,
    Item,
    NotSent,
    Refused,
    Unclear,
)
from opencpm.protocols.fsk.frames2 import Text2, read_text
from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.reassembly import Key, Reassembler
from opencpm.protocols.gsm.segmentation import segment
from opencpm.protocols.gsm.text import normalise
from opencpm.protocols.gsm.tpdu.address import INTERNATIONAL, TpAddress
from opencpm.protocols.gsm.tpdu.content import UserData, text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, StatusReport, Submit, read_from_centre
from opencpm.protocols.mm1.push import PUSH_PORT, Push, from_segments
from opencpm.protocols.telephone.caller import same_number

if TYPE_CHECKING:
    from .end import LabCall

_GSM7_CLASS_1 = 0xF1
_UNREADABLE = 0xFF


@dataclass(slots=True)
class Text:
    """A text on the handset, whole. ``sender`` is as it is shown: with ``+`` where it came as international."""

    at: float
    sender: str
    text: str
    segments: int = 1


@dataclass(slots=True)
class SentText:
    """A text the handset sent. ``status``: calling, accepted (by the centre), refused, failed; ``why`` for the last
    two."""

    at: float
    to: str
    text: str
    segments: int
    status: str = "calling"
    why: str = ""
    marks: tuple[int, ...] = ()
    left: int = 0


Dial = Callable[["Handset", Sequence[Item]], None]


@dataclass(slots=True, eq=False)
class Handset:
    """One telephone; ``texts`` is its inbox, ``sent`` what it wrote, ``reports`` what it was told of that. Made by
    ``LabExchange.handset``. ``digit``: its sub-address; it answers calls from its centre's number with this digit."""

    number: str  # with "+"
    centre: str
    happenings: Happenings
    dial: Dial
    digit: str = ""
    protocols: tuple[int, ...] = (1,)
    wants_reports: bool = False
    texts: list[Text] = field(default_factory=list)
    sent: list[SentText] = field(default_factory=list)
    reports: list[StatusReport] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)  # word of MMS, shown to nobody
    calls: int = 0
    _parts: Reassembler[str] = field(default_factory=Reassembler)
    _marks: count[int] = field(default_factory=lambda: count(1))

    def answers(self, caller: str) -> bool:
        """Whether this is the centre, calling this terminal of the line."""
        return same_number(caller, self.centre + self.digit)

    async def wait_text(self, index: int | None = None, patience: float = 20.0) -> Text:
        """The text at ``index`` of the inbox (left out: the next one to come). Raises TimeoutError."""
        index = len(self.texts) if index is None else index
        await self.happenings.until(lambda: len(self.texts) > index, patience)
        return self.texts[index]

    async def wait_sent(self, sent: SentText, patience: float = 30.0) -> SentText:
        """Until the call is over and its outcome known. Raises TimeoutError."""
        await self.happenings.until(lambda: sent.status != "calling", patience)
        return sent

    def send(self, text: str, to: str) -> SentText:
        """Call the centre and submit; a long text goes in segments, in one call."""
        cut = segment(normalise(text), next(self._marks))
        marks = [next(self._marks) & 0xFF for _ in cut.segments]
        sent = SentText(time.time(), to, text, len(marks), marks=tuple(marks), left=len(marks))
        self.sent.append(sent)
        dcs = cut.coding.value or _GSM7_CLASS_1
        items = []
        for mark, part in zip(marks, cut.segments, strict=True):
            submit = Submit(
                reference=mark,
                destination=TpAddress.of(to),
                dcs=dcs,
                validity=86400.0,
                report=self.wants_reports,
                data=UserData(part.content, part.header),
            )
            said = text_of(dcs, [part.content]) or ""
            items.append(Item(sent, {1: submit.encode(), 2: frames2.to_centre(Text2(said, to.lstrip("+")))}))
        self.dial(self, items)
        return sent

    def reply(self, text: str) -> SentText:
        """Answer the last text."""
        return self.send(text, self.texts[-1].sender)

    def failed(self, items: Sequence[Item], why: str) -> None:
        """The call to the centre did not come about."""
        for item in items:
            self._settle(item.context, "failed", why)

    # -- in calls

    def heard(self, call: LabCall, events: Sequence[Event]) -> None:
        ended = next((event.end.value for event in events if isinstance(event, Ended)), "")
        for event in events:
            if isinstance(event, Arrived):
                self._take(call, event)
            elif isinstance(event, Acknowledged):
                event.item.context.left -= 1
                if not event.item.context.left:
                    self._settle(event.item.context, "accepted", "")
            elif isinstance(event, Refused):
                self._settle(event.item.context, "refused", f"cause {event.cause:02X}")
            elif isinstance(event, Unclear | NotSent):
                self._settle(event.item.context, "failed", ended)

    def _settle(self, sent: SentText, status: str, why: str) -> None:
        if sent.status == "calling":
            sent.status, sent.why = status, why
            self.happenings.add(Happening(time.time(), status, self.number, sent.to, sent.text))

    def _take(self, call: LabCall, arrived: Arrived) -> None:
        try:
            if arrived.protocol == 2:
                self._show_2(read_text(arrived.payload))
            else:
                self._show_1(read_from_centre(arrived.payload))
        except (TpduError, frames2.Frame2Error):
            call.machine.refuse(_UNREADABLE)
        else:
            call.machine.accept()

    def _show_1(self, message: Deliver | StatusReport) -> None:
        if isinstance(message, StatusReport):
            self.reports.append(message)
            self.happenings.add(Happening(time.time(), "report", self.number, message.recipient.text))
            return
        originator = message.originator
        sender = "+" + originator.text if originator.ton == INTERNATIONAL else originator.text
        header, _ = udh.split(message.data.header)
        parts: Sequence[bytes] = [message.data.content]
        if header.concat is not None:
            key = Key.of("", sender, self.number, header.concat)
            whole = self._parts.add(key, header.concat.number, message.data.content, "", time.time())
            if not whole:
                return
            parts = [part for part in whole[-1].parts if part is not None]
        if header.destination_port == PUSH_PORT:
            self._pushed(sender, from_segments(parts))
            return
        self._show(sender, text_of(message.dcs, parts, header) or "(data)", len(parts))

    def _pushed(self, sender: str, push: Push | None) -> None:
        if push is not None:
            self.pushes.append(push)
            self.happenings.add(Happening(time.time(), "push", self.number, sender))

    def _show_2(self, message: Text2) -> None:
        self._show(message.line, message.text, 1)

    def _show(self, sender: str, text: str, segments: int) -> None:
        self.texts.append(Text(time.time(), sender, text, segments))
        self.happenings.add(Happening(time.time(), "text", self.number, sender, text))
