"""MSNP framing: command lines, and the octets that follow some of them.

A command is one line of fields separated by a space, ended by CR LF (a bare LF is accepted). Payload commands
end in an octet count; exactly that many octets follow, without a terminator. An error line may carry one too.
"""

import re
from enum import Enum
from typing import NamedTuple
from urllib.parse import quote as _quote
from urllib.parse import unquote as _unquote

from opencpm.protocols.msnp.errors import MsnpError

MAX_LINE = 8192
MAX_PAYLOAD = 65536
MAX_FIELDS = 64

_VERB = re.compile(r"[A-Z]{3}\Z|[0-9]{3}\Z")
_COUNT = re.compile(r"[0-9]{1,7}\Z")
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_PLAIN = "".join(chr(c) for c in range(0x21, 0x7F) if chr(c) != "%")


class Sender(Enum):
    """Whose commands a reader reads: some verbs carry a payload in one direction only."""

    SERVER = "server"
    CLIENT = "client"


_BOTH = {
    "MSG",
    "NOT",
    "UUX",
    "UBX",
    "UBN",
    "UUN",
    "UUM",
    "UBM",
    "ADL",
    "RML",
    "FQY",
    "NFY",
    "PUT",
    "DEL",
    "SDG",
}
_PAYLOADS = {
    Sender.SERVER: frozenset(_BOTH | {"GCF"}),
    Sender.CLIENT: frozenset(_BOTH | {"QRY"}),
}
# These are nothing without their payload; the others also exist as bare acknowledgements (`ADL 6 OK`).
_ALWAYS = frozenset({"MSG", "NOT", "GCF", "UUM", "UBM"})


class Frame(NamedTuple):
    """One command: verb or three-digit number, its fields, and the payload (None where none was announced)."""

    verb: str
    args: tuple[str, ...] = ()
    payload: bytes | None = None

    @property
    def code(self) -> int:
        """The error number, or 0 for a command."""
        return int(self.verb) if self.verb.isdigit() else 0

    @property
    def trid(self) -> int:
        """The transaction id in the first field, or 0 where there is none."""
        return int(self.args[0]) if self.args and _COUNT.match(self.args[0]) else 0

    def arg(self, index: int) -> str:
        """Field `index`, empty when the line is shorter: servers leave out trailing fields."""
        return self.args[index] if index < len(self.args) else ""


def quote(text: str) -> str:
    """Percent-encode a name so that it is one field (`@` and `+` stay as they are)."""
    return _quote(text, safe=_PLAIN)


def unquote(field: str) -> str:
    """Decode a percent-encoded field; octets that are not UTF-8 become replacement characters."""
    return _unquote(field, errors="replace")


def encode(verb: str, *args: str | int, payload: bytes | None = None) -> bytes:
    """Write one command; the octet count of `payload` is appended as the last field.

    Raises MsnpError when a field is empty or holds a space or a control character: such a field would let its
    author write commands of his own.
    """
    fields = [verb, *map(str, args)]
    if payload is not None:
        fields.append(str(len(payload)))
    for field in fields:
        if not field or _UNSAFE.search(field):
            raise MsnpError(f"not a field of {verb}: {field[:40]!r}")
    return " ".join(fields).encode() + b"\r\n" + (payload or b"")


class FrameReader:
    """Cuts a stream of octets into frames. After an error it stays broken: the connection is to be closed."""

    def __init__(
        self, sender: Sender = Sender.SERVER, max_line: int = MAX_LINE, max_payload: int = MAX_PAYLOAD
    ) -> None:
        self._verbs = _PAYLOADS[sender]
        self._max_line = max_line
        self._max_payload = max_payload
        self._buffer = bytearray()
        self._waiting: Frame | None = None  # its payload is not complete yet
        self._needed = 0
        self._broken = False

    def feed(self, data: bytes) -> list[Frame]:
        """Take octets, return the frames completed by them. Raises MsnpError once the stream is not MSNP."""
        if self._broken:
            raise MsnpError("the stream is broken")
        self._buffer += data
        try:
            return self._frames()
        except MsnpError:
            self._broken = True
            self._buffer.clear()
            raise

    def _frames(self) -> list[Frame]:
        frames: list[Frame] = []
        position = 0
        while True:
            step = self._payload(position) if self._waiting else self._line(position)
            if step is None:
                break
            frame, position = step
            if frame is not None:
                frames.append(frame)
        del self._buffer[:position]
        return frames

    def _payload(self, position: int) -> tuple[Frame | None, int] | None:
        end = position + self._needed
        if self._waiting is None or len(self._buffer) < end:
            return None
        frame = self._waiting._replace(payload=bytes(self._buffer[position:end]))
        self._waiting = None
        return frame, end

    def _line(self, position: int) -> tuple[Frame | None, int] | None:
        end = self._buffer.find(b"\n", position)
        if (end if end >= 0 else len(self._buffer)) - position > self._max_line:
            raise MsnpError("line too long")
        if end < 0:
            return None
        line = self._buffer[position:end].decode("utf-8", "replace").rstrip("\r")
        if not line:
            return None, end + 1
        frame = _parse_line(line)
        count = self._count(frame)
        if count is None:
            return frame, end + 1
        self._waiting, self._needed = frame, count
        return None, end + 1

    def _count(self, frame: Frame) -> int | None:
        """The octet count that the line announces, None if no payload follows."""
        field = frame.arg(1) if frame.code else (frame.args[-1] if frame.args else "")
        if not frame.code and frame.verb not in self._verbs:
            return None
        if not _COUNT.match(field):
            if frame.verb in _ALWAYS:
                raise MsnpError(f"{frame.verb} without an octet count")
            return None
        if not frame.code and len(frame.args) < 2 and frame.verb != "NOT":
            return None  # `QRY 7`: the number is the transaction id
        count = int(field)
        if count > self._max_payload:
            raise MsnpError("payload too large")
        return count


def _parse_line(line: str) -> Frame:
    fields = line.split(" ")
    while fields and not fields[-1]:
        fields.pop()  # the live server ends LST lines without groups in a space
    if len(fields) > MAX_FIELDS:
        raise MsnpError("too many fields")
    if not fields or not _VERB.match(fields[0]):
        raise MsnpError(f"not a command: {line[:20]!r}")
    return Frame(fields[0], tuple(fields[1:]))
