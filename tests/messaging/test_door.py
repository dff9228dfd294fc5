"""Refusals at the door leave a line, and a hammering crowd does not fill the disk."""

from __future__ import annotations

from tests.messaging.world import World

ALICE = "sip:alice@cpm.test"


def lines(world: World) -> list[str]:
    return [entry.what for entry in world.store.trail(ALICE)]


async def test_a_wrong_password_leaves_a_line(world: World) -> None:
    world.messaging.turned_away(ALICE, "authentication", "wrong password in REGISTER from 127.0.0.1")
    await world.settle()
    assert lines(world) == ["authentication: wrong password in REGISTER from 127.0.0.1"]
    assert world.store.find(ALICE) == ALICE


async def test_repetitions_are_counted_and_told_once(world: World) -> None:
    for _ in range(100):
        world.messaging.turned_away(ALICE, "authentication", "wrong password")
    await world.settle()
    assert len(lines(world)) == 5
    world.clock.time += 61
    world.messaging.turned_away(ALICE, "authentication", "wrong password")
    await world.settle()
    assert lines(world)[-1] == "authentication: wrong password (and 95 times more before)"


async def test_what_was_refused_is_found_under_its_sender_and_its_id(world: World) -> None:
    message = world.message("x" * 11_000_000)
    await world.send(message)
    await world.settle()
    assert world.store.find(message.id) == message.id
    assert "too-large" in lines(world)[0]
    assert message.id in lines(world)[0]
