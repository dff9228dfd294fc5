"""Who sees what of whom."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability, Reach
from tests.messaging.world import ALICE, BOB_MSN, BOB_TEL, DESK, World

ME = Address("msn", "alice@msn.test")
ONLINE, OFFLINE = Presence(Availability.AVAILABLE), Presence(Availability.OFFLINE)


def follow(world: World, watcher: Address, target: Address) -> tuple[list[Presence], list[Presence]]:
    """What is known at once, and what comes later."""
    heard: list[Presence] = []
    now, _ = world.messaging.presences.follow(watcher, target, heard.append)
    return [now], heard


async def test_somebody_on_msn_by_any_of_their_addresses(world: World) -> None:
    for address in (BOB_MSN, BOB_TEL, Address("im", BOB_MSN.value), Address("sip", BOB_MSN.value)):
        now, heard = follow(world, ALICE, address)
        assert now == [UNKNOWN]
        world.messaging.presence_changed("msn", "alice", BOB_MSN, Presence(Availability.BUSY, "lunch", 5.0), ME)
        world.messaging.presence_changed("msn", "alice", BOB_MSN, UNKNOWN, ME)
        assert heard == [Presence(Availability.BUSY, "lunch", 5.0), UNKNOWN], address


async def test_what_one_sees_another_does_not(world: World) -> None:
    now, heard = follow(world, DESK, BOB_MSN)
    world.messaging.presence_changed("msn", "alice", BOB_MSN, ONLINE, ME)
    assert (now, heard) == ([UNKNOWN], [])


async def test_a_subscriber_by_their_devices_and_their_word(world: World) -> None:
    world.sip.reaches["desk"] = Reach(Availability.OFFLINE)
    now, heard = follow(world, ALICE, DESK)
    assert now[0].availability is Availability.OFFLINE
    world.sip.reaches["desk"] = Reach(Availability.AVAILABLE)
    world.messaging.reach_changed("sip", "desk", world.sip.reaches["desk"])
    world.messaging.presences.published(DESK, Availability.AWAY, "back at two")
    assert [(p.availability, p.note) for p in heard] == [
        (Availability.AVAILABLE, ""),
        (Availability.AWAY, "back at two"),
    ]
    world.messaging.presences.published(DESK, Availability.AWAY, "back at two")
    assert len(heard) == 2, "the same word again is no news"


async def test_who_is_blocked_sees_them_offline(world: World) -> None:
    world.directory.add_contact("desk", "Alice", (ALICE,))
    world.directory.set_blocked("desk", "alice", True)
    now, _ = follow(world, ALICE, DESK)
    assert now == [OFFLINE]


async def test_it_ends(world: World) -> None:
    heard: list[Presence] = []
    _, stop = world.messaging.presences.follow(ALICE, BOB_MSN, heard.append)
    stop()
    stop()
    world.messaging.presence_changed("msn", "alice", BOB_MSN, ONLINE, ME)
    assert heard == []
    with pytest.raises(SendError):
        world.messaging.presences.follow(BOB_MSN, DESK, heard.append)
