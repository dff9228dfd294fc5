"""Protocol 2: ``type | length | payload length | parameters | checksum`` (ES 201 912).

Every signal has a channel seizure in front. What no public source confirms is kept to what was seen on the wire.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import NamedTuple

from .frames import Fault, Meaning, Say, Signal, sealed

INFO_MO, INFO_MT, INFO_STA, NACK, ACK0, ACK1, ENQ, REL = range(0x10, 0x18)
MAX_PAYLOAD = 253
"""What the one-octet length leaves; longer messages would need the extension, which nobody has shown us."""
_MORE = 0x80


class Code(IntEnum):
    """Parameters."""

    MEDIA = 0x10
    FIRMWARE = 0x11
    PROVIDER = 0x12
    TEXT = 0x13
    TIME = 0x14
    CALLING_LINE = 0x15
    NO_CALLING_LINE = 0x16
    CALLING_TERMINAL = 0x17
    CALLED_LINE = 0x18
    CALLED_TERMINAL = 0x1B
    NOTIFY = 0x1C
    RESPONSE = 0x1F


class Frame2Error(ValueError):
    """The parameters of a frame cannot be read."""


class Text2(NamedTuple):
    """A short message of protocol 2. ``line`` is the originator's (to the terminal) or the destination's (to the
    centre); digits. ``when``: MMDDhhmm."""

    text: str
    line: str
    when: str = ""
    calling_terminal: int = 1
    called_terminal: int = 1


def parameters(values: Iterable[tuple[int, bytes]]) -> bytes:
    """Parameters in order: code, length in two octets, low one first, data."""
    return b"".join(bytes((code,)) + len(data).to_bytes(2, "little") + data for code, data in values)


def read_parameters(payload: bytes) -> dict[int, bytes]:
    """The parameters by code, of a repeated one the last. Raises Frame2Error when one overruns."""
    found: dict[int, bytes] = {}
    at = 0
    while at < len(payload):
        start = at + 3
        end = start + int.from_bytes(payload[at + 1 : start], "little")
        if start > len(payload) or end > len(payload):
            raise Frame2Error(f"parameter at octet {at} is longer than the frame")
        found[payload[at]] = payload[start:end]
        at = end
    return found


def encode(kind: int, payload: bytes = b"") -> bytes:
    """A frame; without parameters there is no payload length either. Raises Frame2Error when it does not fit."""
    if not payload:
        return sealed(bytes((kind, 0)))
    if len(payload) > MAX_PAYLOAD:
        raise Frame2Error(f"{len(payload)} octets do not fit one frame of protocol 2")
    return sealed(bytes((kind, len(payload) + 2)) + len(payload).to_bytes(2, "little") + payload)


def to_centre(message: Text2) -> bytes:
    """The payload of INFO_MO, in the order that equipment expects. Characters outside Latin-1 become ``?``."""
    return parameters(
        (
            (Code.MEDIA, b"\0"),
            (Code.FIRMWARE, bytes(6)),
            (Code.PROVIDER, b"\2\0\4"),
            (Code.TEXT, message.text.encode("latin-1", "replace")),
            (Code.CALLING_TERMINAL, bytes((message.calling_terminal,))),
            (Code.CALLED_LINE, message.line.encode("ascii", "replace")),
            (Code.CALLED_TERMINAL, bytes((message.called_terminal,))),
            (Code.NOTIFY, bytes(3)),
        )
    )


def to_terminal(message: Text2) -> bytes:
    """The payload of INFO_MT."""
    return parameters(
        (
            (Code.MEDIA, b"\0"),
            (Code.FIRMWARE, bytes(6)),
            (Code.PROVIDER, b"\2\0\4"),
            (Code.TEXT, message.text.encode("latin-1", "replace")),
            (Code.TIME, message.when.encode("ascii", "replace")),
            (Code.CALLING_LINE, message.line.encode("ascii", "replace")),
            (Code.CALLING_TERMINAL, bytes((message.calling_terminal,))),
        )
    )


def read_text(payload: bytes) -> Text2:
    """The message in an INFO_MO or INFO_MT. Raises Frame2Error."""
    found = read_parameters(payload)
    if Code.TEXT not in found:
        raise Frame2Error("no text in the message")
    return Text2(
        found[Code.TEXT].decode("latin-1"),
        _digits(found, Code.CALLED_LINE) or _digits(found, Code.CALLING_LINE),
        _digits(found, Code.TIME),
        _number(found, Code.CALLING_TERMINAL),
        _number(found, Code.CALLED_TERMINAL),
    )


def looks_like(frame: bytes) -> bool:
    """Whether a frame has the form of this protocol: a type of its own, and a payload length that agrees."""
    inner = int.from_bytes(frame[2:4], "little")
    return INFO_MO <= frame[0] <= REL and len(frame) > 5 and inner == frame[1] - 2


def _digits(found: Mapping[int, bytes], code: int) -> str:
    """Digits, as ASCII or as numbers: both are seen."""
    octets = found.get(code, b"")[:40]
    return "".join(chr(0x30 + o) if o < 10 else chr(o) for o in octets if o < 10 or 0x30 <= o < 0x3A)


def _number(found: Mapping[int, bytes], code: int) -> int:
    data = found.get(code, b"\1")
    return data[0] if data else 1


class Protocol2:
    """See :class:`~.frames.Dialect`. Timers: 200 ms before an answer, which is awaited 3.5 s."""

    number = 2
    longest = MAX_PAYLOAD + 2
    gap = 0.2
    patience = 3.5

    def read(self, frame: bytes) -> Meaning:
        """A frame whose checksum is right."""
        kind, payload = frame[0], frame[4:-1]
        if kind & _MORE:
            return Meaning(Say.EXTENDED)
        if kind in (INFO_MO, INFO_MT, INFO_STA):
            return Meaning(Say.DATA, payload)
        if kind in (ACK0, ACK1):
            return self._answer(payload)
        simple = {NACK: Say.AGAIN, ENQ: Say.ENQUIRY, REL: Say.RELEASE}
        return Meaning(simple.get(kind, Say.UNKNOWN), payload)

    def _answer(self, payload: bytes) -> Meaning:
        """An acknowledgement may say, in its response type, that the message was not taken."""
        try:
            response = read_parameters(payload).get(Code.RESPONSE, b"\0")
        except Frame2Error:
            response = b"\0"
        cause = response[0] if response else 0
        return Meaning(Say.REFUSAL if cause else Say.ACK, payload, cause)

    def establish(self) -> Signal:
        return Signal(b"", True)

    def data(self, payload: bytes, centre: bool) -> Signal:
        return Signal(encode(INFO_MT if centre else INFO_MO, payload), True)

    def ack(self, report: bytes) -> Signal:
        return Signal(encode(ACK1, parameters(((Code.RESPONSE, b"\0"),))), True)

    def refusal(self, cause: int) -> Signal:
        return Signal(encode(ACK1, parameters(((Code.RESPONSE, bytes((cause or 0xFF,))),))), True)

    def again(self, fault: Fault) -> Signal:
        return Signal(encode(NACK), True)

    def release(self) -> Signal:
        return Signal(encode(REL), True)

    def released(self) -> Signal | None:
        return Signal(encode(ACK1), True)
