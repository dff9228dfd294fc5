from collections.abc import Mapping
from typing import Any

import pytest

from opencpm.cluster.local import LocalBus
from opencpm.domain.address import Address
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability
from opencpm.messaging import presence
from opencpm.messaging.presence import PresenceBoard, Sight

ME, ME_TOO, BOB = (Address("msn", f"{name}@msn.test") for name in ("alice", "alice2", "bob"))
ONLINE, AWAY = Presence(Availability.AVAILABLE), Presence(Availability.AWAY, "lunch")


class Clock:
    time = 100.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def heard() -> list[Mapping[str, Any]]:
    return []


@pytest.fixture
def board(clock: Clock, heard: list[Mapping[str, Any]]) -> PresenceBoard:
    bus = LocalBus()
    bus.subscribe("user:alice", heard.append)
    return PresenceBoard(bus, clock)


def test_it_knows_since_when(board: PresenceBoard, clock: Clock) -> None:
    assert board.changed("alice", Sight("msn", BOB, ME), ONLINE)
    clock.time = 200.0
    assert not board.changed("alice", Sight("msn", BOB, ME), ONLINE), "the same again is no news"
    assert board.of("alice", "msn", BOB).since == 100.0
    board.changed("alice", Sight("msn", BOB, ME), Presence(Availability.AVAILABLE, "back"))
    assert board.of("alice", "msn", BOB) == Presence(Availability.AVAILABLE, "back", 100.0), "a note is no new state"
    board.changed("alice", Sight("msn", BOB, ME), AWAY)
    assert board.of("alice", "msn", BOB).since == 200.0
    board.changed("alice", Sight("msn", BOB, ME), Presence(Availability.BUSY, since=150.0))
    assert board.of("alice", "msn", BOB).since == 150.0, "the network knows better"


def test_of_several_accounts_the_one_that_knows_best(board: PresenceBoard, heard: list[Mapping[str, Any]]) -> None:
    board.changed("alice", Sight("msn", BOB, ME), ONLINE)
    board.changed("alice", Sight("msn", BOB, ME_TOO), Presence(Availability.OFFLINE))
    assert board.of("alice", "msn", BOB).availability is Availability.AVAILABLE
    board.forget("alice", "msn", ME)
    assert board.of("alice", "msn", BOB).availability is Availability.OFFLINE
    assert [h["availability"] for h in heard] == ["available", "offline"], "pages hear what changed for them, once"


def test_networks_and_owners_are_apart(board: PresenceBoard) -> None:
    board.changed("alice", Sight("msn", BOB, ME), ONLINE)
    assert board.of("alice", "msn2", BOB) == UNKNOWN
    assert board.of("desk", "msn", BOB) == UNKNOWN


def test_nothing_is_kept_of_those_unknown(board: PresenceBoard) -> None:
    board.changed("alice", Sight("msn", BOB, ME), ONLINE)
    board.changed("alice", Sight("msn", BOB, ME), UNKNOWN)
    assert board.all_of("alice") == {}


def test_it_is_bounded(board: PresenceBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(presence, "SEEN_LIMIT", 10)
    for number in range(25):
        board.changed("alice", Sight("xmpp", Address("xmpp", f"p{number}@x.test")), ONLINE)
    assert [sight.address.value for sight in board.all_of("alice")] == [f"p{n}@x.test" for n in range(15, 25)]


def test_a_page_is_told_the_note(board: PresenceBoard, heard: list[Mapping[str, Any]]) -> None:
    board.changed("alice", Sight("msn", BOB, ME), AWAY)
    assert heard == [
        {
            "type": "presence",
            "network": "msn",
            "address": "msn:bob@msn.test",
            "availability": "away",
            "note": "lunch",
            "since": 100.0,
        }
    ]
