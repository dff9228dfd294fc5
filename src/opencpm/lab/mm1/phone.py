"""The phone: WAP pushes in, HTTP out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Literal, Protocol

import httpx

from opencpm.lab.smsc import Happening
from opencpm.lab.smsc.happenings import Happenings
from opencpm.protocols.mime import Part, media_type
from opencpm.protocols.mm1 import Mm1Error, Pdu, decode, encode
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.mime_parts import from_parts, to_parts
from opencpm.protocols.mm1.pdu import MEDIA_TYPE, Header
from opencpm.protocols.mm1.push import Push
from opencpm.protocols.mm1.tokens import MessageType, ReadStatus, Status
from opencpm.protocols.mms.content import part_of

Behaviour = Literal["immediate", "deferred", "rejecting", "silent", "impatient"]
"""immediate: fetch, then answer "retrieved". deferred: say so, and fetch when told. rejecting: say so. silent: nothing.
impatient: fetch and say nothing."""


@dataclass(frozen=True, slots=True)
class Notification:
    """A message waits: as M-Notification.ind said it."""

    transaction_id: str
    location: str
    sender: str
    subject: str
    size: int


@dataclass(frozen=True, slots=True, eq=False)
class Fetched:
    """A message on the phone; ``status`` is X-Mms-Retrieve-Status where there is no content."""

    message_id: str
    transaction_id: str
    sender: str
    subject: str
    parts: tuple[Part, ...]
    size: int
    wants_read: bool = False
    status: int = 0x80

    @property
    def text(self) -> str:
        return "\n".join(p.body.decode() for p in self.parts if media_type(p.content_type) == "text/plain")

    @property
    def media(self) -> list[Part]:
        """Everything but texts and the presentation."""
        kinds = ("text/plain", "application/smil")
        return [part for part in self.parts if media_type(part.content_type) not in kinds]


@dataclass(slots=True, eq=False)
class Sent:
    """What the phone sent: the answer of M-Send.conf, then what it was told later."""

    transaction_id: str
    status: int
    text: str
    message_id: str
    delivery: list[tuple[str, Status]] = field(default_factory=list)  # (recipient, status)
    read: list[str] = field(default_factory=list)  # readers


class Handset(Protocol):
    """Where word of an MMS comes: a handset of the lab's SMS centre, or one on a telephone line."""

    number: str
    happenings: Happenings
    pushes: list[Push]


class MmsPhone:
    """Made for a handset; the gateway between it and the server is played, too: it names the
    phone's number in a header."""

    def __init__(
        self,
        handset: Handset,
        url: str = "",
        *,
        user_agent: str = "LabPhone/1.0",
        number_header: str = "X-MSISDN",
        behaviour: Behaviour = "immediate",
    ) -> None:
        self.number = handset.number
        self.url = url
        self.behaviour: Behaviour = behaviour
        self.report_allowed = True
        self.notifications: list[Notification] = []
        self.inbox: list[Fetched] = []
        self.sent: list[Sent] = []
        self.happened = Happenings()
        self._handset, self._transactions = handset, count(1)
        headers = {"User-Agent": user_agent, number_header: handset.number}
        self._client = httpx.AsyncClient(headers=headers, trust_env=False)
        self._tasks: set[asyncio.Task[None]] = set()
        self._end: Callable[[], None] = lambda: None
        self._seen = 0

    async def __aenter__(self) -> MmsPhone:
        self._seen = len(self._handset.pushes)
        self._end = self._handset.happenings.subscribe(self._pushed)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    async def wait_mms(self, index: int = 0, patience: float = 10.0) -> Fetched:
        """The message at ``index`` of the inbox. Raises TimeoutError."""
        await self.happened.until(lambda: len(self.inbox) > index, patience)
        return self.inbox[index]

    async def wait_notification(self, index: int = 0, patience: float = 10.0) -> Notification:
        """Raises TimeoutError."""
        await self.happened.until(lambda: len(self.notifications) > index, patience)
        return self.notifications[index]

    # -- pushes

    def _pushed(self, happening: Happening) -> None:
        if happening.what != "push" or happening.number != self.number:
            return
        for push in self._handset.pushes[self._seen :]:
            self._seen += 1
            if push.is_mms:
                with suppress(Mm1Error):
                    self._told(decode(push.content))

    def _told(self, pdu: Pdu) -> None:
        if pdu.type == MessageType.NOTIFICATION_IND:
            self._notified(pdu)
        elif pdu.type in (MessageType.DELIVERY_IND, MessageType.READ_ORIG_IND):
            self._reported(pdu)

    def _notified(self, pdu: Pdu) -> None:
        notification = Notification(
            pdu.transaction_id,
            pdu.text(Field.CONTENT_LOCATION),
            pdu.text(Field.FROM),
            pdu.text(Field.SUBJECT),
            pdu.number(Field.MESSAGE_SIZE) or 0,
        )
        self.notifications.append(notification)
        self._note("notification", notification.sender, notification.location)
        self._spawn(self._act(notification))

    def _reported(self, pdu: Pdu) -> None:
        for sent in self.sent:
            if sent.message_id == pdu.message_id:
                if pdu.type == MessageType.DELIVERY_IND:
                    sent.delivery.append((pdu.text(Field.TO), Status(pdu.number(Field.STATUS) or 0)))
                else:
                    sent.read.append(pdu.text(Field.FROM))
        self._note("report", pdu.text(Field.TO), pdu.message_id)

    async def _act(self, notification: Notification) -> None:
        if self.behaviour == "rejecting":
            await self.respond(notification, Status.REJECTED)
        elif self.behaviour == "deferred":
            await self.respond(notification, Status.DEFERRED)
        elif self.behaviour in ("immediate", "impatient"):
            fetched = await self.fetch(notification)
            if self.behaviour == "immediate" and fetched.status == 0x80:
                await self.respond(notification, Status.RETRIEVED)

    # -- over HTTP

    async def get(self, location: str) -> httpx.Response:
        """Whatever is there."""
        return await self._client.get(location)

    async def post(self, body: bytes) -> httpx.Response:
        """Any octets."""
        return await self._client.post(self.url, content=body, headers={"Content-Type": MEDIA_TYPE})

    async def fetch(self, notification: Notification) -> Fetched:
        """GET the message. Raises httpx.HTTPError, Mm1Error."""
        answer = await self.get(notification.location)
        answer.raise_for_status()
        pdu = decode(answer.content)
        parts = to_parts(pdu.content_type, pdu.body) if pdu.content_type is not None else ()
        fetched = Fetched(
            pdu.message_id,
            pdu.transaction_id,
            pdu.text(Field.FROM),
            pdu.text(Field.SUBJECT),
            parts,
            len(answer.content),
            bool(pdu.flag(Field.READ_REPORT)),
            pdu.number(Field.RETRIEVE_STATUS) or 0x80,
        )
        if fetched.status == 0x80:
            self.inbox.append(fetched)
        self._note("mms", fetched.sender, fetched.text)
        return fetched

    async def respond(self, notification: Notification, status: Status) -> None:
        """M-NotifyResp.ind."""
        pdu = mm1.notifyresp_ind(notification.transaction_id, status, report_allowed=self.report_allowed)
        await self._ask(pdu)

    async def acknowledge(self, mms: Fetched) -> None:
        """M-Acknowledge.ind, after a deferred fetch."""
        await self._ask(mm1.acknowledge_ind(mms.transaction_id, report_allowed=self.report_allowed))

    async def read(self, mms: Fetched, status: ReadStatus = ReadStatus.READ) -> None:
        """M-Read-Rec.ind: the owner looks at it."""
        await self._ask(mm1.read_rec_ind(mms.message_id, mms.sender, status, date=int(time.time())))

    async def send(
        self,
        parts: Sequence[Part | str],
        to: str | Sequence[str],
        *,
        subject: str | None = None,
        delivery_report: bool = True,
        read_report: bool = True,
    ) -> Sent:
        """M-Send.req to numbers or mail addresses; returns with M-Send.conf."""
        receivers = [to] if isinstance(to, str) else list(to)
        extra = [
            Header(Field.DELIVERY_REPORT, mm1.yes(delivery_report)),
            Header(Field.READ_REPORT, mm1.yes(read_report)),
        ]
        pdu = mm1.send_req(
            f"T{next(self._transactions)}",
            [one if "@" in one else f"{one}/TYPE=PLMN" for one in receivers],
            mm1.mixed(),
            from_parts(_composed(parts)),
            subject=subject,
            extra=extra,
        )
        return await self.submit(pdu)

    async def submit(self, pdu: Pdu) -> Sent:
        """Any M-Send.req."""
        answer = await self._ask(pdu)
        sent = Sent(
            answer.transaction_id,
            answer.number(Field.RESPONSE_STATUS) or 0,
            answer.text(Field.RESPONSE_TEXT),
            answer.message_id,
        )
        self.sent.append(sent)
        return sent

    async def ask(self, pdu: Pdu) -> Pdu:
        """Any request with an answer."""
        return await self._ask(pdu)

    async def _ask(self, pdu: Pdu) -> Pdu:
        answer = await self.post(encode(pdu))
        answer.raise_for_status()
        self._note("posted", text=MessageType(pdu.type).name)
        return decode(answer.content) if answer.content else Pdu(())

    def _spawn(self, duty: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(duty)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, what: str, peer: str = "", text: str = "") -> None:
        self.happened.add(Happening(time.time(), what, self.number, peer, text))


def _composed(parts: Sequence[Part | str]) -> list[Part]:
    made = []
    for number, part in enumerate(parts, 1):
        if isinstance(part, str):
            part = part_of("text/plain; charset=utf-8", part.encode(), f"t{number}", f"t{number}.txt")
        made.append(part)
    return made
