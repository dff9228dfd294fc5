"""The lab's web side: nexus and login, token service, address book, offline messages; each call in the log."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping

from opencpm.lab.msn.addresses import AddressService
from opencpm.lab.msn.log import Line
from opencpm.lab.msn.post import PostOffice
from opencpm.lab.msn.tokens import NEXUS, PassportSite, TokenSite
from opencpm.lab.msn.values import Answered, Asked, Site
from opencpm.lab.msn.world import World
from opencpm.protocols.msnp import addressbook, oim

RST = "/RST.srf"
_MAX_HEAD = 16384
_MAX_BODY = 1 << 20
_ACTION = re.compile(r"/([A-Za-z0-9]+)\"?\Z")


class WebServer:
    """Answers one request a connection, as plain HTTP on loopback."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._passport = PassportSite(world)
        contacts, post = AddressService(world), PostOffice(world)
        self._sites: dict[str, Site] = {
            NEXUS: self._passport.nexus,
            "/login": self._passport.login,
            RST: TokenSite(world).tokens,
            addressbook.SHARING: contacts.call,
            addressbook.BOOK: contacts.call,
            oim.STORE: post.store,
            oim.RSI: post.fetch,
        }

    @property
    def origin(self) -> str:
        """`http://127.0.0.1:8081`, once it listens."""
        return self._passport.origin

    @origin.setter
    def origin(self, value: str) -> None:
        self._passport.origin = value

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            asked = await _read(reader)
            name = self._world.serial("HTTP")
            what = asked.action or asked.path
            answer = self._answer(asked, what)
            self._log(name, answer.account, "C", asked.method, f"{asked.method} {asked.path} {asked.action}".rstrip())
            self._log(name, answer.account, "S", "HTTP", f"HTTP {answer.status} {answer.note}".rstrip())
            await asyncio.sleep(self._world.faults.delay)
            if what in self._world.faults.web_silent:
                await reader.read()  # until the client gives up
                return
            writer.write(_written(answer))
            await writer.drain()
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError):
            pass  # not a request: nothing to answer
        finally:
            writer.close()

    def _answer(self, asked: Asked, what: str) -> Answered:
        faults = self._world.faults
        if what in faults.web_status:
            return Answered(faults.web_status[what])
        site = self._sites.get(asked.path)
        return Answered(404) if site is None else site(asked)

    def _log(self, name: str, account: str, direction: str, verb: str, text: str) -> None:
        self._world.log.add(Line(time.time(), name, account, direction, verb, text))


async def _read(reader: asyncio.StreamReader) -> Asked:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ")
    headers = _headers(lines)
    size = int(headers.get("content-length", "0"))
    if size > _MAX_BODY:
        raise ValueError("too large")
    body = await reader.readexactly(size) if size else b""
    found = _ACTION.search(headers.get("soapaction", ""))
    return Asked(method, path.partition("?")[0], headers, body, found[1] if found else "")


def _headers(lines: list[str]) -> dict[str, str]:
    return {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}


def _written(answer: Answered) -> bytes:
    body = answer.body.encode()
    kind = "text/xml; charset=utf-8" if body else "text/plain"
    lines = [f"HTTP/1.1 {answer.status} Status", f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    extra: Mapping[str, str] = answer.headers
    lines += [f"{name}: {value}" for name, value in {**extra, "Connection": "close"}.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body
