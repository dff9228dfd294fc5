"""What an account proves itself with: the answer to the service's question, and tickets for the web services."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from opencpm.interworking.msn.settings import MsnSettings
from opencpm.interworking.msn.web import Dialogue, Unreachable, Web
from opencpm.protocols.msnp import md5login, rst, sso
from opencpm.protocols.msnp.dialects import Login
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.events import TicketWanted
from opencpm.protocols.msnp.passport import PassportLogin, Refusal, Ticket
from opencpm.protocols.msnp.rst import Token, TokenLogin

_EARLY = 300.0  # seconds before its end at which a token is renewed


class Denied(Exception):
    """No proof. ``credentials``: address or password are wrong, so that trying again is of no use."""

    def __init__(self, credentials: bool, text: str) -> None:
        super().__init__(text)
        self.credentials = credentials


class Proof:
    """One account's. `now` is epoch seconds, for the life of tokens."""

    def __init__(self, address: str, settings: MsnSettings, web: Web, now: Callable[[], float]) -> None:
        self.password = ""
        self._address, self._settings, self._web, self._now = address, settings, web, now
        self._login_url = settings.login_url
        self._ticket = ""  # of the Passport login
        self._parameters = ""  # with which it was asked for
        self._policy = ""
        self._tokens: Mapping[str, Token] = {}

    async def answer(self, wanted: TicketWanted) -> tuple[str, str]:
        """Ticket and response for the notification server. Raises Denied."""
        if wanted.login is Login.MD5:
            return md5login.response(wanted.parameters, self.password), ""
        try:
            if wanted.login is Login.TOKEN:
                return await self._by_token(wanted)
            if wanted.from_rst:
                await self._renew("")
                return self._token(rst.LEGACY).text, ""
            return await self._by_passport(wanted.parameters), ""
        except Unreachable as error:
            raise Denied(False, f"the login server cannot be used: {error}") from error
        except MsnpError as error:
            raise Denied(False, f"the login server: {error}") from error

    async def token(self, service: str) -> str:
        """A ticket for a web service that is good now. Raises Denied or Unreachable."""
        if not self._tokens:
            return self._ticket
        token = self._token(service)
        if token.expires and token.expires - _EARLY <= self._now():
            await self._renew(self._policy)
            token = self._token(service)
        return token.text

    async def renew(self) -> None:
        """Get other tokens: a service did not like those we have. Raises Denied or Unreachable."""
        if self._tokens:
            await self._renew(self._policy)
        elif self._ticket:
            await self._by_passport(self._parameters)

    async def _by_token(self, wanted: TicketWanted) -> tuple[str, str]:
        self._policy = wanted.parameters
        await self._renew(self._policy)
        token = self._token(rst.MESSENGER)
        return token.text, sso.response(wanted.nonce, token.secret, os.urandom(sso.IV_OCTETS))

    async def _by_passport(self, parameters: str) -> str:
        settings = self._settings
        login: Dialogue[Ticket | Refusal] = PassportLogin(
            self._address, self.password, parameters, settings.nexus_url, self._login_url
        )
        result = await self._web.converse(login)
        if not isinstance(result, Ticket):
            self._login_url = settings.login_url
            raise Denied(result.credentials, result.text)
        self._login_url, self._ticket, self._parameters = result.login_url, result.ticket, parameters
        return result.ticket

    async def _renew(self, policy: str) -> None:
        services = rst.wanted(policy)
        login: Dialogue[Mapping[str, Token] | rst.Refusal] = TokenLogin(
            self._address, self.password, self._settings.token_url, services
        )
        result = await self._web.converse(login)
        if isinstance(result, rst.Refusal):
            raise Denied(result.credentials, result.text)
        self._tokens = result

    def _token(self, service: str) -> Token:
        """The service's own token; some services take that of the messenger instead."""
        for name in (service, rst.MESSENGER, rst.LEGACY):
            if name in self._tokens:
                return self._tokens[name]
        raise Denied(False, f"the token service gave no token for {service}")
