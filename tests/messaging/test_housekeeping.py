"""Now and then: what nobody reports on, and what is old."""

from __future__ import annotations

from opencpm.domain.delivery import DeliveryState
from tests.messaging.world import World

MONTH = 30 * 86400


async def test_nobody_reports_it_is_closed_as_unknown(world: World) -> None:
    message = world.message("Hello")
    await world.send(message)
    world.sms.take((await world.sms.until(1))[0], "r1")
    await world.settle()
    housekeeping = world.messaging._housekeeping
    assert housekeeping.close_unreported() == 0
    world.clock.time += MONTH
    assert housekeeping.close_unreported() == 1
    await world.settle()
    record = world.store.delivery(f"{message.id}.0")
    assert record is not None
    assert record.state is DeliveryState.UNKNOWN
    assert world.sip.sent == []


async def test_old_messages_are_forgotten_and_waiting_ones_are_not(world: World) -> None:
    old, waiting = world.message("Old", ident="o"), world.message("Waiting", ident="w")
    await world.send(old, waiting)
    world.sms.bring((await world.sms.until(2))[0])
    world.sip.bring((await world.sip.until(1))[0])  # the notice of it is delivered too
    await world.settle()
    world.clock.time += 13 * MONTH
    while await world.messaging._housekeeping.forget():
        pass
    assert world.store.message(old.id) is None
    assert world.store.message(waiting.id) is not None
    assert world.store.trail(old.id) == []
