"""Anything in any order, with a link that breaks: in the end both sides know the same of each other."""

import asyncio
import random

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.profile import Availability, HealthState
from opencpm.domain.roster import ChangeKind, RosterChange
from opencpm.domain.session import CloseReason

from .support import ALICE, ALICE_JID, Events, delivery, eventually, rig
from .test_sessions import offer

NAMES = ("bob", "carol", "dave")
SHOWS = {"": Availability.AVAILABLE, "away": Availability.AWAY, "dnd": Availability.BUSY}
PUBLISHED = {Availability.AVAILABLE: "", Availability.AWAY: "away", Availability.BUSY: "dnd"}


class Life:
    """Random doings of Alice and three others."""

    def __init__(self, it, chance):
        self.it, self.chance = it, chance
        self.people = [it.server.person(name) for name in NAMES]
        self.legs, self.sent = [], 0

    async def live(self, steps):
        doings = [self.come, self.go, self.show, self.watch, self.forget, self.add, self.remove, self.answer]
        doings += [self.publish, self.write, self.write, self.talk, self.close, self.breaks]
        for _ in range(steps):
            await self.chance.choice(doings)(self.chance.choice(self.people))
            for _ in range(self.chance.choice((0, 0, 1, 5))):
                await asyncio.sleep(0)

    # -- they

    async def come(self, who):
        if not who.online:
            who.sign_in(self.chance.choice(("phone", "desk")))

    async def go(self, who):
        if who.online:
            who.sign_out()

    async def show(self, who):
        if who.online:
            who.set_status(self.chance.choice(tuple(SHOWS)))

    async def watch(self, who):
        if self.it.server.connected:
            who.watch(ALICE_JID)

    async def forget(self, who):
        if self.it.server.connected:
            who.forget(ALICE_JID)

    # -- Alice

    def want(self, kind, who):
        self.it.directory.want(RosterChange(kind, Address("xmpp", who.address), ""))

    async def add(self, who):
        self.want(ChangeKind.ADD, who)

    async def remove(self, who):
        self.want(ChangeKind.REMOVE, who)

    async def answer(self, who):
        for request in tuple(self.it.inbox.requests):
            kind = self.chance.choice((ChangeKind.ACCEPT, ChangeKind.ACCEPT, ChangeKind.DECLINE))
            self.it.directory.want(RosterChange(kind, request.address, ""))
        self.it.inbox.requests.clear()

    async def publish(self, who):
        self.it.directory.prefer(self.chance.choice(tuple(PUBLISHED)))

    async def write(self, who):
        self.sent += 1
        self.it.send(delivery(id=f"d{self.sent}", target=Address("xmpp", who.address)))

    async def talk(self, who):
        try:
            asked = offer(id=f"s{self.sent}", target=Address("xmpp", who.address), conversation_id=f"c{self.sent}")
            self.legs.append(await self.it.connector.open(asked, Events(self.it.inbox)))
        except SendError:
            pass

    async def close(self, who):
        if self.legs:
            await self.legs.pop().close(CloseReason.NORMAL)

    # -- the link

    async def breaks(self, who):
        """What they sent has been read before; what we sent may be lost."""
        if self.it.server.connected:
            ident = self.it.server.ask(who, self.it.server.component, "get", "<ping xmlns='urn:xmpp:ping'/>")
            await self.it.server.happenings.until(lambda: ident in self.it.server.answers)
            await self.it.server.disconnect()

    # -- the end

    def differences(self):
        found = []
        for who in self.people:
            bond = self.it.connector._roster._bonds.get("alice", who.address)
            sees, seen = (bond.sees, bond.seen) if bond else (False, False)
            if sees is not (ALICE_JID in who.watched_by):
                found.append(f"Alice sees {who.address}: {sees}, and not for them")
            if seen is not (ALICE_JID in who.watches):
                found.append(f"{who.address} sees Alice: {seen}, and not for them")
            if sees:
                found += self.presence_of(who)
            if seen and who.online:
                found += self.presence_for(who)
        return found

    def presence_of(self, who):
        real = SHOWS[who.show] if who.online else Availability.OFFLINE
        known = self.it.connector.reach("alice", Address("xmpp", who.address)).availability
        return [] if known is real else [f"{who.address} is {real}, and Alice sees {known}"]

    def presence_for(self, who):
        real = PUBLISHED[self.it.directory.owner_of(ALICE).presence.availability]
        shown = who.sees.get(ALICE_JID)
        same = shown is not None and (shown.type, shown.show) == ("", real)
        return [] if same else [f"Alice is {real!r}, and {who.address} sees {shown}"]


@pytest.mark.parametrize("seed", range(8))
async def test_both_sides_know_the_same(seed):
    async with rig(stable_after=0.0) as it:
        life = Life(it, random.Random(seed))
        await life.live(300)
        await life.answer(None)
        health = it.connector.health
        await eventually(lambda: health().state is HealthState.UP and not health().backlog)
        try:
            await eventually(lambda: not life.differences(), 5.0)
        except TimeoutError:
            raise AssertionError("; ".join(life.differences())) from None
        assert sorted(outcome.delivery_id for outcome in it.inbox.outcomes if outcome.delivery_id[0] == "d") == sorted(
            f"d{n}" for n in range(1, life.sent + 1)
        )  # each is settled once
        taken = {outcome.delivery_id for outcome in it.inbox.outcomes if outcome.kind is OutcomeKind.ACCEPTED}
        for who in life.people:
            if not who.online:
                who.sign_in()
        shown = {text.id for who in life.people for text in who.texts}
        assert taken <= shown  # nothing that was accepted is lost
