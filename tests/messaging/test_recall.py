"""Messages kept until a time, taken back, and replaced."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Replacement, text_part
from opencpm.domain.profile import Availability, Health, HealthState, Reach
from opencpm.domain.report import Status
from opencpm.interfaces import DeliveryRecord
from tests.messaging.world import ALICE, ALICE_TEL, BOB_MSN, BOB_TEL, DESK, World

HOUR = 3600.0
AWAY = Reach(Availability.OFFLINE)


def states(world: World, message_id: str) -> list[tuple[DeliveryState, str]]:
    return [(one.state, one.error) for one in world.store.deliveries_of(message_id)]


CANCELLED = (DeliveryState.FAILED, "cancelled")


async def cancel(world: World, message_id: str, by: Address = ALICE, to: Address | None = None) -> SendError | None:
    answer: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()
    world.messaging.recalls.cancel(message_id, by, answer.set_result, to)
    return await asyncio.wait_for(answer, 10)


async def replaced(world: World, message_id: str, instead: Replacement, by: Address = ALICE) -> SendError | None:
    answer: asyncio.Future[SendError | None] = asyncio.get_running_loop().create_future()
    world.messaging.recalls.replace(message_id, by, instead, answer.set_result)
    return await asyncio.wait_for(answer, 10)


def at(world: World, seconds: float) -> None:
    """So much later the server looks again."""
    world.clock.time += seconds
    world.messaging.health_changed("sms", Health(HealthState.UP))


# -------------------------------------------------------------------------------------------- kept until a time


async def test_a_message_is_kept_until_the_time_that_its_sender_wants(world: World) -> None:
    message = world.message("Good morning", not_before=world.clock.now() + HOUR)
    assert await world.send(message) == [None]
    await world.settle()
    assert not world.sms.sent
    (line,) = [one.what for one in world.store.trail(message.id) if one.step.value == "deferred"]
    assert line == "kept until 23:13 UTC as its sender asked"
    at(world, HOUR - 1)
    await world.settle()
    assert not world.sms.sent
    at(world, 1)
    (delivery,) = await world.sms.until(1)
    assert delivery.message.text == "Good morning"


async def test_its_receiver_does_not_see_it_before(world: World) -> None:
    message = world.message("Surprise", DESK, not_before=world.clock.now() + HOUR)
    heard: list[str] = []
    world.messaging.bus.subscribe("user:desk", lambda hint: heard.append(hint["type"]))
    await world.send(message)
    await world.settle()
    assert not heard
    assert not world.store.history("desk", str(ALICE))
    at(world, HOUR)
    world.sip.bring((await world.sip.until(1))[0])
    await world.settle()
    assert set(heard) == {"state"}


async def test_a_validity_that_ends_before_is_refused(world: World) -> None:
    now = world.clock.now()
    (error,) = await world.send(world.message("Never", not_before=now + HOUR, expires_at=now + HOUR))
    assert error is not None
    assert error.reason is Reason.NOT_ACCEPTABLE
    assert error.detail == (
        "The message could never be delivered: not before 23:13 UTC, and valid until 23:13 UTC; choose other times."
    )


async def test_later_than_the_operator_keeps_anything_is_refused(world: World) -> None:
    longest = world.policy.limits.expiry_max
    (error,) = await world.send(world.message("Never", not_before=world.clock.now() + longest))
    assert error is not None
    assert error.reason is Reason.NOT_ACCEPTABLE


async def test_the_default_validity_begins_when_it_may_go(world: World) -> None:
    limits = world.policy.limits
    world.messaging.set_policy(replace(world.policy, limits=replace(limits, expiry_default=60.0)))
    message = world.message("Later", not_before=world.clock.now() + HOUR)
    assert await world.send(message) == [None]
    at(world, HOUR + 59)
    assert len(await world.sms.until(1)) == 1


async def test_what_could_never_go_is_refused_at_once(world: World) -> None:
    nobody = Address("icq", "4711")
    (error,) = await world.send(world.message("Hi", nobody, not_before=world.clock.now() + HOUR))
    assert error is not None
    assert error.reason is Reason.NO_ROUTE


async def test_a_validity_that_ends_while_nobody_can_take_it_ends_it(world: World) -> None:
    now = world.clock.now()
    message = world.message("Lunch?", DESK, not_before=now + HOUR, expires_at=now + 2 * HOUR)
    world.sip.reaches["desk"] = AWAY
    await world.send(message)
    at(world, HOUR)
    await world.settle()
    at(world, HOUR)
    await world.settle()
    await world.settle()
    assert states(world, message.id) == [(DeliveryState.EXPIRED, "expired")]


# ------------------------------------------------------------------------------------------------- taking back


async def test_what_is_kept_is_taken_back_and_never_goes(world: World) -> None:
    message = world.message("Oops", not_before=world.clock.now() + HOUR)
    await world.send(message)
    assert await cancel(world, message.id) is None
    assert states(world, message.id) == [CANCELLED]
    at(world, 2 * HOUR)
    notice = (await world.sip.until(1))[0].notice
    assert notice is not None
    assert (notice.status, notice.cause) == (Status.FAILED, "cancelled")
    assert not world.sms.sent
    assert world.steps(message.id)[-1:] == ["cancelled"]


async def test_asking_again_is_no_error(world: World) -> None:
    message = world.message("Oops", not_before=world.clock.now() + HOUR)
    await world.send(message)
    assert await cancel(world, message.id) is None
    assert await cancel(world, message.id) is None
    assert world.steps(message.id).count("cancelled") == 1


async def test_what_waits_for_a_device_is_taken_back_and_the_count_of_its_queue_holds(world: World) -> None:
    world.sip.reaches["desk"] = AWAY
    first, second = world.message("One", DESK, ident="1"), world.message("Two", DESK, ident="2")
    await world.send(first, second)
    await world.settle()
    assert await cancel(world, first.id) is None
    del world.sip.reaches["desk"]
    world.messaging.reach_changed("sip", "desk", Reach(Availability.AVAILABLE))
    sent = await world.sip.until(2)
    assert sorted(one.message.text for one in sent if one.notice is None) == ["Two"]
    await world.settle()
    late = world.message("Three", DESK, ident="3")
    await world.send(late)
    assert (await world.sip.until(3))[2].message.id == late.id  # nothing waits before it


async def test_under_any_address_of_ones_own_and_under_nobody_elses(world: World) -> None:
    message = world.message("Oops", not_before=world.clock.now() + HOUR)
    await world.send(message)
    for stranger in (DESK, Address("tel", "+12025550199")):
        error = await cancel(world, message.id, by=stranger)
        assert error is not None
        assert error.reason is Reason.BARRED
    missing = await cancel(world, "0" * 24)
    assert missing is not None
    assert missing.detail == error.detail  # whether it exists is not told
    assert await cancel(world, message.id, by=ALICE_TEL) is None


async def test_from_one_receiver_of_several(world: World) -> None:
    other = Address("tel", "+12025550102")
    message = world.message("Oops", recipients=(BOB_TEL, other), not_before=world.clock.now() + HOUR)
    await world.send(message)
    assert await cancel(world, message.id, to=Address("tel", "+12025550102")) is None
    assert states(world, message.id) == [(DeliveryState.QUEUED, ""), CANCELLED]
    nobody = await cancel(world, message.id, to=DESK)
    assert nobody is not None
    assert nobody.reason is Reason.BARRED
    at(world, HOUR)
    (delivery,) = await world.sms.until(1)
    assert delivery.recipient == BOB_TEL


async def test_what_is_being_handed_over_may_be_asked_for_again(world: World) -> None:
    message = world.message("Oops")
    await world.send(message)
    await world.sms.until(1)
    error = await cancel(world, message.id)
    assert error is not None
    assert (error.reason, error.retryable) == (Reason.TOO_LATE, True)
    assert error.detail == "the message to tel:+12025550101 is being handed over to SMS now; ask again in a minute"


async def test_what_a_network_has_that_gives_nothing_back_goes_on(world: World) -> None:
    message = world.message("Oops")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "k1")
    await world.settle()
    error = await cancel(world, message.id)
    assert error is not None
    assert (error.reason, error.retryable) == (Reason.TOO_LATE, False)
    assert error.detail == "SMS has the message to tel:+12025550101 already and gives none back"
    await world.sms.report(Status.DELIVERED, "k1")
    error = await cancel(world, message.id)
    assert error is not None
    assert error.detail == "too late for tel:+12025550101: it was delivered"


async def test_a_failed_attempt_is_not_made_again(world: World) -> None:
    message = world.message("Oops")
    await world.send(message)
    world.sms.refuse((await world.sms.until(1))[0], Reason.CONGESTION, retryable=True, retry_after=60.0)
    await world.settle()
    assert await cancel(world, message.id) is None
    at(world, HOUR)
    await world.settle()
    assert len(world.sms.sent) == 1


async def test_some_are_taken_back_and_some_are_not(world: World) -> None:
    message = world.message("Oops", recipients=(BOB_TEL, DESK))
    world.sip.reaches["desk"] = AWAY
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "k1")
    await world.settle()
    error = await cancel(world, message.id)
    assert error is not None
    assert error.detail.startswith("taken back from 1 of 2 receivers: SMS has the message")
    assert states(world, message.id) == [(DeliveryState.ACCEPTED, ""), CANCELLED]


class GivesBack:
    """A network that can be asked, and what it answers."""

    def __init__(self, world: World, answer: str | Exception) -> None:
        self.asked: list[str] = []
        self.answer, self.meanwhile = answer, lambda: None
        world.sms.profile = replace(world.sms.profile, recalls=True)
        world.sms.recall = self.recall

    async def recall(self, record: DeliveryRecord) -> str:
        self.asked.append(record.detail)
        self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


async def accepted(world: World) -> str:
    message = world.message("Oops")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "k1")
    await world.settle()
    return message.id


async def test_a_network_that_can_be_asked_is_asked(world: World) -> None:
    network = GivesBack(world, "cancel_sm_resp: taken back")
    message_id = await accepted(world)
    assert await cancel(world, message_id) is None
    assert network.asked == ["ok"]  # what it said when it took it
    assert states(world, message_id) == [CANCELLED]
    (line,) = [one.what for one in world.store.trail(message_id) if one.step.value == "cancelled"]
    assert line == "cancelled: cancel_sm_resp: taken back"
    await world.sms.report(Status.FAILED, "k1")  # and says so itself: nothing changes
    assert states(world, message_id) == [CANCELLED]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(SendError(Reason.TOO_LATE, detail="cancel failed"), Reason.TOO_LATE), (ValueError("a bug"), Reason.INTERNAL)],
)
async def test_what_it_does_not_give_back_goes_on(world: World, answer: Exception, reason: Reason) -> None:
    GivesBack(world, answer)
    message_id = await accepted(world)
    error = await cancel(world, message_id)
    assert error is not None
    assert error.reason is reason
    assert states(world, message_id) == [(DeliveryState.ACCEPTED, "")]
    await world.sms.report(Status.DELIVERED, "k1")
    assert states(world, message_id) == [(DeliveryState.DELIVERED, "")]


async def test_a_receipt_that_comes_while_the_network_is_asked_stands(world: World) -> None:
    network = GivesBack(world, "cancel_sm_resp: taken back")
    message_id = await accepted(world)
    loop = asyncio.get_running_loop()
    network.meanwhile = lambda: loop.create_task(world.sms.report(Status.DELIVERED, "k1"))
    original = network.recall

    async def slow(record: DeliveryRecord) -> str:
        said = await original(record)
        await world.settle()
        return said

    world.sms.recall = slow
    error = await cancel(world, message_id)
    assert error is not None
    assert error.detail == "too late for tel:+12025550101: it was delivered"
    assert states(world, message_id) == [(DeliveryState.DELIVERED, "")]


# --------------------------------------------------------------------------------------------------- replacing


async def test_other_content_under_the_same_id(world: World) -> None:
    message = world.message("At eight", not_before=world.clock.now() + HOUR)
    await world.send(message)
    assert await replaced(world, message.id, Replacement(parts=(text_part("At nine"),))) is None
    assert await replaced(world, message.id, Replacement(parts=(text_part("At ten"),))) is None
    at(world, HOUR)
    (delivery,) = await world.sms.until(1)
    assert (delivery.message.text, delivery.message.id) == ("At ten", message.id)
    whats = [one.what for one in world.store.trail(message.id) if one.step.value == "replaced"]
    assert whats == [
        "by its sender, 1. time: text/plain, 7 bytes",
        "by its sender, 2. time: text/plain, 6 bytes",
    ]


async def test_another_time_and_validity(world: World) -> None:
    message = world.message("At eight", not_before=world.clock.now() + HOUR)
    await world.send(message)
    instead = Replacement(not_before=world.clock.now() + 2 * HOUR, expires_at=world.clock.now() + 3 * HOUR)
    assert await replaced(world, message.id, instead) is None
    at(world, HOUR)
    await world.settle()
    assert not world.sms.sent
    at(world, HOUR)
    (delivery,) = await world.sms.until(1)
    assert delivery.message.text == "At eight"
    assert delivery.expires_at == instead.expires_at


async def test_without_a_time_any_more_it_goes_at_once(world: World) -> None:
    message = world.message("At eight", not_before=world.clock.now() + HOUR)
    await world.send(message)
    instead = Replacement(parts=(text_part("Now"),), wants=Disposition.NONE, not_before=0.0)
    assert await replaced(world, message.id, instead) is None
    (delivery,) = await world.sms.until(1)
    assert (delivery.message.text, delivery.message.wants) == ("Now", Disposition.NONE)


async def test_what_is_on_its_way_is_not_replaced(world: World) -> None:
    message = world.message("At eight", recipients=(BOB_TEL, DESK))
    world.sip.reaches["desk"] = AWAY
    await world.send(message)
    await world.sms.until(1)
    error = await replaced(world, message.id, Replacement(parts=(text_part("At nine"),)))
    assert error is not None
    assert error.reason is Reason.TOO_LATE
    stored = world.store.message(message.id)
    assert stored is not None
    assert stored.text == "At eight"
    world.messaging.reach_changed("sip", "desk", Reach(Availability.AVAILABLE))
    del world.sip.reaches["desk"]
    world.messaging.reach_changed("sip", "desk", Reach(Availability.AVAILABLE))
    assert (await world.sip.until(1))[0].message.text == "At eight"  # still in its queue


async def test_what_could_not_go_is_refused_and_the_old_one_stays(world: World) -> None:
    now = world.clock.now()
    message = world.message("At eight", not_before=now + HOUR)
    await world.send(message)
    never = await replaced(world, message.id, Replacement(not_before=now + 2 * HOUR, expires_at=now + HOUR))
    large = await replaced(
        world, message.id, Replacement(parts=(text_part("x" * (world.policy.limits.message_bytes + 1)),))
    )
    assert [error and error.reason for error in (never, large)] == [Reason.NOT_ACCEPTABLE, Reason.TOO_LARGE]
    at(world, HOUR)
    assert (await world.sms.until(1))[0].message.text == "At eight"


async def test_only_by_its_sender(world: World) -> None:
    message = world.message("At eight", not_before=world.clock.now() + HOUR)
    await world.send(message)
    error = await replaced(world, message.id, Replacement(parts=(text_part("x"),)), by=DESK)
    assert error is not None
    assert error.reason is Reason.BARRED


async def test_after_a_restart_too(world: World) -> None:
    """Nothing of it is in hand then: all comes from the store."""
    message = world.message("At eight", BOB_MSN, route="msn", not_before=world.clock.now() + HOUR)
    await world.send(message)
    world.messaging._ground.working.release(f"{message.id}.0")
    assert await replaced(world, message.id, Replacement(parts=(text_part("At nine"),))) is None
    world.messaging._ground.working.release(f"{message.id}.0")
    assert await cancel(world, message.id) is None
    assert states(world, message.id) == [CANCELLED]
