"""The way out: retries, the next network, expiry, and leases."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from opencpm.domain.delivery import Delivery, DeliveryState, Outcome, OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability, Health, HealthState, Reach
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Preferences
from tests.messaging.world import ALICE_TEL, BOB_MSN, BOB_TEL, World


def state(world: World, delivery_id: str) -> DeliveryState:
    record = world.store.delivery(delivery_id)
    assert record is not None
    return record.state


async def test_a_temporary_failure_is_tried_again_later_with_the_same_id(world: World) -> None:
    await world.send(world.message("Hello"))
    first = (await world.sms.until(1))[0]
    world.sms.refuse(first, Reason.CONGESTION, retryable=True, retry_after=3.0)
    await world.settle()
    assert state(world, first.id) is DeliveryState.QUEUED
    world.clock.time += 3.1
    world.messaging.health_changed("sms", Health(HealthState.UP))
    second = (await world.sms.until(2))[1]
    assert second.id == first.id
    assert second.attempt == 2
    assert second.token > first.token


async def test_a_final_failure_goes_to_the_next_network(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.REJECTED, retryable=False)
    again = (await world.msn.until(1))[0]
    assert again.target == BOB_MSN
    assert "retried" in world.steps(message.id)


async def test_no_network_left_the_sender_is_told(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.REJECTED, retryable=False)
    world.msn.refuse((await world.msn.until(1))[0], Reason.REJECTED, retryable=False)
    notice = (await world.sip.until(1))[0].notice
    assert notice is not None
    assert notice.status.value == "failed"
    await world.settle()
    assert state(world, f"{message.id}.0") is DeliveryState.FAILED


async def test_an_old_attempts_outcome_no_longer_counts(world: World) -> None:
    await world.send(world.message("Hello"))
    first = (await world.sms.until(1))[0]
    world.sms.take(replace(first, token=first.token - 1), "ref")
    await world.settle()
    assert state(world, first.id) is DeliveryState.SENDING


async def test_the_network_is_down_the_message_waits_and_goes_when_it_is_back(world: World) -> None:
    world.sms.state = Health(HealthState.DOWN, "the SMSC refused the connection")
    message = world.message("Hello", route="sms")
    world.msn.reaches[str(BOB_MSN)] = Reach(Availability.OFFLINE)
    assert await world.send(message) == [None]
    await world.settle()
    assert world.sms.sent == []
    world.sms.state = Health(HealthState.UP)
    world.messaging.health_changed("sms", world.sms.state)
    assert [d.target for d in await world.sms.until(1)] == [BOB_TEL]
    assert world.steps(message.id).count("deferred") == 1


async def test_expiry_is_reported(world: World) -> None:
    world.sip.reaches["alice"] = Reach(Availability.OFFLINE)
    sender = world.message("Late", ALICE_TEL, sender=world.directory.subscriber("desk").addresses[0])
    message = replace(sender, expires_at=world.clock.time + 10)
    await world.send(message)
    world.clock.time += 11
    world.messaging.health_changed("sms", Health(HealthState.UP))
    notice = (await world.sip.until(1))[0]
    assert notice.notice is not None
    assert notice.notice.status.value == "failed"
    await world.settle()
    assert state(world, f"{message.id}.0") is DeliveryState.EXPIRED


async def test_a_notice_about_a_notice_is_never_sent(world: World) -> None:
    await world.send(world.message("Hello"))
    world.sms.take((await world.sms.until(1))[0], "r1")
    from opencpm.domain.report import Status

    await world.sms.report(Status.DELIVERED, "r1")
    notice = (await world.sip.until(1))[0]
    world.sip.bring(notice)
    await world.settle()
    assert len(world.sip.sent) == 1


async def test_a_notice_that_no_device_takes_is_not_tried_for_ever(world: World) -> None:
    """A plain client refuses notifications for good; no page is open: there is nothing to wait for."""
    message = world.message("Hello")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "r1")
    await world.sms.report(Status.DELIVERED, "r1")
    world.sip.refuse((await world.sip.until(1))[0], Reason.UNSUPPORTED_MEDIA, retryable=False)
    for _ in range(5):
        await world.settle()
    assert state(world, f"{message.id}.0!delivered") is DeliveryState.FAILED
    assert len(world.sip.sent) == 1
    assert "could not be told" in world.store.trail(message.id)[-1].what


async def test_a_person_who_holds_messages_is_not_asked_in_a_circle(world: World) -> None:
    """Alice's device is there, but she set herself offline: her message waits quietly."""
    world.directory.set_preferences("alice", Preferences(status=Availability.OFFLINE))
    message = world.message("Later", ALICE_TEL, sender=BOB_TEL, origin="sms")
    await world.send(message)
    for _ in range(10):
        await world.settle()
    assert world.sip.sent == []
    assert world.steps(message.id).count("deferred") <= 2
    world.directory.set_preferences("alice", Preferences())
    assert (await world.sip.until(1))[0].message.text == "Later"


async def test_an_outcome_for_nothing_is_ignored(world: World) -> None:
    world.messaging.settled(
        [Outcome(delivery_id="none", token=1, kind=OutcomeKind.ACCEPTED, at=0.0, source="x", detail="")]
    )
    await world.settle()


async def test_a_network_that_comes_back_while_the_message_is_stored_is_not_waited_for(world: World) -> None:
    """The word that it is back comes between the decision to wait and the commit: it must not be lost."""
    world.sms.state = Health(HealthState.DOWN, "not bound")
    world.msn.reaches[str(BOB_MSN)] = Reach(Availability.OFFLINE)
    verdicts = asyncio.ensure_future(world.send(world.message("Hello", route="sms")))
    await asyncio.sleep(0)  # decided, not stored yet
    world.sms.state = Health(HealthState.UP)
    world.messaging.health_changed("sms", world.sms.state)
    assert await verdicts == [None]
    assert len(await world.sms.until(1)) == 1


# ---------------------------------------------------------------------- what may have arrived although it was not told


def _told_accepted(world: World, message_id: str) -> str:
    return next(entry.what for entry in world.store.trail(message_id) if entry.step.value == "accepted")


async def _again(world: World, number: int) -> Delivery:
    world.clock.time += 400.0  # longer than a lease, and than the first steps of the schedule
    world.messaging.health_changed("sms", Health(HealthState.UP))
    return (await world.sms.until(number))[number - 1]


async def test_after_no_answer_the_next_attempt_is_marked_until_it_is_accepted(world: World) -> None:
    message = world.message("Hello", route="sms")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.TIMEOUT, retryable=True)
    await world.settle()
    world.sms.refuse(await _again(world, 2), Reason.CONGESTION, retryable=True)
    await world.settle()
    world.sms.take(await _again(world, 3), "ref")
    await world.settle()
    assert "an earlier attempt may have arrived" in _told_accepted(world, message.id)
    record = world.store.delivery(f"{message.id}.0")
    assert record is not None
    assert record.error == ""


async def test_after_a_plain_refusal_nothing_is_marked(world: World) -> None:
    message = world.message("Hello", route="sms")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.CONGESTION, retryable=True)
    await world.settle()
    world.sms.take(await _again(world, 2), "ref")
    await world.settle()
    assert "may have arrived" not in _told_accepted(world, message.id)


async def test_an_attempt_of_whose_end_nothing_is_known_marks_the_next(world: World) -> None:
    """As after kill -9: the lease is over, and nobody settled it."""
    message = world.message("Hello", route="sms")
    await world.send(message)
    await world.sms.until(1)
    world.sms.take(await _again(world, 2), "ref")
    await world.settle()
    assert "an earlier attempt may have arrived" in _told_accepted(world, message.id)
