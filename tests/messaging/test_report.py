"""The way back: receipts early and late, per segment, weak matches, dispositions."""

from __future__ import annotations

from opencpm.domain.delivery import DeliveryState, OutcomeKind
from opencpm.domain.report import Reference, Report, Status
from tests.messaging.world import ALICE, DESK, World


async def test_accepted_is_not_delivered(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "r1")
    await world.settle()
    assert world.sip.sent == []
    assert world.store.delivery(f"{message.id}.0").state is DeliveryState.ACCEPTED


async def test_a_receipt_becomes_a_notice(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "r1")
    await world.sms.report(Status.DELIVERED, "r1")
    delivery = (await world.sip.until(1))[0]
    assert delivery.notice is not None
    assert delivery.notice.status is Status.DELIVERED
    assert delivery.notice.message_id == message.message_id
    assert delivery.target == ALICE
    await world.sms.report(Status.DELIVERED, "r1")
    await world.settle()
    assert len(world.sip.sent) == 1


async def test_a_receipt_before_the_response_is_kept_and_matched(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    delivery = (await world.sms.until(1))[0]
    await world.sms.report(Status.DELIVERED, "r1")
    assert world.sip.sent == []
    assert len(world.store.parked(10)) == 1
    world.sms.take(delivery, "r1")
    notice = (await world.sip.until(1))[0].notice
    assert notice is not None
    assert notice.status is Status.DELIVERED
    await world.settle()
    assert world.store.parked(10) == []
    assert world.store.delivery(f"{message.id}.0").state is DeliveryState.DELIVERED


async def test_a_long_message_is_delivered_when_every_segment_is(world: World) -> None:
    await world.send(world.message("x" * 400))
    world.sms.take((await world.sms.until(1))[0], "s0", "s1", "s2")
    await world.sms.report(Status.DELIVERED, "s2")
    await world.sms.report(Status.DELIVERED, "s0")
    await world.sms.report(Status.DELIVERED, "s0")
    await world.settle()
    assert world.sip.sent == []
    await world.sms.report(Status.DELIVERED, "s1")
    assert (await world.sip.until(1))[0].notice.status is Status.DELIVERED


async def test_one_failed_segment_fails_the_message(world: World) -> None:
    await world.send(world.message("x" * 400))
    world.sms.take((await world.sms.until(1))[0], "s0", "s1")
    await world.sms.report(Status.FAILED, "s1")
    assert (await world.sip.until(1))[0].notice.status is Status.FAILED
    await world.sms.report(Status.DELIVERED, "s0")
    await world.settle()
    assert len(world.sip.sent) == 1


async def test_a_weak_reference_needs_the_same_number(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    delivery = (await world.sms.until(1))[0]
    reference = Reference(key="1715004", weak=True, check="5550101")
    world.sms._settle(delivery, OutcomeKind.ACCEPTED, references=(reference,), detail="")
    await world.sms.report(Status.DELIVERED, "1715004", check="5559999")
    await world.settle()
    assert world.sip.sent == []
    await world.sms.report(Status.DELIVERED, "1715004", check="5550101")
    assert (await world.sip.until(1))[0].notice.status is Status.DELIVERED


async def test_displayed_comes_back_between_our_own(world: World) -> None:
    message = world.message("Hi Desk", DESK)
    await world.send(message)
    world.sip.bring((await world.sip.until(1))[0])
    assert (await world.sip.until(2))[1].notice.status is Status.DELIVERED
    displayed = Report(
        status=Status.DISPLAYED,
        network="sip",
        source="device",
        at=0.0,
        message_id=message.message_id,
        reporter=DESK,
        original_sender=ALICE,
    )
    await world.reported(displayed)
    assert (await world.sip.until(3))[2].notice.status is Status.DISPLAYED
    await world.reported(displayed)
    await world.settle()
    assert len(world.sip.sent) == 3
