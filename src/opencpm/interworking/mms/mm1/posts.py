"""What phones post: messages, and answers to what they were offered (OMA MMS ENC §6)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, message_ident
from opencpm.domain.numbering import NumberPlan
from opencpm.interfaces import Context, Inbox
from opencpm.interworking.mms.addresses import HIDDEN
from opencpm.interworking.mms.carrying import told
from opencpm.interworking.mms.reports import wants
from opencpm.interworking.mms.rows import Rows
from opencpm.protocols.mm1 import Mm1Error, Pdu, decode, encode, missing
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.tokens import MessageType, ReadStatus, Status, Visibility

from . import pdus, reasons
from .centre import Centre
from .pusher import Pusher
from .rows import Sent
from .settings import Mm1Settings

log = logging.getLogger("opencpm.mm1")


class Posted(NamedTuple):
    """The answer to a POST: an HTTP status, and a PDU where one is due."""

    status: int
    pdu: bytes = b""


_DONE = Posted(200)


class Posts:
    """The way in of phones."""

    def __init__(self, settings: Mm1Settings, context: Context, centre: Centre, pusher: Pusher) -> None:
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        self._centre, self._pusher = centre, pusher
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._sent: Rows[Sent] = Rows(context.store, f"{context.name}.sent", Sent)
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._sent.load()

    async def take(self, number: Address, body: bytes) -> Posted:
        """One PDU of this phone; answered after the commit."""
        try:
            pdu = decode(body, limit=self._settings.max_post)
        except Mm1Error as error:
            self._turned_away(number, f"no MMS PDU: {error}")
            return Posted(400)
        self.counters[_name(pdu.type)] += 1
        if pdu.type == MessageType.SEND_REQ:
            return await self._send(number, pdu, body)
        if pdu.type in (MessageType.FORWARD_REQ, MessageType.DELETE_REQ):
            return await self._asked(number, pdu)
        return await self._told(number, pdu)

    # -- messages

    async def _send(self, number: Address, pdu: Pdu, body: bytes) -> Posted:
        """M-Send.req. The sender is whom the gateway names, whatever the phone says of itself, or is hidden."""
        message_id = _ident(number, body)
        sender = HIDDEN if pdu.number(Field.SENDER_VISIBILITY) == Visibility.HIDE else number
        ident = message_ident(sender, message_id)
        try:
            lacking = missing(pdu)
            if lacking:
                what = ", ".join(field.name for field in lacking)
                raise SendError(Reason.MALFORMED, detail=f"the message has no {what}")
            receivers = pdus.receivers(pdu, self._numbers)
            message = self._message(sender, pdu, ident, message_id, tuple(receivers))
        except SendError as error:
            self._turned_away(number, error.detail)
            return Posted(200, pdus.response(pdu.transaction_id, error, ""))
        self._sent.put(
            ident,
            Sent(at=message.received_at, number=str(number), receivers={str(a): text for a, text in receivers.items()}),
        )
        verdict = await self._hand_in(message)
        if verdict is not None:
            self._sent.drop(ident)
            log.info("a message of a phone was refused: %s", verdict.reason.value)
        return Posted(200, pdus.response(pdu.transaction_id, verdict, self._shown(ident)))

    def _message(
        self, sender: Address, pdu: Pdu, ident: str, message_id: str, receivers: tuple[Address, ...]
    ) -> Message:
        """Raises SendError."""
        now = self._context.clock.now()
        if not receivers:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail="the message is for nobody")
        date = pdu.number(Field.DATE)
        return Message(
            id=ident,
            message_id=message_id,
            sender=sender,
            recipients=receivers,
            parts=pdus.content(pdu),
            sent_at=min(float(date), now) if date else now,
            received_at=now,
            origin=self._context.name,
            wants=wants(pdu.flag(Field.DELIVERY_REPORT), pdu.flag(Field.READ_REPORT)),
            expires_at=pdu.time(Field.EXPIRY, now),
            subject=pdu.text(Field.SUBJECT)[:1000],
        )

    async def _hand_in(self, message: Message) -> SendError | None:
        assert self._inbox is not None
        stored: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()

        def done(verdicts: Sequence[SendError | None]) -> None:
            if not stored.done():  # the phone may have gone meanwhile
                stored.set_result(verdicts[0])

        self._inbox.received([message], done)
        return await stored

    def _shown(self, ident: str) -> str:
        return f"{ident}@{self._settings.domain}"

    # -- requests that are not messages

    async def _asked(self, number: Address, pdu: Pdu) -> Posted:
        if pdu.type == MessageType.FORWARD_REQ:
            text = "This centre does not forward; fetch the message and send it on."
            return Posted(200, encode(mm1.forward_conf(pdu.transaction_id, reasons.UNSUPPORTED, text=text)))
        found = [await self._centre.deleted(number, location) for location in _locations(pdu)]
        status = reasons.OK if found and all(found) else reasons.MESSAGE_NOT_FOUND
        return Posted(200, encode(mm1.delete_conf(pdu.transaction_id, status)))

    async def _told(self, number: Address, pdu: Pdu) -> Posted:
        """Indications have no answer but HTTP's; those that we do not know are taken as that."""
        centre = self._centre
        if pdu.type == MessageType.ACKNOWLEDGE_IND:
            await centre.retrieved(number, pdu.transaction_id, _allowed(pdu))
        elif pdu.type == MessageType.READ_REC_IND:
            read = pdu.number(Field.READ_STATUS) == ReadStatus.READ
            await centre.read(number, pdu.message_id, "Read" if read else "Deleted without being read")
        elif pdu.type == MessageType.NOTIFYRESP_IND:
            await self._responded(number, pdu)
        else:
            return Posted(501)
        return _DONE

    async def _responded(self, number: Address, pdu: Pdu) -> None:
        status = pdu.number(Field.STATUS)
        if status == Status.RETRIEVED:
            await self._centre.retrieved(number, pdu.transaction_id, _allowed(pdu))
        elif status == Status.DEFERRED:
            await self._centre.deferred(number, pdu.transaction_id)
        elif status == Status.REJECTED:
            await self._centre.refused(number, pdu.transaction_id, reasons.refused())
        elif status == Status.UNRECOGNISED:
            await self._centre.refused(number, pdu.transaction_id, reasons.not_understood())
        else:
            self.counters["responses of no meaning"] += 1

    # -- word to phones about what they sent

    async def tell(self, delivery: Delivery) -> Outcome:
        """M-Delivery.ind or M-Read-Orig.ind by WAP push. Raises SendError."""
        notice = delivery.notice
        assert notice is not None
        row = self._sent.get(delivery.message.id)
        if row is None:
            raise SendError(Reason.NO_ROUTE, detail="it is no longer known which phone sent this")
        now = self._context.clock.now()
        receiver = row.receivers.get(str(notice.recipient)) or pdus.written(notice.recipient)
        sender = Address.parse(row.number)
        pdu = pdus.report(self._shown(delivery.message.id), receiver, notice, pdus.written(sender), now)
        error = await self._pusher.push(pdu, sender, delivery.id, now + self._settings.kept)
        if error is not None:
            raise error
        return told(delivery, now, "this MMS centre", f"pushed by {self._settings.notify_network}")

    def forget(self, now: float) -> None:
        for ident, row in self._sent.all():
            if row.at < now - self._settings.kept:
                self._sent.drop(ident)

    def _turned_away(self, number: Address, what: str) -> None:
        self.counters["turned away"] += 1
        if self._inbox is not None:
            self._inbox.turned_away(str(number), Reason.MALFORMED.value, what[:200])


def _ident(number: Address, body: bytes) -> str:
    """The same for every repetition: phones use transaction ids again, but not with the same content."""
    return blake2b(body, key=str(number).encode()[:64], digest_size=16).hexdigest()


def _allowed(pdu: Pdu) -> bool:
    return pdu.flag(Field.REPORT_ALLOWED) is not False


def _locations(pdu: Pdu) -> list[str]:
    return [value for value in pdu.all(Field.CONTENT_LOCATION) if isinstance(value, str)]


def _name(kind: int) -> str:
    try:
        return MessageType(kind).name
    except ValueError:
        return "unknown"
