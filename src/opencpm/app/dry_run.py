"""Ask selection without a running server: every link is taken to be up, everybody to be there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from opencpm import numbering
from opencpm.app.chance import RandomIds, SystemClock
from opencpm.app.networks import build_network
from opencpm.app.people import opened
from opencpm.app.sip_values import sip_values
from opencpm.cluster.local import LocalBus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.message import Message
from opencpm.domain.profile import Availability, Fit, Health, HealthState, Reach
from opencpm.domain.session import Composing, SessionOffer
from opencpm.interfaces import Connector, Context, Inbox, LegEvents, Numbers
from opencpm.messaging import Messaging
from opencpm.selection.explain import as_json
from opencpm.selection.numbers import canonical_address
from opencpm.settings import Settings


class Supposed:
    """A network that is up, with everybody there; its content rules are its own."""

    def __init__(self, inner: Connector) -> None:
        self.name, self.profile = inner.name, inner.profile
        self._inner = inner

    def health(self) -> Health:
        return Health(HealthState.UP, "supposed to be up")

    def reach(self, owner: str, target: Address) -> Reach:
        return Reach(Availability.AVAILABLE, frozenset({"session", "largemsg", "cpim"}), "supposed to be there")

    def fit(self, message: Message) -> Fit:
        return self._inner.fit(message)

    def describe(self) -> Mapping[str, Any]:
        return {}

    async def run(self, inbox: Inbox) -> None:
        self._never()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self._never()

    async def open(self, offer: SessionOffer, events: LegEvents) -> NoReturn:
        self._never()

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        self._never()

    def _never(self) -> NoReturn:
        raise AssertionError("nothing is sent in a dry run")


async def explain(
    settings: Settings, sender: str, recipient: Address, text: str, route: str, session: bool
) -> dict[str, Any]:
    """The plan, as JSON-able values. :raises KeyError: no such user."""
    from opencpm.access import sip

    clock, ids = SystemClock(), RandomIds()
    async with opened(settings) as (store, directory):

        def context(name: str) -> Context:
            return Context(name=name, clock=clock, ids=ids, store=store, directory=directory)

        numbers = numbering.build(settings.numbers, clock)
        messaging = Messaging(
            store=store,
            directory=directory,
            policy=settings.policy_values(),
            clock=clock,
            ids=ids,
            bus=LocalBus(),
            numbers=numbers,
        )
        connectors: list[Connector] = [build_network(v, context(name)) for name, v in settings.networks.items()]
        if settings.sip.enabled:
            connectors.insert(0, sip.build(sip_values(settings), context("sip")))
        messaging.attach([Supposed(one) for one in connectors])
        if numbers is not None and recipient.scheme == "tel":
            await _asked(numbers, canonical_address(recipient, settings.policy.home_region).value)
        return as_json(messaging.explain(sender, recipient, text, route=route, session=session))


async def _asked(numbers: Numbers, number: str) -> None:
    """Wait until what is to be known of a number is known."""
    answered = asyncio.Event()
    numbers.ask(numbers.missing([number]), answered.set)
    await answered.wait()
