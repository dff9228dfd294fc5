"""Streams: order, replay, bounds."""

from __future__ import annotations

from opencpm.access.web.hub import BACKLOG, REPLAY, STREAMS, Hubs


async def kinds(stream: object) -> list[str]:
    return [event.kind for event in await stream.batch(0.01)]  # type: ignore[attr-defined]


async def test_events_come_in_order_to_every_stream() -> None:
    hub = Hubs("e").hub("alice")
    one, two = hub.open(None), hub.open(None)
    hub.publish("a", {})
    hub.publish("b", {"x": 1})
    assert await kinds(one) == await kinds(two) == ["a", "b"]
    assert await kinds(one) == []


async def test_a_page_gets_what_it_missed_or_is_told_to_look_again() -> None:
    hub = Hubs("e").hub("alice")
    for _ in range(REPLAY + 10):
        hub.publish("a", {})
    assert len(await kinds(hub.open(hub.number - 3))) == 3
    assert await kinds(hub.open(hub.number)) == []
    assert await kinds(hub.open(5)) == ["resync"]
    assert await kinds(hub.open(hub.number + 1)) == ["resync"]
    assert await kinds(hub.open(-1)) == ["resync"]


async def test_numbers_of_a_forgotten_hub_are_never_given_again() -> None:
    hubs = Hubs("e")
    hub = hubs.hub("alice")
    stream = hub.open(None)
    last = hub.publish("a", {})
    hub.close(stream)
    hub.silent_since = 1.0
    hubs.forget_silent(before=2.0)
    assert hubs.known("alice") is None
    again = hubs.hub("alice")
    assert await kinds(again.open(last)) == ["resync"]
    assert again.publish("b", {}) > last


async def test_a_page_that_does_not_read_is_ended() -> None:
    hub = Hubs("e").hub("alice")
    stream = hub.open(None)
    for _ in range(BACKLOG + 1):
        hub.publish("a", {})
    assert stream.ended


async def test_the_oldest_page_makes_room_for_a_ninth() -> None:
    hub = Hubs("e").hub("alice")
    streams = [hub.open(None) for _ in range(STREAMS + 1)]
    assert streams[0].ended
    assert not streams[1].ended
    assert len(hub.streams) == STREAMS


def test_event_ids_of_others_mean_nothing() -> None:
    hubs = Hubs("abc")
    assert hubs.number_of(hubs.event_id(7)) == 7
    for text in ("", "7", "abc", "abc.", "abd.7", "abc.-7", "abc.7.1", "abc.٧", "abc." + "9" * 40):
        assert hubs.number_of(text) is None
