"""Readers for the structured headers: name-addr, Via, CSeq, Contact, numbers, auth parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.text import parse_parameters, unquote
from opencpm.protocols.sip.uri import DEFAULT_PORTS, Uri, parse_uri

_QUOTED = re.compile(r'\s*("(?:[^"\\]|\\.?)*+")\s*', re.S)
_VIA = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*([A-Za-z0-9-]+)\s+"
    r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)\s*(?::\s*([0-9]{1,5}))?\s*((?:;.*)?)\Z",
    re.S | re.I,
)
_RPORT = re.compile(r";\s*rport\s*(?==?\s*(?:;|\Z))=?", re.I)
_BRANCH = re.compile(r";\s*branch\s*=\s*([^\s;,\"]+)", re.I)
_CSEQ = re.compile(r"([0-9]{1,10})\s+([A-Za-z0-9\-.!%*_+`'~]+)\Z")
_AUTH = re.compile(r'\s*([A-Za-z0-9_-]+)\s*=\s*("(?:[^"\\]|\\.?)*+"|[^\s,"]*)\s*(?:,|\Z)', re.S)

MAGIC_COOKIE = "z9hG4bK"


class NameAddr(NamedTuple):
    """A From, To, Contact, Route … value. `uri` is the text as written, `parameters` those of the header."""

    display: str
    uri: str
    parameters: Mapping[str, str]

    @property
    def tag(self) -> str:
        return self.parameters.get("tag", "")

    @property
    def parsed(self) -> Uri:
        """The URI taken apart. Raises SipError."""
        return parse_uri(self.uri)


def parse_name_addr(value: str) -> NameAddr:
    """Read `"Name" <uri>;params`, `Name <uri>` or `uri;params` (then the parameters are the header's, RFC 3261
    §20.10). Raises SipError."""
    display, rest = "", value.strip()
    if rest[:1] == '"':
        match = _QUOTED.match(rest)
        if match is None or rest[match.end() : match.end() + 1] != "<":
            raise SipError("bad name-addr")
        display, rest = unquote(match[1]), rest[match.end() :]
    left = rest.find("<")
    if left < 0:
        uri, semicolon, tail = rest.partition(";")
        return NameAddr("", _some(uri.strip()), parse_parameters(semicolon + tail))
    right = rest.find(">", left)
    if right < 0:
        raise SipError("bad name-addr")
    display = display or rest[:left].strip()
    return NameAddr(display, _some(rest[left + 1 : right].strip()), parse_parameters(rest[right + 1 :]))


def _some(uri: str) -> str:
    if not uri:
        raise SipError("empty address")
    return uri


_USUAL = re.compile(r'<[^<>"\s]+>(?:;[A-Za-z0-9.-]+(?:=[^\s;",<>]+)?)*\Z')


def check_name_addr(value: str) -> None:
    """Whether a value is a name-addr; quick for the usual `<uri>;tag=…`. Raises SipError."""
    if not _USUAL.match(value):
        parse_name_addr(value)


def addr_uri(value: str) -> str:
    """The URI of a name-addr; quick for those that begin with it. Raises SipError."""
    if value[:1] == "<":
        end = value.find(">", 2)
        if end > 0:
            return value[1:end].strip()
    return parse_name_addr(value).uri


def tag_of(value: str) -> str:
    """The tag of a From or To value, "" when there is none. Quick, and never raises."""
    at = value.rfind(";tag=")
    if at < 0:
        return "" if "tag" not in value.lower() else _tag_slowly(value)
    if value.find(">", at) >= 0:  # inside the URI: not the header's
        return ""
    end = value.find(";", at + 5)
    return value[at + 5 : end if end >= 0 else None].strip()


def _tag_slowly(value: str) -> str:
    try:
        return parse_name_addr(value).tag
    except SipError:
        return ""


class Via(NamedTuple):
    """One Via value (RFC 3261 §20.42). `transport` is in upper case; `port` 0 when absent."""

    transport: str
    host: str
    port: int
    parameters: Mapping[str, str]

    @property
    def branch(self) -> str:
        return self.parameters.get("branch", "")

    @property
    def sent_by(self) -> str:
        return f"{self.host.lower()}:{self.port or DEFAULT_PORTS.get(self.transport, 5060)}"


def parse_via(value: str) -> Via:
    """Read one Via value; any run of white space is taken. Raises SipError."""
    match = _VIA.match(value.strip())
    if match is None:
        raise SipError("bad Via")
    return Via(match[1].upper(), match[2], int(match[3] or 0), parse_parameters(match[4]))


def via_key(value: str) -> tuple[str, str]:
    """Branch and sent-by of a Via value, for matching transactions; quick, by the text. Raises SipError."""
    match = _VIA.match(value)
    if match is None:
        raise SipError("bad Via")
    branch = _BRANCH.search(match[4])
    return branch[1] if branch else "", f"{match[2]}:{match[3] or ''}".lower()


def stamp_via(value: str, host: str, port: int) -> str:
    """The top Via with `received` and `rport` filled in (RFC 3261 §18.2.1, RFC 3581 §4).

    Both are always added to a Via that asks for rport, `received` also when the sent-by is another address.
    """
    stamped, asked = _RPORT.subn(f";rport={port}", value, count=1)
    here = value.partition(";")[0].rstrip().endswith((f" {host}", f" {host}:{port}"))
    if (asked or not here) and "received=" not in stamped:
        stamped += f";received={host}"
    return stamped


class CSeq(NamedTuple):
    number: int
    method: str


def parse_cseq(value: str) -> CSeq:
    """Read a CSeq value. Raises SipError."""
    match = _CSEQ.match(value.strip())
    if match is None or int(match[1]) >= 1 << 32:
        raise SipError("bad CSeq")
    return CSeq(int(match[1]), match[2])


def parse_number(value: str, header: str, top: int = 2**32 - 1) -> int:
    """A header or parameter that is a number of seconds, hops …; parameters after it are ignored; clamped to
    `top`. Raises SipError that names the header."""
    digits = value.partition(";")[0].strip()
    if not (digits.isascii() and digits.isdigit()):
        raise SipError(f"bad {header}")
    return min(int(digits[:12]), top)


@dataclass(frozen=True, slots=True)
class Auth:
    """An Authorization or challenge value: scheme in lower case, parameters unquoted."""

    scheme: str
    parameters: Mapping[str, str]

    def get(self, name: str) -> str:
        return self.parameters.get(name, "")


def parse_auth(value: str) -> Auth:
    """Read `Digest name="value", …`. Raises SipError."""
    scheme, _, rest = value.strip().partition(" ")
    parameters: dict[str, str] = {}
    position = 0
    while position < len(rest):
        match = _AUTH.match(rest, position)
        if match is None or len(parameters) > 30:
            if rest[position:].strip(", \t"):
                raise SipError("bad auth parameters")
            break
        parameters.setdefault(match[1].lower(), unquote(match[2]))
        position = match.end()
    return Auth(scheme.lower(), parameters)
