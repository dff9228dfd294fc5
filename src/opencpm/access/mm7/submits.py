"""What VASPs ask: a submission becomes a message, answered after the commit; the id in the answer is its Message-ID."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from opencpm.access.mm7 import reasons
from opencpm.access.mm7.account import Account
from opencpm.access.mm7.changes import Changes
from opencpm.access.mm7.people import People, home, may_send
from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, Replacement, message_ident
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, Inbox, Store
from opencpm.media.mms import received
from opencpm.protocols import mm7
from opencpm.protocols.mime import Part
from opencpm.protocols.mm7 import status as codes
from opencpm.protocols.mm7.envelope import missing
from opencpm.protocols.mm7.operations import (
    CancelReq,
    ExtendedCancelReq,
    ExtendedReplaceReq,
    ReplaceReq,
    Response,
    SubmitReq,
)
from opencpm.protocols.mm7.times import parse_time
from opencpm.protocols.mm7.values import Recipients, SenderIdentification, Status
from opencpm.transport.http_post import Answer

log = logging.getLogger("opencpm.access.mm7")

_ERROR = "RSErrorRsp"


class Refusal(Exception):
    """A request that is answered with this status."""

    def __init__(self, code: int, details: str = "") -> None:
        super().__init__(details)
        self.status = reasons.said(code, details)


class Submits:
    """The way in of all accounts."""

    def __init__(self, context: Context, store: Store, people: People) -> None:
        self.counters: Counter[str] = Counter()
        self._context, self._store, self._people = context, store, people
        self._changes = Changes(store)
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    async def take(self, account: Account, subscriber: Subscriber, content_type: str, body: bytes) -> Answer:
        """Answer a request of an account that has proved who it is, in the release it speaks."""
        try:
            message = mm7.decode(content_type, body)
        except mm7.Mm7Error as error:
            self.counters["unreadable"] += 1
            return _spelled(mm7.error(_ERROR, reasons.said(codes.FORMAT_CORRUPT, str(error))))
        operation = message.operation
        if isinstance(operation, Response) or not isinstance(operation, _ASKED):
            return self._error(message, Refusal(codes.UNSUPPORTED_OPERATION))
        if lacking := missing(operation):
            return self._error(message, Refusal(codes.VALIDATION_ERROR, f"{lacking[0]} is missing"))
        account.release = message.release
        try:
            _identified(account, operation.sender)
            if isinstance(operation, SubmitReq):
                return await self._submit(account, subscriber, message, operation)
            return await self._change(subscriber, message, operation)
        except Refusal as refusal:
            return self._refused(message, refusal.status)

    # -- submissions

    async def _submit(
        self, account: Account, subscriber: Subscriber, message: mm7.Message, request: SubmitReq
    ) -> Answer:
        if not account.bucket.take(asyncio.get_running_loop().time()):
            raise Refusal(codes.SERVICE_UNAVAILABLE, "more submissions than agreed")
        try:
            made = self._message(account, subscriber, message, request)
            verdict = await self._hand_in(made)
        except SendError as error:
            return self._refused(message, reasons.refusal(error))
        if verdict is not None:
            log.info("a submission of %s was refused: %s", account.id, verdict.reason.value)
            return self._refused(message, reasons.refusal(verdict))
        self.counters["submitted"] += 1
        return _spelled(mm7.answer(message, reasons.said(codes.SUCCESS), message_id=made.message_id))

    async def _hand_in(self, message: Message) -> SendError | None:
        stored = asyncio.Event()
        verdicts: list[SendError | None] = []

        def done(found: Sequence[SendError | None]) -> None:
            verdicts.extend(found)
            stored.set()

        assert self._inbox is not None
        self._inbox.received([message], done)
        await stored.wait()
        return verdicts[0]

    def _message(self, account: Account, subscriber: Subscriber, message: mm7.Message, request: SubmitReq) -> Message:
        """Raises Refusal, SendError."""
        now = self._context.clock.now()
        if message.content is None:
            raise Refusal(codes.FORMAT_CORRUPT, "there is no content")
        sender = self._sender(account, subscriber, request.sender)
        recipients = self._recipients(account, request.recipients)
        answered = self._answered(subscriber, request.linked_id)
        name = _named(account, message, request, recipients)
        not_before, expires_at = earliest(request.earliest_delivery, now), self._expiry(request, now)
        if expires_at is not None and not_before >= expires_at:
            raise Refusal(codes.CLIENT_ERROR, "ExpiryDate is before EarliestDeliveryTime")
        return Message(
            id=message_ident(sender, name),
            message_id=name,
            sender=sender,
            recipients=recipients,
            parts=received(message.content),
            sent_at=now,
            received_at=now,
            origin=self._context.name,
            wants=_wants(request),
            expires_at=expires_at,
            not_before=not_before,
            subject=" ".join(request.subject.split())[:200],
            conversation_id=answered.conversation_id if answered else "",
            in_reply_to=answered.contribution_id if answered else "",
        )

    def _expiry(self, request: SubmitReq, now: float) -> float | None:
        if not request.expiry:
            return None
        expires_at = _time(request.expiry, now)
        if expires_at <= now:
            raise Refusal(codes.CLIENT_ERROR, "ExpiryDate has passed")
        return expires_at

    def _sender(self, account: Account, subscriber: Subscriber, said: SenderIdentification) -> Address:
        if said.address is None:
            return home(subscriber)
        sender = self._people.read(said.address)
        if sender is None or not may_send(subscriber, account.terms, sender):
            raise Refusal(codes.OPERATION_RESTRICTED, "this account does not send from that address")
        return sender

    def _recipients(self, account: Account, named: Recipients) -> tuple[Address, ...]:
        everybody = [one for group in named for one in group if not one.display_only]
        if not everybody:
            raise Refusal(codes.ADDRESS_ERROR, "nobody is named")
        if len(everybody) > account.terms.recipients:
            raise Refusal(codes.OPERATION_RESTRICTED, f"over {account.terms.recipients} receivers")
        found = [self._people.read(one) for one in everybody]
        if None in found:
            raise Refusal(codes.ADDRESS_ERROR, "a receiver that is no address")
        return tuple(dict.fromkeys(one for one in found if one is not None))

    def _answered(self, subscriber: Subscriber, linked: str) -> Message | None:
        """The message that this one answers: one that was for this account."""
        if not linked:
            return None
        found = self._store.message(linked)
        if found is None or not any(self._is_of(subscriber, one) for one in found.recipients):
            raise Refusal(codes.LINKED_ID_NOT_FOUND)
        return found

    # -- taking back and replacing

    async def _change(self, subscriber: Subscriber, message: mm7.Message, request: Change) -> Answer:
        """Raises Refusal."""
        if not isinstance(request, CancelReq | ReplaceReq):
            raise Refusal(codes.UNSUPPORTED_OPERATION)
        own = self._changes.of(subscriber, request.message_id)
        if own is None:
            raise Refusal(codes.MESSAGE_ID_NOT_FOUND)
        assert self._inbox is not None
        try:
            if isinstance(request, CancelReq):
                await self._changes.cancel(self._inbox.recalls, own)
            else:
                instead = _instead(own, request, message.content, self._context.clock.now())
                await self._changes.replace(self._inbox.recalls, own, instead)
        except SendError as error:
            return self._refused(message, reasons.refusal(error))
        self.counters["changed"] += 1
        return _spelled(mm7.answer(message, reasons.said(codes.SUCCESS)))

    def _is_of(self, subscriber: Subscriber, address: Address) -> bool:
        owner = self._context.directory.owner_of(address)
        return owner is not None and owner.id == subscriber.id

    # -- answers

    def _refused(self, message: mm7.Message, status: Status) -> Answer:
        self.counters[f"refused {status.code}"] += 1
        return _spelled(mm7.answer(message, status))

    def _error(self, message: mm7.Message, refusal: Refusal) -> Answer:
        self.counters[f"refused {refusal.status.code}"] += 1
        return _spelled(mm7.error(_ERROR, refusal.status, message.transaction_id, message.release))


Change = CancelReq | ExtendedCancelReq | ReplaceReq | ExtendedReplaceReq
_ASKED = (SubmitReq, CancelReq, ExtendedCancelReq, ReplaceReq, ExtendedReplaceReq)


def _identified(account: Account, said: SenderIdentification) -> None:
    """Raises Refusal: it names another VASPID than its own."""
    if account.terms.vasp_id and said.vasp_id != account.terms.vasp_id:
        raise Refusal(codes.IMPROPER_IDENTIFICATION, "another VASPID was agreed")


def _named(account: Account, message: mm7.Message, request: SubmitReq, recipients: Sequence[Address]) -> str:
    """The Message-ID, which is also the MessageID told: the same for a repetition (same TransactionID and content)."""
    assert message.content is not None
    told = "|".join((account.id, message.transaction_id, request.subject, *map(str, recipients)))
    return blake2b(told.encode() + b"\0" + message.content.body, digest_size=12).hexdigest()


def _wants(request: SubmitReq) -> Disposition:
    wants = Disposition.NONE
    if request.delivery_report:
        wants |= Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
    return wants | Disposition.DISPLAY if request.read_reply else wants


def _instead(own: Message, request: ReplaceReq, content: Part | None, now: float) -> Replacement:
    """What is put in the place of a message; what is not said stays. Raises SendError."""
    wants = own.wants
    if request.read_reply is not None:
        wants = wants | Disposition.DISPLAY if request.read_reply else wants & ~Disposition.DISPLAY
    return Replacement(
        parts=received(content) if content is not None else None,
        wants=wants,
        not_before=earliest(request.earliest_delivery, now) if request.earliest_delivery else None,
    )


def earliest(text: str, now: float) -> float:
    """An EarliestDeliveryTime; 0: at once, which a time that has passed means as well. Raises SendError."""
    at = _time(text, now) if text else 0.0
    return at if at > now else 0.0


def _time(text: str, now: float) -> float:
    try:
        return parse_time(text, now)
    except mm7.Mm7Error:
        raise SendError(Reason.MALFORMED, detail=f"{text[:40]!r} is no date") from None


def _spelled(message: mm7.Message) -> Answer:
    return Answer(200, *mm7.encode(message))
