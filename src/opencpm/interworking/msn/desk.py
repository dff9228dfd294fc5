"""What every part of the MSN interworking function works with."""

from __future__ import annotations

import asyncio
import ssl
import uuid
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from opencpm.interfaces import Clock, Directory, Ids, Inbox
from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.msn.web import Web
from opencpm.transport.gate import Gate


@dataclass(slots=True)
class Counters:
    """For the operator."""

    sent: int = 0
    received: int = 0
    failed: int = 0
    switchboards: int = 0
    backlog: int = 0  # deliveries in work


@dataclass(frozen=True, slots=True)
class Desk:
    """The connector's surroundings, as values; tasks are for set-up only, never one per message."""

    name: str
    settings: MsnSettings
    clock: Clock
    ids: Ids
    inbox: Inbox
    directory: Directory
    web: Web
    tls: ssl.SSLContext | None  # for the notification server and switchboards; None: they speak in clear
    gate: Gate  # sign-ons of all accounts
    counters: Counters = field(default_factory=Counters)
    tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def spawn(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run something that ends by itself."""
        task = asyncio.get_running_loop().create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task


def moment() -> float:
    """The loop's time, which the protocol machines count in."""
    return asyncio.get_running_loop().time()


def machine_of(address: str, network: str) -> str:
    """The GUID by which the service tells this place from the user's others: always the same."""
    return f"{{{str(uuid.uuid5(uuid.NAMESPACE_URL, f'opencpm:{network}:{address}')).upper()}}}"
