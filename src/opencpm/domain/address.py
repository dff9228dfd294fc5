"""Who a message is from and to, whatever the network."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

_MAX_ADDRESS = 512
_SEPARATORS = str.maketrans("", "", " -.()")
_NUMBER = re.compile(r"\+?[0-9*#]{1,20}\Z")
_MAILBOX = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?\Z", re.ASCII)
_NOT_IN_A_URI = re.compile(r"(?:%5[cC]|%[89a-fA-F][0-9a-fA-F])+")
_URI = re.compile(r"([a-zA-Z][a-zA-Z0-9.+-]{0,15}):(.+)\Z", re.DOTALL)


class AddressError(ValueError):
    """The text is not an address; the text of the error says why."""


class Address(NamedTuple):
    """One address on one kind of network.

    ``scheme`` is lower case: ``tel`` (E.164 with ``+``, or a short code without), ``sip``, ``msn``, ``alpha``
    (an alphanumeric SMS sender, no reply possible), ``im`` (RFC 3860: an instant messaging address whose network
    is not known yet), ``xmpp`` (a bare JID, RFC 5122), ``cpm`` (the server itself),
    ``mailto`` (one mailbox, RFC 6068), ``yahoo`` (an id, with the domain by which the operator calls the service).
    ``value`` is what follows the colon, canonical: no visual separators in numbers, hosts in lower case.
    """

    scheme: str
    value: str

    def __str__(self) -> str:
        return f"{self.scheme}:{self.value}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read a URI, a bare number or a bare ``user@host`` (which is taken as SIP).

        :raises AddressError: when the text is none of them.
        """
        return _parse(text)


def tel(number: str) -> Address:
    """The address of a telephone number; visual separators are removed (RFC 3966 §5.1.1)."""
    return Address("tel", _number(number))


def is_international(address: Address) -> bool:
    """Whether this is a number in E.164 form."""
    return address.scheme == "tel" and address.value.startswith("+")


def _number(text: str) -> str:
    bare = text.split(";", 1)[0].translate(_SEPARATORS)
    if not _NUMBER.match(bare):
        raise AddressError(f"{text[:40]!r} is not a telephone number; write it as +<country><number>")
    return bare


@lru_cache(maxsize=65536)
def _parse(text: str) -> Address:
    text = text.strip().strip("<>")
    if not text or len(text) > _MAX_ADDRESS or any(ord(c) < 0x20 or c == "\x7f" for c in text):
        raise AddressError("an address has 1 to 512 printable characters")
    if match := _URI.match(text):
        return _from_uri(match[1].lower(), match[2])
    if "@" in text:
        return _from_uri("sip", text)
    return tel(text)


def _from_uri(scheme: str, rest: str) -> Address:
    if scheme == "tel":
        return tel(rest)
    if scheme == "alpha":
        return Address("alpha", rest[:11])
    if scheme in ("sip", "sips"):
        return _from_sip(rest)
    if scheme == "xmpp":
        return _from_xmpp(rest)
    if scheme == "mailto":
        return _from_mailto(rest)
    user, at, host = rest.rpartition("@")
    if not at:
        return Address(scheme, rest.lower())
    return Address(scheme, f"{user}@{host}".lower())


def _from_sip(rest: str) -> Address:
    """RFC 3261 §19.1: parameters and headers do not name the person; ``user=phone`` and a ``+`` user do."""
    core = re.split(r"[;?]", rest, maxsplit=1)[0]
    user, at, host = core.rpartition("@")
    if not at:
        return Address("sip", host.lower())
    user = unquote(user.split(":", 1)[0])
    if user.startswith("+") and _NUMBER.match(user.translate(_SEPARATORS)):
        return tel(user)
    if "@" in user:  # an alias of another network behind our domain: sip:bob%40msn.test@cpm.test
        return Address("im", user.lower())
    return Address("sip", f"{user}@{host.lower()}")


def _from_mailto(rest: str) -> Address:
    """RFC 6068 §2: what follows ``?`` says how to write, not to whom. One mailbox, not a list."""
    bare = rest.split("?", 1)[0].strip()
    if not _MAILBOX.match(bare):
        raise AddressError(f"{bare[:60]!r} is not a mail address; write it as mailto:name@host")
    return Address("mailto", bare.lower())


def _from_xmpp(rest: str) -> Address:
    """RFC 5122 §2.2: a query and a fragment do not name the person, nor does a resource. Only what a URI cannot hold
    plainly is decoded, so that a value written as a URI and read again stays the same."""
    bare = re.split(r"[/?#]", rest, maxsplit=1)[0]
    return Address("xmpp", _NOT_IN_A_URI.sub(lambda found: unquote(found[0]), bare).lower())
