"""What a VASP gets: messages as DeliverReq, what became of its own as DeliveryReportReq and ReadReplyReq. Pure."""

from __future__ import annotations

from opencpm.access.mm7 import reasons
from opencpm.access.mm7.people import People
from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.message import Message
from opencpm.domain.profile import WHOLE, Fit
from opencpm.domain.report import Status
from opencpm.media.mms import content_of
from opencpm.protocols import mm7
from opencpm.protocols.mm7 import Release
from opencpm.protocols.mm7.operations import DeliverReq, DeliveryReportReq, ReadReplyReq, Request
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import Recipients
from opencpm.settings import Mm7AccessSettings, Mm7Terms


def fit(message: Message) -> Fit:
    """An application takes what there is, whole."""
    return WHOLE


class Composer:
    """Makes requests to VASPs; every id in them is derived from the delivery's."""

    def __init__(self, settings: Mm7AccessSettings, people: People) -> None:
        self._settings, self._people = settings, people

    def compose(self, delivery: Delivery, terms: Mm7Terms, release: Release, now: float) -> tuple[str, bytes] | None:
        """Content-Type and body of the request; None where MM7 has no word for it. Raises Mm7Error."""
        notice = delivery.notice
        if notice is None:
            content = content_of(delivery.message.parts, delivery.id)
            request: Request | None = self._message(delivery, terms)
        else:
            content, request = None, self._report(delivery, notice, release, now)
        if request is None:
            return None
        return mm7.encode(mm7.Message(delivery.id, request, release, content), f"=_soap.{delivery.id}")

    def _message(self, delivery: Delivery, terms: Mm7Terms) -> DeliverReq:
        message = delivery.message
        return DeliverReq(
            relay_server_id=self._settings.relay_server_id,
            vasp_id=terms.vasp_id,
            linked_id=message.id,
            sender=self._people.written(message.sender),
            recipients=Recipients(to=(self._people.written(delivery.target),)),
            timestamp=format_time(message.sent_at),
            priority="Normal",
            subject=message.subject,
        )

    def _report(self, delivery: Delivery, notice: Notice, release: Release, now: float) -> Request | None:
        recipient = self._people.written(notice.recipient)
        sender = self._people.written(delivery.message.sender)
        if notice.status is Status.DISPLAYED:
            return ReadReplyReq(
                relay_server_id=self._settings.relay_server_id,
                message_id=notice.message_id,
                recipient=recipient,
                sender=sender,
                timestamp=format_time(now),
                mm_status="Read",
            )
        word = reasons.told(notice)
        if word is None:
            return None
        return DeliveryReportReq(
            relay_server_id=self._settings.relay_server_id,
            message_id=notice.message_id,
            recipient=recipient,
            sender=sender,
            date=format_time(now),
            mm_status=word.mm_status,
            mm_status_extension=word.extension if "REL-6" in release.namespace else "",
            status_text=notice.reason[:200],
        )
