"""The connector with a mail relay of the test's; messaging is played, too."""

from __future__ import annotations

import asyncio
import email
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from email import policy
from email.message import EmailMessage
from typing import Any, cast

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.message import Part
from opencpm.domain.report import Report
from opencpm.interfaces import Context
from opencpm.interworking.mms.mm3 import build
from opencpm.interworking.mms.mm3.connector import Mm3Connector
from opencpm.transport.smtp_listener import Limits, Mail, SmtpListener
from opencpm.transport.smtp_sender import Host, MailRefused, SmtpSender
from tests.interworking.mms.mm4 import support as mm4
from tests.interworking.mms.mm4.support import Inbox, failed, message, notice

__all__ = [
    "ALICE",
    "BOB",
    "DOMAIN",
    "Postoffice",
    "Rig",
    "context",
    "delivery",
    "failed",
    "message",
    "notice",
    "rig",
    "start",
]

DOMAIN = "mms.cpm.test"
ALICE = Address("tel", "+12025550100")
ALICE_SIP = Address("sip", f"alice@{DOMAIN}")
BOB = Address("mailto", "bob@mail.test")


class Postoffice:
    """A relay that keeps what it gets."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.replies: list[str] = []
        self.unknown: set[str] = set()
        self.where = ("127.0.0.1", 0)
        self.dsn = True
        self._listener: SmtpListener | None = None
        self._came = asyncio.Event()

    async def up(self) -> None:
        self._listener = SmtpListener(self, "mail.test", Limits(size=32 << 20), dsn=self.dsn)
        self.where = await self._listener.start(*self.where)

    async def down(self) -> None:
        if self._listener is not None:
            await self._listener.close()

    def welcomes(self, peer: str) -> bool:
        return True

    def refuses(self, peer: str, recipient: str) -> str:
        return "550 5.1.1 no such mailbox" if recipient in self.unknown else ""

    async def take(self, mail: Mail) -> str:
        if self.replies:
            return self.replies.pop(0)
        self.mails.append(mail)
        self._came.set()
        return "250 2.0.0 queued"

    async def mail(self, count: int = 1) -> tuple[Mail, EmailMessage]:
        """The mail that came, and as the standard library reads it."""
        async with asyncio.timeout(10):
            while len(self.mails) < count:
                self._came.clear()
                await self._came.wait()
        mail = self.mails[count - 1]
        return mail, cast(EmailMessage, email.message_from_bytes(mail.data, policy=policy.default))


class Rig:
    def __init__(self, office: Postoffice, connector: Mm3Connector, inbox: Inbox, task: asyncio.Task[None]) -> None:
        self.office, self.connector, self.inbox, self.task = office, connector, inbox, task

    async def sent(self, one: Delivery) -> Any:
        count = len(self.inbox.outcomes)
        self.connector.send([one])
        return await self.inbox.outcome(count + 1)

    async def report(self, count: int = 1) -> Report:
        await self.inbox.until(lambda: len(self.inbox.reports) >= count)
        return self.inbox.reports[count - 1]

    async def bring(
        self,
        data: bytes | EmailMessage,
        to: str = f"+12025550100@{DOMAIN}",
        sender: str = "bob@mail.test",
        **more: Any,
    ) -> str:
        """A relay brings mail; the reply, whatever it is."""
        octets = data if isinstance(data, bytes) else data.as_bytes(policy=policy.SMTP)
        where = self.connector.endpoints["smtp"]
        client = SmtpSender(Host(host=where[0], port=where[1], ehlo="mail.test"))
        try:
            return (await client.send(sender, to, octets, **more)).reply
        except MailRefused as error:
            return str(error)
        finally:
            await client.close()

    def counted(self, name: str) -> int:
        return int(self.connector.describe()["counters"].get(name, 0))

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def context(state: Any = None, clock: Any = None, media: Any = None) -> Context:
    owned = (ALICE, ALICE_SIP)
    return replace(mm4.context(state, clock, media, owned), name="mail")


def delivery(*parts: Part | str, id: str = "m1.0", **fields: Any) -> Delivery:
    given = fields.pop("message", None) or message(*parts, recipients=(BOB,))
    return mm4.delivery(message=given, id=id, **{"recipient": BOB, "target": BOB, "source": ALICE, **fields})


def mail(text: str = "Hello Alice\n", **headers: str) -> EmailMessage:
    made = EmailMessage()
    given = {"From": "Bob <bob@mail.test>", "To": f"+12025550100@{DOMAIN}", "Message-ID": "<b1@mail.test>"}
    for name, value in {**given, **{key.replace("_", "-"): one for key, one in headers.items()}}.items():
        made[name] = value
    made.set_content(text)
    return made


async def start(office: Postoffice, where: Context | None = None, **more: Any) -> Rig:
    settings = {
        "domain": DOMAIN,
        "listen_port": 0,
        "relay_port": office.where[1],
        "retry_min": 0.01,
        "retry_max": 0.05,
        **more,
    }
    connector = build(settings, where or context())
    assert isinstance(connector, Mm3Connector)
    inbox = Inbox()
    task = asyncio.create_task(connector.run(inbox))
    await inbox.until(lambda: inbox.healths or task.done())
    return Rig(office, connector, inbox, task)


@asynccontextmanager
async def rig(*, where: Context | None = None, dsn: bool = True, **more: Any) -> AsyncIterator[Rig]:
    office = Postoffice()
    office.dsn = dsn
    await office.up()
    running = await start(office, where, **more)
    try:
        yield running
    finally:
        await running.stop()
        await office.down()
