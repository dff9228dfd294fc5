"""Neutral addresses as SIP writes them, and back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from opencpm.domain.address import Address, AddressError
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.response import Refusal
from opencpm.protocols.sip.uri import Uri, escape_user, parse_uri

_DIGITS = str.maketrans("", "", "0123456789+*#-.() ")


@dataclass(frozen=True, slots=True)
class Home:
    """Our domain. `hosts` are all names and addresses that mean it (clients name the registrar's IP address)."""

    domain: str
    hosts: frozenset[str]
    service_user: str = "service"

    def serves(self, uri: Uri) -> bool:
        return uri.host in self.hosts

    def address(self, uri: str) -> Address:
        """The neutral address that a SIP or tel URI names, our own hosts taken as the domain.

        Raises Refusal 400, 404 or 416.
        """
        return _address(uri, self.domain, self.hosts)

    def uri(self, address: Address, *, tel: bool = False) -> str:
        """An address as a URI that a device can answer to. With `tel`, numbers become tel: URIs, which RCS devices
        know; plain SIP clients do not, and get `sip:+…@domain;user=phone`."""
        return _uri(address, self.domain, self.service_user, tel)

    def asserted(self, source: Address, owner: Subscriber | None, *, tel: bool) -> str:
        """The P-Asserted-Identity value: of a subscriber the sip and the tel identity (RFC 3325 §9.1)."""
        addresses = owner.addresses if owner is not None else ()
        return _asserted(self.domain, self.service_user, source, addresses, tel)


_PLAIN = "-_.!~*'()&=+$,/"
"""What need not be escaped in a user part; ";" and "?" may stand there, but neutral addresses end at them."""


@lru_cache(maxsize=16384)
def _address(text: str, domain: str, hosts: frozenset[str]) -> Address:
    try:
        uri = parse_uri(text)
    except SipError as error:
        raise Refusal(error.status, "Bad address" if error.status == 400 else "") from None
    if uri.scheme == "tel" or (_is_number(uri) and uri.host in hosts):
        written = f"tel:{uri.user}"
    else:
        host = domain if uri.host in hosts else uri.host
        written = f"sip:{_quoted(uri.user)}@{host}" if uri.user else f"sip:{host}"
    try:
        return Address.parse(written)
    except AddressError:
        raise Refusal(404) from None


def _quoted(user: str) -> str:
    try:
        return quote(user, safe=_PLAIN)
    except UnicodeEncodeError:  # octets that are no UTF-8 (RFC 3261 §25.1)
        raise Refusal(400, "Bad address") from None


@lru_cache(maxsize=16384)
def _asserted(domain: str, service_user: str, source: Address, addresses: tuple[Address, ...], tel: bool) -> str:
    first = [a for a in addresses if a.scheme == "sip"][:1]
    second = [a for a in addresses if a.scheme == "tel"][:1]
    both = [*first, *second] if tel else [source]
    return ", ".join(f"<{_uri(a, domain, service_user, tel)}>" for a in both or [source])


def _is_number(uri: Uri) -> bool:
    """The user part is a telephone number, also without "+" (RFC 3261 §19.1.6). Some devices write user=phone after
    every user part: letters stay a name."""
    return uri.parameter("user") == "phone" and bool(uri.user) and not uri.user.translate(_DIGITS)


@lru_cache(maxsize=16384)
def _uri(address: Address, domain: str, service_user: str, tel: bool) -> str:
    scheme, value = address
    if scheme == "sip":
        user, at, host = value.rpartition("@")
        return f"sip:{escape_user(user)}@{host}" if at else f"sip:{host}"
    if scheme == "tel":
        return f"tel:{value}" if tel else f"sip:{quote(value, safe='+*')}@{domain};user=phone"
    if scheme == "cpm":
        return f"sip:{service_user}@{domain}"
    # A foreign identity behind our domain: sip:bob%40msn.test@cpm.test
    return f"sip:{quote(value, safe='-_.!~*()+')}@{domain}"
