"""The Passport ("Tweener") headers that turn a password into a ticket (dialects 8 to 12).

Two HTTPS requests: the nexus names the login address, the login gives the ticket. Both are GET; everything is in
the headers. Building and reading are here for both sides, the requests themselves are the caller's.
"""

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from opencpm.protocols.msnp.errors import MsnpError

_SCHEME = "Passport1.4"
_ORIGIN = "OrgVerb=GET,OrgURL=http%3A%2F%2Fmessenger%2Emsn%2Ecom"
_MAX_HEADER = 8192
_DA_LOGIN = re.compile(r"(?:^|,)\s*DALogin=([^,\s]+)", re.IGNORECASE)
_TICKET = re.compile(r"from-PP='([^'\s]+)'", re.IGNORECASE)
_STATUS = re.compile(r"da-status=([A-Za-z0-9-]+)", re.IGNORECASE)


def passport_urls(login: str) -> str:
    """The nexus's PassportURLs header for a login address."""
    return f"DALogin={login}"


def parse_passport_urls(header: str) -> str:
    """The login URL of a PassportURLs header; `https://` is added where the server names no scheme."""
    found = _DA_LOGIN.search(header[:_MAX_HEADER])
    if not found:
        raise MsnpError("the nexus names no login address")
    login = found[1]
    return login if login.startswith(("https://", "http://")) else "https://" + login


def authorization(address: str, password: str, parameters: str) -> str:
    """The Authorization header of the login; `parameters` is the string from `USR TWN S`, passed on unchanged."""
    if re.search(r"[\x00-\x1f\x7f]", parameters):
        raise MsnpError("control character in the login parameters")
    who, secret = quote(address, safe=""), quote(password, safe="")
    return f"{_SCHEME} {_ORIGIN},sign-in={who},pwd={secret},{parameters}"


def parse_authorization(header: str) -> tuple[str, str]:
    """Address and password of an Authorization header (the server's side)."""
    if not header.startswith(_SCHEME + " ") or len(header) > _MAX_HEADER:
        raise MsnpError("not a Passport authorization")
    fields: Mapping[str, str] = {
        key.strip().lower(): value
        for key, _, value in (part.partition("=") for part in header[len(_SCHEME) :].split(","))
    }
    if "sign-in" not in fields or "pwd" not in fields:
        raise MsnpError("no sign-in name or password")
    return unquote(fields["sign-in"]), unquote(fields["pwd"])


def authentication_info(ticket: str) -> str:
    """The Authentication-Info header that carries a ticket (the server's side)."""
    return f"{_SCHEME} da-status=success,from-PP='{ticket}'"


def parse_authentication_info(header: str) -> str:
    """The ticket of an Authentication-Info header, unchanged. Raises MsnpError when there is none."""
    header = header[:_MAX_HEADER]
    found = _TICKET.search(header)
    if da_status(header) not in ("success", "") or not found:
        raise MsnpError("no ticket in the answer")
    return found[1]


def da_status(header: str) -> str:
    """`success`, `failed`, ... of an Authentication-Info or WWW-Authenticate header; empty when absent."""
    found = _STATUS.search(header[:_MAX_HEADER])
    return found[1].lower() if found else ""
