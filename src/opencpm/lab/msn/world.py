"""The service's memory: accounts with their lists, tickets, and conversations."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencpm.lab.msn.faults import Faults
from opencpm.lab.msn.log import CommandLog
from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.commands import Lists

if TYPE_CHECKING:
    from opencpm.lab.msn.notification import NotificationConnection
    from opencpm.lab.msn.switchboard import Conversation


@dataclass(slots=True)
class Account:
    """One person of the service."""

    address: str
    password: str
    name: str
    status: str = commands.OFFLINE
    capabilities: int = 0
    strangers: bool = True  # BLP AL: people on no list may see and call
    version: int = 1  # of the lists, dialect 8
    lists: dict[str, Lists] = field(default_factory=dict)
    guids: dict[str, str] = field(default_factory=dict)
    connection: NotificationConnection | None = None

    def allows(self, other: str) -> bool:
        """Whether `other` may see and call this account."""
        on = self.lists.get(other, Lists(0))
        return Lists.BL not in on and (self.strangers or Lists.AL in on)

    def visible_to(self, other: str) -> bool:
        """Whether `other` sees this account as present."""
        return self.connection is not None and self.status in commands.VISIBLE_STATES and self.allows(other)

    def guid(self, other: str) -> str:
        """The id under which the service keeps a contact (dialect 10 and later)."""
        if other not in self.guids:
            raw = secrets.token_hex(16)
            self.guids[other] = "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))
        return self.guids[other]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A way into a switchboard: good once, for one account, for some seconds."""

    address: str
    conversation: str
    expires: float


class World:
    """Everything the three servers of the lab share."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.logins: dict[str, str] = {}  # Passport ticket -> address
        self.tickets: dict[str, Ticket] = {}
        self.conversations: dict[str, Conversation] = {}
        self.faults = Faults()
        self.log = CommandLog()
        self.challenge = False  # send CHL after sign-on and check the answer
        self.switchboard = ("127.0.0.1", 0)
        self._numbers: dict[str, int] = {}

    def account(self, address: str) -> Account | None:
        return self.accounts.get(address.lower())

    def serial(self, kind: str) -> str:
        """The next connection's name: `NS 1`, `SB 4`."""
        self._numbers[kind] = self._numbers.get(kind, 0) + 1
        return f"{kind} {self._numbers[kind]}"

    def login_ticket(self, address: str) -> str:
        """A Passport ticket, twenty hex digits as on the recorded server."""
        ticket = secrets.token_hex(10)
        self.logins[ticket] = address
        return ticket

    def switchboard_ticket(self, address: str, conversation: str, expires: float) -> str:
        ticket = secrets.token_hex(10)
        self.tickets[ticket] = Ticket(address, conversation, expires)
        return ticket

    def redeem(self, ticket: str, address: str, now: float) -> Ticket | None:
        """Take a switchboard ticket; it is good once."""
        found = self.tickets.pop(ticket, None)
        return found if found and found.address == address and found.expires >= now else None

    def watchers(self, account: Account) -> list[Account]:
        """Who has this account on the contact list and is signed in."""
        return [
            other
            for other in self.accounts.values()
            if other.connection is not None and Lists.FL in other.lists.get(account.address, Lists(0))
        ]

    def put(self, owner: Account, which: Lists, other: str) -> None:
        """Put `other` on a list of `owner`, with what follows from it on the other's side."""
        owner.lists[other] = owner.lists.get(other, Lists(0)) | which
        owner.version += 1
        peer = self.account(other)
        if which is Lists.FL and peer is not None:
            peer.lists[owner.address] = peer.lists.get(owner.address, Lists(0)) | Lists.RL

    def take(self, owner: Account, which: Lists, other: str) -> None:
        """Take `other` off a list of `owner`."""
        owner.lists[other] = owner.lists.get(other, Lists(0)) & ~which
        owner.version += 1
        peer = self.account(other)
        if which is Lists.FL and peer is not None:
            peer.lists[owner.address] = peer.lists.get(owner.address, Lists(0)) & ~Lists.RL
