"""ENUM over the DNS: asked once for a number, remembered as long as its records say."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.rdatatype
import dns.resolver

from opencpm.domain.number import NO_FACTS, NumberFacts, carrier_name
from opencpm.interfaces import Clock
from opencpm.protocols.e164_enum import MAX_RECORDS, Naptr, domain_of, serving
from opencpm.settings import NumbersSettings

log = logging.getLogger("opencpm.numbering")

SOURCE = "ENUM"
_REMEMBERED = 200_000
_SHORTEST = 30.0


class Known(NamedTuple):
    """What the DNS said, and until when it holds."""

    facts: NumberFacts
    until: float


class Enum:
    """Nobody waits longer than ``enum_timeout``; at most ``enum_queries`` questions are open, the others go unasked."""

    def __init__(self, settings: NumbersSettings, clock: Clock) -> None:
        self._settings, self._clock = settings, clock
        self._known: dict[str, Known] = {}
        self._open: dict[str, list[Callable[[], None]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resolver: dns.asyncresolver.Resolver | None = None
        self.asked = self.failed = 0

    def __len__(self) -> int:
        return len(self._known)

    def known(self, number: str) -> NumberFacts | None:
        """What was said; None: never asked. What has grown old still counts while it is asked about anew."""
        known = self._known.get(number)
        if known is None:
            return None
        if known.until <= self._clock.now():
            self.ask([number], lambda: None)
        return known.facts

    def ask(self, numbers: Sequence[str], done: Callable[[], None]) -> None:
        """Ask about numbers; ``done`` is called once all have an answer, or none in time."""
        left = len(numbers)

        def one() -> None:
            nonlocal left
            left -= 1
            if not left:
                done()

        for number in numbers:
            self._ask(number, one)

    def _ask(self, number: str, done: Callable[[], None]) -> None:
        waiting = self._open.get(number)
        if waiting is not None:
            waiting.append(done)
        elif len(self._open) >= self._settings.enum_queries:
            self._learn(number, NO_FACTS, self._settings.enum_retry)
            asyncio.get_running_loop().call_soon(done)
        else:
            self._open[number] = [done]
            task = asyncio.create_task(self._look_up(number))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _look_up(self, number: str) -> None:
        try:
            facts, seconds = await self._answer(number)
            self._learn(number, facts, seconds)
        finally:
            for done in self._open.pop(number):
                done()

    async def _answer(self, number: str) -> tuple[NumberFacts, float]:
        """What is known and for how long. No answer counts for a short while: the DNS may be back."""
        settings = self._settings
        self.asked += 1
        try:
            resolver = self._resolver = self._resolver or _resolver(settings)
            found = await resolver.resolve(
                domain_of(number, settings.enum_suffix), dns.rdatatype.NAPTR, lifetime=settings.enum_timeout
            )
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return NO_FACTS, settings.enum_absent
        except (dns.exception.DNSException, OSError, ValueError) as error:
            self.failed += 1
            log.warning("ENUM gave no answer: %s", type(error).__name__)
            return NO_FACTS, settings.enum_retry
        ttl = float(found.rrset.ttl) if found.rrset is not None else 0.0
        told = serving(number, _records(found), settings.enum_services)
        facts = NumberFacts("", carrier_name(told.carrier), SOURCE) if told else NO_FACTS
        return facts, min(max(ttl, _SHORTEST), settings.enum_longest)

    def _learn(self, number: str, facts: NumberFacts, seconds: float) -> None:
        before = self._known.pop(number, None)
        if facts is NO_FACTS and before is not None and seconds == self._settings.enum_retry:
            facts = before.facts  # nobody said otherwise
        if len(self._known) >= _REMEMBERED:
            del self._known[next(iter(self._known))]
        self._known[number] = Known(facts, self._clock.now() + seconds)

    async def close(self) -> None:
        """Ask nothing more; who waits is told."""
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _records(answer: dns.resolver.Answer) -> list[Naptr]:
    return [
        Naptr(one.order, one.preference, _text(one.flags), _text(one.service), _text(one.regexp))
        for one in list(answer)[:MAX_RECORDS]
    ]


def _text(octets: bytes) -> str:
    return octets.decode("ascii", "replace")


def _resolver(settings: NumbersSettings) -> dns.asyncresolver.Resolver:
    """The system's name servers, or the operator's own. Raises dns.exception.DNSException."""
    if not settings.enum_servers:
        return dns.asyncresolver.Resolver()
    resolver = dns.asyncresolver.Resolver(configure=False)
    resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port) for host, port in settings.name_servers]
    return resolver
