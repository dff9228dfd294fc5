"""The lab's messenger server and login host under one switch."""

from __future__ import annotations

import asyncio
import secrets
from types import TracebackType
from typing import Any, Self

from opencpm.lab.yahoo import acts
from opencpm.lab.yahoo.buddy import Buddy, Where
from opencpm.lab.yahoo.connection import ServerConnection
from opencpm.lab.yahoo.faults import Faults
from opencpm.lab.yahoo.log import PacketLog
from opencpm.lab.yahoo.web import WebServer
from opencpm.lab.yahoo.world import Account, World
from opencpm.protocols.ymsg.services import Service
from opencpm.transport.link import address_of, listen


class LabYahoo:
    """The service. Ports are chosen when it first listens and kept when it comes up again."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        self._host = host
        self._world = World()
        self._web = WebServer(self._world)
        self._connections: set[ServerConnection] = set()
        self._servers: list[asyncio.Server] = []
        self._ports = [0, 0]
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
    def settings(self) -> dict[str, Any]:
        """What the network `yahoo` of the server needs to know."""
        return {"server": f"{self._host}:{self._ports[0]}", "login_url": self.login_url}

    @property
    def login_url(self) -> str:
        return f"http://{self._host}:{self._ports[1]}"

    @property
    def log(self) -> PacketLog:
        return self._world.log

    @property
    def faults(self) -> Faults:
        return self._world.faults

    # --- who is there --------------------------------------------------------------------------------------------

    def account(self, user: str, password: str | None = None) -> Account:
        """Open an account (or get it); without a password it gets one of its own."""
        if user not in self._world.accounts:
            secret = password if password is not None else secrets.token_urlsafe(9)
            self._world.accounts[user] = Account(user, secret)
        return self._world.accounts[user]

    def buddy(self, user: str, password: str | None = None) -> Buddy:
        """The person behind an account, driven from here; made when it does not exist."""
        account = self.account(user, password)
        if user not in self.buddies:
            self.buddies[user] = Buddy(user, account.password, self._where)
        return self.buddies[user]

    def befriend(self, one: str, other: str, group: str = "Friends") -> None:
        """Each has the other on the list."""
        for owner, friend in ((one, other), (other, one)):
            self.account(owner).groups.setdefault(group, []).append(friend)

    def keeps(self, user: str) -> int:
        """How many texts the service keeps for an account."""
        return len(self.account(user).stored)

    def is_online(self, user: str) -> bool:
        """Whether an account is signed in, with whatever program."""
        account = self._world.account(user)
        return account is not None and account.connection is not None

    def is_visible(self, user: str) -> bool:
        return self.account(user).visible

    @property
    def connections(self) -> int:
        return len(self._connections)

    # --- trouble -------------------------------------------------------------------------------------------------

    async def up(self) -> None:
        """Listen."""
        if self._servers:
            return
        world, connections = self._world, self._connections
        messenger = await listen(lambda: ServerConnection(world, connections), self._host, self._ports[0])
        login = await asyncio.start_server(self._web.serve, self._host, self._ports[1])
        self._servers = [messenger, login]
        self._ports = [address_of(server)[1] for server in self._servers]

    async def down(self) -> None:
        """Pull the plug: nobody listens, every connection is broken."""
        for server in self._servers:
            server.close()
        self._servers = []
        self.disconnect()
        await asyncio.sleep(0)

    def disconnect(self, user: str = "") -> None:
        """Break connections: all, or those of one account."""
        for connection in tuple(self._connections):
            if connection.user.startswith(user):
                connection.abort()

    def kick(self, user: str) -> None:
        """As if the account had signed in elsewhere."""
        connection = self.account(user).connection
        if connection is not None:
            connection.throw_out()

    def shut_down(self, user: str) -> None:
        """Tell a client that the server goes down, and close."""
        connection = self.account(user).connection
        if connection is not None:
            connection.say(Service.LOGOFF, 0)
            connection.close()

    def say(self, user: str, service: int, status: int, *values: tuple[int, str | bytes | int]) -> None:
        """Say any packet to an account's client."""
        connection = self.account(user).connection
        assert connection is not None, f"{user} is not signed in"
        connection.say(service, status, *values)

    def repeat(self, user: str) -> None:
        """Say again what an account's client has not confirmed (version 16)."""
        acts.repeat(self.account(user))

    async def close(self) -> None:
        """End everything."""
        for buddy in self.buddies.values():
            await buddy.close()
        await self.down()

    def _where(self) -> Where:
        return Where(self._host, self._ports[0], self.login_url)
