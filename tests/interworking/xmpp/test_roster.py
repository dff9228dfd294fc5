"""Presence and contacts: both sides ask, answer, change and part; over a broken link and a restart."""

import pytest

from opencpm.domain.address import Address
from opencpm.domain.presence import UNKNOWN, Presence
from opencpm.domain.profile import Availability, HealthState
from opencpm.domain.roster import ChangeKind, RosterChange, RosterEntry, Tie
from opencpm.domain.session import CloseReason

from .support import ALICE_JID, BOB, Directory, Events, State, context, delivery, eventually, rig, start
from .test_sessions import offer

AVAILABLE, BUSY, AWAY, OFFLINE = (
    Availability.AVAILABLE,
    Availability.BUSY,
    Availability.AWAY,
    Availability.OFFLINE,
)


def change(kind, address=BOB):
    return RosterChange(kind, address, "Bob")


def reach(it, target=BOB):
    return it.connector.reach("alice", target).availability


async def friends(it):
    """Bob asks, Alice accepts, and asks back."""
    it.bob.watch(ALICE_JID)
    await it.inbox.until(lambda: it.inbox.requests)
    it.directory.want(change(ChangeKind.ACCEPT))
    await it.inbox.until(lambda: it.inbox.rosters.get("alice") == [RosterEntry(address=BOB, tie=Tie.MUTUAL)])


async def test_they_ask_and_our_person_answers():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.watch(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.requests)
        request = it.inbox.requests[0]
        assert (request.owner, request.network, request.address) == ("alice", "xmpp", BOB)
        assert ALICE_JID not in it.bob.sees  # nothing is told before the answer
        it.directory.want(change(ChangeKind.ACCEPT))
        await it.bob.until(lambda: ALICE_JID in it.bob.sees)
        assert it.bob.sees[ALICE_JID].type == ""
        assert it.inbox.settled_changes == [(change(ChangeKind.ACCEPT), None)]
        await it.inbox.until(lambda: it.inbox.presence)  # she asked back, and he let her
        assert it.inbox.presence[-1] == ("alice", BOB, Presence(AVAILABLE))
        assert reach(it) is AVAILABLE


async def test_they_ask_and_our_person_declines():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.watch(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.requests)
        it.directory.want(change(ChangeKind.DECLINE))
        await it.inbox.until(lambda: it.inbox.settled_changes)
        await it.server.happenings.until(lambda: it.server.log.of("presence", "C", "unsubscribed"))
        assert ALICE_JID not in it.bob.watches
        assert it.inbox.rosters.get("alice", []) == []


@pytest.mark.parametrize("approve", ["always", "never"])
async def test_the_operator_decides(approve):
    async with rig(approve=approve) as it:
        it.bob.sign_in()
        it.bob.watch(ALICE_JID)
        word = "subscribed" if approve == "always" else "unsubscribed"
        await it.server.happenings.until(lambda: it.server.log.of("presence", "C", f'type="{word}"'))
        assert it.inbox.requests == []


async def test_who_is_blocked_sees_nothing():
    async with rig() as it:
        it.bob.sign_in()
        it.directory.blocked.add(BOB)
        it.bob.watch(ALICE_JID)
        await it.server.happenings.until(lambda: it.server.log.of("presence", "C", "unsubscribed"))
        assert it.inbox.requests == []


async def test_nobody_is_not_seen_and_the_gateway_is():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.watch("nobody@cpm.xmpp.test")
        await it.server.happenings.until(lambda: it.server.log.of("presence", "C", "unsubscribed", "nobody"))
        it.bob.watch("cpm.xmpp.test")
        await it.bob.until(lambda: "cpm.xmpp.test" in it.bob.sees)


async def test_the_address_book_asks():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.approves = False
        it.directory.want(change(ChangeKind.ADD))
        await it.inbox.until(lambda: it.inbox.rosters.get("alice"))
        assert it.inbox.rosters["alice"] == [RosterEntry(address=BOB, tie=Tie.PENDING)]
        assert reach(it) is Availability.UNKNOWN
        await it.bob.until(lambda: it.server.log.of("presence", "C", "subscribe"))
        it.bob.approve(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.presence)
        assert it.inbox.rosters["alice"] == [RosterEntry(address=BOB, tie=Tie.LISTED)]
        assert reach(it) is AVAILABLE


async def test_they_say_no():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.approves = False
        it.directory.want(change(ChangeKind.ADD))
        await it.bob.until(lambda: it.server.log.of("presence", "C", "subscribe"))
        it.bob.approve(ALICE_JID, yes=False)
        await it.inbox.until(lambda: it.inbox.rosters.get("alice") == [RosterEntry(address=BOB, tie=Tie.REFUSED)])


async def test_an_address_that_is_none_is_settled_with_its_reason():
    async with rig() as it:
        it.directory.want(change(ChangeKind.ADD, Address("xmpp", "no address")))
        await it.inbox.until(lambda: it.inbox.settled_changes)
        assert it.inbox.settled_changes[0][1].detail == "no address is no address on XMPP"


async def test_statuses_and_notes_both_ways():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        for show, availability in (("dnd", BUSY), ("away", AWAY), ("xa", AWAY), ("chat", AVAILABLE)):
            it.bob.set_status(show, "in  Rome\nuntil Friday")
            await it.inbox.until(lambda it=it, a=availability: it.inbox.presence[-1][2].availability is a)
        assert it.inbox.presence[-1][2].note == "in Rome until Friday"
        for status, show in ((BUSY, "dnd"), (AWAY, "away"), (AVAILABLE, "")):
            it.directory.prefer(status, "at work")
            await it.bob.until(lambda it=it, s=show: it.bob.sees[ALICE_JID].show == s)
        assert it.bob.sees[ALICE_JID].status == "at work"
        it.directory.prefer(OFFLINE)
        await it.bob.until(lambda: it.bob.sees[ALICE_JID].type == "unavailable")


async def test_several_clients_are_one_person():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        await it.inbox.until(lambda: reach(it) is AVAILABLE)
        desk = "<presence from='bob@xmpp.test/desk' to='alice@cpm.xmpp.test'{}>{}</presence>"
        it.server.send(desk.format("", "<show>dnd</show><priority>5</priority>"))
        await it.inbox.until(lambda: reach(it) is BUSY)  # the higher priority counts
        it.server.send(desk.format(" type='unavailable'", ""))
        await it.inbox.until(lambda: reach(it) is AVAILABLE)
        it.bob.sign_out()
        await it.inbox.until(lambda: reach(it) is OFFLINE)


async def test_going_offline_ends_a_session():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        events = Events(it.inbox)
        await it.connector.open(offer(), events)
        it.bob.sign_out()
        await it.inbox.until(lambda: events.ends)
        assert events.ends == [(CloseReason.LEFT, "bob@xmpp.test went offline")]


async def test_they_part():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        it.bob.forget(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.rosters.get("alice") == [])
        assert it.inbox.presence[-1] == ("alice", BOB, UNKNOWN)
        await it.bob.until(lambda: it.bob.sees[ALICE_JID].type == "unavailable")


async def test_our_person_parts_and_blocks():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        it.directory.want(change(ChangeKind.BLOCK))
        await it.bob.until(lambda: it.bob.sees[ALICE_JID].type == "unavailable")
        it.directory.prefer(BUSY)
        it.directory.want(change(ChangeKind.UNBLOCK))
        await it.bob.until(lambda: it.bob.sees[ALICE_JID].show == "dnd")
        it.directory.want(change(ChangeKind.REMOVE))
        await it.bob.until(lambda: not it.bob.watches and not it.bob.watched_by)
        assert it.inbox.rosters.get("alice", []) == []
        assert [error for _, error in it.inbox.settled_changes] == [None] * 4


async def test_writing_to_somebody_asks_for_their_status_once():
    async with rig() as it:
        it.bob.sign_in()
        it.send(delivery(id="d1"), delivery(id="d2"))
        await it.inbox.until(lambda: reach(it) is AVAILABLE)
        assert len(it.server.log.of("presence", "C", 'type="subscribe"')) == 1
    async with rig(add_contacts=False) as it:
        it.send(delivery())
        await it.inbox.outcome()
        assert it.server.log.of("presence", "C") == []


async def test_over_a_broken_link_nothing_is_known_and_then_everything_again():
    async with rig() as it:
        it.bob.sign_in()
        await friends(it)
        await it.inbox.until(lambda: reach(it) is AVAILABLE)
        await it.server.down()
        await it.inbox.until(lambda: it.inbox.presence[-1] == ("alice", BOB, UNKNOWN))
        it.bob.sees.clear()
        await it.server.up()
        await it.inbox.until(lambda: reach(it) is AVAILABLE)
        await it.bob.until(lambda: ALICE_JID in it.bob.sees)


async def test_after_a_restart_who_sees_whom_is_still_known():
    state, directory = State(), Directory()
    async with rig(where=context(state, directory=directory)) as it:
        it.bob.sign_in()
        await friends(it)
        await it.stop()
        it.bob.sees.clear()
        later = await start(it.server, context(state, directory=directory))
        await later.inbox.until(lambda: reach(later) is AVAILABLE)
        assert later.inbox.rosters["alice"] == [RosterEntry(address=BOB, tie=Tie.MUTUAL)]
        await it.bob.until(lambda: ALICE_JID in it.bob.sees)
        await later.stop()


async def test_a_stranger_who_probes_learns_nothing():
    async with rig() as it:
        it.server.send(f"<presence from='eve@xmpp.test' to='{ALICE_JID}' type='probe'/>")
        await it.server.happenings.until(lambda: it.server.log.of("presence", "C", "unsubscribed"))
        it.server.send(f"<presence from='eve@xmpp.test' to='{ALICE_JID}' type='subscribed'/>")
        it.server.send(f"<presence from='eve@xmpp.test/x' to='{ALICE_JID}'/>")
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "hi")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.presence == []
        assert it.connector.describe()["contacts"] == 0


async def test_presence_that_was_not_asked_for_is_not_believed():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.watch(ALICE_JID)
        await it.inbox.until(lambda: it.inbox.requests)
        it.server.send(f"<presence from='bob@xmpp.test/x' to='{ALICE_JID}' type='subscribed'/>")
        it.server.send(f"<presence from='bob@xmpp.test/x' to='{ALICE_JID}'/>")
        it.bob.write(ALICE_JID, "hi")
        await it.inbox.until(lambda: it.inbox.messages)
        assert reach(it) is Availability.UNKNOWN


async def test_a_flood_of_requests_is_turned_away(monkeypatch):
    monkeypatch.setattr("opencpm.interworking.xmpp.roster.ASKING_LIMIT", 3)
    async with rig() as it:
        for n in range(5):
            it.server.send(f"<presence from='eve{n}@xmpp.test' to='{ALICE_JID}' type='subscribe'/>")
        await it.server.happenings.until(lambda: len(it.server.log.of("presence", "C", "unsubscribed")) == 2)
        assert len(it.inbox.requests) == 3


async def test_a_request_that_reaches_nobody():
    async with rig() as it:
        it.bob.approves = False
        it.directory.want(change(ChangeKind.ADD))
        await it.inbox.until(lambda: it.inbox.rosters.get("alice"))
        it.server.send(
            f"<presence from='bob@xmpp.test' to='{ALICE_JID}' type='error'><error type='cancel'>"
            "<remote-server-not-found xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )
        await it.inbox.until(lambda: it.inbox.rosters.get("alice") == [RosterEntry(address=BOB, tie=Tie.REFUSED)])


async def test_the_link_is_down_when_the_book_changes_and_it_is_told_when_it_is_up():
    async with rig() as it:
        it.bob.sign_in()
        await it.server.down()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        it.directory.want(change(ChangeKind.ADD))
        await eventually(lambda: not it.connector._roster._look_due)
        assert it.inbox.settled_changes == []
        await it.server.up()
        await it.inbox.until(lambda: it.inbox.settled_changes and reach(it) is AVAILABLE)
