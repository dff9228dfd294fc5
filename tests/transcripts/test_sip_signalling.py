"""The client side of recorded SIP exchanges, replayed against the running access over its real sockets.

Requests go out as recorded, octet for octet; where the recording's registrar asked for no password, ours does, and
the recorded REGISTER is sent again with the answer in it. What comes in is handed to the other client by a stand-in
for messaging that just relays.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager

import pytest
import websockets

from opencpm.domain.report import Status
from opencpm.protocols import cpim, imdn, mime
from opencpm.protocols.sip.message import parse
from opencpm.protocols.sip.response import encode_response
from tests.access.sip.rig import PASSWORDS, authorization, delivery, running
from tests.transcripts.sip_script import Recorded, read

TRANSCRIPTS = [
    "sip-baresip-register-message",
    "sip-cpim-imdn-request-message",
    "sip-deferred-replay",
    "sip-jssip-websocket",
    "sip-linphone-message-deflated-imdn",
    "sip-pager-iscomposing",
]


class Client:
    """One recorded client: a real socket, the recorded requests, and answers to what it is asked."""

    def __init__(self, user: str) -> None:
        self.user = user
        self.responses: asyncio.Queue = asyncio.Queue()
        self.requests: asyncio.Queue = asyncio.Queue()

    async def connect(self, rig, transport: str) -> None:
        if transport == "udp":
            loop = asyncio.get_running_loop()
            self.wire, _ = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), remote_addr=rig.sip.endpoints["udp"]
            )
            self.send = self._send_datagram
        else:
            self.wire = await websockets.connect("ws://{}:{}/".format(*rig.sip.endpoints["ws"]), subprotocols=["sip"])
            self.reading = asyncio.create_task(self._read())
            self.send = self._send_frame

    async def _send_datagram(self, data: bytes) -> None:
        self.wire.sendto(data)

    async def _send_frame(self, data: bytes) -> None:
        await self.wire.send(data.decode())

    async def _read(self) -> None:
        async for frame in self.wire:
            answer = self.took(frame.encode())
            if answer:
                await self._send_frame(answer)

    def took(self, data: bytes) -> bytes:
        message = parse(data)
        if message.status:
            self.responses.put_nowait(message)
            return b""
        self.requests.put_nowait(message)
        return encode_response(message, 200, to_tag="recorded")

    async def play(self, data: bytes):
        """Send a recorded request; its final response, after the password was asked for and given."""
        await self.send(data)
        response = await self.responses.get()
        if response.status == 401:
            request = parse(data)
            value = authorization(
                response.get("www-authenticate"), self.user, PASSWORDS[self.user], request.method, request.uri
            )
            again = data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKauth", 1)
            again = again.replace(b"\r\n", f"\r\nAuthorization: {value}\r\n".encode(), 1)
            await self.send(again)
            response = await self.responses.get()
        return response


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, client: Client) -> None:
        self.client = client

    def connection_made(self, transport) -> None:
        self.transport = transport

    def datagram_received(self, data: bytes, addr) -> None:
        answer = self.client.took(data)
        if answer:
            self.transport.sendto(answer)


def requests_of(events: list[Recorded]) -> list[Recorded]:
    """What the recorded clients asked of the server, in order."""
    return [
        event
        for event in events
        if event.source in ("alice", "bob")
        and event.target == "proxy"
        and not event.data.startswith((b"SIP/2.0", b"GET "))
    ]


@asynccontextmanager
async def stage(name: str):
    """The access, both clients connected, messages relayed as they come."""
    async with running() as rig:
        transport = "ws" if "websocket" in name else "udp"
        clients = {user: Client(user) for user in ("alice", "bob")}
        for client in clients.values():
            await client.connect(rig, transport)
        yield rig, clients
        for client in clients.values():
            closed = client.wire.close()
            if closed is not None:
                await closed


@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_every_recorded_request_is_accepted_and_answered_right(name):
    events = requests_of(read(f"{name}.txt"))
    assert len(events) >= 2
    async with stage(name) as (_, clients):
        for event in events:
            request = parse(event.data)
            response = await clients[event.source].play(event.data)
            text = request.method == "MESSAGE" and request.get("content-type") in ("text/plain", "message/cpim")
            assert response.status == (202 if text else 200), request.uri
            assert response.get("call-id") == request.get("call-id")
            assert response.get("cseq") == request.get("cseq")
            assert ";tag=" in response.get("to")


@pytest.mark.parametrize("name", TRANSCRIPTS)
async def test_the_recorded_text_reaches_the_other_client_as_it_was_written(name):
    async with stage(name) as (rig, clients):
        for event in requests_of(read(f"{name}.txt")):
            request = parse(event.data)
            if request.method == "REGISTER" and b"expires=0" in event.data:
                continue
            await clients[event.source].play(event.data)
        message = await rig.inbox.messages.get()
        if name == "sip-deferred-replay":  # its Bob registers after the text
            assert rig.sip.reach("bob", message.recipients[0]).detail == "1 device registered"
        rig.sip.send([delivery(message.text, sender=message.sender, target=message.recipients[0])])
        got = await clients["bob"].requests.get()
        body = cpim.parse(got.body).content if got.get("content-type") == "message/cpim" else got.body
        assert body.decode() == message.text
        assert (await rig.inbox.outcomes.get()).source == "SIP 200 from device"


async def test_the_cpim_of_a_real_client_is_understood():
    async with stage("cpim") as (rig, clients):
        for event in requests_of(read("sip-cpim-imdn-request-message.txt")):
            await clients[event.source].play(event.data)
        message = await rig.inbox.messages.get()
        assert (message.text, message.message_id) == ("hello with cpim", "41700c05-e7a8-482a-8e63-2c7dc5e1efbc")
        assert message.wants.name == "POSITIVE_DELIVERY|DISPLAY"
        assert message.sent_at == pytest.approx(1795419851.560906)


async def test_the_deflated_notification_of_linphone_is_a_report_about_the_text():
    async with stage("linphone") as (rig, clients):
        for event in requests_of(read("sip-linphone-message-deflated-imdn.txt")):
            await clients[event.source].play(event.data)
        text = await rig.inbox.messages.get()
        report = await rig.inbox.reports.get()
        assert (report.status, report.message_id) == (Status.DELIVERED, text.message_id)
        assert report.original_sender == text.sender


async def test_linphone_accepts_our_notification_in_its_own_form():
    async with stage("linphone") as (rig, clients):
        events = requests_of(read("sip-linphone-message-deflated-imdn.txt"))
        for event in events:
            await clients[event.source].play(event.data)
        binding = next(b for b in rig.sip.core.location if b.user == "bob")
        assert binding.imdn
        assert not binding.cpim
        sent = parse(events[-1].data)
        assert imdn.parse(mime.decode_content(sent.body, "deflate")).kind == "delivery"


async def test_typing_of_a_pager_client_is_relayed_and_not_stored():
    async with stage("typing") as (rig, clients):
        for event in requests_of(read("sip-pager-iscomposing.txt")):
            await clients[event.source].play(event.data)
        _, recipient, composing = await rig.inbox.typing.get()
        assert (str(recipient), composing.active, composing.refresh) == ("sip:bob@cpm.test", True, 120.0)
        assert rig.inbox.messages.qsize() == 1


async def test_a_websocket_binding_ends_with_its_connection():
    async with stage("sip-jssip-websocket") as (rig, clients):
        event = requests_of(read("sip-jssip-websocket.txt"))[0]
        response = await clients["bob"].play(event.data)
        contact = response.get("contact")
        assert contact.startswith("<sip:3iq6qg0f@biaont98fr4t.invalid;transport=ws>")
        assert "pub-gruu=" in contact
        assert response.get("require") == "outbound"
        await rig.inbox.reaches.get()
        await clients["bob"].wire.close()
        user, reach = await rig.inbox.reaches.get()
        assert (user, reach.detail) == ("bob", "no device registered")
        assert rig.state.rooms["sip.bindings"] == {}
