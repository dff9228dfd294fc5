"""Lists, presence and contact requests, both ways."""

from __future__ import annotations

import asyncio

import pytest

from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ChangeKind, RosterChange, RosterEntry, Tie
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.services import BUSY, CUSTOM, INVISIBLE, Service
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, CAROL, Stage, address, until

VERSIONS = pytest.mark.parametrize("version", [9, 10, 13, 16])


def entry(stage: Stage, user: str) -> RosterEntry | None:
    """As it was told last."""
    told = stage.inbox.of("roster")
    return told[-1].get(address(user).value) if told else None


async def settled(stage: Stage, change: RosterChange):  # type: ignore[no-untyped-def]
    """What came of a wish of the user's."""
    stage.directory.wish(change)
    _, error = await stage.inbox.wait("roster-settled", lambda told: told[0] == change)
    return error


@VERSIONS
async def test_the_list_is_told_whole(lab: LabYahoo, version: int) -> None:
    lab.account(ALICE).groups["Buddies"] = [BOB]
    lab.account(ALICE).ignored.add(CAROL)
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        bob, carol = entry(stage, BOB), entry(stage, CAROL)
        assert bob == RosterEntry(address=address(BOB), groups=("Friends", "Buddies"), tie=Tie.LISTED)
        assert carol == RosterEntry(address=address(CAROL), tie=Tie.NONE, blocked=True)


@pytest.mark.parametrize("version", [10, 16])
async def test_a_long_list_comes_in_pieces(lab: LabYahoo, version: int) -> None:
    lab.account(ALICE).groups["Many"] = [f"person{n}" for n in range(900)]
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        assert len(stage.inbox.of("roster")[-1]) == 901
        pieces = [line for line in lab.log.of("LIST", direction="S", user=ALICE) if line.text.startswith("LIST (5)")]
        assert bool(pieces) == (version == 10)


@VERSIONS
async def test_how_others_are(lab: LabYahoo, version: int) -> None:
    bob = lab.buddies[BOB]
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        reach = stage.connector.reach("alice", address(BOB))
        assert reach.availability is Availability.OFFLINE
        await bob.sign_in()
        await stage.seen("available")
        assert "session" in stage.connector.reach("alice", address(BOB)).features
        bob.show(BUSY)
        await stage.seen("busy")
        bob.show(5)  # not in the office
        await stage.seen("away")
        bob.show(CUSTOM, "in Rome", 0)
        await stage.seen("available")
        bob.show(CUSTOM, "in Rome", 1)
        await stage.seen("busy")
        bob.show(INVISIBLE)
        await stage.seen("offline")
        bob.say(ALICE, "you cannot see me")
        await stage.inbox.wait("received")
        bob.show(0)
        await stage.seen("available")
        bob.drop()
        await stage.seen("offline")
        assert stage.connector.reach("alice", address(CAROL)).availability is Availability.UNKNOWN
        assert stage.connector.reach("eve", address(BOB)).detail == "no account linked"


@pytest.mark.parametrize("before", ["available", "offline"])
async def test_presence_of_a_lost_connection_is_unknown(stage: Stage, before: str) -> None:
    if before == "offline":
        await stage.bob.sign_out()
    await stage.seen(before)
    stage.lab.faults.refuse_login = 14
    stage.lab.disconnect(ALICE)
    await stage.seen("unknown")
    assert stage.connector.reach("alice", address(BOB)).availability is Availability.UNKNOWN


@VERSIONS
async def test_how_alice_appears(lab: LabYahoo, version: int) -> None:
    bob = lab.buddies[BOB]
    await bob.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        for status, note, expected in (
            ("busy", "", "2"),
            ("busy", "in a meeting", "99 in a meeting"),
            ("available", "ask me", "99 ask me"),
            ("away", "", "1"),
            ("offline", "", "offline"),
            ("available", "", "0"),
        ):
            stage.directory.appear("alice", status=Availability(status), note=note)
            await until(lambda wanted=expected: _sees(bob) == wanted)
        away = bob.presence[ALICE].away
        assert away == 0


def _sees(bob) -> str:  # type: ignore[no-untyped-def]
    seen = [it.text for it in bob.happened.all if it.what == "presence" and it.peer == ALICE]
    return seen[-1] if seen else ""


async def test_invisible_from_the_first_moment(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    await bob.sign_in()
    async with Stage(lab) as stage:
        stage.directory.appear("alice", status=Availability.OFFLINE)
        await stage.sign_in()
        assert lab.is_online(ALICE)
        assert not lab.is_visible(ALICE)
        bob.say(ALICE, "are you there?")
        await stage.inbox.wait("received")
        assert _sees(bob) == ""


# ------------------------------------------------------------------------------------------ the user's changes


@VERSIONS
async def test_adding_removing_blocking(lab: LabYahoo, version: int) -> None:
    alice = lab.account(ALICE)
    async with Stage(lab, version=version, group="From CPM") as stage:
        await stage.sign_in()
        assert await settled(stage, RosterChange(ChangeKind.ADD, address(CAROL))) is None
        assert alice.groups["From CPM"] == [CAROL]
        await until(lambda: entry(stage, CAROL) is not None)
        assert await settled(stage, RosterChange(ChangeKind.ADD, address(CAROL), "Carol")) is None
        error = await settled(stage, RosterChange(ChangeKind.ADD, address("nobody")))
        assert (error.reason, error.retryable) == (Reason.UNKNOWN_ADDRESS, False)
        assert await settled(stage, RosterChange(ChangeKind.BLOCK, address(BOB))) is None
        assert alice.ignored == {BOB}
        assert BOB not in alice.listed  # who is on the list cannot be ignored
        await until(lambda: (told := entry(stage, BOB)) is not None and told.blocked)
        assert await settled(stage, RosterChange(ChangeKind.UNBLOCK, address(BOB))) is None
        assert alice.ignored == set()
        assert await settled(stage, RosterChange(ChangeKind.REMOVE, address(CAROL))) is None
        assert alice.listed == set()
        await until(lambda: stage.inbox.of("roster")[-1] == {})


async def test_out_of_all_groups(lab: LabYahoo) -> None:
    lab.account(ALICE).groups |= {"Buddies": [BOB], "(No Group)": [CAROL]}
    async with Stage(lab) as stage:
        await stage.sign_in()
        for user in (BOB, CAROL):
            assert await settled(stage, RosterChange(ChangeKind.REMOVE, address(user))) is None
        assert lab.account(ALICE).listed == set()


async def test_changes_and_messages_to_the_same_stranger_do_not_get_into_each_others_way(lab: LabYahoo) -> None:
    carol = lab.buddies[CAROL]
    await carol.sign_in()
    lab.faults.delay = 0.01
    async with Stage(lab, add_contacts=True) as stage:
        await stage.sign_in()
        change = RosterChange(ChangeKind.ADD, address(CAROL))
        deliveries = []
        for number in range(5):
            deliveries += stage.send(f"text {number}", target=CAROL)
            if number == 1:
                stage.directory.wish(change)
            await asyncio.sleep(0)
        for delivery in deliveries:
            assert (await stage.outcome(delivery)).error is None
        assert carol.texts() == [f"text {number}" for number in range(5)]
        assert (await stage.inbox.wait("roster-settled"))[1] is None
        assert lab.account(ALICE).groups["Friends"] == [BOB, CAROL]
        assert len(lab.log.of("FRIENDADD", direction="C", user=ALICE)) == 1


async def test_refused_changes_and_no_answer(lab: LabYahoo) -> None:
    lab.faults.codes[Service.FRIENDADD] = 6
    async with Stage(lab, step_timeout=0.2) as stage:
        await stage.sign_in()
        error = await settled(stage, RosterChange(ChangeKind.ADD, address(CAROL)))
        assert (error.reason, error.retryable, "full" in error.detail) == (Reason.REJECTED, False, True)
        lab.faults.silent.add(Service.FRIENDREMOVE)
        error = await settled(stage, RosterChange(ChangeKind.REMOVE, address(BOB)))
        assert error.retryable


async def test_a_drop_in_a_change_leaves_it_to_be_done_again(lab: LabYahoo) -> None:
    lab.faults.drop.add(Service.FRIENDADD)
    async with Stage(lab) as stage:
        await stage.sign_in()
        change = RosterChange(ChangeKind.ADD, address(CAROL))
        stage.directory.wish(change)
        await until(lambda: len(lab.log.of("FRIENDADD", direction="C", user=ALICE)) > 1)
        lab.faults.drop.clear()
        await until(lambda: CAROL in lab.account(ALICE).listed)
        await until(lambda: stage.directory.changes == [])


# ------------------------------------------------------------------------------------------- contact requests


@pytest.mark.parametrize("theirs", [10, 16])
@VERSIONS
async def test_somebody_asks_and_is_accepted(lab: LabYahoo, version: int, theirs: int) -> None:
    carol = lab.buddies[CAROL]
    carol.version = theirs
    await carol.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        carol.add(ALICE, "it is me")
        request = await stage.inbox.wait("asked")
        assert (request.owner, request.network, request.address) == ("alice", "yahoo", address(CAROL))
        assert (request.account, request.text) == (ALICE_ADDRESS, "it is me")
        assert await settled(stage, RosterChange(ChangeKind.ACCEPT, address(CAROL))) is None
        if version >= 13 or theirs < 13:
            await until(lambda: _sees(carol) == "0")


@pytest.mark.parametrize(("version", "theirs"), [(10, 10), (16, 16)])
async def test_somebody_is_turned_away(lab: LabYahoo, version: int, theirs: int) -> None:
    carol = lab.buddies[CAROL]
    carol.version = theirs
    await carol.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        carol.add(ALICE)
        await stage.inbox.wait("asked")
        assert await settled(stage, RosterChange(ChangeKind.DECLINE, address(CAROL))) is None
        await carol.happened.wait(lambda it: it.what == "refused" and it.peer == ALICE)
        assert ALICE not in lab.account(CAROL).listed


async def test_everybody_is_let_in_where_the_operator_says_so(lab: LabYahoo) -> None:
    carol = lab.buddies[CAROL]
    carol.version = 16
    await carol.sign_in()
    async with Stage(lab, version=16, allow_contacts=True) as stage:
        await stage.sign_in()
        carol.add(ALICE)
        await until(lambda: _sees(carol) == "0")
        assert stage.inbox.of("asked") == []


@pytest.mark.parametrize("version", [10, 16])
async def test_alice_is_turned_away(lab: LabYahoo, version: int) -> None:
    carol = lab.buddies[CAROL]
    carol.version = version
    await carol.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        await settled(stage, RosterChange(ChangeKind.ADD, address(CAROL)))
        await carol.happened.wait(lambda it: it.what == "asked" and it.peer == ALICE)
        if version == 16:
            await until(lambda: (told := entry(stage, CAROL)) is not None and told.tie is Tie.PENDING)
        carol.answer(ALICE, False, "no")
        await until(lambda: CAROL not in lab.account(ALICE).listed)
        await until(lambda: entry(stage, CAROL) is None)
