"""How the lab's notification server lets clients in: MD5, Passport ticket, or token with its response."""

from __future__ import annotations

import secrets
import time
from base64 import b64encode
from collections.abc import Callable

from opencpm.lab.msn.world import Account, World
from opencpm.protocols.msnp import dialects, md5login, rst, sso
from opencpm.protocols.msnp.dialects import Login

PARAMETERS = "ct=1,rver=1,wp=FS_40SEC_0_COMPACT,lc=1,id=1"
POLICY = "MBI_KEY_OLD"


class Door:
    """One login. `question` are the fields after `USR t <kind> S`, `proved` judges the answer."""

    def __init__(self, world: World, dialect: int, address: str) -> None:
        self._world, self._dialect, self._address = world, dialect, address
        self._asked = ""

    def question(self) -> tuple[str, ...]:
        kind = dialects.login(self._dialect)
        if kind is Login.MD5:
            self._asked = secrets.token_hex(8)
            return (self._asked,)
        if kind is Login.TICKET:
            return (PARAMETERS,)
        self._asked = b64encode(secrets.token_bytes(48)).decode()
        return POLICY, self._asked

    def proved(self, fields: tuple[str, ...]) -> Account | None:
        """Whose account it is, None for a bad proof."""
        judge: dict[Login, Callable[[tuple[str, ...]], bool]] = {
            Login.MD5: self._by_md5,
            Login.TICKET: self._by_ticket,
            Login.TOKEN: self._by_token,
        }
        account = self._world.account(self._address)
        good = bool(fields) and judge[dialects.login(self._dialect)](fields)
        return account if good else None

    def _by_md5(self, fields: tuple[str, ...]) -> bool:
        account = self._world.account(self._address)
        return account is not None and fields[0] == md5login.response(self._asked, account.password)

    def _by_ticket(self, fields: tuple[str, ...]) -> bool:
        if dialects.tickets_from_rst(self._dialect):
            return self._issued(fields[0], rst.LEGACY)
        return self._world.logins.pop(fields[0], "") == self._address

    def _by_token(self, fields: tuple[str, ...]) -> bool:
        if len(fields) < (3 if dialects.has_places(self._dialect) else 2) or not self._issued(fields[0], rst.MESSENGER):
            return False
        return sso.proves(fields[1], self._asked, self._world.tokens[fields[0]].secret)

    def _issued(self, text: str, service: str) -> bool:
        token = self._world.tokens.get(text)
        return (
            token is not None
            and (token.address, token.service) == (self._address, service)
            and token.until > time.time()
        )
