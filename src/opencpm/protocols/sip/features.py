"""Feature tags of devices and Accept-Contact (RFC 3840, RFC 3841), with the ICSI and IARI lists of IMS.

`+g.3gpp.icsi-ref` carries percent-encoded URNs, in a comma list or in several parameters; values are compared
whole and without case, so `…cpm.session` never matches `…cpm.session.group`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, unquote

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.text import parse_parameters

ICSI = "urn:urn-7:3gpp-service.ims.icsi.oma.cpm."
ICSI_TAG = "+g.3gpp.icsi-ref"
IARI_TAG = "+g.3gpp.iari-ref"

Features = Mapping[str, frozenset[str]]
"""Feature tags of a device: name to values, all in lower case; no values for a tag that just stands there."""

_BASE = frozenset({"audio", "automata", "class", "duplex", "data", "control", "mobility", "description", "events"})
_BASE |= frozenset({"priority", "methods", "schemes", "application", "video", "language", "type", "isfocus"})
_BASE |= frozenset({"actor", "text", "extensions"})


def is_feature(name: str) -> bool:
    """Whether a Contact parameter is a feature tag (RFC 3840 §9): one of the base set, or beginning with "+"."""
    return name.startswith("+") or name in _BASE


def features_of(parameters: Mapping[str, str]) -> Features:
    """The feature tags among a Contact's parameters. `+sip.instance` names the device and is no feature."""
    return {
        name: tag_values(value) for name, value in parameters.items() if is_feature(name) and name != "+sip.instance"
    }


@lru_cache(maxsize=4096)
def tag_values(value: str) -> frozenset[str]:
    """The values in a tag's (unquoted) value: cut at commas, percent-decoded, lower case."""
    return frozenset(unquote(part).strip().strip("<>").lower() for part in value.split(",") if part.strip())


@dataclass(frozen=True, slots=True)
class Predicate:
    """One Accept-Contact value: what the sender wants of the device."""

    features: Features
    require: bool
    explicit: bool


@lru_cache(maxsize=1024)
def parse_accept_contact(value: str) -> Predicate:
    """Read `*;tag="…";require;explicit`. Raises SipError."""
    star, semicolon, tail = value.strip().partition(";")
    if star.strip() != "*":
        raise SipError("bad Accept-Contact")
    parameters = parse_parameters(semicolon + tail)
    wanted = {name: tag_values(text) for name, text in parameters.items() if is_feature(name)}
    return Predicate(wanted, "require" in parameters, "explicit" in parameters)


def matches(predicate: Predicate, features: Features) -> bool:
    """Whether a device may get the request (RFC 3841 §7.2.4).

    Only `require` excludes: a listed tag must agree, a tag that the device does not list excludes it only with
    `explicit`. Without `require` the predicate merely ranks; see `score`.
    """
    if not predicate.require:
        return True
    for name, wanted in predicate.features.items():
        have = features.get(name)
        if have is None:
            if predicate.explicit:
                return False
        elif wanted and not wanted & have:
            return False
    return True


def score(predicates: Iterable[Predicate], features: Features) -> float:
    """How well a device fits, 0 to 1: the part of the wanted tags that it lists with a wanted value."""
    asked = fitting = 0
    for predicate in predicates:
        for name, wanted in predicate.features.items():
            asked += 1
            have = features.get(name)
            fitting += have is not None and (not wanted or bool(wanted & have))
    return fitting / asked if asked else 1.0


def icsi(service: str) -> str:
    """The URN of a CPM service: "msg" gives `urn:urn-7:3gpp-service.ims.icsi.oma.cpm.msg`."""
    return ICSI + service


def services_of(features: Features) -> frozenset[str]:
    """The CPM services a device lists, by suffix: {"msg", "session"}."""
    return frozenset(urn[len(ICSI) :] for urn in features.get(ICSI_TAG, frozenset()) if urn.startswith(ICSI))


def feature_parameter(name: str, values: Iterable[str]) -> str:
    """A tag as a Contact or Accept-Contact parameter, URNs percent-encoded as 3GPP TS 24.229 §7.2A.8.2 wants."""
    listed = ",".join(quote(value, safe="-._~") for value in values)
    return f'{name}="{listed}"' if listed else name


def accept_contact(service: str, *, require: bool = True) -> str:
    """The Accept-Contact value that asks for devices with a CPM service."""
    tail = ";require;explicit" if require else ""
    return f"*;{feature_parameter(ICSI_TAG, [icsi(service)])}{tail}"
