"""Alice's server as a process that can be killed, and what lives on beside it: the SMS centre with Bob's phone."""

from __future__ import annotations

import asyncio
import json
import os
import random
import secrets
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from opencpm.app.people import opened
from opencpm.cli.demo_setup import toml
from opencpm.domain.address import Address, tel
from opencpm.lab.device import Entry, LabDevice
from opencpm.lab.http import Api, ApiError
from opencpm.lab.process import ServerProcess
from opencpm.lab.smsc import LabSmsc
from opencpm.lab.smsc.happenings import Happening
from opencpm.lab.smsc.log import PduLine
from opencpm.protocols import cpim, imdn
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.message import parse
from opencpm.settings import parse as parse_settings
from tests.crash.ledger import Kept, Ledger

ALICE, ALICE_NUMBER, BOB_NUMBER = "sip:alice@cpm.test", "+12025550100", "+12025550101"
INSTANCES = {
    "TCP": "urn:uuid:00000000-0000-4000-8000-000000000001",
    "UDP": "urn:uuid:00000000-0000-4000-8000-000000000002",
}
LIMIT = 30.0


class Fuse:
    """Kills the server at the n-th thing that happens, wherever it is just then."""

    def __init__(self) -> None:
        self._left = 0
        self._pid = 0
        self.blown = asyncio.Event()

    def lay(self, pid: int, after: int) -> None:
        self._pid, self._left = pid, after
        self.blown.clear()

    def tick(self) -> None:
        if self._left:
            self._left -= 1
            if not self._left:
                os.kill(self._pid, signal.SIGKILL)
                self.blown.set()


class Town:
    """Everything but the load. ``ledger`` is written by those outside the server only."""

    def __init__(self, folder: Path, smsc: LabSmsc) -> None:
        self.folder, self.smsc = folder, smsc
        self.ledger, self.fuse = Ledger(), Fuse()
        self.phone = smsc.handset(BOB_NUMBER)
        self.changed = asyncio.Event()
        self.password, self.token = secrets.token_urlsafe(12), ""
        self._secret = secrets.token_urlsafe(32)
        self.server = ServerProcess(folder / "opencpm.toml", folder / "server.log")
        smsc.log.subscribe(self._pdu)
        smsc.happenings.subscribe(self._happened)

    def _settings(self, **ports: int) -> dict[str, Any]:
        host, port = self.smsc.address
        link = {"host": host, "port": port, "system_id": "opencpm", "password": "sesame"}
        return {
            "domain": "cpm.test",
            "secret_key": self._secret,
            "log_level": "warning",
            "sip": {
                "udp_port": ports.get("udp", 0),
                "tcp_port": ports.get("tcp", 0),
                "msrp_port": 0,
                "trust_flows": ["udp", "tcp"],
            },
            "web": {"port": ports.get("http", 0)},
            "policy": {"order": ["sms"], "home_region": "US"},
            "networks": {"sms": {"type": "sms", **link, "reconnect_min": 0.1, "reference_bits": 16}},
        }

    async def prepare(self) -> None:
        """Settings on disk, with Alice in them."""
        values = self._settings()
        async with opened(parse_settings(values, self.folder)) as (_, people):
            people.add_user("alice", "Alice", self.password, [Address("sip", "alice@cpm.test"), tel(ALICE_NUMBER)])
            people.add_contact("alice", "Bob", [tel(BOB_NUMBER)])
            self.token = people.new_token("alice", "test")
        self.server.config.write_text("\n".join(toml(values)))

    async def start(self) -> None:
        """Start the server; from the second time on where it was before."""
        await self.server.start()
        found = {kind: where[1] for kinds in self.server.endpoints.values() for kind, where in kinds.items()}
        self.server.config.write_text("\n".join(toml(self._settings(**found))))
        await self.smsc.wait_bound(1, LIMIT)

    async def dead(self) -> None:
        """After the fuse: the process is gone, and its links."""
        await self.server.kill()
        self.ledger.kills += 1
        await self.smsc.happenings.until(lambda: not self.smsc.bound, LIMIT)

    @property
    def api(self) -> Api:
        host, port = self.server.endpoints["web"]["http"]
        return Api(host, port, self.token)

    @asynccontextmanager
    async def device(self, transport: str) -> AsyncIterator[LabDevice]:
        """One of Alice's devices: the same one in each life of the server."""
        device = LabDevice(ALICE, self.password, self.server.endpoints["sip"][transport.lower()], transport=transport)
        device.instance = INSTANCES[transport]
        device.journal.subscribe(lambda entry: self._entry(transport, entry))
        async with device:
            yield device

    async def read_history(self) -> None:
        """All of Alice's conversation with Bob, page by page."""
        lines: list[Kept] = []
        before = ""
        while True:
            page = await self.api.get(f"/conversations/tel:{BOB_NUMBER}/messages?limit=200{before}")
            lines += [Kept(one["direction"], one["message_id"], one["text"]) for one in page["messages"]]
            if page["next"] is None:
                self.ledger.kept = lines
                return
            before = f"&before={page['next']}"

    async def trails(self, faults: list[str]) -> list[str]:
        """What the server says of the first of them, where a fault begins with a key."""
        lines: list[str] = []
        by_text = {line.text: line.message_id for line in self.ledger.kept}
        for fault in faults[:3]:
            key = fault.partition(" ")[0]
            try:
                found = await self.api.get(f"/messages/{by_text.get(self.ledger.texted.get(key, ''), key)}/trail")
            except ApiError as error:
                lines.append(str(error))
                continue
            lines += [json.dumps(one) for one in (*found["message"]["deliveries"], *found["trail"])]
        return lines

    async def until(self, true: Callable[[], bool]) -> None:
        """Wait for the outside to change until something is true. Raises TimeoutError."""
        async with asyncio.timeout(LIMIT):
            while not true():
                self.changed.clear()
                await self.changed.wait()

    # -- what is seen ------------------------------------------------------------------------------------------

    def _pdu(self, line: PduLine) -> None:
        if line.name == "submit_sm":
            self.ledger.submitted(line.octets)
        elif line.name == "deliver_sm":
            self.ledger.delivered(line.octets)
        self.tick()

    def _happened(self, happening: Happening) -> None:
        ledger = self.ledger
        if happening.what == "text":
            ledger.shown[happening.text] += 1
        elif happening.what == "sent":
            ledger.taken.add(key_of(happening.text))
        self.tick()

    def _entry(self, device: str, entry: Entry) -> None:
        if entry.kind == "sip.in" and entry.what.startswith("MESSAGE "):
            self._message(device, entry.raw)
        elif entry.kind == "message" and entry.facts.get("form") == "large":  # no Call-ID of its own
            self.ledger.heard[device, entry.facts["message_id"]].add(("", entry.what))
        self.tick()

    def _message(self, device: str, raw: bytes) -> None:
        try:
            request = parse(raw)
            body = cpim.parse(request.body)
        except (SipError, ValueError):
            return
        call_id = request.get("call-id")
        if body.media_type != imdn.CONTENT_TYPE:
            self.ledger.heard[device, body.message_id].add((call_id, body.text))
            return
        for found in imdn.parse_body(body.content_type, body.content):
            if found.status == "delivered":
                self.ledger.notified[device, found.message_id].add(call_id)

    def tick(self) -> None:
        self.changed.set()
        self.fuse.tick()


def key_of(text: str) -> str:
    return text[1 : text.index("#", 1)]


def text_with(key: str, chance: random.Random) -> str:
    """A text of one to three segments that bears its key throughout."""
    return f"#{key}# " * chance.choice((1, 3, 9, 40, 55)) + "end"


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc:
        here = Town(folder, smsc)
        await here.prepare()
        try:
            yield here
        finally:
            await here.server.kill()
