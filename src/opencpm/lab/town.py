"""A server of ours in its own process, with people in it: what every story and the demo stand on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencpm.lab.device import LabDevice
from opencpm.lab.http import Api
from opencpm.lab.process import ServerProcess

DOMAIN = "cpm.test"
PATIENCE = 20.0


@dataclass(frozen=True, slots=True)
class Person:
    """A user of the server. ``accounts``: network -> (address, password) of the accounts the server signs in."""

    user: str
    name: str
    number: str = ""
    accounts: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Friend:
    """A line in somebody's address book; addresses are written with their scheme: ``tel:+12025550101``."""

    owner: str
    name: str
    addresses: tuple[str, ...]
    networks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What the server's settings and people are to be. ``sections`` are laid over the demo's own, key by key."""

    networks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sections: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    people: tuple[Person, ...] = ()
    friends: tuple[Friend, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """Settings on disk with the people in them: who they are to the API and to SIP, by user."""

    config: Path
    tokens: Mapping[str, str]
    passwords: Mapping[str, str]


Prepare = Callable[[Path, Wishes], Awaitable[Prepared]]
"""Writes settings and people into a folder; the lab knows nothing of how."""


class Town:
    """``async with`` ends the server. A story's world adds its foreign networks and starts the server with them."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        self.folder = folder
        self.prepared: Prepared
        self.server: ServerProcess
        self._prepare = prepare
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def preparing(self, prepare: Prepare) -> None:
        """Prepare the settings in another way."""
        self._prepare = prepare

    async def serve(self, wishes: Wishes) -> None:
        """Settings, people, and the server; returns when it is ready. :raises opencpm.lab.process.ServerError:"""
        self.prepared = await self._prepare(self.folder, wishes)
        self.server = ServerProcess(self.prepared.config, self.folder / "server.log")
        await self.server.start()
        self._stack.push_async_callback(self.server.stop)

    def api(self, user: str = "alice") -> Api:
        """The server's API, as one of the people."""
        host, port = self.server.endpoints["web"]["http"]
        return Api(host, port, self.prepared.tokens[user])

    def device(self, user: str = "alice", transport: str = "TCP", **options: Any) -> LabDevice:
        """A device of one of the people, to be entered with ``async with`` and registered."""
        where = self.server.endpoints["sip"][transport.lower()]
        password = self.prepared.passwords[user]
        return LabDevice(f"sip:{user}@{DOMAIN}", password, where, transport=transport, **options)
