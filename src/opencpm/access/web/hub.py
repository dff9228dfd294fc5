"""The open event streams of a subscriber's pages: bounded, numbered, replayable for a short while."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

REPLAY = 256  # events kept for a page that comes back
BACKLOG = 1000  # events a slow page may be behind before its stream is ended
STREAMS = 8  # open pages per subscriber; the oldest is ended for a ninth


class Event(NamedTuple):
    number: int
    kind: str
    data: str  # JSON text


class Stream:
    """One open page."""

    __slots__ = ("_events", "_wake", "ended")

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._wake = asyncio.Event()
        self.ended = False

    def push(self, event: Event) -> None:
        if len(self._events) >= BACKLOG:
            self.end()
            return
        self._events.append(event)
        self._wake.set()

    def end(self) -> None:
        self.ended = True
        self._wake.set()

    async def batch(self, patience: float) -> Sequence[Event]:
        """What came since the last call; empty when nothing came for ``patience`` seconds or the stream has ended."""
        if not self._events and not self.ended:
            try:
                async with asyncio.timeout(patience):
                    await self._wake.wait()
            except TimeoutError:
                return ()
        self._wake.clear()
        events, self._events = self._events, []
        return events


@dataclass(slots=True)
class Hub:
    """One subscriber: their open streams and the latest events."""

    owner: str
    ring: deque[Event] = field(default_factory=lambda: deque(maxlen=REPLAY))
    streams: list[Stream] = field(default_factory=list)
    number: int = 0
    silent_since: float = 0.0
    unsubscribe: Callable[[], None] | None = None

    def publish(self, kind: str, data: Mapping[str, Any]) -> int:
        """Give an event to all open streams; returns its number, by which a page acknowledges it."""
        self.number += 1
        event = Event(self.number, kind, json.dumps({"type": kind, **data}, ensure_ascii=True, separators=(",", ":")))
        self.ring.append(event)
        for stream in self.streams:
            stream.push(event)
        return self.number

    def open(self, last: int | None) -> Stream:
        """A new stream; ``last``: the number of the last event the page saw, None for a page that saw none."""
        while len(self.streams) >= STREAMS:
            self.streams.pop(0).end()
        stream = Stream()
        if last is not None:
            self._replay(stream, last)
        self.streams.append(stream)
        return stream

    def close(self, stream: Stream) -> None:
        stream.end()
        if stream in self.streams:
            self.streams.remove(stream)

    def _replay(self, stream: Stream, last: int) -> None:
        oldest = self.ring[0].number if self.ring else self.number + 1
        if not oldest - 1 <= last <= self.number:
            stream.push(Event(self.number, "resync", '{"type":"resync"}'))
            return
        for event in self.ring:
            if event.number > last:
                stream.push(event)


class Hubs:
    """All subscribers with open pages, or with pages that were open a moment ago."""

    __slots__ = ("_floor", "_hubs", "epoch")

    def __init__(self, epoch: str) -> None:
        self.epoch = epoch  # names this process in event ids: numbers of another one mean nothing here
        self._hubs: dict[str, Hub] = {}
        self._floor = 0  # above every number of a forgotten hub: who saw those must look at everything again

    def hub(self, owner: str) -> Hub:
        hub = self._hubs.get(owner)
        if hub is None:
            hub = self._hubs[owner] = Hub(owner, number=self._floor)
        return hub

    def known(self, owner: str) -> Hub | None:
        return self._hubs.get(owner)

    def publish(self, owner: str, kind: str, data: Mapping[str, Any]) -> int | None:
        """The event's number, or None where no page is or was lately open."""
        hub = self._hubs.get(owner)
        return hub.publish(kind, data) if hub is not None else None

    def is_open(self, owner: str) -> bool:
        hub = self._hubs.get(owner)
        return hub is not None and bool(hub.streams)

    def count(self) -> int:
        return sum(len(hub.streams) for hub in self._hubs.values())

    def owners(self) -> list[str]:
        return [owner for owner, hub in self._hubs.items() if hub.streams]

    def end_all(self) -> None:
        for hub in self._hubs.values():
            for stream in hub.streams:
                stream.end()

    def forget_silent(self, before: float) -> None:
        """Drop subscribers whose last page closed before this time."""
        for owner, hub in list(self._hubs.items()):
            if not hub.streams and hub.silent_since < before:
                if hub.unsubscribe:
                    hub.unsubscribe()
                self._floor = max(self._floor, hub.number + 1)
                del self._hubs[owner]

    def event_id(self, number: int) -> str:
        return f"{self.epoch}.{number}"

    def number_of(self, event_id: str) -> int | None:
        """The number in an event id of this process, None for any other text."""
        epoch, _, number = event_id.partition(".")
        return (
            int(number) if epoch == self.epoch and number.isascii() and number.isdigit() and len(number) < 16 else None
        )
