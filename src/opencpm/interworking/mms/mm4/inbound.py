"""What peers bring: messages, reports and responses, answered after the commit."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from hashlib import blake2b

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, message_ident
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.report import Report
from opencpm.interfaces import Context, Inbox
from opencpm.interworking.mms import adapt
from opencpm.interworking.mms.addresses import HIDDEN, neutral
from opencpm.interworking.mms.reports import delivery_said, read_said, wants
from opencpm.protocols.mail.reports import Dsn, read_report
from opencpm.protocols.mm4 import DeliveryReportReq, ForwardReq, Mm4Error, ReadReplyReq, Response, decode
from opencpm.protocols.mm4.address import Address as Mm4Address
from opencpm.protocols.mm4.address import parse_address
from opencpm.protocols.mm4.headers import read_date
from opencpm.protocols.mm4.messages import Request
from opencpm.protocols.mms.content import bare_id
from opencpm.transport.smtp_listener import Mail

from . import reasons
from .exchange import Exchange
from .ledger import Ledger, Row
from .names import reference
from .peer import Peer
from .settings import Mm4Settings

log = logging.getLogger("opencpm.mm4")

_TAKEN = "250 2.0.0 taken"
Answer = Callable[[Peer, Request, str, str], None]
"""Send the RES of a request with a status code and a text, if one is wanted."""


class Inbound:
    """The way in of one network: the receiver of its SMTP listener."""

    def __init__(
        self, settings: Mm4Settings, context: Context, peers: Sequence[Peer], exchange: Exchange, answer: Answer
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.replies = Replies(context.store, f"{context.name}.replies")
        self.ledger = Ledger(context.store, context.name, settings.kept)
        self._settings, self._context, self._peers = settings, context, peers
        self._exchange, self._answer = exchange, answer
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.ledger.load(self._context.clock.now())

    # -- what the listener asks

    def welcomes(self, peer: str) -> bool:
        return any(one.knows(peer) for one in self._peers)

    def refuses(self, peer: str, recipient: str) -> str:
        domain = parse_address(recipient).domain.lower()
        return "" if domain in ("", self._settings.domain.lower()) else "550 5.1.2 not a domain of ours"

    async def take(self, mail: Mail) -> str:
        try:
            message = decode(mail.data, limit=self._settings.max_mail)
        except Mm4Error as error:
            return await self._bounce(mail, str(error))
        system = "" if isinstance(message, Response) else message.originator_system
        peer = self._peer(mail, system or message.system_sender)
        if peer is None:
            self.counters["of nobody we know"] += 1
            return "550 5.7.1 no centre that is known here"
        self.counters[type(message).__name__] += 1
        if isinstance(message, Response):
            self._exchange.response(peer, message)
            return _TAKEN
        if not bare_id(message.transaction_id) or not bare_id(message.message_id):
            return self._malformed(mail, peer, message)
        if isinstance(message, ForwardReq):
            return await self._forward(mail, peer, message)
        return await self._told(peer, message)

    def _peer(self, mail: Mail, system: str) -> Peer | None:
        """By address; where several share one, by the domain that the mail names."""
        among = [peer for peer in self._peers if peer.knows(mail.peer)]
        if len(among) == 1:
            return among[0]
        domain = bare_id(system or mail.sender).rpartition("@")[2].lower()
        return next((peer for peer in among if peer.settings.domain.lower() == domain), None)

    def _malformed(self, mail: Mail, peer: Peer, request: Request) -> str:
        self._turned_away(mail, Reason.MALFORMED, "an MM4 request names no transaction or no message")
        error = SendError(Reason.MALFORMED, detail="no X-Mms-Transaction-ID or X-Mms-Message-ID")
        return self._said(peer, request, error)

    # -- messages

    async def _forward(self, mail: Mail, peer: Peer, request: ForwardReq) -> str:
        sender = self._sender(request)
        message_id = _ident(peer, request)
        ident = message_ident(sender, message_id)
        before = self.ledger.get(ident)
        if before is not None and before.status:
            self.counters["repeated"] += 1
            self._answer(peer, request, before.status, "")
            return "250 2.0.0 taken before"
        receivers = self._receivers(mail, request, sender)
        row = self._row(mail, peer, request, receivers)
        try:
            message = self._message(request, ident, message_id, sender, tuple(receivers))
        except SendError as error:
            self._turned_away(mail, error.reason, error.detail)
            return self._verdict(peer, request, ident, row, error)
        self.ledger.put(ident, row)
        return self._verdict(peer, request, ident, row, await self._hand_in(message))

    async def _hand_in(self, message: Message) -> SendError | None:
        assert self._inbox is not None
        stored: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()

        def done(verdicts: Sequence[SendError | None]) -> None:
            if not stored.done():  # the peer may have gone meanwhile
                stored.set_result(verdicts[0])

        self._inbox.received([message], done)
        return await stored

    def _verdict(self, peer: Peer, request: ForwardReq, ident: str, row: Row, verdict: SendError | None) -> str:
        """The reply; what is final is remembered with its answer. Trouble of ours makes the mail come again."""
        if verdict is not None and verdict.retryable:
            return f"451 4.3.0 {verdict.reason.value}"
        if verdict is not None:
            log.info("a message of %s was refused: %s", peer.name, verdict.reason.value)
        self.ledger.put(ident, replace(row, status=reasons.request_status(verdict)))
        return self._said(peer, request, verdict)

    def _said(self, peer: Peer, request: Request, error: SendError | None) -> str:
        """A refusal goes into the RES; where none is wanted, into SMTP's reply."""
        if error is None or request.ack_request:
            self._answer(peer, request, reasons.request_status(error), error.detail if error else "")
            return _TAKEN
        return f"550 5.7.0 {error.reason.value}"

    def _row(self, mail: Mail, peer: Peer, request: ForwardReq, receivers: dict[Address, Mm4Address]) -> Row:
        return Row(
            at=self._context.clock.now(),
            peer=peer.name,
            mm_id=request.message_id,
            sender=str(request.sender or ""),
            system=bare_id(request.originator_system or request.system_sender or mail.sender),
            for_user=bool(request.delivery_report),
            receivers={str(ours): str(theirs) for ours, theirs in receivers.items()},
        )

    def _message(
        self, request: ForwardReq, ident: str, message_id: str, sender: Address, receivers: tuple[Address, ...]
    ) -> Message:
        """Raises SendError."""
        now = self._context.clock.now()
        if (request.forward_counter or 0) > self._settings.forward_limit:
            raise SendError(Reason.REJECTED, detail="the message was forwarded too often")
        if bare_id(request.originator_system).lower() == self._settings.system_address.lower():
            raise SendError(Reason.REJECTED, detail="the message came from here: a loop")
        if not receivers:
            raise SendError(Reason.UNKNOWN_ADDRESS, detail="the message is for nobody here")
        return Message(
            id=ident,
            message_id=message_id,
            sender=sender,
            recipients=receivers,
            parts=adapt.received(request.content),
            sent_at=min(request.date or now, now),
            received_at=now,
            origin=self._context.name,
            wants=wants(request.delivery_report or request.originator_delivery_report, request.read_reply),
            expires_at=_expiry(request, now),
            subject=request.subject[:1000],
        )

    def _sender(self, request: ForwardReq) -> Address:
        if request.sender is None or request.sender_visibility.strip().lower() == "hide":
            return HIDDEN
        return neutral(request.sender, self._numbers) or HIDDEN

    def _receivers(self, mail: Mail, request: ForwardReq, sender: Address) -> dict[Address, Mm4Address]:
        """Those of the envelope; the headers count only where the mail went to our system itself."""
        system = self._settings.system_address.lower()
        written = [parse_address(one) for one in mail.recipients if one.lower() != system]
        here = ("", self._settings.domain.lower())
        written = written or [one for one in (*request.to, *request.cc) if one.domain.lower() in here]
        found: dict[Address, Mm4Address] = {}
        for one in written:
            meant = self._receiver(one, sender)
            if meant is not None:
                found.setdefault(meant, one)
        return found

    def _receiver(self, written: Mm4Address, sender: Address) -> Address | None:
        """Whose address it is; for a number that many send from, the one who wrote to this person last."""
        to = neutral(written, self._numbers)
        if to is None or self._context.directory.owner_of(to) is not None:
            return to
        if to.scheme == "mailto":
            return Address("sip", to.value)
        return self.replies.meant(to, sender) or to

    # -- reports

    async def _told(self, peer: Peer, request: DeliveryReportReq | ReadReplyReq) -> str:
        assert self._inbox is not None
        stored = asyncio.Event()
        self._inbox.reported([self._report(peer, request)], stored.set)
        await stored.wait()
        self._answer(peer, request, reasons.request_status(None), "")
        return _TAKEN

    def _report(self, peer: Peer, request: DeliveryReportReq | ReadReplyReq) -> Report:
        error = None
        if isinstance(request, ReadReplyReq):
            status, source, said = (
                read_said(request.read_status, self._settings),
                "MM4_read_reply_report",
                request.read_status,
            )
        else:
            status, error = delivery_said(request.mm_status)
            source, said = "MM4_delivery_report", f"{request.mm_status} {request.mm_status_extension}".strip()
        return Report(
            status=status,
            network=self._context.name,
            source=source,
            at=self._context.clock.now(),
            key=reference(peer.name, request.message_id),
            error=error,
            detail=f"{said} {request.status_text}".strip()[:200],
        )

    async def _bounce(self, mail: Mail, why: str) -> str:
        """A mail server's word on what we sent (RFC 3464): it comes to our system's address."""
        dsn = read_report(mail.data)
        if not isinstance(dsn, Dsn):
            self._turned_away(mail, Reason.MALFORMED, f"a mail of {mail.peer} is no MM4 message: {why}")
            return "554 5.6.0 this is no MM4 message"
        assert self._inbox is not None
        named = dsn.about or dsn.envid
        reports = [self._bounced(mail, one.final, named, *reasons.bounced(one)) for one in dsn.recipients if named]
        stored = asyncio.Event()
        self.counters["bounces"] += 1
        self._inbox.reported([report for report in reports if report is not None], stored.set)
        await stored.wait()
        return _TAKEN

    def _bounced(self, mail: Mail, final: str, named: str, status: object, error: SendError | None) -> Report | None:
        domain = final.rpartition("@")[2].lower()
        among = [peer for peer in self._peers if peer.knows(mail.peer)]
        peer = next((peer for peer in among if peer.settings.domain.lower() == domain), None)
        if peer is None or error is None:
            return None
        return Report(
            status=status,  # type: ignore[arg-type]
            network=self._context.name,
            source="delivery status notification",
            at=self._context.clock.now(),
            key=reference(peer.name, named),
            error=error,
            detail=error.code,
        )

    def _turned_away(self, mail: Mail, reason: Reason, what: str) -> None:
        self.counters["turned away"] += 1
        if self._inbox is not None:
            self._inbox.turned_away(f"mailto:{mail.sender[:200] or mail.peer}", reason.value, what[:200])


def _ident(peer: Peer, request: ForwardReq) -> str:
    """The same for every repetition of a transaction."""
    system = bare_id(request.originator_system or request.system_sender).lower()
    named = f"{peer.name}\n{system}\n{bare_id(request.transaction_id)}"
    return blake2b(named.encode(), digest_size=16).hexdigest()


def _expiry(request: ForwardReq, now: float) -> float | None:
    """A date, or seconds (from the message's date on)."""
    text = request.expiry.strip()
    if text.isascii() and text.isdigit() and len(text) < 12:
        return min(request.date or now, now) + int(text)
    return read_date(text) if text else None
