"""Mail for our users, and reports about theirs; answered after the commit."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b

from opencpm.domain.address import Address, AddressError
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, message_ident
from opencpm.domain.report import Report, Status
from opencpm.interfaces import Context, Inbox
from opencpm.interworking.mms.rows import Rows
from opencpm.protocols.mail.reports import Dsn, Mdn, address_of, hops, is_automatic, read_report, value_of
from opencpm.protocols.mime import Part as MimePart
from opencpm.protocols.mm4.errors import Mm4Error
from opencpm.protocols.mm4.headers import Headers, decode_words, read_date, read_headers
from opencpm.protocols.mms.content import bare_id
from opencpm.transport.smtp_listener import Mail, networks, within

from . import adapt, reasons
from .compose import MARK, Origin, ident_of
from .names import meant
from .settings import Mm3Settings

log = logging.getLogger("opencpm.mm3")

_TAKEN = "250 2.0.0 taken"
_LONGEST_ID = 250


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A mail that came in, by our message id: where word about it goes. ``receivers``: our address -> the mailbox."""

    at: float
    return_path: str
    message_id: str
    envid: str = ""
    receivers: Mapping[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        return Origin(self.return_path, self.message_id, self.envid)


class Inbound:
    """The receiver of one network's SMTP listener."""

    def __init__(self, settings: Mm3Settings, context: Context) -> None:
        self.counters: Counter[str] = Counter()
        self.rows: Rows[Row] = Rows(context.store, f"{context.name}.received", Row)
        self._settings, self._context = settings, context
        self._trusted = networks(settings.trusted)
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self.rows.load()
        self.forget(self._context.clock.now())

    def forget(self, now: float) -> None:
        for ident, row in self.rows.all():
            if row.at < now - self._settings.kept:
                self.rows.drop(ident)

    # -- what the listener asks

    def welcomes(self, peer: str) -> bool:
        return within(peer, self._trusted)

    def refuses(self, peer: str, recipient: str) -> str:
        """Unknown mailboxes are refused here and now, so that no bounce goes to somebody who never wrote."""
        if recipient.lower() == self._settings.system_address.lower() or self._meant(recipient) is not None:
            return ""
        return "550 5.1.1 nobody here has this mailbox"

    def _meant(self, recipient: str) -> Address | None:
        directory = self._context.directory
        return meant(recipient, self._settings, lambda address: directory.owner_of(address) is not None)

    async def take(self, mail: Mail) -> str:
        report = read_report(mail.data)
        if report is not None:
            return await self._told(mail, report)
        try:
            headers, body = read_headers(mail.data)
        except Mm4Error as error:
            self._turned_away(mail, Reason.MALFORMED, str(error))
            return "554 5.6.0 this mail cannot be read"
        looping = self._looping(mail, headers)
        if looping:
            self._turned_away(mail, Reason.REJECTED, looping)
            return f"554 5.4.6 {looping}"
        return await self._mail(mail, headers, body)

    def _looping(self, mail: Mail, headers: Headers) -> str:
        if hops(headers) > self._settings.hops:
            return "this mail has passed too many hosts"
        if value_of(headers, MARK).strip().lower() == self._settings.domain.lower():
            return "this mail came from here"
        return ""

    # -- messages

    async def _mail(self, mail: Mail, headers: Headers, body: bytes) -> str:
        receivers = {self._meant(one): one for one in mail.recipients}
        receivers.pop(None, None)
        sender = self._sender(mail, headers)
        if not receivers:
            return "250 2.0.0 nobody reads this mailbox"
        if sender is None:
            self._turned_away(mail, Reason.MALFORMED, "a mail of nobody")
            return "550 5.7.1 a mail needs a sender outside"
        message_id = _ident(mail, headers)
        ident = message_ident(sender, message_id)
        to = tuple(address for address in receivers if address is not None)
        try:
            message = self._message(mail, headers, body, ident, message_id, sender, to)
        except SendError as error:
            self._turned_away(mail, error.reason, error.detail)
            return reasons.reply(error)
        self.rows.put(ident, self._row(mail, headers, {str(address): text for address, text in receivers.items()}))
        self.counters["mails"] += 1
        verdict = await self._hand_in(message)
        if verdict is None:
            return _TAKEN
        log.info("a mail was refused: %s", verdict.reason.value)
        if not verdict.retryable:
            self.rows.drop(ident)
        return reasons.reply(verdict)

    def _sender(self, mail: Mail, headers: Headers) -> Address | None:
        """Who wrote it, else who sent it; nobody of our own domain writes to us from outside."""
        for text in (address_of(value_of(headers, "From")), mail.sender):
            try:
                found = Address.parse(f"mailto:{text}")
            except AddressError:
                continue
            if found.value.rpartition("@")[2] != self._settings.domain.lower():
                return found
        return None

    def _message(
        self,
        mail: Mail,
        headers: Headers,
        body: bytes,
        ident: str,
        message_id: str,
        sender: Address,
        to: tuple[Address, ...],
    ) -> Message:
        """Raises SendError."""
        now = self._context.clock.now()
        subject = decode_words(value_of(headers, "Subject"))[:1000]
        content = MimePart(tuple((n, v) for n, v in headers if n.lower().startswith("content-")), body)
        return Message(
            id=ident,
            message_id=message_id,
            sender=sender,
            recipients=to,
            parts=adapt.received(content, subject),
            sent_at=min(read_date(value_of(headers, "Date")) or now, now),
            received_at=now,
            origin=self._context.name,
            wants=self._wants(mail, headers),
            subject=subject,
        )

    def _wants(self, mail: Mail, headers: Headers) -> Disposition:
        """Bounces, and reports that were asked for; nothing to programs, lists and those without a return path."""
        if not mail.sender or is_automatic(headers):
            return Disposition.NONE
        asked = frozenset[str]().union(*mail.notify)
        found = Disposition.NONE if "NEVER" in asked else Disposition.NEGATIVE_DELIVERY
        if asked and "FAILURE" not in asked:
            found = Disposition.NONE
        if "SUCCESS" in asked:
            found |= Disposition.POSITIVE_DELIVERY
        to = address_of(value_of(headers, "Disposition-Notification-To"))
        if to and to.lower() == mail.sender.lower():  # RFC 8098 §2.1: to nobody else without asking the reader
            found |= Disposition.DISPLAY
        return found

    def _row(self, mail: Mail, headers: Headers, receivers: dict[str, str]) -> Row:
        return Row(
            at=self._context.clock.now(),
            return_path=mail.sender,
            message_id=bare_id(value_of(headers, "Message-ID"))[:_LONGEST_ID],
            envid=mail.envid,
            receivers=receivers,
        )

    async def _hand_in(self, message: Message) -> SendError | None:
        assert self._inbox is not None
        stored: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()

        def done(verdicts: Sequence[SendError | None]) -> None:
            if not stored.done():  # the relay may have gone meanwhile
                stored.set_result(verdicts[0])

        self._inbox.received([message], done)
        return await stored

    # -- reports

    async def _told(self, mail: Mail, report: Dsn | Mdn) -> str:
        """What mail systems and readers say of our mail."""
        assert self._inbox is not None
        found = self._read(report) if isinstance(report, Mdn) else self._delivered(report)
        self.counters["reading reports" if isinstance(report, Mdn) else "delivery reports"] += 1
        stored = asyncio.Event()
        self._inbox.reported(found, stored.set)
        await stored.wait()
        return _TAKEN

    def _delivered(self, dsn: Dsn) -> list[Report]:
        named = dsn.about or (ident_of(dsn.envid, self._settings) if dsn.envid else "")
        if not named:
            self.counters["reports that name no mail"] += 1
            return []
        return [
            self._report(named, *reasons.said(one), "delivery report", f"{one.action} {one.status}")
            for one in dsn.recipients[:1]
        ]

    def _read(self, mdn: Mdn) -> list[Report]:
        by_hand = mdn.disposition == "displayed" and not mdn.automatic
        status = Status.DISPLAYED if by_hand and self._settings.mdn_to_display else Status.PENDING
        how = "by a program" if mdn.automatic else "by hand"
        return [self._report(mdn.about, status, None, "reading report", f"{mdn.disposition[:40]}, {how}")]

    def _report(self, named: str, status: Status, error: SendError | None, source: str, detail: str) -> Report:
        return Report(
            status=status,
            network=self._context.name,
            source=source,
            at=self._context.clock.now(),
            key=named[:_LONGEST_ID],
            error=error,
            detail=detail.strip(),
        )

    def _turned_away(self, mail: Mail, reason: Reason, what: str) -> None:
        self.counters["turned away"] += 1
        if self._inbox is not None:
            self._inbox.turned_away(f"mailto:{mail.sender[:200] or mail.peer}", reason.value, what[:200])


def _ident(mail: Mail, headers: Headers) -> str:
    """The same for every repetition of one mail to the same receivers."""
    named = bare_id(value_of(headers, "Message-ID")).encode() or mail.data
    to = "\n".join(sorted(one.lower() for one in mail.recipients))
    return blake2b(named + b"\n" + to.encode("utf-8", "surrogateescape"), digest_size=16).hexdigest()
