"""A connector against the lab's XMPP server, messaging played by the test."""

import asyncio
import time
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.message import Disposition, Message, text_part
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context
from opencpm.interworking.xmpp import build
from opencpm.lab.xmpp import LabXmpp
from tests.interworking.sms.support import Clock, Ids, State, eventually, failed
from tests.interworking.sms.support import Inbox as PlainInbox

__all__ = [
    "ALICE",
    "ALICE_JID",
    "BOB",
    "Clock",
    "Directory",
    "Events",
    "Inbox",
    "State",
    "context",
    "delivery",
    "eventually",
    "failed",
    "message",
    "notice",
    "rig",
    "start",
]

ALICE = Address("sip", "alice@cpm.test")
ALICE_TEL = Address("tel", "+12025550100")
ALICE_JID = "alice@cpm.xmpp.test"
BOB = Address("xmpp", "bob@xmpp.test")


class Directory:
    """Alice, and whoever else is given."""

    def __init__(self, *others):
        people = [Subscriber(id="alice", name="Alice", addresses=(ALICE, ALICE_TEL)), *others]
        self.people = {one.id: one for one in people}
        self.changes = {}  # owner -> what the address book wants
        self.blocked = set()
        self._watchers = []
        self._revision = 0

    def subscriber(self, subscriber_id):
        return self.people.get(subscriber_id)

    def owner_of(self, address):
        return next((one for one in self.people.values() if address in one.addresses), None)

    def subscribers(self):
        return list(self.people.values())

    def blocks(self, owner, address):
        return address in self.blocked

    def revision(self, owner):
        return self._revision

    def roster_changes(self, network, owner, schemes, account=None):
        return tuple(self.changes.get(owner, ()))

    def want(self, *changes, owner="alice"):
        """The address book wants these; they are gone once they are settled."""
        self.changes[owner] = [*self.changes.get(owner, ()), *changes]
        self.changed()

    def prefer(self, status, note=""):
        """Alice publishes another presence."""
        alice = self.people["alice"]
        self.people["alice"] = replace(alice, preferences=replace(alice.preferences, status=status, note=note))
        self.changed()

    def watch(self, changed):
        self._watchers.append(changed)

    def changed(self):
        self._revision += 1
        for changed in self._watchers:
            changed()


class Events:
    """What a leg tells."""

    def __init__(self, inbox):
        self.inbox = inbox
        self.messages, self.typing, self.ends, self.outcomes = [], [], [], []

    def ringing(self): ...

    def received(self, messages, done):
        self.messages += messages
        self.inbox.finish(lambda: done([None] * len(messages)))

    def settled(self, outcomes):
        self.outcomes += outcomes
        self.inbox.news()

    def composing(self, composing):
        self.typing.append(composing.active)
        self.inbox.news()

    def reported(self, reports, done=None):
        raise AssertionError("reports go through the inbox")

    def closed(self, reason, detail=""):
        self.ends.append((reason, detail))
        self.inbox.news()


class Inbox(PlainInbox):
    def __init__(self):
        super().__init__()
        self.offers, self.legs, self.events = [], [], []
        self.typing, self.turned, self.presence = [], [], []
        self.rosters, self.settled_changes, self.requests = {}, [], []
        self.directory = None
        self.refusal = None
        self.answer = asyncio.Event()
        self.answer.set()

    def news(self):
        self._news.set()

    def finish(self, call):
        self._finish(call)

    async def invited(self, offer, leg):
        self.offers.append(offer)
        self.legs.append(leg)
        self.news()
        await self.answer.wait()
        if self.refusal is not None:
            raise self.refusal
        self.events.append(Events(self))
        return self.events[-1]

    def composing(self, sender, recipient, composing):
        self.typing.append((sender, recipient, composing.active))
        self.news()

    def roster(self, network, owner, entries, account=None):
        self.rosters[owner] = list(entries)
        self.news()

    def roster_settled(self, network, owner, change, error=None, account=None):
        self.settled_changes.append((change, error))
        if self.directory is not None:
            self.directory.changes[owner].remove(change)
        self.news()

    def contact_asked(self, request):
        self.requests.append(request)
        self.news()

    def presence_changed(self, network, owner, address, presence, account=None):
        self.presence.append((owner, address, presence))
        self.news()

    def turned_away(self, who, reason, what):
        self.turned.append((who, reason, what))
        self.news()


def context(state=None, clock=None, directory=None, **more):
    return Context(
        name="xmpp",
        clock=clock or Clock(),
        ids=Ids(),
        store=state or State(),
        directory=directory or Directory(),
        **more,
    )


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
        "conversation_id": "conv1",
    }
    return Message(**{**base, **fields})


def delivery(text="Hello Bob", id="d1", **fields):
    base = {
        "id": id,
        "message": fields.pop("message", None) or message(text),
        "recipient": BOB,
        "network": "xmpp",
        "source": ALICE,
        "target": BOB,
        "attempt": 1,
        "token": 1,
        "deadline": time.time() + 60,
        "expires_at": time.time() + 3600,
    }
    return Delivery(**{**base, **fields})


def notice(status, received, reason="", id="d1!x"):
    """Word for Bob of what became of a message that he sent."""
    said = Notice(
        message_id=received.message_id,
        original_sent_at=received.sent_at,
        recipient=ALICE,
        status=status,
        reason=reason,
    )
    return delivery(id=id, message=received, notice=said, recipient=received.sender)


class Rig:
    def __init__(self, server, connector, inbox, task):
        self.server, self.connector, self.inbox, self.task = server, connector, inbox, task
        self.directory = inbox.directory

    @property
    def bob(self):
        return self.server.person("bob")

    def send(self, *deliveries):
        self.connector.send(deliveries)

    async def stop(self):
        self.task.cancel()
        with suppress(asyncio.CancelledError):
            await self.task


async def start(server, where, **settings):
    """A connector on a server that is there already."""
    connector = build({**server.settings, "reconnect_min": 0.01, **settings}, where)
    inbox = Inbox()
    inbox.directory = where.directory
    return Rig(server, connector, inbox, asyncio.create_task(connector.run(inbox)))


@asynccontextmanager
async def rig(*, where=None, up=True, **settings):
    async with LabXmpp() as server:
        server.person("bob")  # has an account, and is not there yet
        running = await start(server, where or context(), **settings)
        if up:
            await running.inbox.until(lambda: running.inbox.healths)
        try:
            yield running
        finally:
            await running.stop()


WANTED = Disposition.POSITIVE_DELIVERY | Disposition.DISPLAY | Disposition.NEGATIVE_DELIVERY
