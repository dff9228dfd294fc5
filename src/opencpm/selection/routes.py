"""The operator's settings, made quick to ask: which networks serve a number, and in which order networks come."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from opencpm.domain.number import NumberFacts
from opencpm.domain.policy import Policy, Route
from opencpm.selection import numbers
from opencpm.selection.memo import by_identity


class Match(NamedTuple):
    """What the table says of a number. ``number_type`` is empty where nobody had to know it."""

    label: str  # "+1202 mobile"
    networks: tuple[str, ...]
    number_type: str = ""


class Operator(NamedTuple):
    """A policy, indexed. One is made for each :class:`Policy` object (:func:`operator`)."""

    policy: Policy
    match: Callable[[str, NumberFacts], Match | None]  # a number in canonical form → its route; None: there is none
    place: dict[str, int]  # network → position in the operator's order
    domains: dict[str, str]  # domain → network
    local: frozenset[str]


@by_identity(maxsize=64)
def operator(policy: Policy) -> Operator:
    """The indexed form of a policy."""
    return Operator(
        policy=policy,
        match=_matcher(policy.routes),
        place={name: place for place, name in reversed(tuple(enumerate(policy.order)))},
        domains={domain.lower(): network for domain, network in policy.domains},
        local=frozenset(domain.lower() for domain in policy.local_domains),
    )


def _matcher(routes: Sequence[Route]) -> Callable[[str, NumberFacts], Match | None]:
    """Longest prefix by one dictionary look-up a length, so that a table of thousands costs no more than one of ten."""
    by_prefix: dict[str, list[Route]] = {}
    for route in routes:
        by_prefix.setdefault(route.prefix, []).append(route)
    lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)

    @lru_cache(maxsize=65536)
    def match(number: str, facts: NumberFacts) -> Match | None:
        found = [route for length in lengths for route in by_prefix.get(number[:length], ()) if len(number) >= length]
        return _best(number, facts, found)

    return match


def _best(number: str, facts: NumberFacts, found: Sequence[Route]) -> Match | None:
    """``found`` has the longest prefixes first. The library is asked only where a route depends on the type."""
    known = next((route.is_type for route in found if route.is_type), "") or facts.number_type
    if not known and any(route.number_type for route in found):
        known = numbers.number_type(number)
    fitting = [r for r in found if r.number_type in ("", known) and r.carrier in ("", facts.carrier)]
    if not fitting:
        return None
    best = max(fitting, key=lambda route: (route.carrier != "", len(route.prefix), route.number_type != ""))
    served = f", served by {best.carrier} ({facts.source})" if best.carrier else ""
    return Match(f"{best.prefix or 'all numbers'} {known}".strip() + served, best.networks, known)
