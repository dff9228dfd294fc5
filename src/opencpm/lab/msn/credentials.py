"""How a buddy proves who they are and gets their lists: plain clients of the lab's own web side."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from opencpm.protocols.msnp import addressbook, md5login, rst, sso
from opencpm.protocols.msnp.addressbook import Book
from opencpm.protocols.msnp.commands import Contact, Endpoint
from opencpm.protocols.msnp.dialects import Login
from opencpm.protocols.msnp.events import TicketWanted
from opencpm.protocols.msnp.passport import PassportLogin, Ticket
from opencpm.protocols.msnp.rst import TokenLogin
from opencpm.protocols.msnp.soap import HttpReply, HttpRequest


class Where(NamedTuple):
    """Where the lab is: notification server, nexus, token service, and the origin of the other web services."""

    server: Endpoint
    nexus: str
    tokens: str
    origin: str


class Credentials:
    """One person's. Raises PermissionError where the password is refused, ConnectionError otherwise."""

    def __init__(self, address: str, password: str) -> None:
        self._address, self._password = address, password
        self._tokens: Mapping[str, rst.Token] = {}

    async def answer(self, wanted: TicketWanted, where: Where) -> tuple[str, str]:
        """Ticket and response."""
        if wanted.login is Login.MD5:
            return md5login.response(wanted.parameters, self._password), ""
        if wanted.login is Login.TICKET and not wanted.from_rst:
            return await self._passport(wanted.parameters, where), ""
        policy = wanted.parameters if wanted.login is Login.TOKEN else ""
        login = TokenLogin(self._address, self._password, where.tokens, rst.wanted(policy))
        while login.result is None:
            login.response(await _fetch(login.request()))
        if isinstance(login.result, rst.Refusal):
            raise _refused(login.result.credentials, login.result.text)
        self._tokens = login.result
        if not policy:
            return self._tokens[rst.LEGACY].text, ""
        token = self._tokens[rst.MESSENGER]
        return token.text, sso.response(wanted.nonce, token.secret, os.urandom(sso.IV_OCTETS))

    async def lists(self, where: Where) -> tuple[Book, tuple[Contact, ...]]:
        """The address book with its memberships."""
        token = self._tokens[rst.CONTACTS].text
        calls = {"FindMembership": addressbook.find_membership(), "ABFindAll": addressbook.find_all()}
        members, book = [
            await _fetch(addressbook.call(where.origin, operation, token, body)) for operation, body in calls.items()
        ]
        read = addressbook.book(book)
        return read, addressbook.merged(read, addressbook.memberships(members))

    async def _passport(self, parameters: str, where: Where) -> str:
        login = PassportLogin(self._address, self._password, parameters, where.nexus)
        while login.result is None:
            login.response(await _fetch(login.request()))
        if not isinstance(login.result, Ticket):
            raise _refused(login.result.credentials, login.result.text)
        return login.result.ticket


def _refused(credentials: bool, text: str) -> Exception:
    return PermissionError(text) if credentials else ConnectionError(text)


async def _fetch(request: HttpRequest) -> HttpReply:
    try:
        async with httpx.AsyncClient(trust_env=False, verify=False) as client:  # noqa: S501 - loopback, in clear
            answer = await client.request(
                request.method, request.url, headers=dict(request.headers), content=request.body or None
            )
    except httpx.HTTPError as error:
        raise ConnectionError(str(error)) from error
    return HttpReply(
        answer.status_code, {name.lower(): value for name, value in answer.headers.items()}, answer.content
    )
