"""Protocol 1: ``type | length | payload | checksum``, GSM TPDUs inside (ES 201 912)."""

from __future__ import annotations

from .frames import Fault, Meaning, Say, Signal, sealed

DATA, ERROR, EST, REL, ACK, NACK = 0x91, 0x92, 0x93, 0x94, 0x95, 0x96
MAX_PAYLOAD = 176
_LAST = 0x80  # of the type: nothing follows that belongs to the same message
_SAYS = {DATA: Say.DATA, ERROR: Say.AGAIN, EST: Say.ESTABLISH, REL: Say.RELEASE, ACK: Say.ACK, NACK: Say.REFUSAL}


def encode(kind: int, payload: bytes = b"") -> bytes:
    return sealed(bytes((kind, len(payload))) + payload)


class Protocol1:
    """See :class:`~.frames.Dialect`. Timers: silence before our answer 40 ms, an answer is awaited 2 s."""

    number = 1
    longest = MAX_PAYLOAD
    gap = 0.04
    patience = 2.0

    def read(self, frame: bytes) -> Meaning:
        """A frame whose checksum is right."""
        kind, payload = frame[0], frame[2:-1]
        if not kind & _LAST:
            return Meaning(Say.EXTENDED)
        say = _SAYS.get(kind, Say.UNKNOWN)
        if say is Say.AGAIN:
            return Meaning(say, payload, payload[0] if payload else 0xFF)
        if say is Say.REFUSAL:  # octet 1 of the report, then TP-FCS
            return Meaning(say, payload, payload[1] if len(payload) > 1 else 0xFF)
        return Meaning(say, payload)

    def establish(self) -> Signal:
        return Signal(encode(EST))

    def data(self, payload: bytes, centre: bool) -> Signal:
        return Signal(encode(DATA, payload))

    def ack(self, report: bytes) -> Signal:
        return Signal(encode(ACK, report or b"\0\0"))

    def refusal(self, cause: int) -> Signal:
        return Signal(encode(NACK, bytes((0, cause, 0))))

    def again(self, fault: Fault) -> Signal:
        return Signal(encode(ERROR, bytes((fault.value,))))

    def release(self) -> Signal:
        return Signal(encode(REL))

    def released(self) -> Signal | None:
        return None
