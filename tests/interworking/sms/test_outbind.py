"""The SMSC connects to us and asks for the bind."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.interworking.sms import build
from opencpm.lab.smsc import LabSmsc

from .support import ALICE, BOB, Inbox, context, delivery, eventually

HERE = "127.0.0.1"


class Stage:
    def __init__(self, smsc, connector, inbox):
        self.smsc, self.connector, self.inbox = smsc, connector, inbox

    @property
    def link(self):
        return self.connector.describe()["links"][0]

    async def call(self, system_id="centre", password="knock"):
        await eventually(lambda: self.link["listening"])
        return await self.smsc.outbind(HERE, self.link["listening"], system_id, password)


@asynccontextmanager
async def stage(bind="receiver", **settings):
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc:
        link = {"host": HERE, "port": 0, "outbind": True, "bind": bind, "password": "sesame"}
        known = {"outbind_system_id": "centre", "outbind_password": "knock"}
        connector, inbox = build({"type": "sms", **link, **known, **settings}, context()), Inbox()
        task = asyncio.create_task(connector.run(inbox))
        try:
            yield Stage(smsc, connector, inbox)
        finally:
            task.cancel()
            await asyncio.wait([task])


async def test_it_binds_when_asked_and_takes_texts():
    async with stage() as it:
        await it.call()
        await it.smsc.wait_bound()
        it.smsc.handset(BOB.value).send("Hello Alice", to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].text == "Hello Alice"
        assert [line.name for line in it.smsc.log][:2] == ["outbind", "bind_receiver"]
        assert "receiver" in it.link["detail"]


async def test_as_transceiver_it_sends_as_well():
    async with stage(bind="transceiver") as it:
        await it.call()
        await it.inbox.until(lambda: it.inbox.healths)
        it.connector.send([delivery()])
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        await it.inbox.until(lambda: it.inbox.reports)


@pytest.mark.parametrize(("system_id", "password"), [("centre", "wrong"), ("stranger", "knock")])
async def test_a_stranger_is_not_given_our_password(system_id, password):
    async with stage() as it:
        connection = await it.call(system_id, password)
        await eventually(lambda: not connection.link.open)
        assert [line.name for line in it.smsc.log] == ["outbind"]
        await it.call()
        await it.smsc.wait_bound()


async def test_who_says_nothing_is_left_in_time_and_takes_no_place():
    async with stage() as it:
        await eventually(lambda: it.link["listening"])
        silent = [await asyncio.open_connection(HERE, it.link["listening"]) for _ in range(20)]
        await it.call()
        await it.smsc.wait_bound()
        for _, writer in silent:
            writer.close()


async def test_the_newest_outbind_wins_and_a_lost_link_comes_back():
    async with stage(bind="transceiver") as it:
        first = await it.call()
        await it.smsc.wait_bound()
        second = await it.call()
        await eventually(lambda: not first.link.open and second.session.bound)
        assert it.link["bound"]
        await it.smsc.disconnect()
        await eventually(lambda: not it.link["bound"])
        await it.call()
        await it.smsc.wait_bound()
        it.connector.send([delivery()])
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED


async def test_stopping_unbinds():
    async with stage() as it:
        await it.call()
        await it.smsc.wait_bound()
    assert "unbind" in [line.name for line in it.smsc.log]


@pytest.mark.parametrize(
    "noise",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes.fromhex("0000000f0000000b0000000000000001"),
        bytes.fromhex("00000012000000090000000000000001") + b"xy",
        bytes.fromhex("000000120000000b0000000000000001") + b"xy",
        bytes.fromhex("00000010000000060000000000000001"),
        bytes.fromhex("00000010800000090000000000000001"),
    ],
)
async def test_noise_on_the_port_leaves_the_link_alone(noise):
    async with stage(bind="transceiver") as it:
        await it.call()
        await it.smsc.wait_bound()
        reader, writer = await asyncio.open_connection(HERE, it.link["listening"])
        writer.write(noise)
        writer.write_eof()
        assert b"opencpm" not in await reader.read()  # neither bound to nor told who we are
        writer.close()
        it.connector.send([delivery()])
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
