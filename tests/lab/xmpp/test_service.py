"""The stand-in server is as strict as a real one where it matters (XEP-0114, RFC 6120)."""

import asyncio
import hashlib
from contextlib import asynccontextmanager

import pytest

from opencpm.lab.xmpp import LabXmpp

HEADER = "<stream:stream xmlns='jabber:component:accept' xmlns:stream='http://etherx.jabber.org/streams' to='{}'>"


@asynccontextmanager
async def wire(server, domain="cpm.xmpp.test"):
    reader, writer = await asyncio.open_connection(*server.address)
    writer.write(HEADER.format(domain).encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def shaken(server, reader, writer):
    header = (await reader.readuntil(b">")).decode()
    header += (await reader.readuntil(b">")).decode()
    ident = header.partition("id='")[2].partition("'")[0]
    digest = hashlib.sha1((ident + server.settings["secret"]).encode()).hexdigest()
    writer.write(f"<handshake>{digest}</handshake>".encode())
    assert await reader.readuntil(b"/>") == b"<handshake/>"


async def test_a_component_comes_in_and_is_routed_for():
    async with LabXmpp() as server, wire(server) as (reader, writer):
        await shaken(server, reader, writer)
        assert server.connected
        bob = server.person("bob")
        bob.sign_in()
        writer.write(b"<message from='a@cpm.xmpp.test' to='bob@xmpp.test' id='1'><body>hi</body></message>")
        assert (await bob.text("hi")).sender == "a@cpm.xmpp.test"
        bob.write("a@cpm.xmpp.test", "hello")
        assert b"<body>hello</body>" in await reader.readuntil(b"</message>")


@pytest.mark.parametrize(
    ("said", "condition"),
    [
        (b"<handshake>0000</handshake>", b"not-authorized"),
        (b"<message from='a@cpm.xmpp.test' to='bob@xmpp.test'/>", b"not-authorized"),
        (b"<!DOCTYPE x>", b"not-well-formed"),
    ],
)
async def test_who_does_not_know_the_secret(said, condition):
    async with LabXmpp() as server, wire(server) as (reader, writer):
        writer.write(said)
        told = await reader.read()
        assert b"<stream:error><" + condition in told
        assert not server.connected


async def test_an_unknown_component():
    async with LabXmpp() as server, wire(server, "other.test") as (reader, _):
        assert b"host-unknown" in await reader.read()


async def test_a_sender_that_is_not_the_components():
    async with LabXmpp() as server, wire(server) as (reader, writer):
        await shaken(server, reader, writer)
        writer.write(b"<message from='bob@xmpp.test' to='carol@xmpp.test'/>")
        assert b"invalid-from" in await reader.read()


async def test_what_is_sent_while_no_component_is_there_comes_back():
    async with LabXmpp() as server:
        bob = server.person("bob")
        bob.sign_in()
        bob.write("a@cpm.xmpp.test", "hello?")
        await bob.until(lambda: bob.errors)
        assert bob.errors[0].error.condition == "service-unavailable"
        assert bob.errors[0].error.temporary


async def test_offline_messages_are_kept_with_their_time_and_states_are_not():
    async with LabXmpp() as server, wire(server) as (reader, writer):
        await shaken(server, reader, writer)
        bob = server.person("bob")
        state = "<active xmlns='http://jabber.org/protocol/chatstates'/>"
        writer.write(
            b"<message from='a@cpm.xmpp.test' to='bob@xmpp.test' type='chat'><body>later</body></message>"
            + f"<message id='s' from='a@cpm.xmpp.test' to='bob@xmpp.test' type='chat'>{state}</message>".encode()
        )
        assert b"service-unavailable" in await reader.readuntil(b"</message>")
        assert bob.texts == []
        bob.sign_in()
        assert (await bob.text("later")).delayed


async def test_only_on_loopback():
    with pytest.raises(ValueError, match="loopback"):
        LabXmpp(host="0.0.0.0")
