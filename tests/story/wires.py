"""A device over TLS and WebSocket, and one whose MSRP side may listen or connect, in clear or over TLS."""

from __future__ import annotations

import asyncio
import secrets
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from opencpm.lab.device import LabDevice, Refused
from opencpm.lab.device.agent import Agent
from opencpm.protocols import cpim, sdp
from opencpm.protocols.msrp import session as msrp
from opencpm.protocols.msrp.uri import MsrpUri, parse_path
from opencpm.protocols.sip.dialog import Dialog, uac_dialog, uas_dialog
from opencpm.protocols.sip.headers import parse_cseq
from opencpm.protocols.sip.message import Message
from opencpm.protocols.sip.transaction import ServerTransaction
from opencpm.transport.flow import Flow
from opencpm.transport.msrp import MsrpHub

HOST = "127.0.0.1"
WHEN = "2026-03-01T12:00:00Z"


@asynccontextmanager
async def by(device: LabDevice, transport: str, where: tuple[str, int], trust: str = "") -> AsyncIterator[LabDevice]:
    """The device, with a flow to its server over any transport; not registered yet."""
    if transport in ("udp", "tcp"):
        async with device:
            yield device
        return
    context = ssl.create_default_context(cafile=trust) if transport in ("tls", "wss") else None
    if transport == "tls":
        device.agent.flow = await device.agent._listeners.dial("TLS", *where, context)
        yield device
        device.agent.close()
        return
    url = f"{transport}://{where[0]}:{where[1]}/"
    async with connect(url, subprotocols=[Subprotocol("sip")], ssl=context, proxy=None) as socket:
        out: asyncio.Queue[bytes] = asyncio.Queue()
        flow = Flow("ws", transport.upper(), (HOST, 0), socket.local_address[:2], out.put_nowait)
        device.agent.flow = flow
        tasks = [asyncio.create_task(_read(device.agent, flow, socket)), asyncio.create_task(_write(out, socket))]
        yield device
        device.agent.close()
        for task in tasks:
            task.cancel()


async def _read(agent: Agent, flow: Flow, socket: ClientConnection) -> None:
    try:
        async for data in socket:
            agent._received([(flow, data.encode() if isinstance(data, str) else data)])
    except ConnectionClosed:
        agent._lost(flow)


async def _write(out: asyncio.Queue[bytes], socket: ClientConnection) -> None:
    while True:
        await socket.send((await out.get()).decode())


class Talk:
    """One session of a device: ``setup`` is what it says in its SDP, ``secure`` takes MSRP over TLS."""

    def __init__(self, device: LabDevice, setup: str, secure: bool = False, trust: str = "", key: str = "") -> None:
        self.device, self.setup, self.secure = device, setup, secure
        self.heard: list[str] = []
        self.opened = asyncio.Event()
        self._something = asyncio.Event()
        self._dialog: Dialog | None = None
        self._answers: dict[str, asyncio.Future[int]] = {}
        server, client = _contexts(trust, key) if secure else (None, None)
        self._hub = MsrpHub(tls_port=0 if secure else None, server_tls=server, client_tls=client)
        self._session: msrp.Session

    async def __aenter__(self) -> Talk:
        await self._hub.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._hub.close()

    async def invite(self, target: str) -> Message:
        """Ask for a session; the 200. Raises Refused."""
        ours = self._terms(self.setup)
        device = self.device
        fields = [
            *device.out_of_dialog("INVITE", target, "session"),
            ("Contact", f"<{device.agent.contact}>"),
            ("Content-Type", sdp.CONTENT_TYPE),
        ]
        body = sdp.build(ours, session_id=1, version=1)
        request, response = await device.agent.request("INVITE", target, fields, body)
        if response.status >= 300:
            raise Refused(response)
        self._dialog = uac_dialog(request, response)
        uri, acknowledgement = self._dialog.ack(parse_cseq(request.get("cseq")).number)
        device.agent.send("ACK", uri, acknowledgement)
        self._begin(ours, response.body, "passive")
        return response

    def take(self, transaction: ServerTransaction, request: Message) -> None:
        """Answer an invitation with our setup (give it to the device as ``_invited``)."""
        ours, tag = self._terms(self.setup), secrets.token_hex(4)
        self._dialog = uas_dialog(request, tag)
        self._begin(ours, request.body, "active")
        body = sdp.answer(sdp.parse(request.body), ours, session_id=1, version=1)
        fields = [("Contact", f"<{self.device.agent.contact}>"), ("Content-Type", sdp.CONTENT_TYPE)]
        self.device.agent.respond(transaction, request, 200, fields, body, tag)

    async def say(self, text: str) -> int:
        """Send a text; the MSRP status it was answered with."""
        ident = secrets.token_hex(6)
        answer = self._answers[ident] = asyncio.get_running_loop().create_future()
        body = cpim.compose(text.encode(), "text/plain", message_id=ident, datetime=WHEN)
        self._session.send(ident, cpim.CONTENT_TYPE, body, asyncio.get_running_loop().time())
        self._hub.wake(self._session)
        async with asyncio.timeout(15):
            status: int = await answer
        return status

    async def hear(self, text: str) -> None:
        """Wait for a text. Raises TimeoutError."""
        async with asyncio.timeout(15):
            while text not in self.heard:
                self._something.clear()
                await self._something.wait()

    async def close(self) -> int:
        """BYE; the status it was answered with."""
        assert self._dialog is not None
        uri, fields = self._dialog.next_request("BYE")
        _, response = await self.device.agent.request("BYE", uri, fields)
        self._hub.forget(self._session)
        return response.status

    def _terms(self, setup: str) -> sdp.MsrpMedia:
        path = self._hub.uri(secrets.token_hex(6), secure=self.secure)
        assert path is not None
        types: Any = {"accept_types": ("message/cpim",), "wrapped_types": ("*",)}
        return sdp.MsrpMedia(path=str(path), host=HOST, port=path.port, secure=self.secure, setup=setup, **types)

    def _begin(self, ours: sdp.MsrpMedia, theirs: bytes, default: str) -> None:
        _, peer = sdp.msrp_media(sdp.parse(theirs), setup=default)
        self._session = msrp.Session(ours.path, peer.path, lambda: secrets.token_hex(6))
        listens = peer.setup == "passive" or (peer.setup == "actpass" and self.setup == "active")
        if listens:
            target: MsrpUri = parse_path(peer.path)[0]
            self._hub.connect(self._session, self, target)
        else:
            self._hub.expect(self._session, self)

    # what the hub tells

    def media_happened(self, events: Sequence[msrp.Event]) -> None:
        for event in events:
            if isinstance(event, msrp.Received):
                self._session.accept(event.receipt)
                self.heard.append(cpim.parse(event.body).text)
            elif isinstance(event, msrp.Sent):
                self._answers.pop(event.message_id).set_result(200)
            elif isinstance(event, msrp.Failed):
                self._answers.pop(event.message_id).set_result(event.status)
        self.opened.set()
        self._something.set()
        self._hub.wake(self._session)

    def media_lost(self, error: Exception | None) -> None:
        self._something.set()


def _contexts(trust: str, key: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(trust, key)
    return server, ssl.create_default_context(cafile=trust)
