"""The SMS network in a server: real store, real messaging, real selection, real sockets; a device played by hand."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

import pytest

from opencpm.app.chance import RandomIds, SystemClock
from opencpm.cluster.local import LocalBus
from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.message import Disposition, Message, message_ident, text_part
from opencpm.domain.policy import Policy, Route
from opencpm.interfaces import Context
from opencpm.interworking.sms import build
from opencpm.lab.smsc import Coverage, LabSmsc, ReceiptStyle
from opencpm.messaging import Messaging
from opencpm.messaging.directory import StoredDirectory
from opencpm.storage.sqlite import open_store
from opencpm.storage.vault import Vault
from tests.messaging.world import CPM
from tests.messaging.world import Network as Devices

from .support import BOB, eventually

ALICE = Address("sip", "alice@cpm.test")
ALICE_TEL = Address("tel", "+12025550100")


class Server:
    """Store, messaging and the connector; `crash` ends it without a word."""

    def __init__(self, store, messaging, connector, tasks):
        self.store, self.messaging, self.connector, self.tasks = store, messaging, connector, tasks
        self.serial = 0

    async def write(self, text="Hello Bob", wants=Disposition.POSITIVE_DELIVERY):
        """Alice's device sends; returns the message's id once it is accepted."""
        self.serial += 1
        now = time.time()
        name = f"mid{self.serial}"
        message = Message(
            id=message_ident(ALICE, name),
            message_id=name,
            sender=ALICE,
            recipients=(BOB,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin="sip",
            wants=wants,
        )
        accepted = asyncio.get_running_loop().create_future()
        self.messaging.received([message], accepted.set_result)
        assert await accepted == [None]
        return message.id

    def state(self, message_id):
        return self.messaging.store.deliveries_of(message_id)[0].state

    async def reached(self, message_id, state, patience=10.0):
        await eventually(lambda: self.state(message_id) is state, patience)

    async def stop(self):
        for task in self.tasks:
            task.cancel()
        for task in self.tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self.store.close()


@asynccontextmanager
async def server(smsc, path=":memory:", **settings):
    store = await open_store(str(path))
    directory = StoredDirectory(store, Vault("k" * 32), "cpm.test")
    if directory.subscriber("alice") is None:
        directory.add_user("alice", "Alice", "correct horse battery", [ALICE, ALICE_TEL])
    clock, ids = SystemClock(), RandomIds()
    policy = Policy(
        routes=(Route(prefix="", networks=("sms",)),), local_domains=("cpm.test",), retry_schedule=(0.05, 0.05, 0.1)
    )
    messaging = Messaging(store=store, directory=directory, policy=policy, clock=clock, ids=ids, bus=LocalBus())
    host, port = smsc.address
    where = Context(name="sms", clock=clock, ids=ids, store=store, directory=directory)
    connector = build({"host": host, "port": port, "reconnect_min": 0.02, **settings}, where)
    messaging.attach([Devices("sip", CPM, None), connector])
    await messaging.recover()
    tasks = [asyncio.create_task(messaging.run()), asyncio.create_task(connector.run(messaging))]
    running = Server(store, messaging, connector, tasks)
    try:
        await eventually(lambda: connector.health().state.value == "up" or not smsc._server)
        yield running
    finally:
        await running.stop()


@pytest.mark.parametrize("style", [ReceiptStyle(), ReceiptStyle(receipt="decimal", early=True)])
@pytest.mark.parametrize("text", ["Hello Bob", "long " * 100])
async def test_delivered(style, text):
    async with LabSmsc(style=style) as smsc, server(smsc) as it:
        bob = smsc.handset(BOB.value)
        message_id = await it.write(text)
        await it.reached(message_id, DeliveryState.DELIVERED)
        assert bob.texts[0].text == text
        assert bob.texts[0].sender == ALICE_TEL.value
        said = [entry.what for entry in it.store.trail(message_id)]
        assert any("submit_sm_resp" in what for what in said)
        assert any("SMSC receipt" in what for what in said)


async def test_failed():
    async with LabSmsc() as smsc, server(smsc) as it:
        smsc.undeliverable(BOB.value)
        await it.reached(await it.write(), DeliveryState.FAILED)


async def test_refused_for_good():
    async with LabSmsc() as smsc, server(smsc) as it:
        smsc.refuse(BOB.value, 0x0B)
        await it.reached(await it.write(), DeliveryState.FAILED)


async def test_what_waits_while_the_network_is_down_goes_when_it_is_up():
    async with LabSmsc() as smsc, server(smsc) as it:
        bob = smsc.handset(BOB.value)
        await smsc.down()
        await eventually(lambda: it.connector.health().state.value == "down")
        message_id = await it.write()
        assert it.state(message_id) is DeliveryState.QUEUED
        await smsc.up()
        await it.reached(message_id, DeliveryState.DELIVERED)
        assert len(bob.texts) == 1


async def test_no_response_is_tried_again():
    async with LabSmsc() as smsc, server(smsc, response_timeout=0.05) as it:
        smsc.faults.no_response = 1
        message_id = await it.write()
        await it.reached(message_id, DeliveryState.DELIVERED)
        assert any("may have arrived as well" in entry.what for entry in it.store.trail(message_id))


async def test_a_reply_comes_to_alice():
    async with LabSmsc() as smsc, server(smsc) as it:
        sent = smsc.handset(BOB.value).send("let us talk on MSN", to=ALICE_TEL.value)
        await smsc.happenings.until(lambda: sent.status == "accepted")
        (thread,) = it.store.threads("alice")
        assert thread.last.message.text == "let us talk on MSN"
        assert thread.last.message.sender == BOB


async def test_a_text_for_nobody_is_refused():
    async with LabSmsc() as smsc, server(smsc) as it:
        sent = smsc.handset(BOB.value).send("hello?", to="+12025550199")
        await smsc.happenings.until(lambda: sent.status == "refused")
        assert not it.store.threads("alice")


@pytest.mark.parametrize("text", ["Hello Bob", "long " * 50])
async def test_receipts_find_their_message_after_a_restart(tmp_path, text):
    async with LabSmsc() as smsc:
        bob = smsc.handset(BOB.value)
        bob.coverage = Coverage.OFF
        async with server(smsc, tmp_path / "db") as it:
            message_id = await it.write(text)
            await it.reached(message_id, DeliveryState.ACCEPTED)
        async with server(smsc, tmp_path / "db") as it:
            bob.coverage = Coverage.ON
            await it.reached(message_id, DeliveryState.DELIVERED, 1.0)


async def test_many_at_once():
    async with LabSmsc(record=False) as smsc, server(smsc, window=50) as it:
        smsc.faults.throttle = 1
        ids = [await it.write(f"text {n}") for n in range(60)]
        for message_id in ids:
            await it.reached(message_id, DeliveryState.DELIVERED)
