"""Prosody, a real XMPP server: our component in it, and two users with a client of others (slixmpp)."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability, HealthState
from opencpm.domain.report import Status
from opencpm.domain.roster import ChangeKind, RosterChange
from opencpm.domain.session import CloseReason, Composing
from opencpm.lab.xmpp.client import Client
from opencpm.lab.xmpp.prosody import DOMAIN, HOST, ROOMS, ProsodyServer
from tests.interworking.xmpp.support import ALICE, ALICE_JID, BOB, Events, context, delivery, failed, notice, start
from tests.interworking.xmpp.test_sessions import offer

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("prosody_is_there")]

CAROL = Address("xmpp", f"carol@{DOMAIN}")
ALICE_TEL_ALONE = Address("tel", "+12025550177")  # somebody else, who has only a number


class Town:
    """Prosody, our connector as its component, Bob and Carol."""

    def __init__(self, server, rig, bob, carol):
        self.server, self.connector, self.inbox, self.directory = server, rig.connector, rig.inbox, rig.directory
        self.bob, self.carol = bob, carol
        self.send = rig.send


@asynccontextmanager
async def town(folder, **settings):
    async with ProsodyServer(folder, ("bob", "carol")) as server:
        rig = await start(server, context(), **settings)
        bob, carol = (
            Client(f"{user}@{DOMAIN}", server.passwords[user], (HOST, server.client_port)) for user in ("bob", "carol")
        )
        try:
            await rig.inbox.until(lambda: rig.inbox.healths)
            yield Town(server, rig, bob, carol)
        finally:
            await bob.leave()
            await carol.leave()
            await rig.stop()


async def test_messages_receipts_markers_and_typing(tmp_path):
    async with town(tmp_path) as it:
        await it.bob.connect()
        await it.carol.connect("desk")
        it.bob.reads = True
        it.send(delivery("Grüße an Bob <&>", id="d1"), delivery("and to Carol", id="d2", target=CAROL))
        assert (await it.bob.text("Grüße an Bob <&>")).sender == ALICE_JID
        assert (await it.carol.text("and to Carol")).sender == ALICE_JID
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 2 and len(it.inbox.reports) == 3)
        assert {outcome.kind for outcome in it.inbox.outcomes} == {OutcomeKind.ACCEPTED}
        told = {(report.key, report.status) for report in it.inbox.reports}
        assert told == {
            (f"d1 {BOB.value}", Status.DELIVERED),
            (f"d1 {BOB.value}", Status.DISPLAYED),
            (f"d2 {CAROL.value}", Status.DELIVERED),
        }
        ident = it.bob.write(ALICE_JID, "hi Alice")
        it.bob.show_state(ALICE_JID, "composing")
        await it.inbox.until(lambda: it.inbox.messages and it.inbox.typing)
        assert it.inbox.typing == [(BOB, ALICE, True)]
        it.connector.composing(ALICE, BOB, Composing(True))
        await it.bob.until(lambda: (ALICE_JID, "composing") in it.bob.states)
        it.send(notice(Status.DELIVERED, it.inbox.messages[0]))
        await it.bob.until(lambda: ident in it.bob.receipts)


async def test_an_unknown_user_and_a_foreign_server(tmp_path):
    async with town(tmp_path) as it:
        it.send(delivery(id="d1", target=Address("xmpp", f"nobody@{DOMAIN}")))
        failed(await it.inbox.outcome(), Reason.UNREACHABLE, False)
        it.send(delivery(id="d2", target=Address("xmpp", "bob@elsewhere.test")))
        outcome = await it.inbox.outcome(2)
        assert outcome.kind is OutcomeKind.FAILED
        assert "not-allowed" in outcome.error.code  # this Prosody talks to no other servers


async def test_an_offline_message_keeps_its_time(tmp_path):
    async with town(tmp_path, add_contacts=False) as it:
        it.send(delivery("later"))
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        assert it.inbox.reports == []
        await it.bob.connect()
        assert (await it.bob.text("later")).delayed
        await it.inbox.until(lambda: it.inbox.reports)
        assert it.inbox.reports[0].status is Status.DELIVERED


async def test_a_session_both_ways(tmp_path):
    async with town(tmp_path) as it:
        await it.bob.connect()
        events = Events(it.inbox)
        leg = await it.connector.open(offer(), events)
        leg.send([delivery("Shall we meet?")])
        text = await it.bob.text("Shall we meet?")
        it.bob.write(ALICE_JID, "Yes", thread=text.thread)
        await it.inbox.until(lambda: events.messages)
        assert await leg.close(CloseReason.NORMAL) == "<gone/>, taken by the server"
        await it.bob.until(lambda: (ALICE_JID, "gone") in it.bob.states)
        it.bob.write(ALICE_JID, "one more", thread="t2")
        await it.inbox.until(lambda: it.inbox.events and it.inbox.events[0].messages)
        it.bob.show_state(ALICE_JID, "gone", "t2")
        await it.inbox.until(lambda: it.inbox.events[0].ends)


async def test_presence_both_ways_over_a_restart_of_the_server(tmp_path):
    async with town(tmp_path) as it:
        await it.bob.connect()
        it.bob.watch(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.requests)
        it.directory.want(RosterChange(ChangeKind.ACCEPT, BOB))
        await it.bob.until(lambda: ALICE_JID in it.bob.sees)
        it.bob.set_status("dnd", "at work")
        await it.inbox.until(lambda: it.connector.reach("alice", BOB).availability is Availability.BUSY)
        it.directory.prefer(Availability.AWAY, "lunch")
        await it.bob.until(lambda: it.bob.sees[ALICE_JID].show == "away")
        await it.bob.leave()
        await it.inbox.until(lambda: it.connector.reach("alice", BOB).availability is Availability.OFFLINE)
        await it.server.down()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        assert it.connector.reach("alice", BOB).availability is Availability.UNKNOWN
        await it.server.up()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)
        it.bob.sees.clear()
        await it.bob.connect()
        await it.bob.until(lambda: ALICE_JID in it.bob.sees)
        await it.inbox.until(lambda: it.connector.reach("alice", BOB).availability is Availability.BUSY)


async def test_two_clients_of_one_person(tmp_path):
    async with town(tmp_path) as it:
        await it.bob.connect("phone")
        desk = Client(it.bob.address, it.server.passwords["bob"], (HOST, it.server.client_port))
        await desk.connect("desk")
        it.directory.want(RosterChange(ChangeKind.ADD, BOB))
        await it.inbox.until(lambda: it.connector.reach("alice", BOB).availability is Availability.AVAILABLE)
        await it.bob.leave()
        it.send(delivery("who is there?"))
        await desk.text("who is there?")
        assert it.connector.reach("alice", BOB).availability is Availability.AVAILABLE
        await desk.leave()
        await it.inbox.until(lambda: it.connector.reach("alice", BOB).availability is Availability.OFFLINE)


async def test_a_wrong_secret_and_a_second_component(tmp_path):
    async with town(tmp_path) as it:
        wrong = await start(it.server, context(), secret="wrong")
        second = await start(it.server, context())
        try:
            async with asyncio.timeout(10):
                while "not-authorized" not in wrong.connector.health().detail:
                    await asyncio.sleep(0.01)
                while "conflict" not in second.connector.health().detail:
                    await asyncio.sleep(0.01)
        finally:
            await wrong.stop()
            await second.stop()
        assert it.connector.health().state is HealthState.UP


async def test_a_thousand_messages_in_one_go(tmp_path):
    async with town(tmp_path, add_contacts=False) as it:
        await it.bob.connect()
        it.send(*[delivery(f"text {n}", id=f"d{n}") for n in range(1000)])
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 1000 and len(it.inbox.reports) == 1000, 30.0)
        assert [text.text for text in it.bob.texts] == [f"text {n}" for n in range(1000)]


async def test_a_room_of_prosody(tmp_path):
    """Carol has a room; Alice joins, talks, is put out of nothing, and leaves."""
    async with town(tmp_path, rooms=(ROOMS,)) as it:
        await it.carol.connect()
        room = Address("xmpp", f"tea@{ROOMS}")
        events = Events(it.inbox)
        leg = await it.connector.open(offer(target=room), events)  # new: it is made, and opened
        it.carol.enter(room.value, "Carol")
        await it.carol.until(lambda: f"{room.value}/Alice" in it.carol.occupants)
        leg.send([delivery("hello all")])
        await it.carol.until(lambda: any(text.text == "hello all" for text in it.carol.texts))
        text = await it.carol.text("hello all")
        assert (text.sender, text.stanza.type) == (f"{room.value}/Alice", "groupchat")
        it.carol.write(room.value, "hi Alice", type="groupchat")
        await it.inbox.until(lambda: events.messages and events.outcomes)
        assert events.outcomes[0].kind is OutcomeKind.ACCEPTED
        assert [one.text for one in events.messages] == ["Carol: hi Alice"]
        again = Events(it.inbox)
        other = await it.connector.open(offer(id="s2", initiator=ALICE_TEL_ALONE, target=room), again)
        assert other.nick == "+12025550177"
        assert await other.close(CloseReason.NORMAL) == "left the room, taken by the server"
        assert await leg.close(CloseReason.NORMAL) == "left the room, taken by the server"
        await it.carol.until(lambda: f"{room.value}/Alice" not in it.carol.occupants)
