"""What both protocols of ES 201 912 have in common: a frame says one of few things, its octets sum to 0 modulo 256."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple, Protocol


class Say(Enum):
    """What a frame says, whatever the protocol."""

    ESTABLISH = "establish"  # the side that picked up is ready
    DATA = "data"
    ACK = "ack"
    REFUSAL = "refusal"  # understood and not taken: final for this message
    AGAIN = "again"  # not understood: the last frame is to be repeated
    ENQUIRY = "enquiry"  # the last acknowledgement is to be repeated
    RELEASE = "release"
    UNKNOWN = "unknown"
    EXTENDED = "extended"  # a part of something longer: nobody supports it


class Meaning(NamedTuple):
    """A frame understood. ``cause`` of a refusal (TP-FCS, or the response type) or of an error."""

    say: Say
    payload: bytes = b""
    cause: int = 0


class Signal(NamedTuple):
    """Something to send: octets (none: marks only), and whether a channel seizure comes first."""

    frame: bytes
    seizure: bool = False


class Fault(Enum):
    """Why a frame is not understood; the value is the cause in protocol 1."""

    CHECKSUM = 0x01
    LENGTH = 0x02
    UNKNOWN = 0x03
    EXTENSION = 0x04


class Dialect(Protocol):
    """One protocol as the call speaks it."""

    number: int
    longest: int  # octets of payload
    gap: float  # seconds of silence before an answer
    patience: float  # seconds to wait for an answer

    def read(self, frame: bytes) -> Meaning: ...
    def establish(self) -> Signal: ...
    def data(self, payload: bytes, centre: bool) -> Signal: ...
    def ack(self, report: bytes) -> Signal: ...
    def refusal(self, cause: int) -> Signal: ...
    def again(self, fault: Fault) -> Signal: ...
    def release(self) -> Signal: ...
    def released(self) -> Signal | None:
        """The answer to a release; None where hanging up is the answer."""


def sealed(octets: bytes) -> bytes:
    """Octets and their checksum: the two's complement of their sum."""
    return octets + bytes((-sum(octets) & 0xFF,))
