"""What the lab's service knows: accounts, their lists, what is kept for them, conferences."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencpm.lab.yahoo.faults import Faults
from opencpm.lab.yahoo.log import PacketLog
from opencpm.protocols.ymsg import services

if TYPE_CHECKING:
    from opencpm.lab.yahoo.connection import ServerConnection


@dataclass(frozen=True, slots=True)
class Stored:
    """A text for somebody who is away. `utf8`: key 97, where the sender's client said so."""

    sender: str
    text: bytes
    at: int  # epoch seconds
    utf8: bool
    ident: str = ""


@dataclass(slots=True)
class Account:
    """One id. `groups`: the list; `pending`: asked, and not answered yet (from version 13 on)."""

    user: str
    password: str
    groups: dict[str, list[str]] = field(default_factory=dict)
    pending: set[str] = field(default_factory=set)
    ignored: set[str] = field(default_factory=set)
    stored: list[Stored] = field(default_factory=list)
    unconfirmed: dict[str, Stored] = field(default_factory=dict)  # by key 429: said, and not acknowledged
    connection: ServerConnection | None = None
    state: int = services.AVAILABLE
    note: str = ""
    away: int = 0

    @property
    def listed(self) -> set[str]:
        return {user for members in self.groups.values() for user in members}

    @property
    def visible(self) -> bool:
        return self.connection is not None and self.state != services.INVISIBLE


@dataclass(slots=True)
class Conference:
    name: str
    inviter: str
    members: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)


class World:
    """Everything behind the connections."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.conferences: dict[str, Conference] = {}
        self.faults = Faults()
        self.log = PacketLog()
        self.crumbs: dict[str, str] = {}  # by id: what the web login gave out last
        self.cookies: dict[str, str] = {}
        self._serials: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))

    def serial(self, kind: str) -> str:
        """A name for a connection."""
        return f"{kind} {next(self._serials[kind])}"

    def account(self, user: str) -> Account | None:
        return self.accounts.get(user)

    def sees(self, watcher: Account, user: str) -> bool:
        """Whether somebody's presence is told to a watcher."""
        other = self.accounts.get(user)
        return (
            other is not None
            and user in watcher.listed
            and user not in watcher.pending
            and watcher.user not in other.ignored
        )

    def watchers(self, user: str) -> list[Account]:
        """Everybody signed in who is told about an id."""
        return [a for a in self.accounts.values() if a.connection is not None and self.sees(a, user)]
