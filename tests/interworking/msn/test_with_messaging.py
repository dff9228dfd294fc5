"""The MSN network in a server: real store, messaging, selection and sockets; alice's device is played by hand."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from opencpm.app.chance import RandomIds, SystemClock
from opencpm.cluster.local import LocalBus
from opencpm.domain.account import AccountState
from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, message_ident, text_part
from opencpm.domain.policy import Policy
from opencpm.domain.roster import Tie
from opencpm.domain.session import CloseReason, SessionOffer
from opencpm.interfaces import Context
from opencpm.interworking.msn import build
from opencpm.lab.msn import Buddy, LabMsn
from opencpm.messaging import Messaging
from opencpm.messaging.directory import StoredDirectory
from opencpm.storage.sqlite import open_store
from opencpm.storage.vault import Vault
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, until
from tests.messaging.world import CPM, FakeLeg
from tests.messaging.world import Network as Devices

ME = Address("sip", "alice@cpm.test")


class Server:
    """A server with alice, her devices and her MSN account."""

    def __init__(self, lab: LabMsn, messaging: Messaging, devices: Devices, directory: StoredDirectory) -> None:
        self.lab, self.messaging, self.devices, self.directory = lab, messaging, devices, directory
        self.serial = 0

    @property
    def bob(self) -> Buddy:
        return self.lab.buddies[BOB]

    def message(self, text: str, session_id: str = "") -> Message:
        self.serial += 1
        now, name = time.time(), f"{text[:20]}-{self.serial}"
        return Message(
            id=message_ident(ME, name),
            message_id=name,
            sender=ME,
            recipients=(BOB_ADDRESS,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin="sip",
            session_id=session_id,
        )

    async def write(self, text: str) -> str:
        message = self.message(text)
        accepted = asyncio.get_running_loop().create_future()
        self.messaging.received([message], accepted.set_result)
        assert await accepted == [None]
        return message.id

    def state(self, message_id: str) -> DeliveryState:
        return self.messaging.store.deliveries_of(message_id)[0].state

    async def session(self, leg: FakeLeg):  # type: ignore[no-untyped-def]
        self.serial += 1
        offer = SessionOffer(id=f"{self.serial:024x}", initiator=ME, target=BOB_ADDRESS, origin="sip", at=time.time())
        return await self.messaging.invited(offer, leg)


@asynccontextmanager
async def serving(lab: LabMsn, path: str = ":memory:", **more: Any) -> AsyncIterator[Server]:
    """A server on a store: a new one with alice and her account, or one that was there before."""
    store = await open_store(path)
    directory = StoredDirectory(store, Vault("k" * 32), "cpm.test")
    if directory.subscriber("alice") is None:
        directory.add_user("alice", "Alice", "correct horse battery", [ME])
        directory.link_account("alice", "msn", ALICE_ADDRESS, lab.account(ALICE).password)
    clock, ids = SystemClock(), RandomIds()
    policy = Policy(local_domains=("cpm.test",), retry_schedule=(0.05, 0.05, 0.1))
    messaging = Messaging(store=store, directory=directory, policy=policy, clock=clock, ids=ids, bus=LocalBus())
    where = Context(name="msn", clock=clock, ids=ids, store=store, directory=directory)
    settings = {"switchboard_interval": 0.0, "reconnect_first": 0.02, **lab.settings, **more}
    connector = build(settings, where)
    devices = Devices("sip", CPM, None)  # type: ignore[arg-type]
    messaging.attach([devices, connector])
    await messaging.recover()
    tasks = [asyncio.create_task(messaging.run()), asyncio.create_task(connector.run(messaging))]
    try:
        await until(lambda: connector.health().detail.startswith("1 of 1"))
        yield Server(lab, messaging, devices, directory)
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await store.close()


@pytest.fixture
async def server(lab: LabMsn) -> AsyncIterator[Server]:
    async with serving(lab, offline_messages=False) as server:
        yield server


async def test_accepted_and_no_more_than_that(server: Server) -> None:
    await server.bob.sign_in()
    message_id = await server.write("Hello Bob")
    assert await server.bob.text() == "Hello Bob"
    await until(lambda: server.state(message_id) is DeliveryState.ACCEPTED)
    assert any("switchboard ACK" in entry.what for entry in server.messaging.store.trail(message_id))


async def test_offline_waits_in_order_until_the_buddy_comes(server: Server) -> None:
    ids = [await server.write(text) for text in ("one", "two", "three")]
    assert {server.state(message_id) for message_id in ids} == {DeliveryState.QUEUED}
    await server.bob.sign_in()
    await until(lambda: {server.state(message_id) for message_id in ids} == {DeliveryState.ACCEPTED})
    assert [said.text for said in server.bob.chat.lines] == ["one", "two", "three"]


async def test_what_was_written_while_msn_was_down_arrives_once(server: Server) -> None:
    await server.bob.sign_in()
    await server.lab.down()
    await until(lambda: server.messaging.connectors["msn"].health().state.value == "down")
    message_id = await server.write("later")
    await server.lab.up()
    await server.bob.sign_in()
    await until(lambda: server.state(message_id) is DeliveryState.ACCEPTED)
    assert [it.text for it in server.bob.happened.all if it.what == "text"] == ["later"]


async def test_a_session_and_its_texts(server: Server) -> None:
    await server.bob.sign_in()
    leg = FakeLeg("sip")
    side = await server.session(leg)
    side.received([server.message("see you?")], lambda _: None)
    assert await server.bob.text() == "see you?"
    server.bob.chat.send("yes")
    await until(lambda: leg.sent)
    assert leg.sent[0].message.text == "yes"
    server.bob.chat.leave()
    await until(lambda: leg.closed)
    assert leg.closed == [CloseReason.LEFT]


@pytest.mark.parametrize(("status", "reason"), [("", Reason.OFFLINE), ("BSY", Reason.BUSY)], ids=["offline", "busy"])
async def test_refused_sessions(server: Server, status: str, reason: Reason) -> None:
    if status:
        await server.bob.sign_in(status)
        msn = server.messaging.connectors["msn"]
        await until(lambda: msn.reach("alice", BOB_ADDRESS).availability.value == "busy")
    with pytest.raises(SendError) as caught:
        await server.session(FakeLeg("sip"))
    assert caught.value.reason is reason


async def test_bob_starts_a_session_with_alice(server: Server) -> None:
    await server.bob.sign_in()
    chat = await server.bob.start_chat(ALICE)
    chat.send("are you there?")
    await until(lambda: server.devices.leg.sent)
    assert server.devices.leg.sent[0].message.text == "are you there?"
    assert server.devices.offers[0].initiator == BOB_ADDRESS
    assert server.devices.events is not None
    server.devices.events.received([server.message("I am")], lambda _: None)
    assert await server.bob.text() == "I am"
    server.devices.events.closed(CloseReason.NORMAL)
    await server.bob.happened.wait(lambda it: it.what == "left")


async def test_bob_s_words_are_kept_when_alice_takes_no_session(server: Server) -> None:
    await server.bob.sign_in()
    server.devices.refusal = SendError(Reason.DECLINED)
    chat = await server.bob.start_chat(ALICE)
    chat.send("one")
    chat.send("two")
    await until(lambda: len(server.devices.sent) == 2)
    assert [delivery.message.text for delivery in server.devices.sent] == ["one", "two"]


async def test_a_wrong_password_is_told_to_whoever_wants_a_session(server: Server) -> None:
    await server.bob.sign_in()
    server.lab.account(ALICE).password = "changed"
    server.lab.disconnect(ALICE)
    await until(lambda: "wrong password" in server.messaging.connectors["msn"].health().detail)
    with pytest.raises(SendError) as caught:
        await server.session(FakeLeg("sip"))
    assert caught.value.reason is Reason.AUTHENTICATION
    assert "link the account again" in caught.value.detail
    message_id = await server.write("hello")
    await until(lambda: server.state(message_id) is DeliveryState.FAILED)
    server.directory.link_account("alice", "msn", ALICE_ADDRESS, "changed")
    await until(lambda: server.messaging.connectors["msn"].health().detail.startswith("1 of 1"))


# --- over a restart, and for later -------------------------------------------------------------------------------


async def test_links_lists_and_talks_are_there_after_a_restart(lab: LabMsn, tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    await lab.buddies[BOB].sign_in()
    async with serving(lab, path) as server:
        message_id = await server.write("before")
        await until(lambda: server.state(message_id) is DeliveryState.ACCEPTED)
    await until(lambda: not lab.is_online(ALICE))
    async with serving(lab, path) as server:
        account = server.directory.linked("msn")[0]
        assert server.messaging.accounts.of(account).state is AccountState.CONNECTED
        contact = server.directory.contact("alice", BOB_ADDRESS)
        assert (contact.name, [mark.tie for mark in contact.marks]) == ("Bob", [Tie.MUTUAL])
        assert server.state(message_id) is DeliveryState.ACCEPTED
        again = await server.write("after")
        await until(lambda: server.state(again) is DeliveryState.ACCEPTED)
        await lab.buddies[BOB].text("after")
    assert [it.text for it in lab.buddies[BOB].happened.all if it.what == "text"] == ["before", "after"]


@pytest.mark.parametrize("protocol", [12, 18])
async def test_left_for_later_is_accepted_and_no_more(lab: LabMsn, protocol: int) -> None:
    async with serving(lab, protocol=protocol) as server:
        message_id = await server.write("read me tomorrow")
        await until(lambda: server.state(message_id) is DeliveryState.ACCEPTED)
        assert any("offline message" in entry.what for entry in server.messaging.store.trail(message_id))
        assert lab.keeps(BOB) == 1


async def test_what_was_kept_for_us_is_stored_once_though_its_removal_failed(lab: LabMsn, tmp_path: Path) -> None:
    path = str(tmp_path / "store.db")
    lab._world.keep(lab.account(ALICE), lab.account(BOB), "Content-Type: text/plain\n\nwhile you were away")
    lab.faults.web_faults["DeleteMessages"] = "SystemUnavailable"
    async with serving(lab, path, protocol=12) as server:
        await until(lambda: len(server.devices.sent) == 1)
        await until(lambda: any("DeleteMessages" in line.text for line in lab.log.of("POST", account=ALICE)))
    assert lab.keeps(ALICE) == 1  # we went before the service could be told
    lab.faults.clear()
    async with serving(lab, path, protocol=12) as server:
        await until(lambda: lab.keeps(ALICE) == 0)
        stored = server.messaging.store.threads("alice")
        assert [thread.last.message.text for thread in stored] == ["while you were away"]
        assert [delivery.message.text for delivery in server.devices.sent].count("while you were away") <= 1
        history = server.messaging.store.history("alice", stored[0].peer)
        assert len(history) == 1
