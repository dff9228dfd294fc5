"""The service's memory: accounts with their lists, tickets, and conversations."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from opencpm.lab.msn.faults import Faults
from opencpm.lab.msn.log import CommandLog
from opencpm.protocols.msnp import commands, dialects
from opencpm.protocols.msnp.commands import Lists

if TYPE_CHECKING:
    from opencpm.lab.msn.notification import NotificationConnection
    from opencpm.lab.msn.switchboard import Conversation


_FOLDER = "00000000-0000-0000-0000-000000000009"


@dataclass(frozen=True, slots=True)
class Kept:
    """A message that waits for somebody: `mail` is what the sender made of it, from its MIME headers on."""

    id: str
    sender: str
    name: str
    at: float
    mail: str


@dataclass(slots=True)
class Account:
    """One person of the service."""

    address: str
    password: str
    name: str
    status: str = commands.OFFLINE
    capabilities: int = 0
    extended: int = 0  # second number of capabilities
    note: str = ""  # personal message
    strangers: bool = True  # BLP AL: people on no list may see and call
    version: int = 1  # of the lists, dialects 2 to 9
    lists: dict[str, Lists] = field(default_factory=dict)
    guids: dict[str, str] = field(default_factory=dict)
    groups: dict[str, str] = field(default_factory=dict)  # id and name
    grouping: dict[str, set[str]] = field(default_factory=dict)  # contact and its groups
    kept: list[Kept] = field(default_factory=list)  # messages left while offline
    connection: NotificationConnection | None = None

    def allows(self, other: str) -> bool:
        """Whether `other` may see and call this account."""
        on = self.lists.get(other, Lists(0))
        return Lists.BL not in on and (self.strangers or Lists.AL in on)

    def visible_to(self, other: str) -> bool:
        """Whether `other` sees this account as present."""
        return self.connection is not None and self.status in commands.VISIBLE_STATES and self.allows(other)

    def group(self, name: str) -> str:
        """Make a group; its id."""
        ident = _guid()
        self.groups[ident] = name
        return ident

    def guid(self, other: str) -> str:
        """The id under which the service keeps a contact (dialect 10 and later)."""
        if other not in self.guids:
            self.guids[other] = _guid()
        return self.guids[other]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A way into a switchboard: good once, for one account, for some seconds."""

    address: str
    conversation: str
    expires: float


@dataclass(frozen=True, slots=True)
class Token:
    """What the token service issued: for whom, for which service, until when, and the key that proves it."""

    address: str
    service: str
    until: float
    secret: str


def _guid() -> str:
    raw = secrets.token_hex(16)
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


class World:
    """Everything the three servers of the lab share."""

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {}
        self.logins: dict[str, str] = {}  # Passport ticket -> address, good once for signing on
        self.passports: dict[str, str] = {}  # the same tickets as the web services take them
        self.tokens: dict[str, Token] = {}
        self.token_life = 86400.0  # seconds
        self.tickets: dict[str, Ticket] = {}
        self.conversations: dict[str, Conversation] = {}
        self.faults = Faults()
        self.log = CommandLog()
        self.challenge = False  # send CHL after sign-on and check the answer
        self.spoken: tuple[str, ...] = tuple(dialects.ALL)  # dialects that the service knows
        self.mail_limit = 4096  # octets of a notice about offline messages; a longer one says only "too-large"
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
        self.logins[ticket] = self.passports[ticket] = address
        return ticket

    def token(self, address: str, service: str, until: float) -> tuple[str, str]:
        """A token and its proof key."""
        text, secret = f"t={secrets.token_hex(20)}&p=", b64encode(secrets.token_bytes(24)).decode()
        self.tokens[text] = Token(address, service, until, secret)
        return text, secret

    def bearer(self, ticket: str, services: tuple[str, ...]) -> Account | None:
        """Whose ticket this is, if it is one of these services' and has not run out."""
        token = self.tokens.get(ticket)
        if token is not None:
            good = token.service in services and token.until > time.time()
            return self.account(token.address) if good else None
        plain = ticket.removeprefix("t=").removesuffix("&p=")
        return self.account(self.passports.get(plain, ""))

    def switchboard_ticket(self, address: str, conversation: str, expires: float) -> str:
        ticket = secrets.token_hex(10)
        self.tickets[ticket] = Ticket(address, conversation, expires)
        return ticket

    def redeem(self, ticket: str, address: str, now: float) -> Ticket | None:
        """Take a switchboard ticket; it is good once."""
        found = self.tickets.pop(ticket, None)
        return found if found and found.address == address and found.expires >= now else None

    def keep(self, peer: Account, sender: Account, mail: str) -> None:
        """Keep a message until `peer` fetches it; tell at once if they are there after all."""
        kept = Kept(_guid().upper(), sender.address, sender.name, time.time(), mail)
        peer.kept.append(kept)
        if peer.connection is not None:
            peer.connection.mail_waits((kept,))

    def mail_data(self, account: Account, kept: Sequence[Kept] | None = None) -> str:
        """The <MD> element that names messages that wait."""
        waiting = "".join(
            f"<M><T>11</T><S>6</S><RT>{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime(each.at))}</RT><RS>0</RS>"
            f"<SZ>{len(each.mail)}</SZ><E>{each.sender}</E><I>{each.id}</I><F>{_FOLDER}</F>"
            f"<N>=?utf-8?B?{b64encode(each.name.encode()).decode()}?=</N></M>"
            for each in (account.kept if kept is None else kept)
        )
        boxes = "<E><I>0</I><IU>0</IU><O>0</O><OU>0</OU></E><Q><QTM>409600</QTM><QNM>204800</QNM></Q>"
        return f"<MD>{boxes}{waiting}</MD>"

    def watchers(self, account: Account) -> list[Account]:
        """Who has this account on the contact list (it has them on RL) and is signed in."""
        there = (self.accounts.get(other) for other, on in account.lists.items() if Lists.RL in on)
        return [other for other in there if other is not None and other.connection is not None]

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
