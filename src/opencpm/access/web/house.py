"""What the API's functions share: built once in ``build``, found by each request through the application's state."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request

from opencpm.access.web.connector import WebConnector
from opencpm.access.web.desk import FileDesk
from opencpm.access.web.guard import Tickets
from opencpm.access.web.needs import People, UseCases
from opencpm.interfaces import Clock, Ids
from opencpm.protocols.logins import Logins

_REFUSED = 1000  # refused messages whose senders are remembered


@dataclass(slots=True)
class House:
    messaging: UseCases
    people: People
    connector: WebConnector
    clock: Clock
    ids: Ids
    logins: Logins
    tickets: Tickets
    operators: frozenset[str] = frozenset()
    demo: Mapping[str, Any] | None = None
    desk: FileDesk | None = None  # None: this server has no files
    refused: OrderedDict[str, str] = field(default_factory=OrderedDict)  # message id -> who sent it

    def note_refused(self, message_id: str, owner: str) -> None:
        """A refused message is not stored; its sender may still read its trail."""
        self.refused[message_id] = owner
        if len(self.refused) > _REFUSED:
            self.refused.popitem(last=False)


async def house(request: Request) -> House:
    """Dependency of the API's functions. All are ``async``: the store is read on the loop, never in threads."""
    found = request.app.state.house
    assert isinstance(found, House)
    return found
