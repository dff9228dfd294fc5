"""The whole server in this process, with Alice and Bob in it and an SMS centre beside it."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.smsc import LabSmsc
from opencpm.protocols.sip.message import Message, parse
from opencpm.settings import Settings
from opencpm.settings import parse as parse_settings

ALICE, BOB, PHONE = "sip:alice@cpm.test", "sip:bob@cpm.test", "+12025550101"
ALICE_MSN, BOB_MSN = "alice@msn.test", "bob@msn.test"
PASSWORD = "correct horse"
PATIENCE = 10.0

_numbers = itertools.count(1)


class House:
    """A running server."""

    def __init__(self, app: App, smsc: LabSmsc, token: str) -> None:
        self.app, self.smsc, self.token = app, smsc, token
        self.phone = smsc.handset(PHONE)

    def where(self, name: str, kind: str) -> tuple[str, int]:
        return self.app.endpoints[name][kind]

    @property
    def api(self) -> Api:
        return Api(*self.where("web", "http"), self.token)

    @asynccontextmanager
    async def device(self, who: str = ALICE, transport: str = "TCP") -> AsyncIterator[LabDevice]:
        """A registered device."""
        async with LabDevice(who, PASSWORD, self.where("sip", transport.lower()), transport=transport) as device:
            assert await device.register() == 200
            yield device

    async def ask(self, data: bytes, transport: str = "tcp") -> Message | None:
        """The first answer to octets on a connection (or socket) of their own; None: silence until it was closed."""
        if transport == "udp":
            return await _ask_udp(self.where("sip", "udp"), data)
        reader, writer = await asyncio.open_connection(*self.where("sip", transport))
        try:
            writer.write(data)
            return parse(await read_sip(reader))
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        finally:
            writer.close()

    async def lives(self) -> None:
        """A good request still works, all the way to the phone and back."""
        text = f"still there {next(_numbers)}"
        async with self.device() as alice:
            assert (await alice.message(f"tel:{PHONE}", text)).status == 202
            await self.smsc.happenings.until(lambda: any(t.text == text for t in self.phone.texts), PATIENCE)
            await alice.journal.wait("imdn", lambda entry: entry.what == "delivered", PATIENCE)


async def read_sip(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(PATIENCE):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
        return head + await reader.readexactly(length)


async def raw(where: tuple[str, int], data: bytes, *, eof: bool = False) -> bytes:
    """All that comes back on a connection of its own until the server closes it; ``eof``: we say that this is all."""
    reader, writer = await asyncio.open_connection(*where)
    try:
        writer.write(data)
        if eof:
            writer.write_eof()
        async with asyncio.timeout(PATIENCE):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


class _Asker(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def datagram_received(self, data: bytes, address: object) -> None:
        if not self.answer.done():
            self.answer.set_result(data)


async def _ask_udp(where: tuple[str, int], data: bytes) -> Message | None:
    """The answer, or None if an OPTIONS sent after it was answered first."""
    transport, asker = await asyncio.get_running_loop().create_datagram_endpoint(_Asker, remote_addr=where)
    host, port = transport.get_extra_info("sockname")
    try:
        transport.sendto(data)
        transport.sendto(request("OPTIONS", "sip:cpm.test", via=f"SIP/2.0/UDP {host}:{port}", call_id="after"))
        async with asyncio.timeout(PATIENCE):
            found = parse(await asker.answer)
        return None if found.get("call-id") == "after" else found
    finally:
        transport.close()


def request(
    method: str,
    uri: str,
    *fields: tuple[str, str],
    body: bytes = b"",
    via: str = "SIP/2.0/TCP 127.0.0.1:9",
    call_id: str = "",
    frm: str = ALICE,
    to: str = "",
) -> bytes:
    """A request as text, nothing checked or escaped."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via};branch=z9hG4bK{secrets.token_hex(6)};rport",
        "Max-Forwards: 70",
        f"From: <{frm}>;tag={secrets.token_hex(4)}",
        f"To: <{to or uri}>",
        f"Call-ID: {call_id or secrets.token_hex(6)}",
        f"CSeq: 1 {method}",
        *(f"{name}: {value}" for name, value in fields),
        f"Content-Length: {len(body)}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape") + body


def settings(folder: Path, smsc: tuple[str, int], **more: Any) -> Settings:
    """Everything on; ``more`` are whole sections or networks of the test's own."""
    sip = {"udp_port": 0, "tcp_port": 0, "ws_port": 0, "msrp_port": 0, "trust_flows": ["tcp", "ws", "udp"]}
    link = {"host": smsc[0], "port": smsc[1], "system_id": "opencpm", "password": "sesame"}
    networks: Mapping[str, Any] = {
        "sms": {"type": "sms", **link, "reconnect_min": 0.05, "reconnect_max": 0.1},
        **more.pop("networks", {}),
    }
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "sip": sip,
        "web": {"port": 0},
        "policy": {"order": list(networks), "home_region": "US", "domains": {"msn.test": "msn"}},
        "networks": networks,
    }
    return parse_settings({**values, **more}, folder)


async def settle_in(of: Settings, msn_password: str = "") -> str:
    """Alice and Bob move in; Alice's token for the API."""
    async with opened(of) as (_, people):
        people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel("+12025550100")])
        people.add_user("bob", "Bob", PASSWORD, [Address("sip", "bob@cpm.test")])
        if msn_password:
            people.link_account("alice", "msn", Address("msn", ALICE_MSN), msn_password)
        return people.new_token("alice", "test")


@asynccontextmanager
async def in_front_of(good: tuple[str, int], bad: Sequence[bytes]) -> AsyncIterator[tuple[str, int]]:
    """A port where visitors meet something bad, one after the other; later ones are passed on to the good server."""
    left = list(bad)
    tasks: set[asyncio.Task[None]] = set()

    async def met(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if left:
                await reader.read(1024)
                writer.write(left.pop(0))
                await writer.drain()
            else:
                there, back = await asyncio.open_connection(*good)
                await asyncio.gather(_pour(reader, back), _pour(there, writer))
        except ConnectionError:
            pass
        finally:
            writer.close()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(met(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[:2]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
    writer.close()


@asynccontextmanager
async def house(
    folder: Path, *, front: Sequence[bytes] = (), msn_password: str = "", **more: Any
) -> AsyncIterator[House]:
    """``front``: what the SMS centre says the first times that the server comes, instead of what it should."""
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, in_front_of(smsc.address, front) as address:
        of = settings(folder, address if front else smsc.address, **more)
        token = await settle_in(of, msn_password)
        async with build(of).running() as app:
            here = House(app, smsc, token)
            await smsc.wait_bound(1, PATIENCE)
            yield here
