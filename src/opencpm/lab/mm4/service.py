"""The peer MMS centre: mail in and out, transactions, reports."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Coroutine
from contextlib import suppress
from itertools import count
from types import TracebackType
from typing import Any

from opencpm.lab.smsc.happenings import Happening, Happenings
from opencpm.protocols.mime import MimeError, Part
from opencpm.protocols.mm4 import (
    DeliveryReportReq,
    ForwardReq,
    Mm4Error,
    ReadReplyReq,
    Response,
    answer,
    decode,
    encode,
)
from opencpm.protocols.mm4.address import Address, parse_address
from opencpm.protocols.mm4.messages import Request
from opencpm.protocols.mms.content import bare_id, flatten, multipart, part_of
from opencpm.transport.smtp_listener import Limits, Mail, SmtpListener
from opencpm.transport.smtp_sender import Host, HostLost, MailRefused, SmtpSender

from .faults import Faults, Quirks
from .handset import Handset, Mms, Parts, SentMms
from .log import MailLog

log = logging.getLogger("opencpm.lab")


class LabMm4:
    """One centre. Numbers without a handset are phones that fetch everything and show nothing."""

    def __init__(
        self, domain: str = "mmsc.test", *, quirks: Quirks | None = None, peer: str = "mms.cpm.test", port: int = 0
    ) -> None:
        self.domain, self.peer_domain = domain, peer
        self.quirks = quirks or Quirks()
        self.faults = Faults()
        self.log = MailLog()
        self.happenings = Happenings()
        self.handsets: dict[str, Handset] = {}
        self.taken: list[str] = []  # transactions of ours that were delivered here, once each
        self._port = port
        self._listener: SmtpListener | None = None
        self._sender: SmtpSender | None = None
        self._sent: dict[str, SentMms] = {}  # by transaction and by message id
        self._requests: dict[str, tuple[str, ForwardReq]] = {}  # by transaction: where it went, and what
        self._tasks: set[asyncio.Task[None]] = set()
        self._numbers = count(1)

    @property
    def address(self) -> tuple[str, int]:
        """Where it listens; after ``down`` where it did."""
        return "127.0.0.1", self._port

    @property
    def system(self) -> str:
        return f"system-user@{self.domain}"

    async def __aenter__(self) -> LabMm4:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.down()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._sender is not None:
            await self._sender.close()

    async def up(self) -> None:
        """Listen; after ``down``, on the same port."""
        self._listener = SmtpListener(self, self.domain, Limits(size=16 << 20))
        self._port = (await self._listener.start("127.0.0.1", self._port))[1]

    async def down(self) -> None:
        if self._listener is not None:
            await self._listener.close()
            self._listener = None

    def reach(self, host: str, port: int) -> None:
        """Where the other centre listens (now)."""
        if self._sender is not None:
            self._spawn(self._sender.close())
        self._sender = SmtpSender(Host(host=host, port=port, ehlo=self.domain))

    def handset(self, number: str) -> Handset:
        """The phone with this number, made when first asked for."""
        if number not in self.handsets:
            self.handsets[number] = Handset(number, self.happenings, self._submit, self._report, self._read)
        return self.handsets[number]

    # -- what the listener asks

    def welcomes(self, peer: str) -> bool:
        return True

    def refuses(self, peer: str, recipient: str) -> str:
        return ""

    async def take(self, mail: Mail) -> str:
        self.log.add("in", mail.sender, mail.recipients[0], mail.data)
        if self.faults.smtp:
            return self.faults.smtp.pop(0)
        try:
            message = decode(mail.data)
        except Mm4Error:
            return "554 5.6.0 no MM4"
        if isinstance(message, Response):
            self._answered(message)
        elif isinstance(message, ForwardReq):
            self._forwarded(mail, message)
        else:
            self._told(message)
        self.happenings.add(Happening(time.time(), "mail", peer=mail.sender))
        return "250 2.0.0 queued"

    # -- from the other centre

    def _forwarded(self, mail: Mail, request: ForwardReq) -> None:
        status = self._verdict(mail)
        self._answer(request, status)
        if status != "Ok" or request.transaction_id in self.taken:
            return
        self.taken.append(request.transaction_id)
        for recipient in mail.recipients:
            self._deliver(self.handset(_plus(parse_address(recipient).value)), request)

    def _verdict(self, mail: Mail) -> str:
        if self.faults.max_size and len(mail.data) > self.faults.max_size:
            return "Error-content-not-accepted"
        return self.faults.refuse.pop(0) if self.faults.refuse else "Ok"

    def _deliver(self, handset: Handset, request: ForwardReq) -> None:
        mms = Mms(
            time.time(),
            request.sender.value if request.sender else "",
            request.subject,
            _parts(request.content),
            request.transaction_id,
            request.message_id,
            bool(request.delivery_report),
            bool(request.read_reply),
        )
        handset.inbox.append(mms)
        self.happenings.add(Happening(mms.at, "mms", handset.number, mms.sender, mms.text))
        if handset.reports and mms.wants_delivery:
            self._report(handset, mms, handset.reports)

    def _answer(self, request: Request, status: str) -> None:
        if not request.ack_request:
            return
        if self.faults.no_response:
            self.faults.no_response -= 1
            return
        response = answer(
            request, status, system_sender=self.system, date=time.time(), internet_id=f"<{self._id()}@{self.domain}>"
        )
        data = encode(response)
        if self.quirks.own_ids:
            data = data.replace(f"X-Mms-Message-ID: {response.message_id}".encode(), b"X-Mms-Message-ID: qf9@mmsc")
        if self.quirks.bare_res:
            data = b"\r\n".join(
                line for line in data.split(b"\r\n") if not line.lower().startswith((b"date:", b"content-", b"mime-"))
            )
        self._mail(request.originator_system, data)

    def _answered(self, response: Response) -> None:
        sent = self._sent.get(bare_id(response.transaction_id))
        if sent is not None:
            sent.status = response.status

    def _told(self, request: DeliveryReportReq | ReadReplyReq) -> None:
        sent = self._sent.get(bare_id(request.message_id))
        if sent is not None and isinstance(request, DeliveryReportReq):
            sent.delivery.append(request.mm_status)
        elif sent is not None and isinstance(request, ReadReplyReq):
            sent.read.append(request.read_status)
        self._answer(request, "Ok" if sent is not None else "Error-message-not-found")

    # -- from handsets

    def _submit(
        self, handset: Handset, to: str, parts: Parts, subject: str, delivery_report: bool, read_report: bool
    ) -> SentMms:
        ident = self._id()
        sent = SentMms(time.time(), to, f"{to}-{ident}", f"{ident}@{self.domain}")
        self._sent[sent.transaction_id] = self._sent[sent.message_id] = sent
        request = ForwardReq(
            version="5.5.0",
            transaction_id=self._quoted(sent.transaction_id),
            message_id=self._quoted(sent.message_id),
            sender=self._number(handset.number, self.domain),
            to=(self._number(to, self.peer_domain),),
            date=sent.at,
            subject=subject,
            message_class="Personal",
            delivery_report=delivery_report,
            read_reply=read_report,
            originator_system=self.system,
            internet_id=f"<{sent.message_id}>",
            system_sender=str(self._number(handset.number, "")),
            content=multipart(_composed(parts), f"_boundary_{ident}"),
        )
        envelope = f"{to}/TYPE=PLMN@{self.peer_domain}"
        self._requests[sent.transaction_id] = (envelope, request)
        self.again(sent)
        if self.faults.twice:
            self.faults.twice -= 1
            self.again(sent)
        return sent

    def again(self, sent: SentMms) -> None:
        """Send a message once more as it was: no RES has come."""
        envelope, request = self._requests[sent.transaction_id]
        self._ask(request, envelope)

    def _report(self, handset: Handset, mms: Mms, status: str) -> None:
        request = DeliveryReportReq(mm_status=status, **self._common(handset, mms))
        self._ask(request, f"system-user@{self.peer_domain}")

    def _read(self, handset: Handset, mms: Mms, status: str) -> None:
        request = ReadReplyReq(read_status=status, **self._common(handset, mms))
        self._ask(request, f"system-user@{self.peer_domain}")

    def _common(self, handset: Handset, mms: Mms) -> dict[str, Any]:
        ident = self._id()
        return {
            "version": "5.5.0",
            "transaction_id": self._quoted(f"{mms.sender}-{ident}"),
            "message_id": self._quoted(bare_id(mms.message_id)),
            "sender": self._number(handset.number, self.domain),
            "to": (self._number(mms.sender, self.peer_domain),),
            "date": time.time(),
            "originator_system": self.system,
            "internet_id": f"<{ident}@{self.domain}>",
        }

    def _ask(self, request: Request, envelope: str) -> None:
        data = encode(request)
        if self.quirks.ack:
            data = f"X-Mms-Ack-Request: {self.quirks.ack}\r\n".encode() + data
        if self.quirks.old_status:
            data = data.replace(b"X-Mms-MM-Status-Code:", b"X-Mms-Status:")
        if self.quirks.read_report:
            data = data.replace(b"X-Mms-Read-Reply:", b"X-Mms-Read-Report:")
        self._mail(envelope, data)

    # -- mail

    def raw(self, data: bytes, recipient: str) -> None:
        """Any mail, as it is."""
        self._mail(recipient, data)

    def _mail(self, recipient: str, data: bytes) -> None:
        self._spawn(self._bring(recipient, data))

    async def _bring(self, recipient: str, data: bytes) -> None:
        assert self._sender is not None, "say where the other centre is: reach()"
        self.log.add("out", self.system, recipient, data)
        what = "250"
        try:
            await self._sender.send(self.system, recipient, data)
        except (MailRefused, HostLost) as error:
            what = str(error)
        self.happenings.add(Happening(time.time(), "sent", peer=recipient, text=what))

    def _spawn(self, duty: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(duty)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _number(self, number: str, domain: str) -> Address:
        value = number if self.quirks.plus else number.removeprefix("+")
        return Address("PLMN", value, domain if self.quirks.domains else "")

    def _quoted(self, ident: str) -> str:
        return f'"{ident}"' if self.quirks.quoted else ident

    def _id(self) -> str:
        return f"qf{next(self._numbers)}.{int(time.time())}"


def _plus(value: str) -> str:
    return value if value.startswith("+") or len(value) < 7 else f"+{value}"


def _parts(content: Part) -> tuple[Part, ...]:
    with suppress(MimeError):
        return flatten(content)
    return ()


def _composed(parts: Parts) -> list[Part]:
    made = []
    for number, part in enumerate(parts, 1):
        if isinstance(part, str):
            part = part_of("text/plain; charset=utf-8", part.encode(), f"t{number}", f"t{number}.txt")
        made.append(part)
    return made
