"""The running server with a VASP that submits to it and listens, and with devices of people."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h11

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.trail import TrailEntry
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.mmsc import http
from opencpm.lab.mmsc.phone import composed
from opencpm.protocols import mm7
from opencpm.protocols.mime import Part
from opencpm.protocols.mm7 import REL_5, REL_6, Release
from opencpm.protocols.mm7.operations import Request, Response, SubmitReq
from opencpm.protocols.mm7.status import meaning
from opencpm.protocols.mm7.values import NUMBER, SHORT_CODE, Recipients, SenderIdentification, Status
from opencpm.protocols.mm7.values import Address as Mm7Address
from opencpm.settings import parse
from tests.interworking.mms.pictures import jpeg
from tests.interworking.sms.support import eventually

ALICE, ALICE_NUMBER = "sip:alice@cpm.test", "+12025550100"
CODE, PASSWORD = "7755", "correct horse"
__all__ = ["REL_5", "eventually"]


@dataclass
class Vasp:
    """A service: ``heard`` is what the server brought, as messages; ``codes`` what it answers, one after the other
    (1000 when they are over; 0: nothing; over 9000: no MM7 but HTTP 503)."""

    user: str = "news"
    password: str = PASSWORD
    release: Release = REL_6
    heard: list[mm7.Message] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    authorization: list[str] = field(default_factory=list)
    url: str = ""
    submit_url: str = ""
    number: int = 0
    _server: asyncio.Server | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _port: int = 0

    async def up(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}/news"

    async def down(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await http.serve(h11.Connection(our_role=h11.SERVER), http.Streams(reader, writer), self._handle)
        except (OSError, h11.RemoteProtocolError):
            pass
        finally:
            writer.close()

    async def _handle(self, request: http.Request) -> http.Response | None:
        message = mm7.decode(request.headers["content-type"], request.body)
        self.authorization.append(request.headers.get("authorization", ""))
        self.heard.append(message)
        self._news.set()
        code = self.codes.pop(0) if self.codes else 1000
        if code == 0:
            return None
        if code > 9000:
            return http.Response(503)
        return http.Response(200, *mm7.encode(mm7.answer(message, Status(code, meaning(code).text))))

    async def wait(self, kind: type[Any], count: int = 1) -> Any:
        """The ``count``-th operation of a kind."""
        async with asyncio.timeout(15):
            while len(found := [one for one in self.heard if isinstance(one.operation, kind)]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1].operation

    async def ask(self, request: Request, content: Part | None = None, transaction: str = "") -> mm7.Message:
        """What the server answers."""
        self.number += 1
        one = mm7.Message(transaction or f"t{self.number}", request, self.release, content)
        return read(await self.post(*mm7.encode(one, "bb")))

    async def post(self, content_type: str, body: bytes) -> http.Response:
        secret = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        headers = [("Content-Type", content_type), ("SOAPAction", '""'), ("Authorization", f"Basic {secret}")]
        return await http.post(self.submit_url, headers, body)

    async def submit(
        self, to: str = ALICE_NUMBER, text: str = "News", transaction: str = "", picture: bool = True, **more: Any
    ) -> Response:
        """Submit a text with a picture."""
        values = {
            "sender": SenderIdentification("news", "sport", Mm7Address(SHORT_CODE, CODE)),
            "recipients": Recipients(to=(Mm7Address(NUMBER, to),)),
            "delivery_report": True,
            "read_reply": True,
            **more,
        }
        content = composed(text, [("goal.jpg", "image/jpeg", jpeg())] if picture else [])
        said = (await self.ask(SubmitReq(**values), content, transaction)).operation
        assert isinstance(said, Response)
        return said


def read(response: http.Response) -> mm7.Message:
    assert response.status == 200, response
    return mm7.decode(response.content_type, response.body)


@dataclass
class House:
    app: App
    vasp: Vasp
    token: str

    @property
    def api(self) -> Api:
        return Api(*self.app.endpoints["web"]["http"], self.token)

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        async with LabDevice(ALICE, PASSWORD, self.app.endpoints["sip"]["tcp"], transport="TCP") as device:
            assert await device.register() == 200
            yield device

    def trail(self, ident: str) -> list[TrailEntry]:
        subject = self.app.store.find(ident)
        return list(self.app.store.trail(subject)) if subject else []

    async def told(self, ident: str, step: str) -> TrailEntry:
        await eventually(lambda: any(one.step.value == step for one in self.trail(ident)), 15)
        return [one for one in self.trail(ident) if one.step.value == step][-1]


@asynccontextmanager
async def house(
    folder: Path,
    *,
    networks: dict[str, Any] | None = None,
    terms: dict[str, Any] | None = None,
    takes: bool = True,
    **mm7_settings: Any,
) -> AsyncIterator[House]:
    vasp = Vasp()
    await vasp.up()
    url = {"url": vasp.url, "username": "opencpm", "password": "let me in"} if takes else {}
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "mm7": {
            "enabled": True,
            "port": 0,
            "retry_min": 0.05,
            "retry_max": 0.2,
            "accounts": {"news": {**url, **(terms or {})}},
            **mm7_settings,
        },
        "policy": {"home_region": "US", "retry_schedule": [0.1]},
        "networks": networks or {},
    }
    of = parse(values, folder)
    async with opened(of) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(ALICE_NUMBER)])
            people.add_user("news", "News", PASSWORD, [Address("sip", "news@cpm.test"), tel(CODE)])
            people.add_user("bob", "Bob", PASSWORD, [Address("sip", "bob@cpm.test")])
        token = people.new_token("alice", "test")
    try:
        async with build(of).running() as app:
            host, port = app.endpoints["mm7"]["http"]
            vasp.submit_url = f"http://{host}:{port}/mm7"
            yield House(app, vasp, token)
    finally:
        await vasp.down()
