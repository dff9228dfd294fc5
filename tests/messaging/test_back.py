"""Word of a message back to its sender on a foreign network: the way it came, where that network takes it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason
from opencpm.domain.message import Disposition, MessageKind
from opencpm.domain.profile import Health, HealthState
from opencpm.domain.report import Report, Status
from tests.messaging.world import ALICE, BOB_TEL, SMS, Network, World

TOLD = frozenset({Status.DELIVERED, Status.DISPLAYED, Status.FAILED})


@pytest.fixture
async def told(world: World) -> Network:
    """A network "mms" that tells its people."""
    network = Network("mms", replace(SMS, label="MMS", kind="mms", told=TOLD), world)
    world.messaging.attach([world.sip, world.sms, world.msn, network])
    return network


async def from_bob(world: World, **more: object) -> str:
    message = world.message("Hello Alice", ALICE, sender=BOB_TEL, origin="mms", **more)
    assert await world.send(message) == [None]
    return message.id


async def test_delivered_is_told_the_way_the_message_came(world: World, told: Network) -> None:
    ident = await from_bob(world)
    world.sip.bring((await world.sip.until(1))[0])
    (word,) = await told.until(1)
    assert word.notice is not None
    assert (word.notice.status, word.notice.message_id) == (Status.DELIVERED, "m1")
    assert (word.network, word.source, word.target) == ("mms", ALICE, BOB_TEL)
    told.bring(word)
    await world.settle()
    assert world.store.delivery(word.id).state is DeliveryState.DELIVERED
    assert world.steps(ident)[-1] == "reported"


async def test_displayed_is_told_too(world: World, told: Network) -> None:
    await from_bob(world)
    world.sip.bring((await world.sip.until(1))[0])
    await told.until(1)
    seen = Report(
        status=Status.DISPLAYED,
        network="sip",
        source="device",
        at=0.0,
        message_id="m1",
        reporter=ALICE,
        original_sender=BOB_TEL,
    )
    await world.reported(seen)
    assert [word.notice.status for word in await told.until(2) if word.notice] == [Status.DELIVERED, Status.DISPLAYED]


async def test_only_what_was_asked_for_and_what_the_network_takes(world: World, told: Network) -> None:
    await from_bob(world, ident="m2", wants=Disposition.NONE)
    world.sip.bring((await world.sip.until(1))[0])
    told.profile = replace(told.profile, told=frozenset({Status.FAILED}))
    await from_bob(world, ident="m3")
    world.sip.bring((await world.sip.until(2))[1])
    await world.settle()
    assert told.sent == []


async def test_a_network_that_tells_nobody_hears_nothing(world: World) -> None:
    message = world.message("Hello Alice", ALICE, sender=BOB_TEL, origin="sms")
    await world.send(message)
    world.sip.bring((await world.sip.until(1))[0])
    await world.settle()
    assert world.sms.sent == []


async def test_word_waits_for_a_network_that_is_down(world: World, told: Network) -> None:
    await from_bob(world)
    told.state = Health(HealthState.DOWN)
    world.sip.bring((await world.sip.until(1))[0])
    await world.settle()
    assert told.sent == []
    told.state = Health(HealthState.UP)
    world.messaging.health_changed("mms", told.state)
    assert (await told.until(1))[0].notice is not None


async def test_word_that_is_refused_for_good_is_not_tried_again(world: World, told: Network) -> None:
    ident = await from_bob(world)
    world.sip.bring((await world.sip.until(1))[0])
    word = (await told.until(1))[0]
    told.refuse(word, Reason.UNKNOWN_ADDRESS, retryable=False)
    await world.settle()
    assert len(told.sent) == 1
    assert world.store.delivery(word.id).state is DeliveryState.FAILED
    assert world.store.trail(ident)[-1].what.startswith(f"delivered could not be told to {BOB_TEL}")


async def test_a_service_of_ours_may_write_to_anybody(world: World) -> None:
    service = Address("cpm", "mms")
    message = world.message("Hello", BOB_TEL, sender=service, kind=MessageKind.SYSTEM, route="sms")
    assert await world.send(message) == [None]
    assert (await world.sms.until(1))[0].source == service
    (refused,) = await world.send(world.message("Hello", BOB_TEL, sender=service, ident="m2"))
    assert refused is not None
    assert refused.reason is Reason.BARRED


async def test_what_a_service_sends_goes_by_its_network_or_waits(world: World, told: Network) -> None:
    """Where the SMS network is down, word of an MMS is not sent as one: it would never end."""
    world.sms.state = Health(HealthState.DOWN)
    push = world.message("push", BOB_TEL, sender=Address("cpm", "mms"), kind=MessageKind.SYSTEM, route="sms")
    assert await world.send(push) == [None]
    await world.settle()
    assert told.sent == []
    world.sms.state = Health(HealthState.UP)
    world.messaging.health_changed("sms", world.sms.state)
    assert (await world.sms.until(1))[0].message.id == push.id


async def test_a_service_of_a_network_is_told_itself(world: World, told: Network) -> None:
    service = Address("cpm", "mms")
    message = world.message("push", BOB_TEL, sender=service, kind=MessageKind.SYSTEM, route="sms", origin="mms")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.UNKNOWN_ADDRESS, retryable=False)
    word = (await told.until(1))[0]
    assert word.notice is not None
    assert (word.notice.status, word.notice.cause, word.target) == (Status.FAILED, "unknown-address", service)


async def test_a_device_names_the_sender_by_an_alias(world: World) -> None:
    """``sip:bob%40msn.test@cpm.test`` is what a device knows of msn:bob@msn.test."""
    sender = Address("msn", "bob@msn.test")
    world.msn.profile = replace(world.msn.profile, told=TOLD)
    assert await world.send(world.message("Hello", ALICE, sender=sender, origin="msn")) == [None]
    world.sip.bring((await world.sip.until(1))[0])
    await world.msn.until(1)
    seen = Report(
        status=Status.DISPLAYED,
        network="sip",
        source="device",
        at=0.0,
        message_id="m1",
        reporter=ALICE,
        original_sender=Address("im", "bob@msn.test"),
    )
    await world.reported(seen)
    words = [word.notice.status for word in await world.msn.until(2) if word.notice]
    assert words == [Status.DELIVERED, Status.DISPLAYED]
