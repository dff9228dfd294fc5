"""The lab's nexus and login over HTTP, and the few lines with which buddies ask them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from opencpm.lab.msn.log import Line
from opencpm.lab.msn.world import World
from opencpm.protocols.msnp import tweener
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.passport import PassportLogin, Request, Ticket

NEXUS = "/rdr/pprdr.asp"
LOGIN = "/login"
_MAX_HEAD = 16384


class PassportServer:
    """Answers the two requests that turn a password into a ticket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.origin = ""  # "http://127.0.0.1:8081", once it listens

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            name = self._world.serial("HTTP")
            path, headers = _request(head)
            status, answer, who = self._answer(path, headers)
            self._log(name, who, "C", "GET", path)
            self._log(name, who, "S", "HTTP", str(status))
            await asyncio.sleep(self._world.faults.delay)
            writer.write(_response(status, answer))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # not a request: nothing to answer
        finally:
            writer.close()

    def _answer(self, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str], str]:
        if path == NEXUS:
            return 200, {"PassportURLs": tweener.passport_urls(self.origin + LOGIN)}, ""
        if path != LOGIN:
            return 404, {}, ""
        if self._world.faults.passport_status:
            return self._world.faults.passport_status, {}, ""
        try:
            address, password = tweener.parse_authorization(headers.get("authorization", ""))
        except MsnpError:
            return 401, {"WWW-Authenticate": "Passport1.4 da-status=failed"}, ""
        account = self._world.account(address)
        if account is None or account.password != password:
            return 401, {"WWW-Authenticate": "Passport1.4 da-status=failed"}, address
        ticket = self._world.login_ticket(account.address)
        return 200, {"Authentication-Info": tweener.authentication_info(ticket)}, account.address

    def _log(self, name: str, account: str, direction: str, verb: str, text: str) -> None:
        self._world.log.add(Line(time.time(), name, account, direction, verb, f"{verb} {text}"))


def _request(head: bytes) -> tuple[str, dict[str, str]]:
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    if method != "GET":
        raise ValueError("only GET")
    return path.partition("?")[0], _headers(lines)


def _headers(lines: list[str]) -> dict[str, str]:
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def _response(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Status", "Content-Type: text/plain", "Content-Length: 0", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


async def ticket(login: PassportLogin) -> str:
    """Go through a login with the lab's own server. Raises PermissionError when it is refused."""
    while login.result is None:
        login.response(*await _fetch(login.request()))
    if not isinstance(login.result, Ticket):
        raise PermissionError(login.result.text)
    return login.result.ticket


async def _fetch(request: Request) -> tuple[int, dict[str, str]]:
    url = urlsplit(request.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port, limit=_MAX_HEAD)
    try:
        lines = [f"GET {url.path} HTTP/1.1", f"Host: {url.netloc}", "Connection: close"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1"))
        first, *rest = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        return int(first.split(" ")[1]), _headers(rest)
    finally:
        writer.close()
