"""What went over the lab's wires, frame by frame: the evidence that tests show."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.events import Event
from opencpm.protocols.ucp.framing import Frame, FrameBuffer, decode
from opencpm.protocols.ucp.operations import SESSION
from opencpm.protocols.ucp.session import Session

MAX_LINES = 10_000
_PASSWORD = 4


@dataclass(frozen=True, slots=True)
class FrameLine:
    """One frame as it was on the wire. ``direction`` is ``C`` (from the terminal) or ``S``, ``at`` epoch seconds."""

    at: float
    direction: str
    frame: Frame


class FrameLog:
    """The last lines, oldest first. Passwords are blotted out."""

    def __init__(self) -> None:
        self._lines: deque[FrameLine] = deque(maxlen=MAX_LINES)

    def add(self, direction: str, octets: bytes) -> None:
        try:
            frame = decode(octets)
        except UcpError:
            frame = Frame(0, False, 0, (octets[:64].decode("latin-1"),))  # no frame, but evidence
        if frame.ot == SESSION and not frame.result and len(frame.fields) > _PASSWORD:
            fields = list(frame.fields)
            fields[_PASSWORD] = "*"
            frame = frame._replace(fields=tuple(fields))
        self._lines.append(FrameLine(time.time(), direction, frame))

    def of(self, ot: int, *, results: bool = False) -> list[FrameLine]:
        """All operations (or results) of one type."""
        return [line for line in self._lines if line.frame.ot == ot and line.frame.result is results]

    def __iter__(self) -> Iterator[FrameLine]:
        return iter(tuple(self._lines))


class LoggedSession:
    """A session whose octets go through the log on their way."""

    def __init__(self, session: Session, log: FrameLog) -> None:
        self._session, self._log = session, log
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
        try:
            for octets in self._frames[direction].feed(data):
                self._log.add(direction, octets)
        except UcpError:
            self._log.add(direction, data[:64])
