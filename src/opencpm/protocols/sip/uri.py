"""URIs of SIP: sip, sips (RFC 3261 §19.1) and tel (RFC 3966)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote, unquote

from opencpm.protocols.sip.errors import SipError

MAX_URI = 2048
DEFAULT_PORTS = {"UDP": 5060, "TCP": 5060, "TLS": 5061, "WS": 80, "WSS": 443}

_SIP = re.compile(
    r"(?:([^@]*)@)?"  # user (with password), escaped
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"  # host: IPv6 literal, IPv4 or name
    r"(?::([0-9]{1,5}))?"
    r"((?:;[^?]*)?)"
    r"(?:\?(.*))?\Z",
    re.S,
)
_TEL = re.compile(r"\+?[0-9A-Fa-f*#().\- ]+\Z")
_UNSAFE = re.compile(r"[\x00-\x20<>\"\x7f]")


class Uri(NamedTuple):
    """A URI taken apart. `user` is unescaped; for tel it is the number and `host` is empty."""

    scheme: str
    user: str
    host: str
    port: int
    parameters: tuple[tuple[str, str], ...] = ()
    headers: str = ""

    def parameter(self, name: str) -> str | None:
        """A parameter's value ("" for a flag), None when it is absent."""
        for key, value in self.parameters:
            if key == name:
                return value
        return None

    @property
    def aor(self) -> str:
        """The address of record: scheme, user and host only (RFC 3261 §10.3 step 5), sips counted as sip."""
        if self.scheme == "tel":
            return f"tel:{self.user}"
        return f"sip:{escape_user(self.user)}@{self.host}" if self.user else f"sip:{self.host}"

    @property
    def host_port(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host

    def __str__(self) -> str:
        if self.scheme == "tel":
            return f"tel:{self.user}{_join(self.parameters)}"
        user = escape_user(self.user) + "@" if self.user else ""
        tail = f"?{self.headers}" if self.headers else ""
        return f"{self.scheme}:{user}{self.host_port}{_join(self.parameters)}{tail}"


def escape_user(user: str) -> str:
    """Escape what may not stand in a user part (RFC 3261 §25.1)."""
    return quote(user, safe="-_.!~*'()&=+$,;?/")


def _join(parameters: tuple[tuple[str, str], ...]) -> str:
    return "".join([f";{name}={value}" if value else f";{name}" for name, value in parameters])


@lru_cache(maxsize=8192)
def parse_uri(text: str) -> Uri:
    """Read a sip, sips or tel URI.

    Raises SipError: status 416 for another scheme (RFC 3261 §8.2.2.1), 414 over the bound, 400 for nonsense.
    """
    if len(text) > MAX_URI:
        raise SipError("URI too long", 414)
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or _UNSAFE.search(text):
        raise SipError("bad URI")
    if scheme in ("sip", "sips"):
        return _sip(scheme, rest)
    if scheme == "tel":
        return _tel(rest)
    raise SipError("unsupported URI scheme", 416)


def _sip(scheme: str, rest: str) -> Uri:
    match = _SIP.match(rest)
    if match is None:
        raise SipError("bad SIP URI")
    port = int(match[3] or 0)
    if port > 65535:
        raise SipError("bad port in URI")
    user = unquote((match[1] or "").partition(":")[0])
    return Uri(scheme, user, match[2].lower(), port, _parameters(match[4]), match[5] or "")


def _tel(rest: str) -> Uri:
    number, semicolon, tail = rest.partition(";")
    if not _TEL.match(number):
        raise SipError("bad number in tel URI")
    bare = number.translate({ord(c): None for c in "-.() "})
    return Uri("tel", bare, "", 0, _parameters(semicolon + tail))


def _parameters(text: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for part in text.split(";")[1:]:
        name, _, value = part.partition("=")
        if name:
            found.append((name.lower(), value))
    return tuple(found)
