"""The lab's login host of versions 15 and 16: two pages, as plain HTTP on loopback."""

from __future__ import annotations

import asyncio
import secrets
import time
from urllib.parse import parse_qs, urlsplit

from opencpm.lab.yahoo.log import Line
from opencpm.lab.yahoo.world import World

_MAX_HEAD = 16384
_BAD_CREDENTIALS, _UNKNOWN_ID, _FIELD_MISSING = 1212, 1235, 100


class WebServer:
    """Answers one request a connection."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tokens: dict[str, str] = {}  # token -> id
        self.origin = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, one request."""
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if len(head) > _MAX_HEAD:
                return
            target = head.split(b" ", 2)[1].decode("ascii")
            await self._answer(urlsplit(target).path, _fields(target), reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError, ValueError, IndexError):
            pass  # not a request: nothing to answer
        finally:
            writer.close()

    async def _answer(
        self, path: str, fields: dict[str, str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        faults, name = self._world.faults, self._world.serial("HTTP")
        page = path.rpartition("/")[2]
        self._log(name, "C", fields.get("login", ""), page)
        await asyncio.sleep(faults.delay)
        if faults.web_silent:
            await reader.read()  # until the client gives up
            return
        body = f"{faults.web_code}\r\n" if faults.web_code else self._page(page, fields)
        status = faults.web_status or 200
        self._log(name, "S", fields.get("login", ""), f"{page} {status} {body.split(chr(13), 1)[0]}")
        head = f"HTTP/1.1 {status} -\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {len(body)}"
        writer.write(f"{head}\r\nSet-Cookie: B=lab&b=3; path=/\r\n\r\n{body}".encode())
        await writer.drain()

    def _page(self, page: str, fields: dict[str, str]) -> str:
        if page == "pwtoken_get":
            return self._token(fields)
        if page == "pwtoken_login" and (user := self._tokens.pop(fields.get("token", ""), "")):
            crumb, cookie = secrets.token_urlsafe(12), f"z={secrets.token_hex(6)}"
            self._world.crumbs[user], self._world.cookies[user] = crumb, cookie
            cookies = f"Y=v=1&n={user}; path=/\r\nT={cookie}; path=/\r\ncookievalidfor=86400\r\n"
            return f"0\r\ncrumb={crumb}\r\n{cookies}"
        return f"{_FIELD_MISSING}\r\n"

    def _token(self, fields: dict[str, str]) -> str:
        if not fields.get("login") or not fields.get("passwd") or not fields.get("chal"):
            return f"{_FIELD_MISSING}\r\n"
        account = self._world.account(fields["login"])
        if account is None:
            return f"{_UNKNOWN_ID}\r\n"
        if not secrets.compare_digest(account.password.encode(), fields["passwd"].encode()):
            return f"{_BAD_CREDENTIALS}\r\n"
        token = secrets.token_urlsafe(12)
        self._tokens[token] = account.user
        return f"0\r\nymsgr={token}\r\npartnerid=lab\r\n"

    def _log(self, name: str, direction: str, user: str, text: str) -> None:
        self._world.log.add(Line(time.time(), name, user, direction, "WEB", text))


def _fields(target: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(target).query).items()}
