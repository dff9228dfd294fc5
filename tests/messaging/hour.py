"""A foreign network of the simulation, and the connector between it and messaging: all in memory, time by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import WHOLE, Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Status
from opencpm.domain.roster import ChangeKind, ContactRequest, RosterChange, RosterEntry, Tie
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Directory, Inbox, LegEvents

PROFILE = Profile(
    label="MSN",
    kind="im",
    schemes=frozenset({"msn"}),
    needs_account=True,
    reports=frozenset({Status.ACCEPTED}),
    sessions=True,
    typing=True,
    presence=True,
    rosters=True,
)


@dataclass
class Somebody:
    """A person of the network. ``read``: what they were sent."""

    address: Address
    availability: Availability = Availability.OFFLINE
    note: str = ""
    lists: bool = False  # has the account on their list
    read: list[str] = field(default_factory=list)

    @property
    def online(self) -> bool:
        return self.availability is not Availability.OFFLINE


@dataclass
class Line:
    """A line of the account's list, as the service keeps it."""

    name: str = ""
    blocked: bool = False
    listed: bool = True  # False: only blocked


class Service:
    """The network's side: people, the account's list, whether it is signed in."""

    def __init__(self, people: int) -> None:
        self.people = {f"p{n}@msn.test": Somebody(Address("msn", f"p{n}@msn.test")) for n in range(people)}
        self.list: dict[str, Line] = {}
        self.signed_in = False
        self.legs: dict[str, SimLeg] = {}  # the open conversation with each

    def entries(self) -> list[RosterEntry]:
        return [
            RosterEntry(
                address=Address("msn", who),
                name=line.name,
                tie=self._tie(who, line),
                blocked=line.blocked,
            )
            for who, line in self.list.items()
        ]

    def _tie(self, who: str, line: Line) -> Tie:
        if not line.listed:
            return Tie.NONE
        return Tie.MUTUAL if who in self.people and self.people[who].lists else Tie.LISTED

    def presence(self, who: str) -> Presence:
        """What the account may know of somebody."""
        line, somebody = self.list.get(who), self.people.get(who)
        if not self.signed_in or line is None or not line.listed or somebody is None:
            return UNKNOWN
        return Presence(somebody.availability, somebody.note)


class SimLeg:
    """A conversation with somebody; ends when they leave, or the account does."""

    network = "msn"

    def __init__(self, connector: SimConnector, who: Somebody, events: LegEvents | None) -> None:
        self._connector, self.who, self.events = connector, who, events
        self.open = True

    def ringing(self) -> None: ...

    def send(self, deliveries: Sequence[Delivery]) -> None:
        outcomes = [self._connector.taken(d, self.who) for d in deliveries]
        assert self.events is not None
        self.events.settled(outcomes)

    def composing(self, composing: Composing) -> None: ...

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        self._over()
        return "OUT"

    def ended(self, reason: CloseReason) -> None:
        """The far side ends it."""
        if self.open:
            self._over()
            if self.events is not None:
                self.events.closed(reason, "simulated")

    def _over(self) -> None:
        self.open = False
        service = self._connector.service
        if service.legs.get(self.who.address.value) is self:
            del service.legs[self.who.address.value]


class SimConnector:
    """Keeps the rules 9 to 11 of :mod:`opencpm.interfaces` for one account of Alice's."""

    name, profile = "msn", PROFILE

    def __init__(self, service: Service, directory: Directory, account: Address) -> None:
        self.service, self.directory, self.account = service, directory, account
        self.inbox: Inbox
        self._seen: set[str] = set()
        self._busy = False

    # -- the account

    def sign_in(self) -> None:
        self.service.signed_in = True
        self._state(AccountState.CONNECTED)
        self.tell_list()
        for who in self.service.people:
            self.tell_presence(who)
        self.inbox.health_changed("msn", self.health())

    def drop(self) -> None:
        for leg in tuple(self.service.legs.values()):
            leg.ended(CloseReason.LOST)
        self.service.signed_in = False
        self._state(AccountState.UNREACHABLE)
        for who in sorted(self._seen):
            self.inbox.presence_changed("msn", "alice", Address("msn", who), UNKNOWN, self.account)
        self._seen.clear()

    def _state(self, state: AccountState) -> None:
        self.inbox.account_changed("msn", "alice", self.account, AccountStatus(state, "simulated"))

    # -- the list

    def tell_list(self) -> None:
        """The service's list as it is, then what it shall be told: until there is nothing left to tell."""
        if self._busy or not self.service.signed_in:
            return
        self._busy = True
        try:
            self.inbox.roster("msn", "alice", self.service.entries(), self.account)
            for _ in range(20):
                wanted = self.directory.roster_changes("msn", "alice", PROFILE.schemes, self.account)
                if not wanted:
                    break
                for change in wanted:
                    self.inbox.roster_settled("msn", "alice", change, self._carry_out(change), self.account)
                self.inbox.roster("msn", "alice", self.service.entries(), self.account)
            else:
                raise AssertionError("the changes come to no end")
        finally:
            self._busy = False
        for who in self.service.people:
            self.tell_presence(who)

    def _carry_out(self, change: RosterChange) -> SendError | None:
        who, lists = change.address.value, self.service.list
        if who not in self.service.people and change.kind is ChangeKind.ADD:
            return SendError(Reason.UNKNOWN_ADDRESS)
        line = lists.get(who)
        if change.kind is ChangeKind.ADD:
            lists[who] = Line(name=line.name if line else "", blocked=line.blocked if line else False)
        elif change.kind is ChangeKind.REMOVE:
            lists.pop(who, None)
        elif change.kind is ChangeKind.BLOCK:
            lists.setdefault(who, Line(listed=False)).blocked = True
        elif change.kind is ChangeKind.UNBLOCK:
            if line is not None:
                line.blocked = False
                if not line.listed:
                    del lists[who]
        elif change.kind is ChangeKind.ACCEPT:
            self.service.people[who].lists = True
        return None

    def asks(self, who: str, at: float) -> None:
        """Somebody wants the account on their list; told again at every sign-on until answered, as services do."""
        if self.service.signed_in:
            address = Address("msn", who)
            self.inbox.contact_asked(
                ContactRequest(owner="alice", network="msn", address=address, at=at, name=who, account=self.account)
            )

    # -- presence

    def tell_presence(self, who: str) -> None:
        presence = self.service.presence(who)
        if presence == UNKNOWN:
            self._seen.discard(who)
        else:
            self._seen.add(who)
        self.inbox.presence_changed("msn", "alice", Address("msn", who), presence, self.account)

    # -- interfaces.Connector

    async def run(self, inbox: Inbox) -> None: ...

    def send(self, deliveries: Sequence[Delivery]) -> None:
        outcomes = []
        for delivery in deliveries:
            somebody = self.service.people.get(delivery.target.value)
            outcomes.append(self.taken(delivery, somebody))
        self.inbox.settled(outcomes)

    def taken(self, delivery: Delivery, somebody: Somebody | None) -> Outcome:
        error = None
        if not self.service.signed_in:
            error = SendError(Reason.NETWORK_DOWN, retryable=True)
        elif somebody is None:
            error = SendError(Reason.UNKNOWN_ADDRESS)
        elif not somebody.online:
            error = SendError(Reason.OFFLINE, retryable=True)
        else:
            somebody.read.append(delivery.message.text)
        kind = OutcomeKind.FAILED if error else OutcomeKind.ACCEPTED
        return Outcome(delivery_id=delivery.id, token=delivery.token, kind=kind, at=0.0, source="service", error=error)

    async def open(self, offer: SessionOffer, events: LegEvents) -> SimLeg:
        somebody = self.service.people.get(offer.target.value)
        if not self.service.signed_in:
            raise SendError(Reason.NETWORK_DOWN, retryable=True)
        if somebody is None or not somebody.online:
            raise SendError(Reason.OFFLINE, retryable=True)
        leg = SimLeg(self, somebody, events)
        self.service.legs[offer.target.value] = leg
        return leg

    def composing(self, source: Address, target: Address, composing: Composing) -> None: ...

    def reach(self, owner: str, target: Address) -> Reach:
        presence = self.service.presence(target.value)
        return Reach(presence.availability, frozenset({"session"}))

    def fit(self, message: Message) -> Fit:
        return WHOLE

    def health(self) -> Health:
        return Health(HealthState.UP if self.service.signed_in else HealthState.DOWN)

    def describe(self) -> Mapping[str, Any]:
        return {}
