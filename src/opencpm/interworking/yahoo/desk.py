"""What every part of the Yahoo interworking function works with."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from opencpm.interfaces import Clock, Directory, Ids, Inbox
from opencpm.interworking.yahoo.names import Names
from opencpm.interworking.yahoo.settings import YahooSettings
from opencpm.interworking.yahoo.web import Web
from opencpm.transport.gate import Gate


@dataclass(slots=True)
class Counters:
    """For the operator."""

    sent: int = 0
    received: int = 0
    failed: int = 0
    confirmed: int = 0  # by the receiver's client (version 16)
    backlog: int = 0  # deliveries in work


@dataclass(frozen=True, slots=True)
class Desk:
    """The connector's surroundings, as values; tasks are for set-up only, never one per message."""

    name: str
    settings: YahooSettings
    clock: Clock
    ids: Ids
    inbox: Inbox
    directory: Directory
    web: Web
    gate: Gate  # sign-ons of all accounts
    names: Names
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
