"""A delivery as the submits that carry it. Pure: time is an argument."""

from __future__ import annotations

from math import ceil

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition
from opencpm.protocols.gsm.content import reference_of
from opencpm.protocols.gsm.segmentation import Coding, Segment
from opencpm.protocols.ucp import times
from opencpm.protocols.ucp.content import UCS2, UserData, with_content
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.operations import Message

from .adapt import UcpTerms, cut, is_push, push_segments
from .names import Originator, originator
from .settings import UcpSettings

_ASKS_FOR_RECEIPT = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
_SHORTEST_VALIDITY = 300.0
_LONGEST_NUMBER = 16
_PUSH_DATA = 0xF5  # 8-bit data of class 1 (TS 23.038 §4)
_FINAL, _AND_BUFFERED = "3", "7"


class Composer:
    """Makes submits by the settings of one network."""

    def __init__(self, settings: UcpSettings) -> None:
        self.terms = UcpTerms.of(settings)
        self._settings = settings
        self._zone = settings.zone

    def compose(self, delivery: Delivery, now: float, terms: UcpTerms | None = None) -> tuple[Message, ...]:
        """The submits (operation 51) of a delivery; every id in them is derived from ``delivery.id``. ``terms`` are the
        sender's; left out, those of the network. Raises SendError.
        """
        if delivery.notice is not None:
            raise SendError(Reason.NOT_ACCEPTABLE, detail="notices are not sent by SMS")
        segments, dcs = self._segments(delivery, terms or self.terms)
        source = self._source(delivery)
        wanted = self._wants_receipt(delivery)
        base = Message(
            adc=self._destination(delivery),
            oadc=source.oadc,
            ac=self._settings.authentication_code,
            nrq="1" if wanted else "",
            nt=(_AND_BUFFERED if self._settings.buffered else _FINAL) if wanted else "",
            vp=self._validity(delivery, now),
            otoa=source.otoa,
        )
        return tuple([with_content(base, UserData(one.content, dcs, one.header)) for one in segments])

    def _segments(self, delivery: Delivery, terms: UcpTerms) -> tuple[tuple[Segment, ...], int]:
        """What goes, and its data coding scheme. Raises SendError."""
        reference = reference_of(delivery.id)
        if is_push(delivery.message):
            return push_segments(delivery.message, terms, reference), _PUSH_DATA
        text = cut(delivery.message, terms, reference, delivery.max_segments)
        return text.segments, 0 if text.coding is Coding.GSM7 else UCS2

    def _source(self, delivery: Delivery) -> Originator:
        """The configured sender, else the person's own number, else the fallback. Raises SendError."""
        settings = self._settings
        own = delivery.source.value if delivery.source.scheme == "tel" else ""
        text = settings.source or own or settings.fallback_source
        try:
            return originator(text)
        except UcpError:
            detail = "you have no telephone number to send SMS from; the operator can give you one"
            raise SendError(Reason.INVALID_SOURCE, detail=detail) from None

    def _destination(self, delivery: Delivery) -> str:
        number = delivery.target.value
        digits = self._settings.destination_prefix + number[1:] if number.startswith("+") else number
        if delivery.target.scheme != "tel" or not digits.isdecimal() or len(digits) > _LONGEST_NUMBER:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{delivery.target} is no telephone number")
        return digits

    def _wants_receipt(self, delivery: Delivery) -> bool:
        if self._settings.receipts == "asked":
            return bool(delivery.message.wants & _ASKS_FOR_RECEIPT)
        return self._settings.receipts == "always"

    def _validity(self, delivery: Delivery, now: float) -> str:
        """The minute after the end, at least five minutes from now."""
        left = delivery.expires_at - now if delivery.expires_at else self._settings.max_validity
        end = now + min(max(left, _SHORTEST_VALIDITY), self._settings.max_validity)
        return times.minute(60.0 * ceil(end / 60.0), self._zone)
