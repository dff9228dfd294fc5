"""Who is cut off: whoever stays amid one request and brings next to nothing; a large file over a slow line goes on."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import h11
import pytest

from opencpm.transport.patience import LEAST, PatientProtocol


class Loop:
    def __init__(self) -> None:
        self.due: list[Callable[[], None]] = []

    def call_later(self, delay: float, work: Callable[[], None]) -> object:
        self.due.append(work)
        return object()


class Transport:
    aborted = False

    def abort(self) -> None:
        self.aborted = True


def protocol(state: Any, cycle: object) -> PatientProtocol:
    made = PatientProtocol.__new__(PatientProtocol)
    made.conn = SimpleNamespace(their_state=state)  # type: ignore[assignment]
    made.cycle = made._seen = cycle  # type: ignore[assignment]
    made.transport, made.loop = Transport(), Loop()  # type: ignore[assignment]
    return made


@pytest.mark.parametrize(
    ("state", "came", "cut"),
    [
        (h11.IDLE, 0, True),
        (h11.SEND_BODY, 0, True),
        (h11.SEND_BODY, LEAST - 1, True),
        (h11.SEND_BODY, LEAST, False),
        (h11.DONE, 0, False),  # its request is there: an event stream
    ],
)
def test_amid_the_same_request_at_two_looks(state: Any, came: int, cut: bool) -> None:
    one = protocol(state, object())
    one._came = came
    one._again()
    assert one.transport.aborted is cut  # type: ignore[attr-defined]
    assert bool(one.loop.due) is not cut  # type: ignore[attr-defined]


def test_what_came_before_the_last_look_does_not_count_again() -> None:
    one = protocol(h11.SEND_BODY, object())
    one._came = LEAST * 10
    one._again()
    one._again()
    assert one.transport.aborted  # type: ignore[attr-defined]


def test_another_request_has_its_own_time() -> None:
    one = protocol(h11.SEND_BODY, object())
    one.cycle = object()  # type: ignore[assignment]
    one._again()
    assert not one.transport.aborted  # type: ignore[attr-defined]
