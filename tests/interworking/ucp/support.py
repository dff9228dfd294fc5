"""A connector against the lab's centre, messaging played by the test."""

import asyncio
from contextlib import asynccontextmanager, suppress

from opencpm.interworking.ucp import build
from opencpm.lab.ucp import LabUcp
from tests.interworking.sms.support import (
    ALICE,
    BOB,
    Clock,
    Directory,
    Inbox,
    State,
    context,
    delivery,
    eventually,
    failed,
    message,
)

__all__ = [
    "ALICE",
    "BOB",
    "Clock",
    "Directory",
    "Inbox",
    "State",
    "context",
    "delivery",
    "eventually",
    "failed",
    "message",
    "rig",
    "start",
]


class Rig:
    def __init__(self, centre, connector, inbox, task):
        self.centre, self.connector, self.inbox, self.task = centre, connector, inbox, task

    def send(self, *deliveries):
        self.connector.send(deliveries)

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def start(centre, *, where=None, **settings):
    host, port = centre.address
    values = {"host": host, "port": port, "reconnect_min": 0.01, "apart": 0, **settings}
    connector = build(values, where or context())
    inbox = Inbox()
    return Rig(centre, connector, inbox, asyncio.create_task(connector.run(inbox)))


@asynccontextmanager
async def rig(*, where=None, up=True, centre=None, **settings):
    """Everything is fast here: the centre gives each message a second of its own, so nothing need wait for one."""
    async with LabUcp(unique=True, **(centre or {})) as lab:
        running = await start(lab, where=where, **settings)
        if up:
            await running.inbox.until(lambda: running.inbox.healths)
        try:
            yield running
        finally:
            await running.stop()
