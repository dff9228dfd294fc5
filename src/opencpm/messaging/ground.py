"""What every use case stands on: the store, the people, the connectors, and the deliveries now in hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from opencpm.domain.address import Address
from opencpm.domain.contact import Contact
from opencpm.domain.message import Message
from opencpm.domain.number import NO_FACTS
from opencpm.domain.plan import Action, Form, Plan
from opencpm.domain.policy import Policy
from opencpm.domain.profile import UNKNOWN_REACH, WHOLE, Fit
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Bus, Changes, Clock, Connector, DeliveryRecord, Directory, Ids, Numbers, Store
from opencpm.messaging.links import Links
from opencpm.messaging.working import WorkingSet
from opencpm.selection import select
from opencpm.selection.back import back
from opencpm.selection.numbers import canonical_address
from opencpm.selection.request import NetworkView, Request
from opencpm.selection.targets import target_on

_NOBODY: frozenset[str] = frozenset()
_HOMES = 20_000
_REMEMBERED = 100_000
_HEARD = "messaging.heard"
_ALIASES = frozenset({"im", "sip"})


class Parties(NamedTuple):
    """Who an exchange is between, looked up once. ``contact``: the receiver as the sender knows them; or the sender,
    as the receiver knows them, where only the receiver is ours."""

    sender: Subscriber | None
    recipient: Subscriber | None
    contact: Contact


@dataclass(slots=True)
class Ground:
    """Shared by the use cases of one server; holds no logic of theirs."""

    store: Store
    directory: Directory
    policy: Policy
    clock: Clock
    ids: Ids
    bus: Bus
    connectors: dict[str, Connector] = field(default_factory=dict)
    numbers: Numbers | None = None
    working: WorkingSet = field(default_factory=WorkingSet)
    links: Links | None = None  # None: nobody could follow one
    _heard: dict[str, str] = field(default_factory=dict)  # thread -> network the other side last used
    _homes: dict[tuple[Address, Address], tuple[tuple[object, ...], Plan]] = field(default_factory=dict)

    def plan(
        self,
        message: Message | None,
        sender_address: Address,
        recipient_address: Address,
        *,
        session: bool = False,
        route: str = "",
        tried: frozenset[str] = _NOBODY,
        attempt: int = 1,
        expires_at: float = 0.0,
        parties: Parties | None = None,
    ) -> Plan:
        """Ask selection for the way of one message (or invitation) to one receiver, as things stand now."""
        sender, recipient, contact = parties or self.parties(sender_address, recipient_address)
        request = Request(
            now=self.clock.now(),
            sender_address=sender_address,
            recipient_address=recipient_address,
            sender=sender,
            recipient=recipient,
            contact=contact,
            networks=self._views(message, recipient_address, contact, sender, recipient),
            policy=self.policy,
            blocked=recipient is not None and self.directory.blocks(recipient.id, sender_address),
            message=message,
            session=session,
            route=route,
            sticky=self.last_heard(f"{sender.id}|{contact.id}") if sender else "",
            tried=tried,
            attempt=attempt,
            expires_at=expires_at,
        )
        return select(request)

    def note_link(self, record: DeliveryRecord, changes: Changes) -> None:
        """Where a record goes as a link: the link works from the same commit on."""
        if record.form is Form.LINK and self.links is not None:
            changes.state.append(self.links.row(record, self.policy.link_lifetime))

    def heard(self, thread: str, network: str, changes: Changes) -> None:
        """The other side of this thread wrote by this network: answers go there first, also after a restart."""
        if thread and self.last_heard(thread) != network:
            self._heard[thread] = network
            changes.state.append((_HEARD, thread, network.encode()))

    def last_heard(self, thread: str) -> str:
        """By which network the other side last wrote; empty where nothing came yet."""
        known = self._heard.get(thread)
        if known is None:
            known = self._heard[thread] = (self.store.get_state(_HEARD, thread) or b"").decode()
            if len(self._heard) > _REMEMBERED:
                del self._heard[next(iter(self._heard))]
        return known

    def canonical(self, address: Address) -> Address:
        """One address for one person: national numbers become E.164, aliases get the scheme of their network."""
        if address.scheme == "tel":
            return canonical_address(address, self.policy.home_region)
        if address.scheme in _ALIASES:
            domain = address.value.rpartition("@")[2]
            for known, network in self.policy.domains:
                connector = self.connectors.get(network)
                if known == domain and connector is not None:
                    return Address(min(connector.profile.schemes), address.value)
        return address

    def plan_home(self, about: Address, to: Address) -> Plan:
        """The way of a notice home to its sender's devices: asked anew only when something it rests on has changed."""
        owner = self.directory.owner_of(to)
        basis = (
            owner,
            self.policy,
            *[
                (name, one.reach(owner.id if owner else "", to), one.health().state)
                for name, one in self.connectors.items()
                if one.profile.access
            ],
        )
        known = self._homes.get((about, to))
        if known is not None and known[0] == basis:
            return known[1]
        plan = self.plan(None, about, to)
        if len(self._homes) >= _HOMES:
            self._homes.clear()
        if plan.action is Action.SEND:
            self._homes[about, to] = (basis, plan)
        return plan

    def plan_back(
        self,
        message: Message,
        about: Address,
        status: Status,
        *,
        tried: frozenset[str] = _NOBODY,
        attempt: int = 1,
        expires_at: float = 0.0,
    ) -> Plan | None:
        """The way of a notice back to a sender on a foreign network: the one their message came by. None where that
        network does not tell its people this."""
        connector = self.connectors.get(message.origin)
        if connector is None or connector.profile.access or status not in connector.profile.told:
            return None
        view = NetworkView(message.origin, connector.profile, connector.health(), message.sender, UNKNOWN_REACH)
        return back(view, about, self.policy, self.clock.now(), tried=tried, attempt=attempt, expires_at=expires_at)

    def parties(self, sender_address: Address, recipient_address: Address) -> Parties:
        """Who is meant by two addresses."""
        directory = self.directory
        sender, recipient = directory.owner_of(sender_address), directory.owner_of(recipient_address)
        if sender is not None:
            return Parties(sender, recipient, directory.contact(sender.id, recipient_address))
        return Parties(None, recipient, directory.contact(recipient.id if recipient else "", sender_address))

    def _views(
        self,
        message: Message | None,
        recipient_address: Address,
        contact: Contact,
        sender: Subscriber | None,
        recipient: Subscriber | None,
    ) -> tuple[NetworkView, ...]:
        views = []
        owned = recipient is not None
        for name, connector in self.connectors.items():
            profile = connector.profile
            if owned != profile.access:
                continue  # one way only: subscribers by our access, everybody else by their network
            target = target_on(profile, name, recipient_address, contact, self.policy, owned)
            if target is None:
                views.append(NetworkView(name, profile, connector.health(), None, UNKNOWN_REACH))
                continue
            owner = recipient.id if recipient else sender.id if sender else ""
            reach = connector.reach(owner, target)
            facts = NO_FACTS
            if self.numbers is not None and target.scheme == "tel" and not owned:
                facts = self.numbers.facts(target.value)
            fit, linked = WHOLE, None
            if message is not None:
                fit = connector.fit(message)
                linked = self._linked(message, connector, fit, sender)
            views.append(NetworkView(name, profile, connector.health(), target, reach, fit, linked, facts))
        return tuple(views)

    def _linked(self, message: Message, connector: Connector, fit: Fit, sender: Subscriber | None) -> Fit | None:
        """How a text with a link would go, where the message itself may not."""
        if self.links is None or connector.profile.access or not self.policy.link_lifetime:
            return None
        if fit.error is None and fit.segments <= self._fewest(sender):
            return None
        return self.links.fit(message, connector)

    def _fewest(self, sender: Subscriber | None) -> int:
        """Segments that nobody minds."""
        limit = self.policy.limits.segments
        own = sender.preferences.max_segments if sender is not None else 0
        return min(limit, own) if own else limit

    def threads(
        self, sender_address: Address, recipient_address: Address, parties: Parties | None = None
    ) -> tuple[str, str]:
        """In whose history an exchange shows: the sender's and the receiver's thread, empty where they are not ours."""
        sender, recipient, contact = parties or self.parties(sender_address, recipient_address)
        sent = f"{sender.id}|{contact.id}" if sender else ""
        received = f"{recipient.id}|{self.directory.contact(recipient.id, sender_address).id}" if recipient else ""
        return sent, received
