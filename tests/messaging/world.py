"""A server's messaging with a real store and directory, and networks that the test plays by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from opencpm.cluster.local import LocalBus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, Part, message_ident, text_part
from opencpm.domain.policy import Policy, Route
from opencpm.domain.profile import WHOLE, Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Reference, Report, Status
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Inbox, Leg, LegEvents
from opencpm.messaging import Messaging
from opencpm.messaging.directory import StoredDirectory
from opencpm.messaging.shares import Shares
from opencpm.storage.sqlite import open_store
from opencpm.storage.vault import Vault

ALICE = Address("sip", "alice@cpm.test")
ALICE_TEL = Address("tel", "+12025550100")
DESK = Address("sip", "desk@cpm.test")
BOB_TEL = Address("tel", "+12025550101")
BOB_MSN = Address("msn", "bob@msn.test")

CPM = Profile(
    label="devices",
    kind="cpm",
    schemes=frozenset({"sip", "tel"}),
    access=True,
    content_types=("*/*",),
    reports=frozenset({Status.DELIVERED, Status.DISPLAYED}),
    sessions=True,
    typing=True,
)
SMS = Profile(
    label="SMS",
    kind="sms",
    schemes=frozenset({"tel"}),
    reports=frozenset({Status.ACCEPTED, Status.DELIVERED, Status.FAILED}),
    max_segments=10,
    stores=True,
)
MSN = Profile(
    label="MSN",
    kind="im",
    schemes=frozenset({"msn"}),
    needs_account=True,
    reports=frozenset({Status.ACCEPTED}),
    sessions=True,
    typing=True,
)


class Clock:
    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def now(self) -> float:
        return self.time


class Ids:
    def __init__(self) -> None:
        self.last = 0

    def new(self) -> str:
        self.last += 1
        return f"{self.last:024x}"


class FakeLeg:
    """One side of a session, as the test sees it."""

    def __init__(self, network: str) -> None:
        self.network = network
        self.rang = 0
        self.sent: list[Delivery] = []
        self.typed: list[Composing] = []
        self.closed: list[CloseReason] = []
        self.answer = "OUT, connection closed"

    def ringing(self) -> None:
        self.rang += 1

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.sent += deliveries

    def composing(self, composing: Composing) -> None:
        self.typed.append(composing)

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        self.closed.append(reason)
        return self.answer


class Network:
    """A connector that records what it is given; the test decides what becomes of it."""

    def __init__(self, name: str, profile: Profile, world: World) -> None:
        self.name = name
        self.profile = profile
        self.world = world
        self.sent: list[Delivery] = []
        self.typed: list[Composing] = []
        self.state = Health(HealthState.UP)
        self.reaches: dict[str, Reach] = {}
        self.fits = WHOLE
        self.leg = FakeLeg(name)
        self.refusal: SendError | None = None
        self.offers: list[SessionOffer] = []
        self.events: LegEvents | None = None
        self.hold: asyncio.Event | None = None
        self.grew = asyncio.Event()

    async def run(self, inbox: Inbox) -> None: ...

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.sent += deliveries
        self.grew.set()

    async def open(self, offer: SessionOffer, events: LegEvents) -> Leg:
        self.offers.append(offer)
        self.events = events
        if self.hold is not None:
            await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        events.ringing()
        return self.leg

    def composing(self, source: Address, target: Address, composing: Composing) -> None:
        self.typed.append(composing)

    def reach(self, owner: str, target: Address) -> Reach:
        default = Reach(Availability.UNKNOWN if self.name == "sms" else Availability.AVAILABLE)
        return self.reaches.get(owner if self.profile.access else str(target), default)

    def fit(self, message: Message) -> Fit:
        return self.fits

    def health(self) -> Health:
        return self.state

    def describe(self) -> Mapping[str, Any]:
        return {}

    async def until(self, number: int) -> list[Delivery]:
        """Wait until so many deliveries were handed over in all."""
        while len(self.sent) < number:
            self.grew.clear()
            await asyncio.wait_for(self.grew.wait(), 10)
        return self.sent

    def take(self, delivery: Delivery, *keys: str) -> None:
        """The network accepts, under these names (one segment each)."""
        references = tuple(Reference(key=k, segment=i, segments=len(keys)) for i, k in enumerate(keys))
        self._settle(delivery, OutcomeKind.ACCEPTED, references=references, detail="ok")

    def bring(self, delivery: Delivery, *losses: str) -> None:
        """The device itself answers."""
        self._settle(delivery, OutcomeKind.DELIVERED, detail="200", losses=losses)

    def refuse(self, delivery: Delivery, reason: Reason, *, retryable: bool, retry_after: float = 0.0) -> None:
        error = SendError(reason, retryable=retryable, retry_after=retry_after)
        self._settle(delivery, OutcomeKind.FAILED, error=error)

    def _settle(self, delivery: Delivery, kind: OutcomeKind, **more: Any) -> None:
        outcome = Outcome(
            delivery_id=delivery.id,
            token=delivery.token,
            kind=kind,
            at=self.world.clock.now(),
            source=f"{self.name} answer",
            **more,
        )
        self.world.messaging.settled([outcome])

    async def report(self, status: Status, key: str, check: str = "") -> None:
        report = Report(status=status, network=self.name, source=f"{self.name} receipt", at=0.0, key=key, check=check)
        await self.world.reported(report)


class World:
    """Alice has a number and an MSN account, Bob is her contact, Desk is ours too. Build with :meth:`made`."""

    clock: Clock
    messaging: Messaging
    directory: StoredDirectory

    @classmethod
    async def made(cls, policy: Policy | None = None) -> World:
        world = cls()
        world.clock = Clock()
        world.store = await open_store(":memory:")
        vault = Vault(b"k" * 32)
        world.directory = StoredDirectory(world.store, vault, "cpm.test")
        world.directory.add_user("alice", "Alice", "alicepw", (ALICE, ALICE_TEL))
        world.directory.add_user("desk", "Desk", "carolpw", (DESK,))
        world.directory.add_contact("alice", "Bob", (BOB_TEL, BOB_MSN))
        world.directory.link_account("alice", "msn", Address("msn", "alice@msn.test"), "secret")
        world.policy = policy or Policy(
            order=("sms", "msn"),
            routes=(Route(prefix="+1202", networks=("sms",), is_type="mobile"),),
            domains=(("msn.test", "msn"),),
            local_domains=("cpm.test",),
        )
        world.messaging = Messaging(
            store=world.store,
            directory=world.directory,
            policy=world.policy,
            clock=world.clock,
            ids=Ids(),
            bus=LocalBus(),
            shares=Shares(world.store, world.clock, "k" * 32, lambda: "https://cpm.test"),
        )
        world.sip = Network("sip", CPM, world)
        world.sms = Network("sms", SMS, world)
        world.msn = Network("msn", MSN, world)
        world.messaging.attach([world.sip, world.sms, world.msn])
        await world.messaging.recover()
        world.task = asyncio.create_task(world.messaging.run())
        return world

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await self.store.close()

    def message(
        self, text: str, to: Address = BOB_TEL, *, sender: Address = ALICE, ident: str = "m1", **more: Any
    ) -> Message:
        now = self.clock.now()
        base = Message(
            id=message_ident(sender, ident),
            message_id=ident,
            sender=sender,
            recipients=(to,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin="sip",
            wants=Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY | Disposition.DISPLAY,
        )
        return replace(base, **more)

    async def send(self, *messages: Message) -> list[SendError | None]:
        """Hand messages in as a connector does; the verdicts, once they are given."""
        given: asyncio.Future[list[SendError | None]] = asyncio.get_running_loop().create_future()
        self.messaging.received(messages, lambda verdicts: given.set_result(list(verdicts)))
        return await asyncio.wait_for(given, 10)

    async def reported(self, report: Report) -> None:
        done = asyncio.Event()
        self.messaging.reported([report], done.set)
        await asyncio.wait_for(done.wait(), 10)

    async def settle(self) -> None:
        """Everything handed to the store so far is committed, and what follows from it has been started."""
        from opencpm.interfaces import Changes

        for _ in range(3):
            done = asyncio.Event()
            self.store.commit(Changes(), lambda _, done=done: done.set())
            await asyncio.wait_for(done.wait(), 10)

    def steps(self, subject: str) -> list[str]:
        return [entry.step.value for entry in self.store.trail(subject)]


PICTURE = Part("image/png", b"\x89PNG")
