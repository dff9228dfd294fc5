"""The connector with a phone of the lab; messaging is played by the test, and so is the SMS network between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.message import Message, MessageKind, Part
from opencpm.domain.report import Report
from opencpm.interfaces import Context
from opencpm.interworking.mms.mm1 import build
from opencpm.interworking.mms.mm1.connector import Mm1Connector
from opencpm.lab.mm1 import MmsPhone
from opencpm.lab.smsc import Handset, Happening
from opencpm.lab.smsc.happenings import Happenings
from opencpm.protocols.mm1.push import decode_push, encode_push
from tests.interworking.mms.mm4 import support as mm4
from tests.interworking.mms.mm4.support import ALICE, PICTURE, WANTS, Media, failed, message, notice

__all__ = [
    "ALICE",
    "BOB",
    "PICTURE",
    "WANTS",
    "Media",
    "Rig",
    "context",
    "delivery",
    "failed",
    "message",
    "notice",
    "rig",
]

BOB = Address("tel", "+12025550101")


class Inbox(mm4.Inbox):
    """Messaging that carries what goes to phones by SMS: the push arrives at the handset."""

    def __init__(self, handset: Handset) -> None:
        super().__init__()
        self.pushed: list[Message] = []
        self._handset = handset
        self.unreachable = False

    def received(self, messages: Any, done: Any) -> None:
        system = [one for one in messages if one.kind is MessageKind.SYSTEM]
        if not system:
            super().received(messages, done)
            return
        self.pushed += system
        done([self.verdict] * len(messages))
        if self.verdict is None and not self.unreachable:
            for one in system:
                self._handset.pushes.append(decode_push(encode_push(one.parts[0].body, 1)))
                self._handset.happenings.add(Happening(0.0, "push", self._handset.number))
        self._news.set()


class Rig:
    def __init__(self, connector: Mm1Connector, inbox: Inbox, bob: MmsPhone, task: asyncio.Task[None], messages: Any):
        self.connector, self.inbox, self.bob, self.task, self.messages = connector, inbox, bob, task, messages

    @property
    def url(self) -> str:
        host, port = self.connector.endpoints["http"]
        return f"http://{host}:{port}/mms"

    def send(self, *deliveries: Delivery) -> None:
        for one in deliveries:
            self.messages.known[one.message.id] = one.message
        self.connector.send(deliveries)

    async def sent(self, one: Delivery) -> Any:
        count = len(self.inbox.outcomes)
        self.send(one)
        return await self.inbox.outcome(count + 1)

    async def report(self, count: int = 1) -> Report:
        await self.inbox.until(lambda: len(self.inbox.reports) >= count)
        return self.inbox.reports[count - 1]

    def counted(self, name: str) -> int:
        return int(self.connector.describe()["counters"].get(name, 0))

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


class Messages:
    """What the store would give back."""

    def __init__(self) -> None:
        self.known: dict[str, Message] = {}

    def message(self, message_id: str) -> Message | None:
        return self.known.get(message_id)


def context(state: Any = None, clock: Any = None, media: Any = None, messages: Any = None) -> Context:
    return replace(mm4.context(state, clock, media), messages=messages or Messages())


def delivery(*parts: Part | str, id: str = "m1.0", **fields: Any) -> Delivery:
    given = fields.pop("message", None) or message(*parts, recipients=(BOB,))
    return mm4.delivery(message=given, id=id, **{"recipient": BOB, "target": BOB, **fields})


def handset() -> Handset:
    return Handset(BOB.value, Happenings(), lambda *_: None, lambda _: None)


@asynccontextmanager
async def rig(*, where: Context | None = None, phone: Handset | None = None, **more: Any) -> AsyncIterator[Rig]:
    where = where or context()
    behaviour = more.pop("behaviour", "immediate")
    agent = more.pop("user_agent", "LabPhone/1.0")
    connector = build({"listen_port": 0, "domain": "mms.cpm.test", **more}, where)
    assert isinstance(connector, Mm1Connector)
    phone = phone or handset()
    inbox = Inbox(phone)
    task = asyncio.create_task(connector.run(inbox))
    await inbox.until(lambda: inbox.healths or task.done())
    async with MmsPhone(phone, user_agent=agent, behaviour=behaviour) as bob:
        running = Rig(connector, inbox, bob, task, where.messages)
        bob.url = running.url
        try:
            yield running
        finally:
            await running.stop()
