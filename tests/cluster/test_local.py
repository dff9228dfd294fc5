from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from opencpm.cluster.local import LocalBus

HINT = {"type": "message", "message": "m1"}


def test_those_who_hear_a_topic_get_its_hints_in_order() -> None:
    bus = LocalBus()
    heard: list[tuple[str, Mapping[str, Any]]] = []
    bus.subscribe("user:alice", lambda hint: heard.append(("first", hint)))
    bus.subscribe("user:alice", lambda hint: heard.append(("second", hint)))
    bus.subscribe("user:bob", lambda hint: heard.append(("bob", hint)))
    bus.publish("user:alice", HINT)
    bus.publish("user:nobody", HINT)
    assert heard == [("first", HINT), ("second", HINT)]


def test_a_subscription_ends_once_and_alone() -> None:
    bus = LocalBus()
    heard: list[Mapping[str, Any]] = []
    ends = [bus.subscribe("t", heard.append) for _ in range(2)]
    ends[0]()
    ends[0]()
    bus.publish("t", HINT)
    assert heard == [HINT]
    ends[1]()
    bus.publish("t", HINT)
    assert heard == [HINT]


def test_a_listener_may_end_while_it_hears() -> None:
    bus = LocalBus()
    heard: list[int] = []
    end = bus.subscribe("t", lambda _: (heard.append(1), end()))  # type: ignore[func-returns-value]
    bus.subscribe("t", lambda _: heard.append(2))
    bus.publish("t", HINT)
    bus.publish("t", HINT)
    assert heard == [1, 2, 2]


def test_an_error_of_one_listener_stays_with_it() -> None:
    bus = LocalBus()
    heard: list[Mapping[str, Any]] = []

    def broken(_: Mapping[str, Any]) -> None:
        raise RuntimeError("a bug elsewhere")

    bus.subscribe("t", broken)
    bus.subscribe("t", heard.append)
    bus.publish("t", HINT)
    assert heard == [HINT]
