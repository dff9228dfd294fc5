"""Records of presence."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg.packet import Packet, pairs
from opencpm.protocols.ymsg.presence import Presence, presences
from opencpm.protocols.ymsg.services import OFFLINE_STATUS, Service


def read(service: int, *values: tuple[int, str | int]) -> list[Presence]:
    return list(presences(Packet(service, 1, pairs(*values))))


def test_the_answer_to_a_login() -> None:
    seen = read(
        Service.LOGON, (0, "me"), (1, "me"), (8, 2), (7, "Bob"), (10, 2), (13, 1), (7, "carol"), (10, 0), (13, 1)
    )
    assert seen == [Presence("bob", True, 2), Presence("carol", True, 0)]


def test_a_text_of_their_own() -> None:
    assert read(Service.ISAWAY, (7, "bob"), (10, 99), (19, "in Rome"), (47, 1), (13, 1)) == [
        Presence("bob", True, 99, "in Rome", 1)
    ]
    assert read(Service.ISAWAY, (7, "bob"), (10, 2), (19, "left over"), (13, 1))[0].note == ""


def test_idle() -> None:
    assert read(Service.ISAWAY, (7, "bob"), (10, 999), (137, 600), (13, 1))[0].idle == 600


@pytest.mark.parametrize(
    ("service", "values"),
    [
        (Service.LOGOFF, ((10, 0), (13, 1))),
        (Service.LOGON, ((10, 0), (13, 0))),
        (Service.STATUS_15, ((10, -1), (13, 1))),
        (Service.STATUS_15, ((10, OFFLINE_STATUS),)),
    ],
)
def test_gone(service: int, values: tuple[tuple[int, int], ...]) -> None:
    assert read(service, (7, "bob"), *values) == [Presence("bob", False)]


def test_nobody() -> None:
    assert read(Service.LOGON, (0, "me"), (8, 0)) == []
    assert read(Service.LOGON, (7, " "), (10, 0)) == []
