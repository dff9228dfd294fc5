"""The stream itself, against a server that the test plays octet by octet: the exchange recorded with Prosody."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.interworking.xmpp.stream import ComponentStream

# Recorded: Prosody 0.12.3, component msn.xmpp.test, secret s3cret.
HEADER = (
    "<?xml version='1.0'?><stream:stream id='9df080e3-cb5d-4b13-a6bb-838910a74f52' xmlns='jabber:component:accept'"
    " from='msn.xmpp.test' xmlns:stream='http://etherx.jabber.org/streams' xml:lang='en'>"
)
HANDSHAKE = "<handshake>aa035272fce83e622acdf45d49e2ff41f21aeb12</handshake>"
REFUSED = (
    "<stream:error><not-authorized xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text "
    "xmlns='urn:ietf:params:xml:ns:xmpp-streams'>Given token does not match calculated token</text>"
    "</stream:error></stream:stream>"
)


class Holder:
    """Keeps what the stream says."""

    def __init__(self):
        self.news = asyncio.Event()
        self.is_ready, self.stanzas, self.errors, self.ends, self.batches = False, [], [], [], 0

    def ready(self):
        self.is_ready = True
        self.news.set()

    def heard(self, stanzas):
        self.stanzas += stanzas
        self.batches += 1
        self.news.set()

    def said_error(self, condition, text):
        self.errors.append((condition, text))

    def lost(self, why):
        self.ends.append(why)
        self.news.set()

    def writable(self, yes): ...

    async def until(self, true):
        async with asyncio.timeout(10):
            while not true():
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def connected(max_stanza=10_000):
    """The stream, who holds it, and the server's end of it; the header has been exchanged."""
    ends: asyncio.Queue = asyncio.Queue()
    server = await asyncio.start_server(lambda reader, writer: ends.put_nowait((reader, writer)), "127.0.0.1", 0)
    holder = Holder()
    where = server.sockets[0].getsockname()
    stream = ComponentStream("msn.xmpp.test", "s3cret", where, max_stanza, holder)
    stream.connect(*where)
    reader, writer = await ends.get()
    opening = await reader.readuntil(b'to="msn.xmpp.test">')
    assert b'xmlns="jabber:component:accept"' in opening
    writer.write(HEADER.encode())
    assert await reader.readexactly(len(HANDSHAKE)) == HANDSHAKE.encode()
    try:
        yield stream, holder, reader, writer
    finally:
        stream.drop("over")
        writer.close()
        server.close()


async def test_the_recorded_handshake():
    async with connected() as (_, holder, __, writer):
        writer.write(b"<handshake/>")
        await holder.until(lambda: holder.is_ready)


async def test_the_recorded_refusal():
    async with connected() as (_, holder, __, writer):
        writer.write(REFUSED.encode())
        await holder.until(lambda: holder.ends)
        assert holder.errors == [("not-authorized", "Given token does not match calculated token")]
        assert holder.ends == ["not-authorized (Given token does not match calculated token)"]
        assert not holder.is_ready


async def test_stanzas_come_in_batches_and_in_any_fragments():
    async with connected() as (_, holder, __, writer):
        writer.write(b"<handshake/>" + b"<message id='1'/><iq id='2'/><presence id='3'/>")
        await holder.until(lambda: len(holder.stanzas) == 3)
        assert holder.batches == 1
        for octet in b"<message id='4'><body>x</body></message>":
            writer.write(bytes([octet]))
            await writer.drain()
        await holder.until(lambda: len(holder.stanzas) == 4)
        assert [one.get("id") for one in holder.stanzas] == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("octets", "condition"),
    [
        (b"<!DOCTYPE x>", b"<not-well-formed "),
        (b"<message><body>" + b"x" * 20_000, b"<policy-violation "),
        (b"<!-- x -->", b"<restricted-xml "),
    ],
)
async def test_what_may_not_come_is_refused_in_words(octets, condition):
    async with connected() as (_, holder, reader, writer):
        writer.write(b"<handshake/>" + octets)
        told = await reader.read()
        assert condition in told
        assert told.endswith(b"</stream:error></stream:stream>")
        await holder.until(lambda: holder.ends)
        assert "cannot be read" in holder.ends[0]


async def test_the_server_ends_the_stream():
    async with connected() as (_, holder, reader, writer):
        writer.write(b"<handshake/></stream:stream>")
        assert await reader.read() == b"</stream:stream>"
        await holder.until(lambda: holder.ends)
        assert holder.ends == ["the server ended the stream"]


async def test_no_task_is_left():
    before = asyncio.all_tasks()
    async with connected() as (stream, holder, _, __):
        stream.close()
        await holder.until(lambda: holder.ends)
    async with asyncio.timeout(5):
        while {task for task in asyncio.all_tasks() - before if "run_filters" in repr(task)}:
            await asyncio.sleep(0.001)
