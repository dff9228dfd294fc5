"""Through real sockets: register, send, receive, lose the way."""

import asyncio

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability
from tests.access.sip.rig import ALICE, BOB, RCS, delivery, running


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_device_registers_sends_and_receives(transport):
    async with running() as rig:
        alice = await rig.device("alice", transport)
        assert (await alice.register()).status == 200
        user, reach = await rig.inbox.reaches.get()
        assert (user, reach.availability) == ("alice", Availability.AVAILABLE)

        assert (await alice.message("sip:bob@cpm.test", b"hello bob")).status == 202
        message = await rig.inbox.messages.get()
        assert (message.sender, message.recipients, message.text) == (ALICE, (BOB,), "hello bob")

        rig.sip.send([delivery("hello alice", sender=BOB, target=ALICE)])
        got = await alice.requests.get()
        assert got.body == b"hello alice"
        outcome = await rig.inbox.outcomes.get()
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "SIP 200 from device")


async def test_nothing_is_acknowledged_before_the_commit():
    async with running() as rig:
        rig.inbox.held = []
        alice = await rig.device("alice", "tcp")
        await alice.register()
        asked = asyncio.create_task(alice.message("sip:bob@cpm.test", b"hello"))
        await rig.inbox.messages.get()
        assert alice.responses.empty()
        assert not asked.done()
        rig.inbox.held[0]()
        assert (await asked).status == 202


async def test_without_a_device_the_delivery_may_be_tried_again():
    async with running() as rig:
        rig.sip.send([delivery()])
        outcome = await rig.inbox.outcomes.get()
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.error.reason is Reason.OFFLINE
        assert outcome.error.retryable


async def test_a_lost_connection_makes_the_device_unreachable_and_its_deliveries_fail_retryably():
    async with running() as rig:
        bob = await rig.device("bob", "tcp", RCS)
        await bob.register()
        await rig.inbox.reaches.get()
        bob.reply = None
        rig.sip.send([delivery()])
        await bob.requests.get()
        bob.close()
        user, reach = await rig.inbox.reaches.get()
        assert (user, reach.availability) == ("bob", Availability.OFFLINE)
        outcome = await rig.inbox.outcomes.get()
        assert outcome.error.reason is Reason.UNREACHABLE
        assert outcome.error.retryable


async def test_bindings_over_udp_outlive_a_restart():
    async with running(listen=({"transport": "udp"},)) as rig:
        bob = await rig.device("bob")
        await bob.register()
        port = rig.sip.endpoints["udp"][1]
        await rig.stop()
        rig.settings = rig.settings.model_copy(
            update={"listen": (rig.settings.listen[0].model_copy(update={"port": port}),)}
        )
        await rig.start()
        rig.sip.send([delivery("still there?")])
        assert (await bob.requests.get()).body == b"still there?"
        assert (await rig.inbox.outcomes.get()).kind is OutcomeKind.DELIVERED


async def test_a_stopped_access_refuses_deliveries_retryably():
    async with running() as rig:
        pass
    rig.sip.send([delivery()])
    outcome = await rig.inbox.outcomes.get()
    assert outcome.error.reason is Reason.NETWORK_DOWN
    assert outcome.error.retryable


async def test_describe_tells_the_devices_and_no_secret():
    async with running() as rig:
        alice = await rig.device("alice", "udp", RCS)
        await alice.register()
        told = rig.sip.describe()
        assert told["devices"][0]["user"] == "alice"
        assert told["devices"][0]["services"] == ["msg", "session"]
        assert told["requests"]["REGISTER"] == 2
