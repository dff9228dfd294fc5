"""Through real sockets: register, send, receive, lose the way."""

import asyncio

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability
from opencpm.protocols.sip.message import encode_request
from tests.access.sip.rig import ALICE, BOB, RCS, delivery, running
from tests.transport.certificates import client_tls, make_certificate


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
        while not rig.inbox.reaches.empty():
            rig.inbox.reaches.get_nowait()
        await rig.start()
        user, reach = await rig.inbox.reaches.get()  # so that what waited through the restart is pushed
        assert (user, reach.availability) == ("bob", Availability.AVAILABLE)
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


async def test_over_tls(tmp_path):
    certificate = make_certificate(tmp_path)
    secure = {"listen": ({"transport": "tls"},), "certificate": certificate[0], "private_key": certificate[1]}
    async with running(**secure) as rig:
        alice = await rig.device("alice", "tls", tls=client_tls(certificate))
        answer = await alice.register()
        assert (answer.status, "transport=tls" in answer.get("service-route")) == (200, True)
        assert (await alice.message("sip:bob@cpm.test", b"hello")).status == 202
        rig.sip.send([delivery("hello alice", sender=BOB, target=ALICE)])
        assert (await alice.requests.get()).get("via").startswith("SIP/2.0/TLS ")


async def test_an_address_in_use_is_an_error_that_is_raised():
    async with running() as rig:
        taken = {"transport": "tcp", "port": rig.sip.endpoints["tcp"][1]}
        with pytest.raises(OSError):
            async with running(listen=(taken,)):
                pass


async def test_damaged_datagrams_change_nothing():
    """Each octet of a REGISTER and a MESSAGE damaged in turn: no crash, and the next good request is served."""
    async with running() as rig:
        alice, probe = await rig.device("alice"), await rig.device("alice")
        await alice.register()
        good = encode_request(
            "MESSAGE",
            "sip:bob@cpm.test",
            [*alice.fields("MESSAGE", "sip:bob@cpm.test", "c", 1), ("Content-Type", "message/cpim")],
            b"From: <sip:a@b>\r\n\r\nContent-Type: text/plain\r\n\r\nhi",
        )
        for at in range(len(good)):
            probe.write(good[:at] + b"\x00" + good[at + 1 :])
            probe.write(good[:at] + good[at + 3 :])
            probe.write(good[: at + 1])
            if not at % 50:
                assert (await alice.ask("OPTIONS", "sip:cpm.test")).status == 200
        assert (await alice.message("sip:bob@cpm.test", b"fine")).status == 202
        while (await rig.inbox.messages.get()).text != "fine":
            pass
