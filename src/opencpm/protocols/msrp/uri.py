"""MSRP URIs (RFC 4975 §6) and paths, which are lists of them."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import MsrpError

__all__ = ["MsrpUri", "parse_path", "parse_uri", "session_of"]

_URI = re.compile(
    r"(?P<scheme>msrps?)://(?:[^@/\s]{0,128}@)?(?P<host>\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,255})"
    r"(?::(?P<port>[0-9]{1,5}))?(?:/(?P<session>[A-Za-z0-9._~+=/%!$&'*:-]{1,256}))?;(?P<transport>[A-Za-z0-9]{1,16})"
    r"(?:;[^\s]{0,256})?\Z",
    re.IGNORECASE,
)
_MAX_HOPS = 8
DEFAULT_PORT = 2855


class MsrpUri(NamedTuple):
    """One hop. `session` is compared byte by byte, everything else is where to connect."""

    host: str
    port: int
    session: str
    secure: bool = False
    transport: str = "tcp"

    def __str__(self) -> str:
        scheme = "msrps" if self.secure else "msrp"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}/{self.session};{self.transport}"


def parse_uri(text: str) -> MsrpUri:
    """Parse one URI; without a port it is 2855. Raises MsrpError."""
    match = _URI.match(text)
    if match is None:
        raise MsrpError("not an MSRP URI")
    port = int(match["port"] or DEFAULT_PORT)
    if port > 65535:
        raise MsrpError("MSRP URI with an impossible port")
    secure = match["scheme"].lower() == "msrps"
    host = match["host"].strip("[]")
    return MsrpUri(host, port, match["session"] or "", secure, match["transport"].lower())


def parse_path(text: str) -> tuple[MsrpUri, ...]:
    """The URIs of a To-Path, From-Path or `a=path`: nearest hop first, the endpoint last. Raises MsrpError."""
    uris = tuple(parse_uri(part) for part in text.split())
    if not 0 < len(uris) <= _MAX_HOPS:
        raise MsrpError("empty or too long path")
    return uris


def session_of(path: str, *, last: bool = False) -> str:
    """The session id of the first (or last) URI of a path, without a full parse; empty if there is none.

    Paths are compared by this part only: gateways rewrite host and port (RFC 6714), a device behind NAT does not
    know them, and the id alone is unguessable.
    """
    first, _, rest = path.partition(" ")
    uri = path.rpartition(" ")[2] if last and rest else first
    start = uri.find("/", uri.find("://") + 3)
    end = uri.find(";", start)
    return uri[start + 1 : end] if 0 < start < end else ""
