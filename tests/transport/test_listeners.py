"""Every kind of listener on real sockets, TLS with a certificate made for the test."""

import asyncio

import pytest
import websockets

from opencpm.transport.flow import Limits
from opencpm.transport.listeners import Listeners
from tests.transport.certificates import HOST, client_tls, make_certificate, server_tls

ONE = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"


class Heard:
    def __init__(self, limits=Limits()):  # noqa: B008
        self.batches: asyncio.Queue = asyncio.Queue()
        self.gone: asyncio.Queue = asyncio.Queue()
        self.listeners = Listeners(self.batches.put_nowait, self.gone.put_nowait, limits)


@pytest.fixture
async def heard():
    made = Heard()
    yield made
    made.listeners.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.mark.parametrize("kind", ["TCP", "TLS"])
async def test_streams(heard, certificate, kind):
    tls = kind == "TLS"
    address = await heard.listeners.listen(kind, HOST, 0, server_tls(certificate) if tls else None)
    reader, writer = await asyncio.open_connection(*address, ssl=client_tls(certificate) if tls else None)
    writer.write(ONE + ONE)
    batch = list(await heard.batches.get())
    while len(batch) < 2:
        batch += await heard.batches.get()
    flow = batch[0][0]
    assert [data for _, data in batch] == [ONE, ONE]
    assert (flow.kind, flow.reliable, flow.secure, flow.local) == (kind, True, tls, address)
    flow.send(b"answer ")
    flow.send(b"joined")
    assert await reader.readexactly(13) == b"answer joined"
    writer.close()
    assert await heard.gone.get() is flow
    assert not flow.open
    assert heard.listeners.connections == 0


@pytest.mark.parametrize("kind", ["WS", "WSS"])
async def test_websockets(heard, certificate, kind):
    tls = kind == "WSS"
    address = await heard.listeners.listen(kind, HOST, 0, server_tls(certificate) if tls else None)
    uri = f"{kind.lower()}://{HOST}:{address[1]}/"
    async with websockets.connect(uri, subprotocols=["sip"], ssl=client_tls(certificate) if tls else None) as client:
        await client.send(ONE.decode())
        ((flow, data),) = await heard.batches.get()
        assert (flow.kind, data) == (kind, ONE)
        flow.send(ONE)
        assert await client.recv() == ONE.decode()
    assert await heard.gone.get() is flow


async def test_what_we_dial_is_a_flow_too(heard):
    far = Heard()
    address = await far.listeners.listen("TCP", HOST, 0)
    flow = await heard.listeners.dial("TCP", *address)
    flow.send(ONE)
    ((back, data),) = await far.batches.get()
    back.send(data)
    ((same, _),) = await heard.batches.get()
    assert same is flow
    flow.close()
    assert await heard.gone.get() is flow
    far.listeners.close()
    with pytest.raises(OSError):
        await heard.listeners.dial("TCP", *address)


async def test_udp_flows_by_port(heard):
    one = await heard.listeners.listen("UDP", HOST, 0)
    two = await heard.listeners.listen("UDP", HOST, 0)
    assert heard.listeners.udp_flow((HOST, 9), two[1]).local == two
    assert heard.listeners.udp_flow((HOST, 9)).local == one
    assert heard.listeners.udp_flow(("::1", 9)) is None


async def test_a_stream_that_is_no_sip_is_closed():
    heard = Heard(Limits(head=200))
    address = await heard.listeners.listen("TCP", HOST, 0)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"x" * 300)
    assert await reader.read() == b""
    assert (await heard.gone.get()).open is False
    writer.close()
    heard.listeners.close()


async def test_one_connection_too_many_is_refused():
    heard = Heard(Limits(connections=1))
    address = await heard.listeners.listen("TCP", HOST, 0)
    _, first = await asyncio.open_connection(*address)
    first.write(ONE)
    await heard.batches.get()
    reader, second = await asyncio.open_connection(*address)
    assert await reader.read() == b""
    first.close()
    second.close()
    heard.listeners.close()


async def test_listening_needs_the_right_things(heard):
    for kind, tls in (("TLS", None), ("SCTP", None)):
        with pytest.raises(ValueError):
            await heard.listeners.listen(kind, HOST, 0, tls)
