"""An hour of simulated time: random presence, texts, sessions, changes of lists and breaks of every kind. At the end
both sides agree on lists and states, every delivery was settled once, and nothing that was accepted is lost."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, OutcomeKind
from opencpm.domain.errors import SendError
from opencpm.domain.roster import ChangeKind, RosterChange
from opencpm.domain.session import CloseReason
from opencpm.lab.msn import Buddy, LabMsn
from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp.commands import Lists
from tests.interworking.msn.stage import Events, Stage
from tests.interworking.msn.warp import run_warped

HOUR = 3600.0
BUDDIES = ("bob@msn.test", "desk@msn.test", "eve@msn.test")
SEEN = {"NLN": "available", "BSY": "busy", "AWY": "away", "HDN": "offline", "FLN": "offline"}


class SimClock:
    """Epoch seconds that run with the loop."""

    def __init__(self) -> None:
        self._began, self._loop = time.time(), asyncio.get_running_loop()
        self._at = self._loop.time()

    def now(self) -> float:
        return self._began + self._loop.time() - self._at


class Hour:
    """One account in one version, its buddies, and chance."""

    def __init__(self, lab: LabMsn, stage: Stage, me: str, seed: int) -> None:
        self.lab, self.stage, self.me = lab, stage, me
        self.chance = random.Random(seed)
        self.numbers = itertools.count()
        self.texts: dict[str, str] = {}  # delivery id and text
        self.from_buddies: list[str] = []  # texts that the service has acknowledged to a buddy
        self.sessions: list[tuple[Any, Events]] = []
        self.buddies = [lab.buddies[address] for address in BUDDIES]

    async def live(self) -> None:
        acts: list[Callable[[], Awaitable[None]]] = [
            self.write,
            self.write,
            self.buddy_writes,
            self.buddy_writes,
            self.buddy_moves,
            self.buddy_moves,
            self.change_list,
            self.appear,
            self.session,
            self.end_session,
            self.break_switchboards,
            self.break_line,
            self.buddy_drops,
        ]
        loop = asyncio.get_running_loop()
        end = loop.time() + HOUR
        while loop.time() < end:
            await asyncio.sleep(self.chance.uniform(1.0, 30.0))
            await self.chance.choice(acts)()

    # --- what happens --------------------------------------------------------------------------------------------

    def buddy(self) -> Buddy:
        return self.chance.choice(self.buddies)

    def delivery(self, who: str) -> Delivery:
        text = f"{self.me} {next(self.numbers)}"
        delivery = self.stage.delivery(
            text, who, source=Address("msn", self.me), deadline=self.stage.connector._context.clock.now() + 250
        )
        self.texts[delivery.id] = text
        return delivery

    async def write(self) -> None:
        who = self.buddy().address
        self.stage.connector.send([self.delivery(who) for _ in range(self.chance.randint(1, 3))])

    async def buddy_writes(self) -> None:
        buddy = self.buddy()
        if not buddy.online or buddy.presence.get(self.me, "FLN") == "FLN":
            return
        text = f"{buddy.address} {self.me} {next(self.numbers)}"
        try:
            open_window = next((chat for chat in buddy.chats if chat.peers == [self.me]), None)
            chat = open_window or await buddy.start_chat(self.me)
            chat.send(text)
        except (ConnectionError, TimeoutError, ValueError):
            return  # it broke meanwhile, and Bob sees that
        self.from_buddies.append(text)

    async def buddy_moves(self) -> None:
        buddy = self.buddy()
        try:
            if not buddy.online:
                await buddy.sign_in(self.chance.choice(("NLN", "BSY", "AWY")))
            elif self.chance.random() < 0.3:
                await buddy.sign_out()
            else:
                buddy.set_status(self.chance.choice(("NLN", "BSY", "AWY", "HDN")))
        except (ConnectionError, TimeoutError, ValueError):
            pass

    async def buddy_drops(self) -> None:
        self.buddy().drop()

    async def change_list(self) -> None:
        kind = self.chance.choice((ChangeKind.ADD, ChangeKind.REMOVE, ChangeKind.BLOCK, ChangeKind.UNBLOCK))
        change = RosterChange(kind, Address("msn", self.buddy().address))
        if change not in self.stage.directory.changes:
            self.stage.directory.wish(change)

    async def appear(self) -> None:
        status = self.chance.choice(("available", "busy", "away"))
        self.stage.directory.appear("alice", status=status, note=f"note {next(self.numbers)}")

    async def session(self) -> None:
        who = self.buddy().address
        events = Events()
        offer = self.stage.offer(who)
        offer = type(offer)(**{**{n: getattr(offer, n) for n in offer.__slots__}, "initiator": Address("msn", self.me)})
        try:
            async with asyncio.timeout(60):
                leg = await self.stage.connector.open(offer, events)
        except (SendError, TimeoutError):
            return
        self.sessions.append((leg, events))
        leg.send([self.delivery(who)])

    async def end_session(self) -> None:
        if self.sessions:
            leg, _ = self.sessions.pop(self.chance.randrange(len(self.sessions)))
            await leg.close(CloseReason.NORMAL)

    async def break_switchboards(self) -> None:
        self.lab.disconnect(self.me, "SB")

    async def break_line(self) -> None:
        self.lab.disconnect(self.me, "NS")

    # --- the end -------------------------------------------------------------------------------------------------

    def settled(self) -> dict[str, list[Any]]:
        found: dict[str, list[Any]] = {}
        for events in [self.stage.inbox, *self.all_events]:
            for outcome in events.of("settled"):
                found.setdefault(outcome.delivery_id, []).append(outcome)
        return found

    @property
    def all_events(self) -> list[Events]:
        return [*self.opened, self.stage.inbox.events]

    opened: list[Events]

    def roster(self) -> dict[str, tuple[bool, bool]]:
        """Who is on the list and who is blocked, as messaging was last told."""
        told = self.stage.inbox.of("roster")[-1]
        return {who: (e.tie.value in ("mutual", "listed"), e.blocked) for who, e in told.items()}

    def service(self) -> dict[str, tuple[bool, bool]]:
        lists = self.lab.account(self.me).lists
        return {who: (Lists.FL in on, Lists.BL in on) for who, on in lists.items() if on}

    def presence(self) -> dict[str, str]:
        """The last that messaging was told of each buddy."""
        return {address: state for _, address, state in self.stage.inbox.of("presence")}

    def truth(self) -> dict[str, str]:
        me = self.lab.account(self.me)
        found = {}
        for buddy in BUDDIES:
            if Lists.FL in me.lists.get(buddy, Lists(0)):
                account = self.lab.account(buddy)
                shown = account.status if account.visible_to(self.me) else commands.OFFLINE
                found[buddy] = SEEN[shown]
        return found


async def an_hour(protocol: int, seed: int) -> None:
    async with LabMsn() as lab:
        me = "alice@msn.test"
        lab.account(me, name="Alice")
        for address in BUDDIES:
            lab.buddy(address).dialects = (f"MSNP{protocol}",)
            lab.befriend(me, address)
        clock = SimClock()
        async with Stage(lab, protocol=protocol, reconnect_first=2.0, switchboard_interval=0.1) as stage:
            object.__setattr__(stage.connector._context, "clock", clock)
            object.__setattr__(stage.connector._desk, "clock", clock)
            hour = Hour(lab, stage, me, seed)
            hour.opened = []
            remember(hour)
            stage.directory.link("alice", me, lab.account(me).password)
            await hour.live()
            await calm(hour)
            judge(hour)


def remember(hour: Hour) -> None:
    """Keep the events of every session that was opened."""
    opening = hour.stage.connector.open

    async def open_(offer: Any, events: Events) -> Any:
        hour.opened.append(events)
        return await opening(offer, events)

    hour.stage.connector.open = open_  # type: ignore[method-assign]


async def calm(hour: Hour) -> None:
    """Nothing breaks any more: within minutes everything has come to rest."""
    await asyncio.sleep(60.0)
    for buddy in hour.buddies:
        if not buddy.online:
            await buddy.sign_in()
    await asyncio.sleep(900.0)
    for leg, _ in hour.sessions:
        await leg.close(CloseReason.NORMAL)
    await asyncio.sleep(60.0)


def judge(hour: Hour) -> None:
    lab, stage = hour.lab, hour.stage
    assert lab.is_online(hour.me)
    assert {b.address for b in hour.buddies if b.online} == set(BUDDIES)
    # Lists and states are the same on both sides.
    assert hour.roster() == hour.service()
    told = hour.presence()
    assert {who: told.get(who) for who in hour.truth()} == hour.truth()
    # What the user wanted of the lists was carried out or refused; nothing waits.
    assert stage.directory.changes == []
    # Each delivery was settled, and once.
    settled = hour.settled()
    assert {ident: len(settled.get(ident, ())) for ident in hour.texts} == dict.fromkeys(hour.texts, 1)
    # What the service said it took is at the buddy, or kept for them. Of what was left by UUM it says nothing, and it
    # drops that for who is there and hides.
    accepted = {
        hour.texts[ident]
        for ident, (outcome,) in settled.items()
        if ident in hour.texts and outcome.kind is OutcomeKind.ACCEPTED and "not confirm" not in outcome.detail
    }
    kept = "\n".join(each.mail for address in BUDDIES for each in lab.account(address).kept)
    heard = Counter(it.text for buddy in hour.buddies for it in buddy.happened.all if it.what == "text")
    missing = {text for text in accepted if text not in heard and text not in kept and not _in_base64(text, kept)}
    assert missing == set()
    # Twice is only what a switchboard died under.
    assert all(count <= 2 for count in heard.values())
    # What reached us came once.
    got = Counter(said.text for said in stage.inbox.of("received"))
    got += Counter(said.text for events in hour.all_events for said in events.of("received"))
    got += Counter(offer.first.text for offer in stage.inbox.of("invited") if offer.first is not None)
    ours = {text: count for text, count in got.items() if text in hour.from_buddies}
    assert all(count == 1 for count in ours.values()), ours
    assert len(hour.texts) > 30


def _in_base64(text: str, kept: str) -> bool:
    from base64 import b64encode

    return b64encode(text.encode()).decode() in kept


@pytest.mark.parametrize(("protocol", "seed"), [(8, 1), (12, 2), (18, 3), (2, 4), (15, 5)])
def test_an_hour(protocol: int, seed: int) -> None:
    run_warped(an_hour(protocol, seed))
