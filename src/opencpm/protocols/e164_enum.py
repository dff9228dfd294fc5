"""ENUM: a telephone number as a name in the DNS, and what its NAPTR records say of who serves it (RFC 6116, RFC 4769).

Pure: the DNS is asked elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

import regex

SUFFIX = "e164.arpa"
MAX_RECORDS = 32
_MAX_REGEXP = 255  # one character-string of the DNS
_PATIENCE = 0.02  # seconds for one expression of somebody else

_MOBILE_DOMAIN = re.compile(r"\bmnc([0-9]{2,3})\.mcc([0-9]{3})\b", re.ASCII | re.IGNORECASE)
_MCC = re.compile(r"[;,?&]mcc=([0-9]{3})\b", re.ASCII | re.IGNORECASE)
_MNC = re.compile(r"[;,?&]mnc=([0-9]{2,3})\b", re.ASCII | re.IGNORECASE)
_NAMED = tuple(re.compile(rf";{name}=([A-Za-z0-9+._-]{{1,32}})", re.ASCII | re.IGNORECASE) for name in ("spn", "rn"))


class EnumError(ValueError):
    """The number has no name in the DNS."""


class Naptr(NamedTuple):
    """One record (RFC 3403 §4.1)."""

    order: int
    preference: int
    flags: str
    service: str
    regexp: str


class Serving(NamedTuple):
    """Who serves a number: ``carrier`` is a mobile network's country and network code ("234033"), a service provider's
    number or a routing number; ``uri`` is what said so.
    """

    carrier: str
    uri: str


def domain_of(number: str, suffix: str = SUFFIX) -> str:
    """The name of a number in E.164 form: ``+4420`` → ``0.2.4.4.e164.arpa``. Raises EnumError."""
    digits = number.removeprefix("+")
    if number[:1] != "+" or not digits.isascii() or not digits.isdecimal() or len(digits) > 15:
        raise EnumError("no number in E.164 form")
    return f"{'.'.join(reversed(digits))}.{suffix.strip('.')}"


def serving(
    number: str, records: Iterable[Naptr], services: Collection[str] = ("pstn", "sms", "mms")
) -> Serving | None:
    """Who serves the number, by the first record of a wanted service that tells it. None: none does. Never fails."""
    wanted = frozenset(service.lower() for service in services)
    for record in sorted(list(records)[:MAX_RECORDS]):
        if record.flags.lower() != "u" or not wanted & _services(record.service):
            continue
        uri = _substituted(record.regexp, number)
        carrier = carrier_of(uri) if uri else ""
        if carrier:
            return Serving(carrier, uri)
    return None


def carrier_of(uri: str) -> str:
    """The carrier that a URI names, by its domain (``mnc033.mcc234.gprs``) or its parameters; empty: none."""
    domain = _MOBILE_DOMAIN.search(uri)
    if domain:
        return f"{domain[2]}{domain[1]:0>3}"
    country, network = _MCC.search(uri), _MNC.search(uri)
    if country and network:
        return f"{country[1]}{network[1]:0>3}"
    for pattern in _NAMED:
        named = pattern.search(uri)
        if named:
            return named[1]
    return ""


def _services(field: str) -> frozenset[str]:
    """The types of ``E2U+pstn:tel+sms:tel`` (and of the older ``pstn+E2U``)."""
    kinds = [kind.partition(":")[0] for kind in field.lower().split("+")]
    return frozenset(kinds) - {"e2u"} if "e2u" in kinds else frozenset()


def _substituted(expression: str, number: str) -> str:
    """What the substitution of RFC 3402 §3.2 makes of a number; empty where it does not apply or is no expression."""
    if not 4 <= len(expression) <= _MAX_REGEXP or expression[0] in "\\0123456789":
        return ""
    parts = re.split(rf"(?<!\\){re.escape(expression[0])}", expression[1:])
    if len(parts) != 3:
        return ""
    pattern, replacement, flags = parts
    try:
        found = regex.search(pattern, number, regex.IGNORECASE if "i" in flags else 0, timeout=_PATIENCE)
        if found is None:
            return ""
        return re.sub(r"\\([1-9])", lambda match: found[int(match[1])] or "", replacement)
    except (regex.error, TimeoutError, IndexError, RecursionError):
        return ""
