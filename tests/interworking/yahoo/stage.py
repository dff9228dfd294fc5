"""The connector between the lab on one side and stand-ins for messaging and the directory on the other."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind, Part, message_ident, text_part
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Health, HealthState
from opencpm.domain.roster import ContactRequest, RosterChange, RosterEntry
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.domain.subscriber import LinkedAccount, Preferences, Subscriber
from opencpm.interfaces import Context
from opencpm.interworking.yahoo import build
from opencpm.interworking.yahoo.connector import YahooConnector
from opencpm.interworking.yahoo.leg import YahooLeg
from opencpm.lab.yahoo import Buddy, LabYahoo

ALICE, BOB, CAROL = "alice", "bob", "carol"
DOMAIN = "yahoo.test"


def address(user: str) -> Address:
    return Address("yahoo", f"{user}@{DOMAIN}")


ALICE_ADDRESS, BOB_ADDRESS = address(ALICE), address(BOB)


async def until(true: Callable[[], object]) -> None:
    """Let the loop run until something holds."""
    async with asyncio.timeout(10):
        while not true():
            await asyncio.sleep(0.001)


class Clock:
    now = staticmethod(time.time)


class Ids:
    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def new(self) -> str:
        return f"{next(self._numbers):024x}"


class Directory:
    """Linked accounts with their passwords."""

    def __init__(self) -> None:
        self.accounts: dict[str, tuple[LinkedAccount, str]] = {}
        self.unreadable: set[str] = set()
        self._watchers: list[Callable[[], None]] = []
        self.revisions = 0
        self.people: dict[str, Subscriber] = {}
        self.changes: list[RosterChange] = []

    def appear(self, owner: str, **preferences: Any) -> None:
        """A subscriber sets status or note."""
        self.people[owner] = Subscriber(id=owner, name=owner, addresses=(), preferences=Preferences(**preferences))
        self._changed()

    def wish(self, *changes: RosterChange) -> None:
        """The user changed the address book."""
        self.changes += changes
        self._changed()

    def subscriber(self, subscriber_id: str) -> Subscriber | None:
        return self.people.get(subscriber_id)

    def revision(self, owner: str) -> int:
        return self.revisions

    def roster_changes(self, network: str, owner: str, schemes: Any, account: Any = None) -> Sequence[RosterChange]:
        return tuple(self.changes)

    def link(self, owner: str, address: str, password: str) -> None:
        linked = LinkedAccount(owner=owner, network="yahoo", address=Address("yahoo", address), revision=self.revisions)
        self.accounts[address] = (linked, password)
        self._changed()

    def unlink(self, address: str) -> None:
        del self.accounts[address]
        self._changed()

    def _changed(self) -> None:
        self.revisions += 1
        for watcher in self._watchers:
            watcher()

    def linked(self, network: str) -> Sequence[LinkedAccount]:
        return [account for account, _ in self.accounts.values()]

    def password(self, account: LinkedAccount) -> str:
        if account.address.value in self.unreadable:
            raise ValueError("no password is kept")
        return self.accounts[account.address.value][1]

    def watch(self, changed: Callable[[], None]) -> None:
        self._watchers.append(changed)


@dataclass
class Recorder:
    """Keeps everything, wakes who waits."""

    all: list[tuple[str, Any]] = field(default_factory=list)
    _waiting: list[asyncio.Event] = field(default_factory=list)

    def note(self, what: str, value: Any = None) -> None:
        self.all.append((what, value))
        for event in self._waiting:
            event.set()

    def of(self, what: str) -> list[Any]:
        return [value for name, value in self.all if name == what]

    async def wait(self, what: str, wanted: Callable[[Any], bool] = lambda _: True) -> Any:
        """The first value noted under `what` that is wanted, past or future."""
        event = asyncio.Event()
        self._waiting.append(event)
        async with asyncio.timeout(10):
            while True:
                for value in self.of(what):
                    if wanted(value):
                        return value
                event.clear()
                await event.wait()


class Events(Recorder):
    """The other side of a session (LegEvents). `verdicts`: what becomes of the next messages."""

    def __init__(self) -> None:
        super().__init__()
        self.verdicts: list[SendError | None] = []

    def ringing(self) -> None:
        self.note("ringing")

    def received(self, messages: Sequence[Message], done: Callable[..., None]) -> None:
        verdict = self.verdicts.pop(0) if self.verdicts else None
        if verdict is None:
            for message in messages:
                self.note("received", message)
        done([verdict] * len(messages))

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            self.note("settled", outcome)

    def composing(self, composing: Composing) -> None:
        self.note("composing", composing)

    def reported(self, reports: Any, done: Any = None) -> None:
        for report in reports:
            self.note("reported", report)
        if done is not None:
            done()

    def closed(self, reason: CloseReason, detail: str = "") -> None:
        self.note("closed", (reason, detail))


class Inbox(Events):
    """Messaging: accepts sessions with `events`, or refuses with `refusal`."""

    def __init__(self) -> None:
        super().__init__()
        self.events = Events()
        self.refusal: SendError | None = None
        self.answer = asyncio.Event()
        self.answer.set()
        self.legs: list[Any] = []
        self.wishes: list[RosterChange] = []

    async def invited(self, offer: SessionOffer, leg: Any) -> Events:
        self.legs.append(leg)
        self.note("invited", offer)
        try:
            await self.answer.wait()
        except asyncio.CancelledError:
            self.note("withdrawn", offer)
            raise
        if self.refusal is not None:
            raise self.refusal
        return self.events

    def composing(self, sender: Address, recipient: Address, composing: Composing) -> None:  # type: ignore[override]
        self.note("composing", (sender, recipient, composing))

    def turned_away(self, who: str, reason: str, what: str) -> None:
        self.away = [*getattr(self, "away", []), (who, reason, what)]

    def reach_changed(self, *_: Any) -> None:
        raise AssertionError("Yahoo is no access")

    def presence_changed(
        self, network: str, owner: str, address: Address, presence: Presence, account: Address | None = None
    ) -> None:
        self.note("presence", (owner, address.value, presence.availability.value))

    def account_changed(self, network: str, owner: str, account: Address, status: AccountStatus) -> None:
        self.note("account", (account.value, status.state, status.detail))

    def roster(self, network: str, owner: str, entries: Sequence[RosterEntry], account: Address | None = None) -> None:
        self.note("roster", {entry.address.value: entry for entry in entries})

    def roster_settled(
        self, network: str, owner: str, change: RosterChange, error: SendError | None = None, account: Any = None
    ) -> None:
        self.wishes.remove(change)
        self.note("roster-settled", (change, error))

    def contact_asked(self, request: ContactRequest) -> None:
        self.note("asked", request)

    def health_changed(self, network: str, health: Health) -> None:
        self.note("health", health)


class Stage:
    """A running connector with alice's account, and the lab with bob."""

    def __init__(self, lab: LabYahoo, **settings: Any) -> None:
        self.lab = lab
        self.directory = Directory()
        self.inbox = Inbox()
        self.inbox.wishes = self.directory.changes
        self.version = settings.get("version", 10)
        values = {"domain": DOMAIN, "reconnect_first": 0.01, **lab.settings, **settings}
        context = Context(name="yahoo", clock=Clock(), ids=Ids(), store=None, directory=self.directory)  # type: ignore[arg-type]
        connector = build(values, context)
        assert isinstance(connector, YahooConnector)
        self.connector = connector
        self._running: asyncio.Task[None] | None = None
        self._numbers = itertools.count(1)

    async def __aenter__(self) -> Stage:
        self._running = asyncio.get_running_loop().create_task(self.connector.run(self.inbox))
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def stop(self) -> None:
        assert self._running is not None
        self._running.cancel()
        try:
            await self._running
        except asyncio.CancelledError:
            pass

    @property
    def bob(self) -> Buddy:
        return self.lab.buddies[BOB]

    def link(self, password: str = "") -> None:
        self.directory.link("alice", ALICE_ADDRESS.value, password or self.lab.account(ALICE).password)

    async def sign_in(self) -> None:
        """Link alice's account and wait until it is signed in and sees bob, if he is there."""
        self.link()
        await self.inbox.wait("account", lambda told: told[1] is AccountState.CONNECTED)
        await self.inbox.wait("health", lambda health: health.state is HealthState.UP and health.detail[0] == "1")
        if self.bob.online:
            await self.seen("available")

    async def seen(self, availability: str, user: str = BOB) -> None:
        """Alice is told so; looks at the last word."""
        await until(lambda: self.presence(user) == availability)

    def presence(self, user: str) -> str:
        told = [seen for owner, who, seen in self.inbox.of("presence") if who == address(user).value]
        return told[-1] if told else ""

    def message(self, *texts: str, subject: str = "", parts: tuple[Part, ...] = ()) -> Message:
        name = f"m{next(self._numbers)}"
        sender = Address("sip", "alice@cpm.test")
        return Message(
            id=message_ident(sender, name),
            message_id=name,
            sender=sender,
            recipients=(BOB_ADDRESS,),
            parts=parts or tuple(map(text_part, texts)),
            sent_at=time.time(),
            received_at=time.time(),
            origin="sip",
            subject=subject,
            kind=MessageKind.STANDALONE,
        )

    def delivery(self, text: str = "hello", target: str = BOB, **changes: Any) -> Delivery:
        message = changes.pop("message", None) or self.message(text)
        values: dict[str, Any] = {
            "id": f"d{message.message_id}",
            "message": message,
            "recipient": address(target),
            "network": "yahoo",
            "source": ALICE_ADDRESS,
            "target": address(target),
            "attempt": 1,
            "token": 1,
            "deadline": time.time() + 250,
            "expires_at": time.time() + 3600,
            **changes,
        }
        return Delivery(**values)

    def send(self, *texts: str, target: str = BOB) -> list[Delivery]:
        deliveries = [self.delivery(text, target) for text in texts]
        self.connector.send(deliveries)
        return deliveries

    async def outcome(self, delivery: Delivery) -> Outcome:
        return await self.inbox.wait("settled", lambda outcome: outcome.delivery_id == delivery.id)

    def offer(self, target: str = BOB) -> SessionOffer:
        return SessionOffer(
            id=f"s{next(self._numbers)}",
            initiator=ALICE_ADDRESS,
            target=address(target),
            origin="sip",
            at=time.time(),
        )

    async def opened(self, target: str = BOB) -> tuple[YahooLeg, Events]:
        events = Events()
        leg = await self.connector.open(self.offer(target), events)
        assert isinstance(leg, YahooLeg)
        return leg, events
