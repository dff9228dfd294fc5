"""The connector against the lab's centre, messaging played by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Notice, OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Disposition, Part, text_part
from opencpm.domain.report import Report, Status
from opencpm.interfaces import Context
from opencpm.interworking.mms.mm4 import build
from opencpm.interworking.mms.mm4.connector import Mm4Connector
from opencpm.lab.mm4 import Handset, LabMm4, Quirks
from opencpm.transport.smtp_sender import Host, SmtpSender
from tests.interworking.mms.pictures import jpeg
from tests.interworking.sms import support as sms

ALICE = Address("tel", "+12025550100")
BOB = Address("tel", "+447700900560")
DOMAIN, PEER = "peer.mmsc.test", "mmsc.test"
WANTS = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY | Disposition.DISPLAY
PICTURE = Part("image/jpeg", jpeg(320, 240), "sunset.jpg")


class Inbox(sms.Inbox):
    def __init__(self) -> None:
        super().__init__()
        self.turned: list[tuple[str, str, str]] = []

    def turned_away(self, who: str, reason: str, what: str) -> None:
        self.turned.append((who, reason, what))
        self._news.set()


class Media:
    """Adapts by cutting: what does not fit is shortened to the budget."""

    def __init__(self) -> None:
        self.targets: list[Target] = []

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        self.targets.append(target)
        made = tuple(part._replace(body=part.body[: target.budget // 2]) for part in parts)
        losses = () if made == tuple(parts) else ("a picture is made smaller",)
        return Adapted(parts=made, origins=tuple(range(len(made))), losses=losses)


def context(state: Any = None, clock: Any = None, media: Any = None, owned: tuple[Address, ...] = (ALICE,)) -> Context:
    return replace(sms.context(state, owned, clock), name="mms", media=media or Media())


def message(*parts: Part | str, **fields: Any) -> Any:
    made = tuple(text_part(part) if isinstance(part, str) else part for part in parts or ("Hello Bob", PICTURE))
    return sms.message(**{"parts": made, "recipients": (BOB,), "wants": WANTS, **fields})


def delivery(*parts: Part | str, id: str = "m1.0", **fields: Any) -> Delivery:
    given = fields.pop("message", None) or message(*parts)
    return sms.delivery(**{"id": id, "message": given, "recipient": BOB, "target": BOB, "network": "mms", **fields})


def notice(of: Any, status: Status, *, cause: str = "", reason: str = "", recipient: Address = ALICE) -> Delivery:
    """What messaging gives when a message from a peer has come to this."""
    what = Notice(
        message_id=of.message_id,
        original_sent_at=of.sent_at,
        recipient=recipient,
        status=status,
        cause=cause,
        reason=reason,
    )
    return delivery(
        id=f"{of.id}.0!{status.value}", message=of, source=recipient, target=of.sender, recipient=of.sender, notice=what
    )


class Rig:
    def __init__(self, mmsc: LabMm4, connector: Mm4Connector, inbox: Inbox, task: asyncio.Task[None]) -> None:
        self.mmsc, self.connector, self.inbox, self.task = mmsc, connector, inbox, task

    @property
    def bob(self) -> Handset:
        return self.mmsc.handset(BOB.value)

    @property
    def where(self) -> tuple[str, int]:
        return self.connector.endpoints["smtp"]

    def send(self, *deliveries: Delivery) -> None:
        self.connector.send(deliveries)

    async def sent(self, one: Delivery) -> Any:
        """Send one, and give its outcome."""
        count = len(self.inbox.outcomes)
        self.send(one)
        return await self.inbox.outcome(count + 1)

    async def report(self, count: int = 1) -> Report:
        await self.inbox.until(lambda: len(self.inbox.reports) >= count)
        return self.inbox.reports[count - 1]

    async def came(self, count: int = 1) -> Any:
        await self.inbox.until(lambda: len(self.inbox.messages) >= count)
        return self.inbox.messages[count - 1]

    async def said(self, kind: str, count: int = 1) -> Any:
        """The mail of this type that our side sent to the lab."""
        await self.mmsc.happenings.until(lambda: len(self.mmsc.log.of(kind, "in")) >= count)
        return self.mmsc.log.of(kind, "in")[count - 1]

    async def mail(self, data: bytes, to: str, sender: str = "system-user@mmsc.test") -> str:
        """Bring a mail as it is; the reply."""
        client = SmtpSender(Host(host=self.where[0], port=self.where[1], ehlo="mmsc.test"))
        try:
            return (await client.send(sender, to, data)).reply
        finally:
            await client.close()

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


def settings(mmsc: LabMm4, **more: Any) -> dict[str, Any]:
    peer = {"name": "lab", "domain": mmsc.domain, "port": mmsc.address[1], **more.pop("peer", {})}
    return {
        "domain": DOMAIN,
        "listen_port": 0,
        "peers": [peer],
        "answer_wait": 10.0,
        "retry_min": 0.01,
        "retry_max": 0.05,
        **more,
    }


async def start(mmsc: LabMm4, where: Context | None = None, **more: Any) -> Rig:
    connector = build(settings(mmsc, **more), where or context())
    assert isinstance(connector, Mm4Connector)
    inbox = Inbox()
    task = asyncio.create_task(connector.run(inbox))
    await inbox.until(lambda: inbox.healths or task.done())
    mmsc.reach(*connector.endpoints["smtp"])
    return Rig(mmsc, connector, inbox, task)


@asynccontextmanager
async def rig(*, where: Context | None = None, quirks: Quirks | None = None, **more: Any) -> AsyncIterator[Rig]:
    async with LabMm4(PEER, quirks=quirks, peer=DOMAIN) as mmsc:
        running = await start(mmsc, where, **more)
        try:
            yield running
        finally:
            await running.stop()


def failed(outcome: Any, reason: Reason, retryable: bool) -> None:
    assert outcome.kind is OutcomeKind.FAILED
    assert (outcome.error.reason, outcome.error.retryable) == (reason, retryable), outcome.error


def long_ago(seconds: float) -> float:
    return time.time() - seconds
