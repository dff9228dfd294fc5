"""The lab's three servers under one switch."""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType
from typing import Self

from opencpm.lab.msn.buddy import Buddy
from opencpm.lab.msn.connection import ServerConnection
from opencpm.lab.msn.credentials import Where
from opencpm.lab.msn.faults import Faults
from opencpm.lab.msn.log import CommandLog
from opencpm.lab.msn.notification import NotificationConnection
from opencpm.lab.msn.switchboard import SwitchboardConnection
from opencpm.lab.msn.tokens import NEXUS
from opencpm.lab.msn.web import RST, WebServer
from opencpm.lab.msn.world import Account, World
from opencpm.protocols.msnp.commands import Endpoint, Lists
from opencpm.transport.link import address_of, listen


class LabMsn:
    """The service. Ports are chosen when it first listens and kept when it comes up again."""

    def __init__(self, host: str = "127.0.0.1", challenge: bool = False) -> None:
        self._host = host
        self._world = World()
        self._world.challenge = challenge
        self._web = WebServer(self._world)
        self._connections: set[ServerConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._ports = [0, 0, 0]
        self.buddies: dict[str, Buddy] = {}

    async def __aenter__(self) -> Self:
        await self.up()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        await self.close()

    # --- where it is ---------------------------------------------------------------------------------------------

    @property
    def notification_server(self) -> tuple[str, int]:
        """Host and port for clients."""
        return self._host, self._ports[0]

    @property
    def nexus_url(self) -> str:
        """Where logins begin."""
        return self._web.origin + NEXUS

    @property
    def settings(self) -> dict[str, str]:
        """What the network `msn` of the server needs to know."""
        origin = self._web.origin
        return {
            "server": f"{self._host}:{self._ports[0]}",
            "nexus_url": self.nexus_url,
            "token_url": self.token_url,
            "contacts_url": origin,
            "oim_url": origin,
            "rsi_url": origin,
        }

    @property
    def token_url(self) -> str:
        """Where tokens of dialects 13 and later are issued."""
        return self._web.origin + RST

    @property
    def log(self) -> CommandLog:
        return self._world.log

    @property
    def faults(self) -> Faults:
        return self._world.faults

    def speak(self, *names: str) -> None:
        """Know only these dialects."""
        self._world.spoken = names

    @property
    def token_life(self) -> float:
        """Seconds for which tokens issued from now on are good."""
        return self._world.token_life

    @token_life.setter
    def token_life(self, seconds: float) -> None:
        self._world.token_life = seconds

    @property
    def is_up(self) -> bool:
        return bool(self._servers)

    # --- who is there --------------------------------------------------------------------------------------------

    def account(self, address: str, password: str | None = None, name: str = "") -> Account:
        """Open an account (or get it); without a password it gets one of its own."""
        address = address.lower()
        if address not in self._world.accounts:
            secret = password if password is not None else secrets.token_urlsafe(9)
            self._world.accounts[address] = Account(address, secret, name or address.partition("@")[0].title())
        return self._world.accounts[address]

    def buddy(self, address: str, name: str = "", password: str | None = None) -> Buddy:
        """The person behind an account, driven from here; made when it does not exist."""
        account = self.account(address, password, name)
        if account.address not in self.buddies:
            self.buddies[account.address] = Buddy(account.address, account.password, account.name, self._where)
        return self.buddies[account.address]

    def befriend(self, one: str, other: str) -> None:
        """Each has the other on the contact list and lets them see and call."""
        for owner, friend in ((one, other), (other, one)):
            for which in (Lists.FL, Lists.AL):
                self._world.put(self.account(owner), which, friend.lower())

    def block(self, owner: str, other: str) -> None:
        """`owner` blocks `other`."""
        self._world.take(self.account(owner), Lists.AL, other.lower())
        self._world.put(self.account(owner), Lists.BL, other.lower())

    def keeps(self, address: str) -> int:
        """How many messages the service keeps for an account."""
        return len(self.account(address).kept)

    def is_online(self, address: str) -> bool:
        """Whether an account is signed in, with whatever program."""
        account = self._world.account(address)
        return account is not None and account.connection is not None

    def dialect_of(self, address: str) -> int:
        """The version that an account's program speaks, 0 when it is not signed in."""
        account = self._world.account(address)
        return account.connection.dialect if account is not None and account.connection is not None else 0

    # --- trouble -------------------------------------------------------------------------------------------------

    async def up(self) -> None:
        """Listen."""
        if self._servers:
            return
        world, connections = self._world, self._connections
        notification = await listen(lambda: NotificationConnection(world, connections), self._host, self._ports[0])
        switchboard = await listen(lambda: SwitchboardConnection(world, connections), self._host, self._ports[1])
        passport = await asyncio.start_server(self._web.serve, self._host, self._ports[2])
        self._servers = [notification, switchboard, passport]
        self._ports = [address_of(server)[1] for server in self._servers]
        world.switchboard = (self._host, self._ports[1])
        self._web.origin = f"http://{self._host}:{self._ports[2]}"

    async def down(self) -> None:
        """Pull the plug: nobody listens, every connection is broken."""
        for server in self._servers:
            server.close()
        self._servers = []
        self.disconnect()
        await asyncio.sleep(0)

    def disconnect(self, address: str = "", kind: str = "") -> None:
        """Break connections: all, those of one account, those of one kind (`NS`, `SB`)."""
        for connection in tuple(self._connections):
            if connection.address.startswith(address) and connection.kind.startswith(kind):
                connection.abort()

    def kick(self, address: str, why: str = "OTH") -> None:
        """Send OUT to an account's client: OTH as if signed in elsewhere, SSD as if the server went down."""
        account = self._world.account(address)
        if account is not None and account.connection is not None:
            account.connection.kick(why)

    async def close(self) -> None:
        """End everything."""
        for buddy in self.buddies.values():
            await buddy.close()
        await self.down()

    def _where(self) -> Where:
        return Where(Endpoint(*self.notification_server), self.nexus_url, self.token_url, self._web.origin)
