"""Delivery and read reports, with the habits that were seen: both addresses swapped, TransactionID = MessageID."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from opencpm.protocols.mm7.operations import DeliveryReportReq, ReadReplyReq, Request, SubmitReq
from opencpm.protocols.mm7.times import format_time
from opencpm.protocols.mm7.values import NUMBER, SHORT_CODE, Address

from .faults import Faults
from .phone import Mm, Phone


class Submitted(NamedTuple):
    """A message in the centre."""

    message_id: str
    request: SubmitReq


Push = Callable[[Request, str], None]


class Reports:
    """What the service is told of its messages, if it asked."""

    def __init__(self, faults: Faults, push: Push, swapped: bool) -> None:
        self._faults, self._push, self._swapped = faults, push, swapped
        self._held: list[tuple[Request, str]] = []
        self._known: dict[str, Submitted] = {}

    def remember(self, submitted: Submitted) -> None:
        """A read report may follow."""
        self._known[submitted.message_id] = submitted

    def delivery(self, submitted: Submitted, status: str) -> None:
        """What became of it."""
        if not submitted.request.delivery_report:
            return
        recipient, sender = self._ends(submitted)
        report = DeliveryReportReq(
            message_id=submitted.message_id,
            recipient=recipient,
            sender=sender,
            date=format_time(time.time()),
            mm_status=status,
        )
        self._send(report, submitted.message_id)

    async def read(self, phone: Phone, mm: Mm, word: str) -> None:
        """Its owner looked at it."""
        submitted = self._known.get(mm.message_id)
        if submitted is None or not mm.wants_read_report:
            return
        recipient, sender = self._ends(submitted)
        report = ReadReplyReq(
            message_id=mm.message_id,
            recipient=recipient,
            sender=sender,
            timestamp=format_time(time.time()),
            mm_status=word,
        )
        self._send(report, mm.message_id)

    def release(self) -> None:
        held, self._held = self._held, []
        for request, transaction in held:
            self._push(request, transaction)

    def _send(self, report: Request, transaction: str) -> None:
        if self._faults.hold_reports:
            self._held.append((report, transaction))
        else:
            self._push(report, transaction)

    def _ends(self, submitted: Submitted) -> tuple[Address, Address]:
        """Recipient and Sender of a report; the phone's number without its +, as seen."""
        request = submitted.request
        phone = Address(NUMBER, request.recipients.to[0].value.lstrip("+"))
        service = request.sender.address or Address(SHORT_CODE, "0")
        return (service, phone) if self._swapped else (phone, service)
