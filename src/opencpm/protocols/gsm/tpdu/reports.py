"""The answers: DELIVER-REPORT and SUBMIT-REPORT (3GPP TS 23.040 §9.2.2.1a, 2a), and what their codes mean."""

from __future__ import annotations

from datetime import datetime
from enum import Enum

from . import times
from .errors import TpduError

_SUBMIT_REPORT = 1


class Fate(Enum):
    """What a TP-ST says of a message (§9.2.3.15)."""

    DELIVERED = "delivered"
    PENDING = "pending"
    EXPIRED = "expired"
    FAILED = "failed"


def deliver_report() -> bytes:
    """A terminal has taken a DELIVER."""
    return b"\0\0"


def submit_report(when: datetime) -> bytes:
    """A centre has taken a SUBMIT; ``when`` is the time it gave it."""
    return bytes((_SUBMIT_REPORT, 0)) + times.stamp(when)


def stamp_of(report: bytes) -> datetime | None:
    """The time in a well-formed SUBMIT-REPORT, None in any other answer."""
    if len(report) < 9 or report[0] & 3 != _SUBMIT_REPORT:
        return None
    try:
        return times.read_stamp(report[2:9])
    except TpduError:
        return None


def fate_of(status: int) -> Fate:
    """TP-ST in few words; what is reserved counts as its group does."""
    if status == 0x00:
        return Fate.DELIVERED
    if status < 0x40:  # forwarded unconfirmed, replaced, or still trying
        return Fate.PENDING
    return Fate.EXPIRED if status == 0x46 else Fate.FAILED


_CAUSES = {
    0x80: "telematic interworking is not supported",
    0x90: "the alphabet is not supported",
    0x91: "the message class is not supported",
    0xB0: "this kind of message is not supported",
    0xC0: "the SMS centre is busy",
    0xC1: "there is no subscription for SMS",
    0xC2: "the SMS centre has failed",
    0xC3: "the number is not valid",
    0xC4: "the number is barred",
    0xC5: "it was sent before",
    0xD0: "the memory is full",
    0xD1: "there is no memory for messages",
    0xD2: "the terminal reports an error",
    0xD3: "the memory is full",
    0xD4: "the terminal is busy",
}
_LATER = frozenset({0xC0, 0xC2, 0xD0, 0xD3, 0xD4, 0xFF})


def cause_text(cause: int) -> str:
    """A TP-FCS (§9.2.3.22) for people."""
    return _CAUSES.get(cause, f"it gives no reason (cause {cause:02X})")


def may_pass(cause: int) -> bool:
    """Whether trying again later may help."""
    return cause in _LATER
