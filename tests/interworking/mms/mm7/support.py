"""The connector against the lab's MMS centre, messaging played by the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Message, Part, text_part
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context
from opencpm.interworking.mms.mm7 import build
from opencpm.interworking.mms.mm7.connector import Mm7Connector
from opencpm.lab.mmsc import LabMmsc
from tests.interworking.mms.pictures import jpeg
from tests.interworking.sms.support import Clock, Ids, State, eventually
from tests.interworking.sms.support import Inbox as SmsInbox

__all__ = ["State", "eventually"]

ALICE, CAROL = Address("tel", "+12025550100"), Address("tel", "+12025550102")
BOB = Address("tel", "+12025550101")
PHOTO = Part("image/jpeg", jpeg(), "beach.jpg")


class Inbox(SmsInbox):
    def __init__(self):
        super().__init__()
        self.strangers = []

    def turned_away(self, who, reason, what):
        self.strangers.append((who, reason, what))


class Directory:
    def __init__(self, *owned: Address):
        self.owned = {one: Subscriber(id=one.value, name=one.value, addresses=(one,)) for one in owned}

    def owner_of(self, address):
        return self.owned.get(address)


class Media:
    """Takes what is given, and notes for whom; a large picture becomes a small one."""

    def __init__(self):
        self.targets: list[Target] = []
        self.error: SendError | None = None

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        self.targets.append(target)
        if self.error is not None:
            raise self.error
        return Adapted(parts=tuple(parts), origins=tuple(range(len(parts))), losses=("made smaller",))


def context(state=None, owned=(ALICE, CAROL), media=None) -> Context:
    return Context(
        name="mms",
        clock=Clock(),
        ids=Ids(),
        store=state or State(),
        directory=Directory(*owned),
        media=media or Media(),
    )


def message(*parts: Part, **fields: Any) -> Message:
    base: dict[str, Any] = {
        "id": "m1",
        "message_id": "mid1",
        "sender": ALICE,
        "recipients": (BOB,),
        "parts": parts or (text_part("Look 😀"), PHOTO),
        "sent_at": time.time(),
        "received_at": time.time(),
        "origin": "sip",
    }
    return Message(**{**base, **fields})


def delivery(*parts: Part, ident: str = "d1.0", about: Message | None = None, **fields: Any) -> Delivery:
    base: dict[str, Any] = {
        "id": ident,
        "message": about or message(*parts, id=ident),
        "recipient": BOB,
        "network": "mms",
        "source": ALICE,
        "target": BOB,
        "attempt": 1,
        "token": 1,
        "deadline": time.time() + 60,
        "expires_at": time.time() + 3600,
    }
    return Delivery(**{**base, **fields})


class Rig:
    def __init__(self, mmsc: LabMmsc, connector: Mm7Connector, inbox: Inbox, task: asyncio.Task[None]):
        self.mmsc, self.connector, self.inbox, self.task = mmsc, connector, inbox, task

    def send(self, *deliveries: Delivery) -> None:
        self.connector.send(deliveries)

    async def sent(self, one: Delivery):
        """The outcome of a delivery."""
        before = len(self.inbox.outcomes)
        self.send(one)
        return await self.inbox.outcome(before + 1)

    @property
    def url(self) -> str:
        ((kind, (host, port)),) = self.connector.endpoints.items()
        return f"{kind}://{host}:{port}/mm7"

    def submitted(self):
        """What the centre was asked, as it understood it."""
        return [line.message for line in self.mmsc.log.of("SubmitReq")]

    async def stop(self) -> None:
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def start(mmsc: LabMmsc, where: Context | None = None, **settings: Any) -> Rig:
    values = {
        "url": mmsc.url,
        "username": "vas1",
        "password": "sesame",
        "vasp_id": "vas1",
        "listen": {"port": 0, "username": "mmsc", "password": "secret", **settings.pop("listen", {})},
        "retry_min": 0.01,
        "retry_max": 0.05,
        **settings,
    }
    connector = build(values, where or context())
    assert isinstance(connector, Mm7Connector)
    inbox = Inbox()
    task = asyncio.create_task(connector.run(inbox))
    rig = Rig(mmsc, connector, inbox, task)
    await inbox.until(lambda: inbox.healths or task.done())
    mmsc.reach(rig.url, "mmsc", "secret")
    return rig


@asynccontextmanager
async def rig(where: Context | None = None, lab: dict[str, Any] | None = None, **settings: Any) -> AsyncIterator[Rig]:
    async with LabMmsc(vasps={"vas1": "sesame"}, **(lab or {})) as mmsc:
        running = await start(mmsc, where, **settings)
        try:
            yield running
        finally:
            await running.stop()


def refused(outcome, reason: Reason, retryable: bool) -> None:
    assert outcome.kind is OutcomeKind.FAILED, outcome
    assert (outcome.error.reason, outcome.error.retryable) == (reason, retryable), outcome.error
