"""A delivery as what is said on the line, in both protocols. Pure: every octet is derived from the delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition
from opencpm.domain.report import Reference, Status
from opencpm.protocols.fsk import frames2
from opencpm.protocols.fsk.frames2 import Text2
from opencpm.protocols.gsm.content import reference_of
from opencpm.protocols.gsm.segmentation import Coding, Segment
from opencpm.protocols.gsm.tpdu import times
from opencpm.protocols.gsm.tpdu.address import TpAddress
from opencpm.protocols.gsm.tpdu.content import UserData, text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, StatusReport, Submit

from .adapt import cut, is_push, push_segments
from .settings import FixedLineSettings, TrunkSettings

Forms = dict[int, bytes]
"""A payload in each protocol that can carry it."""

_GSM7, _UCS2, _DATA = 0xF1, 0x08, 0xF5
"""Data coding schemes that real equipment uses: GSM 7-bit class 1, UCS-2, and 8-bit data class 1."""
_ASKS_FOR_RECEIPT = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
_SHORTEST_VALIDITY = 300.0
_SIGNIFICANT = 7
_EXPIRED, _NOT_DELIVERED = 0x46, 0x41


def sender_of(delivery: Delivery, settings: FixedLineSettings) -> str:
    """The number a terminal shows: the configured one, else the person's own, else the fallback. Raises SendError."""
    own = delivery.source.value if delivery.source.scheme == "tel" else ""
    number = settings.source or own or settings.fallback_source
    if not number:
        raise SendError(
            Reason.INVALID_SOURCE,
            detail="you have no telephone number to send from; the operator can give you one",
        )
    return number


def compose(delivery: Delivery, trunk: TrunkSettings, settings: FixedLineSettings, now: float) -> list[Forms]:
    """What to say, message by message. Raises SendError."""
    try:
        if delivery.notice is not None:
            return [_report(delivery, now)]
        segments, dcs = _segments(delivery, settings)
        if trunk.role == "centre":
            return _delivers(delivery, segments, dcs, sender_of(delivery, settings))
        return _submits(delivery, segments, dcs, settings, now)
    except TpduError as error:
        raise SendError(Reason.UNKNOWN_ADDRESS, detail=str(error)) from None


def _segments(delivery: Delivery, settings: FixedLineSettings) -> tuple[Sequence[Segment], int]:
    """What is said, in pieces, and its data coding scheme. Raises SendError."""
    if is_push(delivery.message):
        return push_segments(delivery.message, settings, reference_of(delivery.id)), _DATA
    text = cut(delivery.message, settings, reference_of(delivery.id), delivery.max_segments)
    return text.segments, _GSM7 if text.coding is Coding.GSM7 else _UCS2


def _delivers(delivery: Delivery, segments: Sequence[Segment], dcs: int, sender: str) -> list[Forms]:
    """As centre. The time is when we took the message: a repetition is the same, octet by octet."""
    when = times.of_epoch(delivery.message.received_at)
    originator = TpAddress.of(sender)
    forms = []
    for segment in segments:
        data = UserData(segment.content, segment.header)
        form = {1: Deliver(originator=originator, stamp=when, dcs=dcs, data=data).encode()}
        forms.append(_with_2(form, frames2.to_terminal, segment, dcs, Text2("", _digits(sender), _short(when))))
    return forms


def _submits(
    delivery: Delivery, segments: Sequence[Segment], dcs: int, settings: FixedLineSettings, now: float
) -> list[Forms]:
    """As terminal."""
    target = delivery.target.value
    validity = _validity(delivery, settings, now)
    forms = []
    for index, segment in enumerate(segments):
        submit = Submit(
            reference=reference(delivery.id, index),
            destination=TpAddress.of(target),
            dcs=dcs,
            validity=validity,
            report=wants_report(delivery, settings),
            data=UserData(segment.content, segment.header),
        )
        forms.append(_with_2({1: submit.encode()}, frames2.to_centre, segment, dcs, Text2("", _digits(target))))
    return forms


def _with_2(form: Forms, write: Callable[[Text2], bytes], segment: Segment, dcs: int, base: Text2) -> Forms:
    """Add the form of protocol 2, where its alphabet and its frame can carry the text; data it cannot."""
    if dcs == _DATA:
        return form
    text = text_of(dcs, [segment.content]) or ""
    try:
        text.encode("latin-1")
    except UnicodeEncodeError:
        return form
    payload = write(base._replace(text=text))
    return {**form, 2: payload} if len(payload) <= frames2.MAX_PAYLOAD else form


def _report(delivery: Delivery, now: float) -> Forms:
    """Word of a message that a line sent: its terminal knows it by TP-MR and time, which its id holds."""
    notice = delivery.notice
    assert notice is not None
    mark = reference_in(notice.message_id)
    if mark is None or notice.status not in (Status.DELIVERED, Status.FAILED):
        raise SendError(Reason.NOT_ACCEPTABLE, detail="the line did not ask for this report")
    status = 0x00
    if notice.status is Status.FAILED:
        status = _EXPIRED if notice.cause == Reason.EXPIRED else _NOT_DELIVERED
    report = StatusReport(
        reference=mark,
        recipient=TpAddress.of(notice.recipient.value),
        stamp=times.of_epoch(notice.original_sent_at),
        discharged=times.of_epoch(now),
        status=status,
    )
    return {1: report.encode()}


def message_name(unique: str, mark: int | None) -> str:
    """The Message-ID of what a line sent; with the TP-MR where it asked for a report."""
    return unique if mark is None else f"{unique}-mr{mark:02x}"


def reference_in(message_id: str) -> int | None:
    """The TP-MR that :func:`message_name` put there."""
    _, found, mark = message_id.rpartition("-mr")
    try:
        return int(mark, 16) if found and len(mark) == 2 else None
    except ValueError:
        return None


def reference(delivery_id: str, index: int) -> int:
    """TP-MR of a segment: the same for every attempt."""
    return (reference_of(delivery_id) + index) & 0xFF


def report_key(line: str, mark: int, recipient: str) -> str:
    """Under which name a STATUS-REPORT is known: the line it comes to, TP-MR, and the receiver's last digits."""
    return f"{_digits(line)}/{mark}/{_digits(recipient)[-_SIGNIFICANT:]}"


def references(delivery: Delivery, line: str, count: int) -> tuple[Reference, ...]:
    """The names of all segments of a delivery."""
    return tuple(
        Reference(
            key=report_key(line, reference(delivery.id, index), delivery.target.value), segment=index, segments=count
        )
        for index in range(count)
    )


def wants_report(delivery: Delivery, settings: FixedLineSettings) -> bool:
    if settings.receipts == "asked":
        return bool(delivery.message.wants & _ASKS_FOR_RECEIPT)
    return settings.receipts == "always"


def _validity(delivery: Delivery, settings: FixedLineSettings, now: float) -> float:
    left = delivery.expires_at - now if delivery.expires_at else settings.max_validity
    return min(max(left, _SHORTEST_VALIDITY), settings.max_validity)


def _digits(number: str) -> str:
    return "".join(c for c in number if c.isdigit())[-20:]


def _short(when: datetime) -> str:
    """MMDDhhmm."""
    return when.astimezone(UTC).strftime("%m%d%H%M")
