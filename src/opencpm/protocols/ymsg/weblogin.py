"""The login of versions 15 and 16 beside the connection: two requests over HTTPS, answered by lines of text.

Documented, not recorded. Paths carry the password and the token: they are never to be logged.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple
from urllib.parse import urlencode

from opencpm.protocols.ymsg.errors import Kind, Trouble, YmsgError, token_trouble

MAX_ANSWER: Final = 64 * 1024  # octets
_COOKIES: Final = ("Y", "T", "B")


class LoginRefused(YmsgError):
    """The login host said no; ``trouble`` says what that means."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class WebProof(NamedTuple):
    """What ``YmsgClient.token`` takes: the crumb, and the cookies Y, T and B (empty where there is none)."""

    crumb: str
    cookies: tuple[str, str, str]


def token_request(user: str, password: str, challenge: str) -> str:
    """Path and query of the first request."""
    return "/config/pwtoken_get?" + urlencode(
        {"src": "ymsgr", "ts": "", "login": user, "passwd": password, "chal": challenge}
    )


def login_request(token: str) -> str:
    """Path and query of the second one."""
    return "/config/pwtoken_login?" + urlencode({"src": "ymsgr", "ts": "", "token": token})


def read_token(text: str) -> str:
    """The token in the first answer. :raises LoginRefused:"""
    return _wanted(_fields(text), "ymsgr")


def read_proof(text: str, set_cookies: Iterable[str] = (), *, whole: bool = True) -> WebProof:
    """Crumb and cookies of the second answer; cookies stand in the text or in headers (``set_cookies``).

    ``whole``: with their attributes, as the host sent them; some servers want what is before the first ``;``.

    :raises LoginRefused:
    """
    fields = _fields(text)
    for header in set_cookies:
        name, _, value = header.partition("=")
        fields.setdefault(name.strip(), value.strip())
    crumb = _wanted(fields, "crumb")
    found = [fields.get(name, "") for name in _COOKIES]
    yahoo, ticket, browser = found if whole else [value.partition(";")[0] for value in found]
    return WebProof(crumb, (yahoo, ticket, browser))


def _fields(text: str) -> dict[str, str]:
    """``name=value`` lines behind a number that must be 0."""
    lines = [line.strip() for line in text[:MAX_ANSWER].splitlines() if line.strip()]
    if not lines or not lines[0].isascii() or not lines[0].isdigit() or len(lines[0]) > 9:
        raise LoginRefused(Trouble(Kind.TEMPORARY, 0, "the login host's answer cannot be read"))
    if int(lines[0]):
        raise LoginRefused(token_trouble(int(lines[0])))
    return {name.strip(): value for name, _, value in (line.partition("=") for line in lines[1:])}


def _wanted(fields: dict[str, str], name: str) -> str:
    value = fields.get(name, "")
    if not value:
        raise LoginRefused(Trouble(Kind.TEMPORARY, 0, f"the login host's answer has no {name}"))
    return value
