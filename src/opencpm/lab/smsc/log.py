"""What went over the lab's wires, PDU by PDU: the evidence that tests and the demo show."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from opencpm.protocols.gsm import udh
from opencpm.protocols.smpp import pdu, tlv
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.command import name_of
from opencpm.protocols.smpp.errors import SmppError
from opencpm.protocols.smpp.events import Event
from opencpm.protocols.smpp.framing import HEADER, FrameBuffer
from opencpm.protocols.smpp.session import Session
from opencpm.protocols.smpp.short_message import UDHI
from opencpm.protocols.smpp.status import status_of

MAX_LINES = 10_000
_READER = Decoder()


@dataclass(frozen=True, slots=True)
class PduLine:
    """One PDU as it was on the wire. ``direction`` is ``C`` (from the ESME) or ``S`` (to it), ``at`` epoch
    seconds.
    """

    at: float
    connection: int
    direction: str
    octets: bytes

    @property
    def name(self) -> str:
        return name_of(HEADER.unpack_from(self.octets)[1])

    @property
    def hex(self) -> str:
        return self.octets.hex()

    def decoded(self) -> dict[str, Any]:
        """JSON-able: name, status, sequence, and the fields; octets as hex, a short message's text as ``text``."""
        _, _, status, sequence = HEADER.unpack_from(self.octets)
        head: dict[str, Any] = {"pdu": self.name, "status": status_of(status).name, "sequence": sequence}
        try:
            decoded = pdu.decode(self.octets)
        except SmppError as error:
            return {**head, "error": str(error)}
        body = {name: value.hex() if isinstance(value, bytes) else value for name, value in decoded.body.items()}
        body.pop("password", None)
        body.update(_text(decoded))
        return {**head, **body, "tlvs": {tlv.name_of(tag): value.hex() for tag, value in decoded.tlvs}}


def _text(decoded: pdu.Pdu) -> dict[str, str]:
    """What a short message says, for people; a segment shows its part."""
    content, coding, esm_class = (decoded.body.get(name) for name in ("short_message", "data_coding", "esm_class"))
    if not isinstance(content, bytes) or not isinstance(coding, int) or not isinstance(esm_class, int):
        return {}
    content = content or tlv.value_of(decoded.tlvs, tlv.Tag.MESSAGE_PAYLOAD) or b""
    header, content = udh.split(content) if esm_class & UDHI else (udh.EMPTY, content)
    text = _READER.decode(coding, [content], header)
    return {} if text is None else {"text": text}


class PduLog:
    """The last lines, and those who want to see each new one."""

    def __init__(self) -> None:
        self._lines: deque[PduLine] = deque(maxlen=MAX_LINES)
        self._listeners: list[Callable[[PduLine], None]] = []

    def add(self, line: PduLine) -> None:
        self._lines.append(line)
        for heard in tuple(self._listeners):
            heard(line)

    def subscribe(self, heard: Callable[[PduLine], None]) -> Callable[[], None]:
        """Call ``heard`` with every new line; returns what ends it."""
        self._listeners.append(heard)
        return lambda: self._listeners.remove(heard) if heard in self._listeners else None

    def of(self, name: str) -> list[PduLine]:
        """All lines of one kind: ``submit_sm``."""
        return [line for line in self._lines if line.name == name]

    def __iter__(self) -> Iterator[PduLine]:
        return iter(tuple(self._lines))

    def __len__(self) -> int:
        return len(self._lines)

    def clear(self) -> None:
        self._lines.clear()


class LoggedSession:
    """A session whose octets go through the log on their way."""

    def __init__(self, session: Session, log: PduLog, connection: int) -> None:
        self._session, self._log, self._connection = session, log, connection
        self._frames = {"C": FrameBuffer(), "S": FrameBuffer()}
        self.poll = session.poll
        self.next_timeout = session.next_timeout
        self.closing = session.closing

    def receive(self, data: bytes, now: float) -> Sequence[Event]:
        self._note("C", data)
        return self._session.receive(data, now)

    def take(self) -> bytes:
        data = self._session.take()
        if data:
            self._note("S", data)
        return data

    def _note(self, direction: str, data: bytes) -> None:
        frames: list[bytes] = []
        try:
            self._frames[direction].feed(data, frames)
        except SmppError:
            frames.append(data[:64])  # no PDU, but evidence
        at = time.time()
        for frame in frames:
            if len(frame) >= HEADER.size:
                self._log.add(PduLine(at, self._connection, direction, frame))
