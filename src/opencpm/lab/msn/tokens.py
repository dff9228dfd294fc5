"""The lab's sites where passwords are proved: Passport nexus and login (8 to 12), token service (13 and later)."""

from __future__ import annotations

import time

from opencpm.lab.msn.values import Answered, Asked, fault, soap, text, texts
from opencpm.lab.msn.world import World
from opencpm.protocols.msnp import tweener
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import escape

NEXUS = "/rdr/pprdr.asp"


class PassportSite:
    """Answers the two requests that turn a password into a ticket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.origin = ""

    def nexus(self, asked: Asked) -> Answered:
        return Answered(200, {"PassportURLs": tweener.passport_urls(self.origin + "/login")})

    def login(self, asked: Asked) -> Answered:
        if self._world.faults.passport_status:
            return Answered(self._world.faults.passport_status)
        try:
            address, password = tweener.parse_authorization(asked.headers.get("authorization", ""))
        except MsnpError:
            return _refused("")
        account = self._world.account(address)
        if account is None or account.password != password:
            return _refused(address)
        ticket = self._world.login_ticket(account.address)
        return Answered(200, {"Authentication-Info": tweener.authentication_info(ticket)}, account=account.address)


def _refused(address: str) -> Answered:
    return Answered(401, {"WWW-Authenticate": "Passport1.4 da-status=failed"}, account=address)


class TokenSite:
    """One token for each service asked for, with a proof key of its own."""

    def __init__(self, world: World) -> None:
        self._world = world

    def tokens(self, asked: Asked) -> Answered:
        root = asked.xml()
        if asked.method != "POST" or root is None:
            return Answered(400)
        if self._world.faults.passport_status:
            return Answered(self._world.faults.passport_status)
        account = self._world.account(text(root, "Username"))
        if account is None or account.password != text(root, "Password"):
            return fault("wsse:FailedAuthentication", "Authentication Failure", account=text(root, "Username"))
        until = time.time() + self._world.token_life
        issued = "".join(self._one(account.address, service, until) for service in texts(root, "Address"))
        legacy = (
            "<wst:RequestSecurityTokenResponse><wst:TokenType>urn:passport:legacy</wst:TokenType><wsa:Address>"
            "http://Passport.NET/tb</wsa:Address><wst:BinarySecret>tgoPVK67sU36fQKlGLMgWgTXp7oiaQgE</wst:BinarySecret>"
            "</wst:RequestSecurityTokenResponse>"
        )
        spaces = 'xmlns:wst="urn:wst" xmlns:wsa="urn:wsa" xmlns:wsse="urn:wsse" xmlns:wsu="urn:wsu"'
        whole = "wst:RequestSecurityTokenResponseCollection"
        return soap(f"<{whole} {spaces}>{legacy}{issued}</{whole}>", account.address)

    def _one(self, address: str, service: str, until: float) -> str:
        token, secret = self._world.token(address, service, until)
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(until))
        return (
            f"<wst:RequestSecurityTokenResponse><wsa:Address>{escape(service)}</wsa:Address><wsu:Expires>{stamp}</wsu:Expires>"
            f"<wsse:BinarySecurityToken>{escape(token)}</wsse:BinarySecurityToken><wst:RequestedProofToken>"
            f"<wst:BinarySecret>{secret}</wst:BinarySecret></wst:RequestedProofToken></wst:RequestSecurityTokenResponse>"
        )
