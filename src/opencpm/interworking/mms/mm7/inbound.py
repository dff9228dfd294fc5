"""What the centre brings: reports and messages; answered after the commit, in the release it speaks."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, OrderedDict
from collections.abc import Sequence
from hashlib import blake2b

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, message_ident
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.report import Report, Status
from opencpm.interfaces import Context, Inbox
from opencpm.interworking.mms import reports
from opencpm.interworking.mms.adapt import received
from opencpm.protocols import mm7
from opencpm.protocols.mm7 import status as codes
from opencpm.protocols.mm7.operations import DeliverReq, DeliveryReportReq, ReadReplyReq
from opencpm.protocols.mm7.times import parse_time
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.transport.http_post import Answer, Posted

from . import addresses, reasons
from .linked import Linked
from .settings import Mm7Settings

log = logging.getLogger("opencpm.mm7")

_REMEMBERED = 10_000
_ERROR = "VASPErrorRsp"


class Inbound:
    """The way in of one network. :meth:`handle` is what the listener calls."""

    def __init__(self, settings: Mm7Settings, context: Context, linked: Linked) -> None:
        self.counters: Counter[str] = Counter()
        self.replies = Replies(context.store, f"{context.name}.replies")
        self._settings, self._context, self._linked = settings, context, linked
        self._plan = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._passing: OrderedDict[tuple[str, str, str], None] = OrderedDict()
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def handle(self, posted: Posted) -> Answer:
        """Never an error of HTTP for what we dislike: the centre would bring it again for days."""
        try:
            message = mm7.decode(posted.content_type, posted.body)
        except mm7.Mm7Error as error:
            self.counters["unreadable"] += 1
            log.warning("a request from %s cannot be read: %s", posted.peer, error)
            return _spelled(mm7.error(_ERROR, reasons.said(codes.FORMAT_CORRUPT, str(error))))
        operation = message.operation
        if isinstance(operation, DeliverReq):
            return await self._deliver(message, operation)
        if isinstance(operation, DeliveryReportReq | ReadReplyReq):
            return await self._report(message, operation)
        self.counters["not for a service"] += 1
        status = reasons.said(codes.UNSUPPORTED_OPERATION)
        return _spelled(mm7.error(_ERROR, status, message.transaction_id, message.release))

    # -- reports

    async def _report(self, message: mm7.Message, said: DeliveryReportReq | ReadReplyReq) -> Answer:
        """Told apart by MessageID, phone and status; the TransactionID says nothing (centres repeat it)."""
        report = self._reported(said)
        key = (said.message_id, report.detail.rpartition(" of ")[2], said.mm_status)
        if not said.message_id or (report.status is Status.PENDING and key in self._passing):
            self.counters["reports that say nothing new"] += 1
        else:
            await self._store(report)
            if report.status is Status.PENDING:
                self._passing[key] = None
                if len(self._passing) > _REMEMBERED:
                    self._passing.popitem(last=False)
        return _spelled(mm7.answer(message, reasons.said(codes.SUCCESS)))

    def _reported(self, said: DeliveryReportReq | ReadReplyReq) -> Report:
        now = self._context.clock.now()
        if isinstance(said, DeliveryReportReq):
            status, error = reports.delivery_said(said.mm_status)
            name, date, more = "MM7 DeliveryReportReq", said.date, said.mm_status_extension
        else:
            status, error = reports.read_said(said.mm_status, self._settings), None
            name, date, more = "MM7 ReadReplyReq", said.timestamp, ""
        detail = " ".join(word for word in (said.mm_status, more, said.status_text) if word)[:200]
        return Report(
            status=status,
            network=self._context.name,
            source=name,
            at=_moment(date, now),
            key=said.message_id,
            error=error,
            detail=f"{detail} of {self._phone(said)}",
        )

    def _phone(self, said: DeliveryReportReq | ReadReplyReq) -> str:
        """Centres differ in which of the two addresses is the phone's: it is the one that is not ours."""
        found = [addresses.read(self._plan, one) for one in (said.recipient, said.sender) if one is not None]
        shared = (self._settings.source, self._settings.fallback_source)
        unshared = [one for one in found if one.value not in shared]
        theirs = [one for one in unshared if self._context.directory.owner_of(one) is None]
        return str(next(iter(theirs or unshared or found), ""))

    async def _store(self, report: Report) -> None:
        stored = asyncio.Event()
        if self._inbox is not None:
            self._inbox.reported([report], stored.set)
            await stored.wait()

    # -- messages

    async def _deliver(self, message: mm7.Message, request: DeliverReq) -> Answer:
        verdict: SendError | None
        try:
            verdict = await self._take(self._message(message, request))
        except SendError as error:
            verdict = error
        if verdict is not None:
            self.counters[f"refused {verdict.reason.value}"] += 1
            log.info("a message was refused: %s", verdict.reason.value)
        status = 503 if verdict is not None and verdict.retryable else 200
        return _spelled(mm7.answer(message, reasons.verdict(verdict)), status)

    async def _take(self, message: Message) -> SendError | None:
        stored = asyncio.Event()
        verdicts: list[SendError | None] = []

        def done(found: Sequence[SendError | None]) -> None:
            verdicts.extend(found)
            stored.set()

        assert self._inbox is not None
        self._inbox.received([message], done)
        await stored.wait()
        return verdicts[0]

    def _message(self, message: mm7.Message, request: DeliverReq) -> Message:
        """Raises SendError: nobody sent it, or there is nothing in it that can be read."""
        now = self._context.clock.now()
        if request.sender is None or message.content is None:
            what = "sender" if request.sender is None else "content"
            raise SendError(Reason.MALFORMED, detail=f"the message has no {what}")
        parts = received(message.content)
        sender = addresses.read(self._plan, request.sender)
        recipients = self._recipients(request, sender)
        for recipient in recipients:
            self._linked.heard(sender, recipient, request.linked_id, now)
        name = _named(message, request)
        return Message(
            id=message_ident(sender, name),
            message_id=name,
            sender=sender,
            recipients=recipients,
            parts=parts,
            sent_at=_moment(request.timestamp, now),
            received_at=now,
            origin=self._context.name,
            subject=" ".join(request.subject.split())[:200],
        )

    def _recipients(self, request: DeliverReq, sender: Address) -> tuple[Address, ...]:
        """Whose addresses they are; for one that many send from, the one who wrote to this phone last."""
        named = [*request.recipients.to, *request.recipients.cc, *request.recipients.bcc]
        meant = [self._meant(one, sender) for one in named if not one.display_only]
        ours = [one for one in meant if self._context.directory.owner_of(one) is not None]
        found = tuple(dict.fromkeys(ours or meant))
        if not found and self._settings.source:
            found = (self._person(addresses.read(self._plan, addresses.sender(self._settings.source)), sender),)
        if not found:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail="the message names nobody")
        return found

    def _meant(self, named: Mm7Address, sender: Address) -> Address:
        return self._person(addresses.read(self._plan, named), sender)

    def _person(self, address: Address, sender: Address) -> Address:
        if self._context.directory.owner_of(address) is not None:
            return address
        return self.replies.meant(address, sender) or address


def _named(message: mm7.Message, request: DeliverReq) -> str:
    """A name that a repetition repeats. A DeliverReq has none: its time, ends and content tell it from others."""
    assert message.content is not None
    assert request.sender is not None
    ends = [one.value for group in request.recipients for one in group]
    when = request.timestamp or message.transaction_id
    told = "|".join((request.sender.value, *ends, when, request.linked_id, request.subject))
    return blake2b(told.encode() + b"\0" + message.content.body, digest_size=12).hexdigest()


def _moment(text: str, now: float) -> float:
    """When it happened; never in the future. Now, where that cannot be read."""
    try:
        return min(parse_time(text, now), now) if text else now
    except mm7.Mm7Error:
        return now


def _spelled(message: mm7.Message, status: int = 200) -> Answer:
    content_type, body = mm7.encode(message)
    headers = (("Retry-After", "30"),) if status == 503 else ()
    return Answer(status, content_type, body, headers)
