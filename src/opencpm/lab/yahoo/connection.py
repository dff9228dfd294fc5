"""One server-side connection of the lab: octets in and out, each packet in the log, faults applied; and the login."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from typing import cast

from opencpm.lab.yahoo import acts
from opencpm.lab.yahoo.log import Line, name_of, shown
from opencpm.lab.yahoo.world import Account, World
from opencpm.protocols.ymsg import digest, services
from opencpm.protocols.ymsg.errors import YmsgError
from opencpm.protocols.ymsg.packet import ERROR, Framer, Packet, encode, pairs
from opencpm.protocols.ymsg.services import Service

_UNKNOWN_ID, _WRONG_PASSWORD = 3, 13


class ServerConnection(asyncio.Protocol):
    """Strict as a live server is: the hello comes first, the id is compared as sent, what cannot be read or is not
    known is passed over, and a second login throws out the first."""

    def __init__(self, world: World, open_connections: set[ServerConnection]) -> None:
        self.world = world
        self.name = world.serial("YMSG")
        self.version = 0
        self.account: Account | None = None
        self._loop = asyncio.get_running_loop()
        self._open = open_connections
        self._framer = Framer()
        self._transport: asyncio.Transport | None = None
        self._not_before = 0.0
        self._claimed = self._challenge = ""
        self._out = bytearray()
        self._ending = False

    @property
    def user(self) -> str:
        return self.account.user if self.account is not None else self._claimed

    def say(self, service: int, status: int, *values: tuple[int, str | bytes | int]) -> None:
        """Send a packet, delayed and cut up if the faults say so (order is kept)."""
        if self._transport is None:
            return
        packet = Packet(service, status, pairs(*values))
        self.world.log.add(self._line("S", packet))
        self._later(self._write, self.world.faults.noise + encode(packet, 0))

    def close(self) -> None:
        """Close after what was said."""
        self._later(self._close)

    def abort(self) -> None:
        """Break the connection at once."""
        if self._transport is not None:
            self._transport.abort()

    def throw_out(self) -> None:
        """Signed in elsewhere."""
        self.say(Service.LOGOFF, ERROR)
        self.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport = cast(asyncio.Transport, transport)  # uvloop's are no subclass of it
        self._transport = transport
        self._open.add(self)

    def data_received(self, data: bytes) -> None:
        self.version = self.version or int.from_bytes(data[4:6], "big")
        try:
            packets = self._framer.feed(data)
        except YmsgError:
            self.abort()
            return
        for packet in packets:
            if self._transport is None or self._transport.is_closing():
                break
            if isinstance(packet, Packet):  # the recorded server passes over what it cannot read
                self._one(packet)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._open.discard(self)
        account, self.account = self.account, None
        if account is not None and account.connection is self:
            acts.gone(self.world, account)

    def _one(self, packet: Packet) -> None:
        self.world.log.add(self._line("C", packet))
        faults = self.world.faults
        if packet.service in faults.drop:
            self.abort()
            return
        if packet.service in faults.silent:
            return
        if self.account is not None:
            acts.handle(self, self.account, packet)
        else:
            self._sign_in(packet)
        if packet.service in faults.drop_after:
            self.abort()

    # --- the login -----------------------------------------------------------------------------------------------

    def _sign_in(self, packet: Packet) -> None:
        faults = self.world.faults
        match packet.service:
            case Service.VERIFY:
                self.say(Service.VERIFY, faults.refuse_hello or 1)
            case Service.AUTH:
                self._challenge_them(packet.text(1))
            case Service.AUTHRESP if self._challenge:
                self._check(packet)
            case _:
                pass

    def _challenge_them(self, user: str) -> None:
        token = services.METHOD_TOKEN if self.version >= services.RECORDS else 0
        method = token if self.world.faults.method is None else self.world.faults.method
        self._claimed, self._challenge = user, digest.y64(secrets.token_bytes(16))
        self.say(Service.AUTH, 1, (1, user), (94, self._challenge), *(((13, method),) if method else ()))

    def _check(self, packet: Packet) -> None:
        account = self.world.account(self._claimed)
        code = self.world.faults.refuse_login
        if account is None:
            code = code or _UNKNOWN_ID
        elif not self._proven(account, packet):
            code = code or _WRONG_PASSWORD
        if code or account is None:
            user = self._claimed
            self.say(Service.AUTHRESP, ERROR, (1, user), (66, code), (0, user))
            self.close()
            return
        self.account, before = account, account.connection
        account.state = services.INVISIBLE if packet.status == services.INVISIBLE else services.AVAILABLE
        account.note, account.away = "", 0
        account.connection = self
        if before is not None:
            before.throw_out()
        acts.welcome(self.world, account)

    def _proven(self, account: Account, packet: Packet) -> bool:
        challenge = self._challenge.encode()
        if self.version >= services.RECORDS:
            crumb, cookie = self.world.crumbs.get(account.user, ""), self.world.cookies.get(account.user, "")
            right = digest.token_response(crumb, challenge) if crumb else ""
            return bool(right) and packet.text(307) == right and packet.text(278).startswith(cookie)
        proof = digest.prove(account.user, account.password, challenge)
        return (packet.text(6), packet.text(96)) == tuple(proof)

    # --- small things --------------------------------------------------------------------------------------------

    def _line(self, direction: str, packet: Packet) -> Line:
        return Line(time.time(), self.name, self.user, direction, name_of(packet.service), shown(packet), packet)

    def _later(self, call: Callable[..., None], *args: bytes) -> None:
        now = self._loop.time()
        at = max(now + self.world.faults.delay, self._not_before)
        if at <= now:
            call(*args)
            return
        self._not_before = at + 1e-6
        self._loop.call_at(at, call, *args)

    def _write(self, data: bytes) -> None:
        self._out += data
        if len(self._out) == len(data):
            self._flush()

    def _flush(self) -> None:
        """Everything at once, or a piece a turn of the loop."""
        if self._transport is None or self._transport.is_closing():
            self._out.clear()
            return
        piece = self.world.faults.piece or len(self._out)
        self._transport.write(bytes(self._out[:piece]))
        del self._out[:piece]
        if self._out:
            self._loop.call_soon(self._flush)
        elif self._ending:
            self._transport.close()

    def _close(self) -> None:
        self._ending = True
        if self._transport is not None and not self._out:
            self._transport.close()
