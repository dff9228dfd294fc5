from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence

import pytest

from opencpm.protocols.msrp.message import Parser, request
from opencpm.protocols.msrp.session import Event, Opened, Received, Sent, Session
from opencpm.protocols.msrp.uri import MsrpUri
from opencpm.transport.msrp import MsrpHub


def now() -> float:
    return asyncio.get_running_loop().time()


class User:
    """Accepts every message, and remembers."""

    def __init__(self, hub: MsrpHub) -> None:
        self.hub = hub
        self.session: Session | None = None
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        self.lost: asyncio.Queue[Exception | None] = asyncio.Queue()

    def media_happened(self, events: Sequence[Event]) -> None:
        for event in events:
            if isinstance(event, Received) and self.session is not None:
                self.session.accept(event.receipt)
            self.events.put_nowait(event)

    def media_lost(self, error: Exception | None) -> None:
        self.lost.put_nowait(error)


@pytest.fixture
async def hub() -> AsyncIterator[MsrpHub]:
    hub = MsrpHub(patience=5.0)
    await hub.start()
    yield hub
    await hub.close()


def sessions(hub: MsrpHub) -> tuple[Session, Session]:
    counter = itertools.count()
    ids = lambda: f"t{next(counter):06d}"  # noqa: E731
    listening, calling = str(hub.uri("passive")), str(MsrpUri("127.0.0.1", 9, "active"))
    return Session(listening, calling, ids), Session(calling, listening, ids)


def pair(hub: MsrpHub) -> tuple[Session, User, Session, User]:
    passive, active = sessions(hub)
    server, client = User(hub), User(hub)
    server.session, client.session = passive, active
    hub.expect(passive, server)
    target = hub.uri("passive")
    assert target is not None
    hub.connect(active, client, target)
    return passive, server, active, client


async def test_messages_both_ways_and_the_end(hub):
    passive, server, active, client = pair(hub)
    assert await server.events.get() == Opened()
    assert hub.bound(passive)
    passive.send("m1", "text/plain", b"to the caller", now())
    hub.wake(passive)
    assert await client.events.get() == Opened()
    received = await client.events.get()
    assert isinstance(received, Received)
    assert received.body == b"to the caller"
    assert await server.events.get() == Sent("m1")
    body = bytes(2_000_000)
    active.send("m2", "x/y", body, now())
    hub.wake(active)
    received = await server.events.get()
    assert isinstance(received, Received)
    assert received.body == body
    assert await client.events.get() == Sent("m2")
    hub.forget(active)
    assert await server.lost.get() is None
    assert not hub.bound(passive)


async def test_what_waits_is_sent_when_the_peer_connects(hub):
    passive, active = sessions(hub)
    server, client = User(hub), User(hub)
    client.session = active
    hub.expect(passive, server)
    passive.send("m1", "text/plain", b"early", now())
    hub.wake(passive)
    hub.connect(active, client, hub.uri("passive"))
    events = [await client.events.get(), await client.events.get()]
    assert isinstance(events[1], Received)


async def test_nobody_listens(hub):
    _, active = sessions(hub)
    client = User(hub)
    port = hub.endpoints["msrp"][1]
    await hub.close()
    hub.connect(active, client, MsrpUri("127.0.0.1", port, "passive"))
    assert isinstance(await client.lost.get(), OSError)


async def test_nonsense_ends_only_its_own_connection(hub):
    _, server, active, _client = pair(hub)
    assert await server.events.get() == Opened()
    reader, writer = await asyncio.open_connection(*hub.endpoints["msrp"])
    writer.write(b"GET / HTTP/1.1\r\n\r\n")
    assert await reader.read() == b""
    writer.close()
    active.send("m", "text/plain", b"still here", now())
    hub.wake(active)
    assert isinstance(await server.events.get(), Received)


async def test_unknown_and_taken_sessions_are_refused(hub):
    passive, server, _, _ = pair(hub)
    assert await server.events.get() == Opened()
    reader, writer = await asyncio.open_connection(*hub.endpoints["msrp"])
    writer.write(request("tid1", "SEND", "msrp://h:1/nobody;tcp", "msrp://h:2/x;tcp", [("Message-ID", "m")]))
    writer.write(request("tid2", "SEND", passive.local, passive.remote, [("Message-ID", "m")]))
    parser, statuses = Parser(), []
    while len(statuses) < 2:
        statuses += [frame.status for frame in parser.feed(await reader.read(4096))]
    assert statuses == [481, 506]
    writer.close()


async def test_a_connection_that_names_no_session_is_closed():
    hub = MsrpHub(patience=0.01)
    await hub.start()
    reader, writer = await asyncio.open_connection(*hub.endpoints["msrp"])
    assert await reader.read() == b""
    writer.close()
    await hub.close()


async def test_too_many_connections():
    hub = MsrpHub(max_connections=0)
    await hub.start()
    reader, _writer = await asyncio.open_connection(*hub.endpoints["msrp"])
    try:
        assert await reader.read() == b""
    except ConnectionResetError:
        pass
    assert hub.connections == 0
    await hub.close()
