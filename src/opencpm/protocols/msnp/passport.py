"""The two (or more) HTTP requests from a password to a ticket, without sockets (dialects 8 to 12).

Ask `request()`, do it, tell `response()`; repeat until `result` is set. The login address may be kept for later
logins; a redirection of the login is followed with the same header.
"""

from collections.abc import Mapping
from typing import NamedTuple

from opencpm.protocols.msnp import tweener
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.soap import HttpReply, HttpRequest, redirected

MAX_REDIRECTS = 3


class Ticket(NamedTuple):
    """The login went well; `login_url` may be used directly next time."""

    ticket: str
    login_url: str


class Refusal(NamedTuple):
    """No ticket. `credentials` is True when address or password are wrong, else it may be tried again."""

    credentials: bool
    text: str


class PassportLogin:
    """One login. `parameters` is the string from `USR TWN S`; `login_url` skips the nexus."""

    def __init__(self, address: str, password: str, parameters: str, nexus_url: str, login_url: str = "") -> None:
        self._authorization = tweener.authorization(address, password, parameters)
        self._nexus_url = nexus_url
        self._login_url = login_url
        self._target = login_url
        self._redirects = 0
        self.result: Ticket | Refusal | None = None

    def request(self) -> HttpRequest:
        """The request to make now."""
        if not self._target:
            return HttpRequest(self._nexus_url, {})
        return HttpRequest(self._target, {"Authorization": self._authorization})

    def response(self, reply: HttpReply) -> None:
        """Take the answer; header names are read without case."""
        folded = {name.lower(): value for name, value in reply.headers.items()}
        try:
            if not self._target:
                self._nexus(reply.status, folded)
            else:
                self._login(reply.status, folded)
        except MsnpError as error:
            self.result = Refusal(False, str(error))

    def _nexus(self, status: int, headers: Mapping[str, str]) -> None:
        if status != 200:
            self.result = Refusal(False, f"the nexus answered {status}")
            return
        self._login_url = self._target = tweener.parse_passport_urls(headers.get("passporturls", ""))

    def _login(self, status: int, headers: Mapping[str, str]) -> None:
        if status in (301, 302, 303, 307, 308):
            self._redirect(headers.get("location", ""))
        elif status == 200:
            info = headers.get("authentication-info", "")
            if tweener.da_status(info) == "failed":
                self.result = Refusal(True, "address or password refused")
            else:
                self.result = Ticket(tweener.parse_authentication_info(info), self._login_url)
        else:
            failed = status == 401 or tweener.da_status(headers.get("www-authenticate", "")) == "failed"
            text = "address or password refused" if failed else f"the login server answered {status}"
            self.result = Refusal(failed, text)

    def _redirect(self, location: str) -> None:
        self._redirects += 1
        if self._redirects > MAX_REDIRECTS:
            raise MsnpError("redirected too often")
        self._target = redirected(self._target, location)  # the password travels with the request
