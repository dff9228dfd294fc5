"""A delivery as a SubmitReq. Pure: time is an argument."""

from __future__ import annotations

from collections.abc import Sequence

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.interworking.mms import reports
from opencpm.interworking.mms.adapt import content_of
from opencpm.protocols import mm7
from opencpm.protocols.mm7.operations import SubmitReq
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.protocols.mm7.values import Content, Recipients, SenderIdentification

from . import addresses
from .settings import Mm7Settings
from .terms import Terms

_SHORTEST_VALIDITY = 300.0
_LONGEST_SUBJECT = 80


class Composer:
    """Makes requests by the settings of one network. Every id in them is derived from the delivery's."""

    def __init__(self, settings: Mm7Settings) -> None:
        self._settings = settings

    def source(self, delivery: Delivery) -> Mm7Address:
        """The configured sender, else the person's own number, else the fallback. Raises SendError."""
        own = delivery.source.value if delivery.source.scheme == "tel" else ""
        text = self._settings.source or own or self._settings.fallback_source
        if not text:
            detail = "you have no telephone number to send MMS from; the operator can give you one"
            raise SendError(Reason.INVALID_SOURCE, detail=detail)
        return addresses.sender(text)

    def shared(self, delivery: Delivery) -> str:
        """The sender that others send from as well, so that answers have to be told apart; "" for one's own number."""
        if not self._settings.source and delivery.source.scheme == "tel":
            return ""
        return self._settings.source or self._settings.fallback_source

    def compose(self, delivery: Delivery, parts: Sequence[Part], terms: Terms, now: float) -> tuple[str, bytes]:
        """Content-Type and body of the HTTP request. Raises SendError."""
        message = mm7.Message(
            terms.transaction(delivery.id),
            self._request(delivery, terms, now),
            terms.release,
            content_of(parts, delivery.id, binary=self._settings.binary),
        )
        try:
            return mm7.encode(message, f"=_soap.{delivery.id}")
        except mm7.Mm7Error as error:
            raise SendError(Reason.MALFORMED, detail=f"this cannot be written as MM7: {error}") from None

    def _request(self, delivery: Delivery, terms: Terms, now: float) -> SubmitReq:
        settings, message = self._settings, delivery.message
        return SubmitReq(
            sender=SenderIdentification(settings.vasp_id, settings.vas_id, self.source(delivery)),
            recipients=Recipients(to=(addresses.written(_number(delivery.target)),)),
            service_code=settings.service_code,
            linked_id=terms.linked,
            message_class=settings.message_class,
            timestamp=format_time(now),
            expiry=format_time(self._expiry(delivery, now)),
            delivery_report=reports.asks_delivery(message, settings),
            read_reply=reports.asks_read(message, settings),
            subject=" ".join(message.subject.split())[:_LONGEST_SUBJECT],
            content=Content("", settings.allow_adaptations),
        )

    def _expiry(self, delivery: Delivery, now: float) -> float:
        left = delivery.expires_at - now if delivery.expires_at else self._settings.max_validity
        return now + min(max(left, _SHORTEST_VALIDITY), self._settings.max_validity)


def _number(target: Address) -> Address:
    if target.scheme != "tel":
        raise SendError(Reason.UNKNOWN_ADDRESS, detail=f"{target} is no telephone number")
    return target
