"""The demo's world: Alice's server, Bob's SMS system and phone, Bob's MSN service, all on real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.msn.service import LabMsn
from opencpm.lab.process import ServerProcess
from opencpm.lab.smsc import LabSmsc

DOMAIN = "cpm.test"
ALICE, ALICE_NUMBER, ALICE_MSN = f"sip:alice@{DOMAIN}", "+12025550100", "alice@msn.test"
BOB_NUMBER, BOB_MSN = "+12025550101", "bob@msn.test"
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the server's settings are to be."""

    networks: Mapping[str, Mapping[str, Any]]
    web: Mapping[str, Any]
    msn_password: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings on disk with Alice in them: who she is to the API and to SIP."""

    config: Path
    token: str
    password: str


Prepare = Callable[[Path, Wishes], Awaitable[Prepared]]
"""Writes settings and the first users into a folder; the lab knows nothing of how."""


class World:
    """Everything between Alice and Bob. ``async with`` starts the networks; :meth:`start_server` the server."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        self.folder = folder
        self.smsc = LabSmsc(accounts={"opencpm": "sesame"})
        self.msn = LabMsn(challenge=True)
        self.phone = self.smsc.handset(BOB_NUMBER)
        self.bob = self.msn.buddy(BOB_MSN, "Bob")
        self.prepared: Prepared
        self.server: ServerProcess
        self._prepare = prepare
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.smsc)
        await self._stack.enter_async_context(self.msn)
        self.msn.befriend(ALICE_MSN, BOB_MSN)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def preparing(self, prepare: Prepare) -> None:
        """Prepare the settings in another way."""
        self._prepare = prepare

    async def start_server(self, web: Mapping[str, Any] | None = None) -> None:
        """Settings, Alice, and the server; returns when it is ready and has its links.

        :raises opencpm.lab.process.ServerError: :raises TimeoutError: a link did not come up.
        """
        account = self.msn.account(ALICE_MSN, secrets.token_urlsafe(9), "Alice")
        host, port = self.smsc.address
        networks: dict[str, dict[str, Any]] = {
            "sms": {
                "type": "sms",
                "host": host,
                "port": port,
                "system_id": "opencpm",
                "password": "sesame",
                "reconnect_min": 0.2,
                "reconnect_max": 1.0,
            },
            "msn": {"type": "msn", **self.msn.settings, "switchboard_interval": 0.0},
        }
        wishes = Wishes(networks, {"port": 0, **(web or {})}, account.password)
        self.prepared = await self._prepare(self.folder, wishes)
        self.server = ServerProcess(self.prepared.config, self.folder / "server.log")
        await self.server.start()
        self._stack.push_async_callback(self.server.stop)
        await self.linked()

    async def linked(self) -> None:
        """Until the server is bound to the SMS centre and signed in to MSN. :raises TimeoutError:"""
        await self.smsc.wait_bound(1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while not self.msn.is_online(ALICE_MSN):
                await _heard(self.msn.log.subscribe)

    async def bob_signs_in(self) -> None:
        """Bob sits down at his computer; returns when he and Alice see each other. :raises TimeoutError:"""
        if not self.bob.online:
            await self.bob.sign_in()
        await self.bob.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN, PATIENCE)

    @property
    def api(self) -> Api:
        """The server's API, as Alice."""
        host, port = self.server.endpoints["web"]["http"]
        return Api(host, port, self.prepared.token)

    def device(self, transport: str = "TCP") -> LabDevice:
        """A device of Alice's, to be entered with ``async with`` and registered."""
        where = self.server.endpoints["sip"][transport.lower()]
        return LabDevice(ALICE, self.prepared.password, where, transport=transport)


async def _heard(subscribe: Callable[[Callable[[Any], None]], Callable[[], None]]) -> None:
    """Wait for the next line of a log."""
    heard = asyncio.Event()
    end = subscribe(lambda line: heard.set())
    try:
        await heard.wait()
    finally:
        end()
