"""The server that the programs of others talk to: the whole application, on free ports of loopback."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencpm.app import build
from opencpm.app.server import App
from opencpm.cli.certificate import self_signed
from opencpm.domain.address import Address
from opencpm.domain.profile import Availability
from opencpm.interfaces import DeliveryRecord
from opencpm.lab.device import LabDevice
from opencpm.lab.smsc import LabSmsc
from opencpm.settings import parse

DOMAIN = "cpm.test"
HOST = "127.0.0.1"
ALICE, BOB = Address("sip", f"alice@{DOMAIN}"), Address("sip", f"bob@{DOMAIN}")
ALICE_NUMBER, PHONE = "+12025550100", "+12025550155"
PASSWORDS = {"alice": "alice-knows", "bob": "bob-knows"}
PATIENCE = 15.0


@dataclass
class House:
    """A running server, with the SMS centre beside it."""

    app: App
    smsc: LabSmsc

    def port(self, transport: str) -> int:
        return self.app.endpoints["sip"][transport][1]

    async def until(self, true: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """What `true` gives, once it gives something. Raises TimeoutError."""
        async with asyncio.timeout(patience):
            while not (found := true()):
                await asyncio.sleep(0.01)
        return found

    def registered(self, user: str) -> bool:
        reach = self.app.messaging.connectors["sip"].reach(user, Address("sip", f"{user}@{DOMAIN}"))
        return reach.availability is Availability.AVAILABLE

    async def until_registered(self, *users: str) -> None:
        await self.until(lambda: all(self.registered(user) for user in users))

    def sent(self, owner: str, peer: Address) -> list[DeliveryRecord]:
        """What `owner` sent to somebody, oldest first, as the store has it."""
        contact = self.app.directory.contact(owner, peer).id
        return [record for record, own in self.app.store.history(owner, contact) if own]

    def texts(self, owner: str = "alice", peer: Address = BOB) -> list[str]:
        return [record.message.text for record in self.sent(owner, peer)]

    async def until_state(self, state: str, owner: str = "alice", peer: Address = BOB) -> DeliveryRecord:
        """The last message that `owner` sent to somebody, once it is in this state."""

        def there() -> DeliveryRecord | None:
            last = self.sent(owner, peer)[-1:]
            return last[0] if last and last[0].state == state else None

        return await self.until(there)

    @asynccontextmanager
    async def device(self, user: str) -> AsyncIterator[LabDevice]:
        """A registered CPM device of a user, for the other end."""
        device = LabDevice(f"sip:{user}@{DOMAIN}", PASSWORDS[user], (HOST, self.port("tcp")))
        async with device:
            assert await device.register() == 200
            yield device


@asynccontextmanager
async def house(folder: Path, *, sms: Mapping[str, Any] | None = None, **sip: Any) -> AsyncIterator[House]:
    """Start everything; `sip` are settings of the section [sip], `sms` those of an SMS centre of your own."""
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc:
        values = {
            "domain": DOMAIN,
            "secret_key": "k" * 40,
            "data_dir": str(folder / "data"),
            "sip": {"udp_port": 0, "tcp_port": 0, "ws_port": 0, "msrp_port": 0, **sip},
            "web": {"enabled": False},
            "policy": {"order": ["sms"], "home_region": "US", "routes": [{"prefix": "+1", "networks": ["sms"]}]},
            "networks": {"sms": {**(sms or _lab(smsc)), "type": "sms"}},
        }
        async with build(parse(values, folder)).running() as app:
            people = app.directory
            if people.subscriber("alice") is None:  # else they are there from before a restart
                people.add_user("alice", "Alice", PASSWORDS["alice"], [ALICE, Address("tel", ALICE_NUMBER)])
                people.add_user("bob", "Bob", PASSWORDS["bob"], [BOB])
            if sms is None:
                await smsc.wait_bound()
            yield House(app, smsc)


def tls(folder: Path) -> dict[str, Any]:
    """Settings that add TLS and secure WebSocket, with a certificate made here: ``folder/certificate.pem``."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    for path, data in zip((certificate, key), self_signed(DOMAIN), strict=True):
        path.write_bytes(data)
    return {"tls_port": 0, "wss_port": 0, "tls_certificate": str(certificate), "tls_key": str(key)}


def _lab(smsc: LabSmsc) -> dict[str, Any]:
    host, port = smsc.address
    return {"host": host, "port": port, "system_id": "opencpm", "password": "sesame"}


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM) -> int:
    """A port that is free now, for programs that cannot choose one themselves."""
    with socket.socket(socket.AF_INET, kind) as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
