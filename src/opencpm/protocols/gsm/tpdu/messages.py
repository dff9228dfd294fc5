"""SMS-SUBMIT, SMS-DELIVER and SMS-STATUS-REPORT (3GPP TS 23.040 §9.2.2.1 to 3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from . import content, times
from .address import TpAddress, read_address
from .content import UserData
from .errors import TpduError
from .reader import Reader

_DELIVER, _SUBMIT, _STATUS = 0, 1, 2
_UDHI = 0x40
_NO_VALIDITY, _ENHANCED, _RELATIVE, _ABSOLUTE = range(4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """From the terminal to the centre. ``validity``: seconds from now, ``expires``: a time; None where neither is
    given."""

    reference: int  # TP-MR
    destination: TpAddress
    data: UserData
    dcs: int = 0
    pid: int = 0
    validity: float | None = None
    expires: datetime | None = None
    reject_duplicates: bool = False
    report: bool = False  # TP-SRR
    reply_path: bool = False

    def encode(self) -> bytes:
        """The octets; a validity is written relative. Raises TpduError."""
        form = _NO_VALIDITY if self.validity is None else _RELATIVE
        # §9.2.3.3: bit 4 says relative or absolute, bit 3 the enhanced form
        first = _SUBMIT | self.reject_duplicates << 2 | (0x10 if form == _RELATIVE else 0)
        first |= self.report << 5 | (_UDHI if self.data.header else 0) | self.reply_path << 7
        period = b"" if self.validity is None else bytes((times.relative(self.validity),))
        head = bytes((first, self.reference)) + self.destination.encode() + bytes((self.pid, self.dcs))
        return head + period + content.encode(self.data, self.dcs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliver:
    """From the centre to the terminal. ``more`` is never to be relied on: real centres have it upside down."""

    originator: TpAddress
    stamp: datetime | None
    data: UserData
    dcs: int = 0
    pid: int = 0
    more: bool = False
    report: bool = False  # TP-SRI
    reply_path: bool = False

    def encode(self) -> bytes:
        """The octets. Raises TpduError, also without a time stamp."""
        if self.stamp is None:
            raise TpduError("a DELIVER needs a time stamp")
        first = _DELIVER | (not self.more) << 2 | self.report << 5
        first |= (_UDHI if self.data.header else 0) | self.reply_path << 7
        head = bytes((first,)) + self.originator.encode() + bytes((self.pid, self.dcs))
        return head + times.stamp(self.stamp) + content.encode(self.data, self.dcs)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusReport:
    """From the centre to the terminal that asked: what became of a SUBMIT. ``status`` is TP-ST."""

    reference: int
    recipient: TpAddress
    stamp: datetime | None  # of the message
    discharged: datetime | None
    status: int
    more: bool = False

    def encode(self) -> bytes:
        """The octets. Raises TpduError."""
        if self.stamp is None or self.discharged is None:
            raise TpduError("a STATUS-REPORT needs two time stamps")
        head = bytes((_STATUS | (not self.more) << 2, self.reference)) + self.recipient.encode()
        return head + times.stamp(self.stamp) + times.stamp(self.discharged) + bytes((self.status,))


ToTerminal = Deliver | StatusReport


def read_from_terminal(octets: bytes) -> Submit:
    """What a terminal sends. Raises TpduError: COMMAND and reserved types are not supported."""
    reader = Reader(octets)
    first = reader.octet()
    if first & 3 != _SUBMIT:
        raise TpduError("only SMS-SUBMIT is supported", 0xA1 if first & 3 == 2 else 0xB0)
    reference = reader.octet()
    destination = read_address(reader)
    pid, dcs = reader.octet(), reader.octet()
    validity, expires = _validity(reader, first >> 3 & 3)
    return Submit(
        reference=reference,
        destination=destination,
        pid=pid,
        dcs=dcs,
        validity=validity,
        expires=expires,
        reject_duplicates=bool(first & 4),
        report=bool(first & 0x20),
        reply_path=bool(first & 0x80),
        data=content.decode(reader, dcs, bool(first & _UDHI)),
    )


def _validity(reader: Reader, form: int) -> tuple[float | None, datetime | None]:
    if form == _RELATIVE:
        return times.read_relative(reader.octet()), None
    if form == _ABSOLUTE:
        return None, times.read_stamp(reader.take(7))
    if form == _ENHANCED:
        return times.read_enhanced(reader.take(7)), None
    return None, None


def read_from_centre(octets: bytes) -> ToTerminal:
    """What a centre sends. Raises TpduError."""
    reader = Reader(octets)
    first = reader.octet()
    if first & 3 == _STATUS:
        return _status(reader, first)
    if first & 3 == _SUBMIT:  # a SUBMIT-REPORT: none is expected where messages come
        raise TpduError("only SMS-DELIVER and SMS-STATUS-REPORT are supported", 0xB0)
    originator = read_address(reader)
    pid, dcs = reader.octet(), reader.octet()
    stamp = _stamp(reader)
    return Deliver(
        originator=originator,
        stamp=stamp,
        pid=pid,
        dcs=dcs,
        more=not first & 4,
        report=bool(first & 0x20),
        reply_path=bool(first & 0x80),
        data=content.decode(reader, dcs, bool(first & _UDHI)),
    )


def _status(reader: Reader, first: int) -> StatusReport:
    reference, recipient = reader.octet(), read_address(reader)
    stamp, discharged = _stamp(reader), _stamp(reader)
    return StatusReport(
        reference=reference,
        recipient=recipient,
        stamp=stamp,
        discharged=discharged,
        status=reader.octet(),
        more=not first & 4,
    )


def _stamp(reader: Reader) -> datetime | None:
    """Centres send stamps that are no times: the message counts all the same."""
    octets = reader.take(7)
    try:
        return times.read_stamp(octets)
    except TpduError:
        return None
