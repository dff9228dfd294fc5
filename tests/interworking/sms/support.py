"""Messaging's side of the connector: keeps what it is told, answers `done` when the test says so."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, text_part
from opencpm.domain.subscriber import Preferences, Subscriber
from opencpm.interfaces import Context
from opencpm.interworking.sms import build
from opencpm.lab.smsc import LabSmsc

ALICE = Address("tel", "+12025550100")
BOB = Address("tel", "+12025550101")


class Inbox:
    def __init__(self):
        self.outcomes, self.reports, self.messages, self.healths = [], [], [], []
        self.verdict = None
        self.hold = False
        self.held = []
        self._news = asyncio.Event()

    def received(self, messages, done):
        self.messages += messages
        self._finish(lambda: done([self.verdict] * len(messages)))

    def settled(self, outcomes):
        self.outcomes += outcomes
        self._news.set()

    def reported(self, reports, done=None):
        self.reports += reports
        self._finish(done or (lambda: None))

    def health_changed(self, network, health):
        self.healths.append(health)
        self._news.set()

    def _finish(self, call):
        if self.hold:
            self.held.append(call)
        else:
            call()
        self._news.set()

    def release(self):
        self.hold = False
        for call in self.held:
            call()
        self.held.clear()

    async def until(self, true, patience=10.0):
        async with asyncio.timeout(patience):
            while not true():
                self._news.clear()
                await self._news.wait()

    async def outcome(self, count=1):
        await self.until(lambda: len(self.outcomes) >= count)
        return self.outcomes[count - 1]


class State:
    """Keyed state; `durable` is what a crash would leave."""

    def __init__(self):
        self.rooms = {}

    def put_state(self, room, key, value, done=None):
        if value is None:
            self.rooms.get(room, {}).pop(key, None)
        else:
            self.rooms.setdefault(room, {})[key] = value
        if done is not None:
            done()

    def get_state(self, room, key):
        return self.rooms.get(room, {}).get(key)

    def all_state(self, room):
        return dict(self.rooms.get(room, {}))


class Directory:
    def __init__(self, *owned):
        self.owned = set(owned)
        self.preferences = Preferences()

    def owner_of(self, address):
        if address not in self.owned:
            return None
        return Subscriber(id="alice", name="Alice", addresses=(address,), preferences=self.preferences)


class Clock:
    def __init__(self):
        self.ahead = 0.0

    def now(self):
        return time.time() + self.ahead


class Ids:
    def __init__(self):
        self.last = 0

    def new(self):
        self.last += 1
        return f"{self.last:024x}"


def context(state=None, owned=(ALICE,), clock=None):
    return Context(name="sms", clock=clock or Clock(), ids=Ids(), store=state or State(), directory=Directory(*owned))


def message(text="Hello Bob", **fields):
    base = {
        "id": "m1",
        "message_id": "mid1",
        "sender": ALICE,
        "recipients": (BOB,),
        "parts": (text_part(text),),
        "sent_at": time.time(),
        "received_at": time.time(),
        "origin": "sip",
    }
    return Message(**{**base, **fields})


def delivery(text="Hello Bob", id="d1", **fields):
    base = {
        "id": id,
        "message": fields.pop("message", None) or message(text),
        "recipient": BOB,
        "network": "sms",
        "source": ALICE,
        "target": BOB,
        "attempt": 1,
        "token": 1,
        "deadline": time.time() + 60,
        "expires_at": time.time() + 3600,
    }
    return Delivery(**{**base, **fields})


class Rig:
    def __init__(self, smsc, connector, inbox, task):
        self.smsc, self.connector, self.inbox, self.task = smsc, connector, inbox, task

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task

    async def kill(self):
        """The server dies: the connection breaks, nothing is said."""
        await self.smsc.disconnect()
        await self.stop()


def settings_for(smsc, **settings):
    host, port = smsc.address
    return {"type": "sms", "host": host, "port": port, "reconnect_min": 0.01, **settings}


async def start(smsc, *, where=None, **settings):
    connector = build(settings_for(smsc, **settings), where or context())
    inbox = Inbox()
    task = asyncio.create_task(connector.run(inbox))
    return Rig(smsc, connector, inbox, task)


@asynccontextmanager
async def rig(*, style=None, where=None, bound=True, **settings):
    async with LabSmsc(style=style) as smsc:
        running = await start(smsc, where=where, **settings)
        if bound:
            await running.inbox.until(lambda: running.inbox.healths)
        try:
            yield running
        finally:
            await running.stop()


async def eventually(true, patience=10.0):
    """For what nobody announces."""
    async with asyncio.timeout(patience):
        while not true():
            await asyncio.sleep(0.002)


def failed(outcome, reason, retryable):
    assert outcome.kind is OutcomeKind.FAILED
    assert isinstance(outcome.error, SendError)
    assert (outcome.error.reason, outcome.error.retryable) == (reason, retryable)
