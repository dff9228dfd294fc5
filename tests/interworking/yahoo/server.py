"""Alice's whole server with her Yahoo account, for tests that need one."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address
from opencpm.domain.delivery import DeliveryState
from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.yahoo import Buddy, LabYahoo
from opencpm.settings import Settings, parse
from tests.interworking.sms.support import eventually
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, DOMAIN

ME, PASSWORD = "sip:alice@cpm.test", "correct horse"
TO_BOB = f"sip:{BOB}@{DOMAIN}"


def settings(folder: Path, lab: LabYahoo, **more: Any) -> Settings:
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"port": 0},
        "policy": {"domains": {DOMAIN: "yahoo"}, "retry_schedule": [0.1, 0.1, 0.2, 0.2]},
        "networks": {"yahoo": {"type": "yahoo", "domain": DOMAIN, "reconnect_first": 0.05, **lab.settings, **more}},
    }
    return parse(values, folder)


class House:
    def __init__(self, app: App, lab: LabYahoo, token: str) -> None:
        self.app, self.lab = app, lab
        self.api = Api(*app.endpoints["web"]["http"], token)

    @property
    def bob(self) -> Buddy:
        return self.lab.buddies[BOB]

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        async with LabDevice(ME, PASSWORD, self.app.endpoints["sip"]["tcp"], transport="TCP") as device:
            assert await device.register() == 200
            yield device

    def state(self) -> DeliveryState | None:
        """Of the last message in Alice's conversations."""
        threads = self.app.store.threads("alice")
        return threads[0].last.state if threads else None

    async def sees(self, availability: str) -> None:
        reach = self.app.messaging.connectors["yahoo"].reach
        await eventually(lambda: reach("alice", BOB_ADDRESS).availability.value == availability)


@asynccontextmanager
async def house(folder: Path, lab: LabYahoo, signed_in: bool = True, **more: Any) -> AsyncIterator[House]:
    """`signed_in`: begin once Alice's account is."""
    of = settings(folder, lab, **more)
    async with opened(of) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test")])
            people.link_account("alice", "yahoo", ALICE_ADDRESS, lab.account(ALICE).password)
        token = people.new_token("alice", "test")
    async with build(of).running() as app:
        yahoo = app.messaging.connectors["yahoo"]
        await eventually(lambda: not signed_in or yahoo.health().detail.startswith("1 of 1"))
        yield House(app, lab, token)
