"""A phone of the lab: it gets texts, shows them whole, and writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from itertools import count

from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.reassembly import Key, Reassembler
from opencpm.protocols.gsm.segmentation import Coding, segment
from opencpm.protocols.gsm.text import normalise
from opencpm.protocols.mm1.push import PUSH_PORT, Push, from_segments, segments_of
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.short_message import TON_INTERNATIONAL, UDHI, ShortMessage

from .happenings import Happening, Happenings

_READER = Decoder()


class Coverage(Enum):
    """Whether the phone can be reached."""

    ON = "on"
    OFF = "off"  # messages wait in the SMSC until it is on again
    ABSENT = "absent"  # they fail at once


@dataclass(slots=True)
class Text:
    """A text on the phone, whole. ``sender`` is ``+`` and the number, a short code or a name."""

    at: float
    sender: str
    text: str
    segments: int = 1


@dataclass(slots=True)
class SentText:
    """A text the phone sent. ``status``: sent, accepted (by the ESME), refused."""

    at: float
    to: str
    text: str
    segments: int
    status: str = "sent"
    answered: int = 0


Submit = Callable[["Handset", SentText, list[ShortMessage]], None]


@dataclass(slots=True, eq=False)
class Handset:
    """One phone; ``texts`` is its inbox, ``sent`` what it wrote. Made by ``LabSmsc.handset``."""

    number: str  # with "+"
    happenings: Happenings
    submit: Submit
    changed: Callable[[Handset], None]
    texts: list[Text] = field(default_factory=list)
    pushes: list[Push] = field(default_factory=list)  # WAP pushes, word of an MMS among them
    sent: list[SentText] = field(default_factory=list)
    _coverage: Coverage = Coverage.ON
    _parts: Reassembler[ShortMessage] = field(default_factory=Reassembler)
    _references: count[int] = field(default_factory=lambda: count(1))

    @property
    def coverage(self) -> Coverage:
        return self._coverage

    @coverage.setter
    def coverage(self, coverage: Coverage) -> None:
        self._coverage = coverage
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

    def send(self, text: str, to: str, *, service_type: str = "") -> SentText:
        """Write to a number; a long text goes in segments."""
        cut = segment(normalise(text), next(self._references))
        ton = TON_INTERNATIONAL if to.startswith("+") else 0
        messages = [
            ShortMessage(
                source=self.number.lstrip("+"),
                destination=to.lstrip("+"),
                destination_ton=ton,
                destination_npi=1,
                message=part.header + part.content,
                esm_class=UDHI if part.header else 0,
                data_coding=0 if cut.coding is Coding.GSM7 else 8,
                service_type=service_type,
            )
            for part in cut.segments
        ]
        sent = SentText(time.time(), to, text, len(messages))
        self.sent.append(sent)
        self.submit(self, sent, messages)
        return sent

    def push(self, pdu: bytes, to: str) -> SentText:
        """Send an MMS PDU to a number, as an MMS centre does: data, to the port of WAP pushes."""
        parts = segments_of(pdu, next(self._references))
        ton = TON_INTERNATIONAL if to.startswith("+") else 0
        ends = ShortMessage(self.number.lstrip("+"), to.lstrip("+"), destination_ton=ton)
        blank = ends._replace(esm_class=UDHI, data_coding=0x04)
        sent = SentText(time.time(), to, "(push)", len(parts))
        self.sent.append(sent)
        self.submit(self, sent, [blank._replace(message=header + content) for header, content in parts])
        return sent

    def reply(self, text: str) -> SentText:
        """Answer the last text."""
        return self.send(text, self.texts[-1].sender)

    def take(self, sm: ShortMessage) -> None:
        """The SMSC delivers a short message; texts show when they are whole."""
        header, content = udh.split(sm.content) if sm.esm_class & UDHI else (udh.EMPTY, sm.content)
        parts: tuple[bytes | None, ...] = (content,)
        if header.concat is not None:
            key = Key.of("", sm.source, sm.destination, header.concat)
            whole = self._parts.add(key, header.concat.number, content, sm, time.time())
            if not whole:
                return
            parts = whole[-1].parts
        if header.destination_port == PUSH_PORT:
            self._pushed(sm, from_segments(parts))
            return
        text = _READER.decode(sm.data_coding, [part for part in parts if part is not None], header)
        self._show(sm, text if text is not None else "(data)", len(parts))

    def _pushed(self, sm: ShortMessage, push: Push | None) -> None:
        if push is None:
            return
        self.pushes.append(push)
        self.happenings.add(Happening(time.time(), "push", self.number, sm.source, push.content_type))

    def _show(self, sm: ShortMessage, text: str, segments: int) -> None:
        sender = "+" + sm.source if sm.source_ton == TON_INTERNATIONAL else sm.source
        at = time.time()
        self.texts.append(Text(at, sender, text, segments))
        self.happenings.add(Happening(at, "text", self.number, sender, text))
