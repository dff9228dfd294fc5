"""A phone of the lab: it gets texts, shows them whole, and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.reassembly import Key, Reassembler
from opencpm.protocols.gsm.segmentation import Coding, segment
from opencpm.protocols.gsm.text import normalise
from opencpm.protocols.mm1.push import PUSH_PORT, Push, from_segments, segments_of
from opencpm.protocols.ucp.content import UCS2, UserData, content_of, text_of, with_content
from opencpm.protocols.ucp.operations import Message
from opencpm.protocols.ucp.originator import ALPHANUMERIC, INTERNATIONAL, decode_name

_DATA = 0xF5  # 8-bit data of class 1 (TS 23.038 §4)


@dataclass(slots=True)
class Text:
    """A text on the phone, whole. ``sender`` is ``+`` and the number, a short code or a name."""

    at: float
    sender: str
    text: str
    segments: int = 1


@dataclass(slots=True)
class SentText:
    """A text the phone sent. ``status``: sent, accepted (by the terminal), refused."""

    at: float
    to: str
    text: str
    segments: int
    status: str = "sent"
    answered: int = 0


Submit = Callable[["Phone", SentText, list[Message]], None]


@dataclass(slots=True, eq=False)
class Phone:
    """One phone; ``texts`` is its inbox. ``on`` False: messages wait at the centre. Made by ``LabUcp.phone``."""

    number: str  # with "+"
    happenings: Happenings
    submit: Submit
    changed: Callable[[Phone], None]
    texts: list[Text] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)  # WAP pushes, word of an MMS among them
    sent: list[SentText] = field(default_factory=list)
    _on: bool = True
    _parts: Reassembler[Message] = field(default_factory=Reassembler)
    _references: count[int] = field(default_factory=lambda: count(1))

    @property
    def on(self) -> bool:
        return self._on

    @on.setter
    def on(self, on: bool) -> None:
        self._on = on
        self.changed(self)

    async def wait_text(self, index: int | None = None, patience: float = 10.0) -> Text:
        """The text at ``index`` of the inbox (left out: the next one to come). Raises TimeoutError."""
        index = len(self.texts) if index is None else index
        await self.happenings.until(lambda: len(self.texts) > index, patience)
        return self.texts[index]

    async def wait_push(self, index: int | None = None, patience: float = 10.0) -> Push:
        """The WAP push at ``index`` (left out: the next one to come). Raises TimeoutError."""
        index = len(self.pushes) if index is None else index
        await self.happenings.until(lambda: len(self.pushes) > index, patience)
        return self.pushes[index]

    def send(self, text: str, to: str) -> SentText:
        """Write to a number; a long text goes in segments."""
        cut = segment(normalise(text), next(self._references))
        dcs = 0 if cut.coding is Coding.GSM7 else UCS2
        base = Message(adc=to.lstrip("+"), oadc=self.number.lstrip("+"), rpid="0000")
        messages = [with_content(base, UserData(one.content, dcs, one.header)) for one in cut.segments]
        sent = SentText(time.time(), to, text, len(messages))
        self.sent.append(sent)
        self.submit(self, sent, messages)
        return sent

    def push(self, pdu: bytes, to: str) -> SentText:
        """Send an MMS PDU to a number, as an MMS centre does: data, to the port of WAP pushes."""
        parts = segments_of(pdu, next(self._references))
        base = Message(adc=to.lstrip("+"), oadc=self.number.lstrip("+"), rpid="0000")
        sent = SentText(time.time(), to, "(push)", len(parts))
        self.sent.append(sent)
        self.submit(self, sent, [with_content(base, UserData(one.content, _DATA, one.header)) for one in parts])
        return sent

    def take(self, message: Message) -> None:
        """The centre delivers a short message; texts show when they are whole."""
        data = content_of(message)
        header, _ = udh.split(data.header)
        parts: tuple[bytes | None, ...] = (data.octets,)
        if header.concat is not None:
            key = Key.of("", message.oadc, message.adc, header.concat)
            whole = self._parts.add(key, header.concat.number, data.octets, message, time.time())
            if not whole:
                return
            parts = whole[-1].parts
        if header.destination_port == PUSH_PORT:
            if (pushed := from_segments(parts)) is not None:
                self.pushes.append(pushed)
                self.happenings.add(Happening(time.time(), "push", self.number, message.oadc, pushed.content_type))
            return
        text = text_of(data.dcs, [part for part in parts if part is not None], header)
        shown = Text(time.time(), _sender(message), "(data)" if text is None else text, len(parts))
        self.texts.append(shown)
        self.happenings.add(Happening(shown.at, "text", self.number, shown.sender, shown.text))


def _sender(message: Message) -> str:
    if message.otoa == ALPHANUMERIC:
        return decode_name(message.oadc)
    return "+" + message.oadc if message.otoa == INTERNATIONAL else message.oadc
