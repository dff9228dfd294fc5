"""A small server for the tests: real messaging, store and bus; networks and people of our own making."""

from __future__ import annotations

import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx

from opencpm.access.web import FileDesk, build, house_of
from opencpm.access.web.application import application
from opencpm.access.web.connector import WebConnector
from opencpm.cluster.local import LocalBus
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Outcome, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.policy import Limits, Policy
from opencpm.domain.profile import UNKNOWN_REACH, WHOLE, Availability, Fit, Health, HealthState, Profile, Reach
from opencpm.domain.report import Reference, Report, Status
from opencpm.domain.session import CloseReason, Composing, SessionOffer
from opencpm.interfaces import Context, Inbox, LegEvents, Store
from opencpm.messaging import Messaging
from opencpm.messaging.directory import StoredDirectory
from opencpm.messaging.shares import Shares
from opencpm.storage.sqlite import open_store
from opencpm.storage.uploads import DiskUploads, UploadLimits
from opencpm.storage.vault import Vault

ALICE = Address("sip", "alice@cpm.test")
BOB_PHONE = Address("tel", "+12025550101")
BOB_MSN = Address("msn", "bob@msn.test")
DESK = Address("sip", "desk@cpm.test")
PASSWORD = "correct horse"


class Clock:
    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return time.time() + self.ahead


class Ids:
    def __init__(self) -> None:
        self._next = itertools.count(1)

    def new(self) -> str:
        return f"{next(self._next):024x}"


def people(store: Store) -> StoredDirectory:
    """Alice, who knows Bob and has an MSN account; and Desk, who may see nothing of Alice's."""
    directory = StoredDirectory(store, Vault("k" * 40), "cpm.test")
    directory.add_user("alice", "Alice", PASSWORD, [ALICE, Address("tel", "+12025550199")])
    directory.add_user("desk", "Desk", PASSWORD, [DESK])
    directory.add_contact("alice", "Bob", [BOB_PHONE, BOB_MSN])
    directory.link_account("alice", "msn", Address("msn", "alice@msn.test"), "secret")
    return directory


class FakeSms:
    """A network of messages: takes everything, reports when told to."""

    profile = Profile(
        label="SMS",
        kind="sms",
        schemes=frozenset({"tel"}),
        max_segments=10,
        stores=True,
        reports=frozenset({Status.ACCEPTED, Status.DELIVERED}),
    )

    def __init__(self, name: str, clock: Clock) -> None:
        self.name = name
        self.clock = clock
        self.sent: list[Delivery] = []
        self.state = HealthState.UP
        self.inbox: Inbox

    async def run(self, inbox: Inbox) -> None:
        await asyncio.Event().wait()

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.sent += deliveries
        outcomes = [
            Outcome(
                delivery_id=d.id,
                token=d.token,
                kind=OutcomeKind.ACCEPTED,
                at=self.clock.now(),
                source="submit_sm_resp",
                references=(Reference(key=d.id),),
            )
            for d in deliveries
        ]
        asyncio.get_running_loop().call_soon(self.inbox.settled, outcomes)

    def receipt(self, delivery: Delivery, status: Status = Status.DELIVERED) -> None:
        report = Report(status=status, network=self.name, source="SMSC receipt", at=self.clock.now(), key=delivery.id)
        self.inbox.reported([report])

    def incoming(self, text: str, sender: Address = BOB_PHONE, to: Address = ALICE) -> Message:
        now = self.clock.now()
        ident = f"{text}-{now}"
        message = Message(
            id=message_ident(sender, ident),
            message_id=ident,
            sender=sender,
            recipients=(to,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin=self.name,
        )
        self.inbox.received([message], lambda _: None)
        return message

    async def open(self, offer: SessionOffer, events: LegEvents) -> Any:
        raise AssertionError("no sessions here")

    def composing(self, source: Address, target: Address, composing: Composing) -> None: ...

    def reach(self, owner: str, target: Address) -> Reach:
        return UNKNOWN_REACH

    def fit(self, message: Message) -> Fit:
        return WHOLE

    def health(self) -> Health:
        return Health(self.state, "bound", 1.0)

    def describe(self) -> Mapping[str, Any]:
        return {"links": 1}


@dataclass(eq=False)
class FakeLeg:
    """The far side of a session."""

    events: LegEvents
    offer: SessionOffer
    network: str = "msn"
    got: list[Delivery] = field(default_factory=list)
    typing: list[bool] = field(default_factory=list)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def ringing(self) -> None: ...

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.got += deliveries
        self.typing.append(False)
        self.events.settled(
            [
                Outcome(delivery_id=d.id, token=d.token, kind=OutcomeKind.DELIVERED, at=1.0, source="ACK")
                for d in deliveries
            ]
        )

    def composing(self, composing: Composing) -> None:
        self.typing.append(composing.active)

    async def close(self, reason: CloseReason, detail: str = "") -> str:
        self.closed.set()
        return "OUT, connection closed"

    def say(self, text: str) -> None:
        message = Message(
            id=message_ident(BOB_MSN, text),
            message_id=text,
            sender=BOB_MSN,
            recipients=(self.offer.initiator,),
            parts=(text_part(text),),
            sent_at=time.time(),
            received_at=time.time(),
            origin="msn",
            kind=MessageKind.CHAT,
            session_id=self.offer.id,
        )
        self.events.received([message], lambda _: None)


class FakeMsn(FakeSms):
    """A network of sessions. ``answer``: None to answer, an error to refuse, an Event to make it wait."""

    profile = Profile(
        label="MSN",
        kind="im",
        schemes=frozenset({"msn"}),
        needs_account=True,
        sessions=True,
        typing=True,
        reports=frozenset({Status.ACCEPTED, Status.DELIVERED}),
    )

    def __init__(self, name: str, clock: Clock) -> None:
        super().__init__(name, clock)
        self.refusal: SendError | None = None
        self.hold: asyncio.Event | None = None
        self.legs: list[FakeLeg] = []

    async def open(self, offer: SessionOffer, events: LegEvents) -> FakeLeg:
        events.ringing()
        if self.hold is not None:
            await self.hold.wait()
        if self.refusal is not None:
            raise self.refusal
        leg = FakeLeg(events, offer)
        self.legs.append(leg)
        return leg

    def reach(self, owner: str, target: Address) -> Reach:
        return Reach(Availability.AVAILABLE, detail="online")


@dataclass
class World:
    messaging: Messaging
    people: StoredDirectory
    token: str
    connector: WebConnector
    sms: FakeSms
    msn: FakeMsn
    clock: Clock
    client: httpx.AsyncClient
    house: Any = None
    filing: Any = None

    async def get(self, path: str, **params: Any) -> Any:
        answer = await self.client.get(f"/api/v1{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def desk(self) -> dict[str, str]:
        """The headers of somebody else."""
        return {"Authorization": f"Bearer {self.people.new_token('desk', 'test')}"}

    async def until(self, path: str, holds: Callable[[Any], bool]) -> Any:
        """Ask again after every turn of the loop until it holds."""
        while not holds(found := await self.get(path)):
            await asyncio.sleep(0.005)
        return found


def context(clock: Clock, store: Any, people: StoredDirectory) -> Context:
    return Context(name="web", clock=clock, ids=Ids(), store=store, directory=people)


def settings(**more: Any) -> Any:
    return SimpleNamespace(**{"host": "127.0.0.1", "port": 0, "allowed_origins": (), **more})


POLICY = Policy(order=("sms", "msn"), local_domains=("cpm.test",), limits=Limits(message_bytes=20_000, recipients=10))


@asynccontextmanager
async def world(**more: Any) -> AsyncIterator[World]:
    """A server without its listener: requests go straight into the application."""
    async with _base(more) as (messaging, directory, connector, sms, msn, clock, desk):
        house = house_of(connector, context(clock, messaging.store, directory), desk=desk, **more)
        transport = httpx.ASGITransport(application(house))
        token = directory.new_token("alice", "test")
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://cpm.test", headers=headers) as client:
            yield World(messaging, directory, token, connector, sms, msn, clock, client, house, desk)


@asynccontextmanager
async def listening(**more: Any) -> AsyncIterator[World]:
    """The same with its listener, on a free port."""
    async with _base(more) as (messaging, directory, connector, sms, msn, clock, desk):
        running = asyncio.create_task(connector.run(messaging))
        while "http" not in connector.endpoints:
            assert not running.done(), running.exception()
            await asyncio.sleep(0.001)
        host, port = connector.endpoints["http"]
        token = directory.new_token("alice", "test")
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx.AsyncClient(base_url=f"http://{host}:{port}", headers=headers, timeout=30) as client:
            yield World(messaging, directory, token, connector, sms, msn, clock, client, filing=desk)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


@asynccontextmanager
async def _base(more: dict[str, Any]) -> AsyncIterator[Any]:
    clock = Clock()
    store = await open_store(":memory:")
    directory = people(store)
    policy = more.pop("policy", POLICY)
    messaging = Messaging(store=store, directory=directory, policy=policy, clock=clock, ids=Ids(), bus=LocalBus())
    folder = tempfile.TemporaryDirectory(prefix="opencpm-test-")
    limits = UploadLimits(file=policy.limits.message_bytes, per_user=5, per_user_bytes=60_000)
    uploads = DiskUploads(Path(folder.name) / "uploads", clock, Ids(), limits)

    def base() -> str:
        host, port = connector.endpoints.get("http", ("cpm.test", 80))
        return f"http://{host}:{port}" if port != 80 else f"http://{host}"

    desk = FileDesk(Shares(store, clock, "k" * 40, base, uploads), uploads, "cpm.test")
    connector = build(settings(**more), context(clock, store, directory), messaging=messaging, files=desk)
    sms, msn = FakeSms("sms", clock), FakeMsn("msn", clock)
    sms.inbox = msn.inbox = messaging
    messaging.attach([connector, sms, msn])
    running = asyncio.create_task(messaging.run())
    try:
        yield messaging, directory, connector, sms, msn, clock, desk
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await store.close()
        folder.cleanup()


def down(reason: Reason = Reason.OFFLINE) -> SendError:
    return SendError(reason, detail="Bob is not signed in to MSN.", code="217")


@asynccontextmanager
async def events(
    world: World, last: str = "", headers: dict[str, str] | None = None
) -> AsyncIterator[Callable[..., Any]]:
    """An open page. Gives a function that waits for the next event that holds: ``(id, data)``."""
    headers = {**(headers or {}), **({"Last-Event-ID": last} if last else {})}
    async with world.client.stream("GET", "/api/v1/events", headers=headers) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()

        async def following(holds: Callable[[dict[str, Any]], bool]) -> tuple[str, dict[str, Any]]:
            ident = ""
            async for line in lines:
                if line.startswith("id: "):
                    ident = line[4:]
                elif line.startswith("data: "):
                    data = json.loads(line[6:])
                    if holds(data):
                        return ident, data
            raise AssertionError("the stream ended")

        yield following
