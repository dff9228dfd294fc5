"""Contact lists and presence both ways, in a version of each kind of list."""

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ChangeKind, RosterChange, RosterEntry, Tie
from opencpm.interworking.msn.listing import Listing
from opencpm.lab.msn import LabMsn
from opencpm.protocols.msnp.commands import Lists
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Stage, until

DESK = "desk@msn.test"
EACH = pytest.mark.parametrize("protocol", [2, 8, 12, 13, 18])


def change(kind: ChangeKind, who: str = DESK, name: str = "") -> RosterChange:
    return RosterChange(kind, Address("msn", who), name)


def lists(lab: LabMsn, other: str = DESK, owner: str = ALICE) -> Lists:
    return lab.account(owner).lists.get(other, Lists(0))


async def carried_out(stage: Stage, wanted: RosterChange) -> None:
    stage.directory.wish(wanted)
    _, error = await stage.inbox.wait("roster-settled", lambda told: told[0] == wanted)
    assert error is None


@EACH
async def test_the_whole_list_is_told_after_sign_in(lab: LabMsn, protocol: int) -> None:
    lab.account(DESK, name="Desk")
    lab.befriend(ALICE, DESK)
    lab.block(ALICE, DESK)
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        told = await stage.inbox.wait("roster")
        assert told == {
            BOB: RosterEntry(address=BOB_ADDRESS, name="Bob", tie=Tie.MUTUAL),
            DESK: RosterEntry(address=Address("msn", DESK), name="Desk", tie=Tie.MUTUAL, blocked=True),
        }


@pytest.mark.parametrize("protocol", [12, 18])
async def test_groups_are_told_by_name(lab: LabMsn, protocol: int) -> None:
    alice = lab.account(ALICE)
    alice.grouping[BOB] = {alice.group("Friends & more")}
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        assert (await stage.inbox.wait("roster"))[BOB].groups == ("Friends & more",)


@EACH
async def test_the_user_s_changes(lab: LabMsn, protocol: int) -> None:
    desk = lab.buddy(DESK, "Desk")
    await desk.sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        await carried_out(stage, change(ChangeKind.ADD, name="The desk"))
        assert Lists.FL | Lists.AL in lists(lab)
        await stage.inbox.wait("presence", lambda told: told[1:] == (DESK, "available"))
        assert (await stage.inbox.wait("roster", lambda told: DESK in told))[DESK].tie is Tie.LISTED
        await carried_out(stage, change(ChangeKind.BLOCK))
        assert lists(lab) & ~Lists.RL == Lists.FL | Lists.BL
        await stage.inbox.wait("roster", lambda told: told[DESK].blocked if DESK in told else False)
        await carried_out(stage, change(ChangeKind.UNBLOCK))
        assert lists(lab) & ~Lists.RL == Lists.FL | Lists.AL
        await carried_out(stage, change(ChangeKind.REMOVE))
        assert Lists.FL not in lists(lab)
        await stage.inbox.wait("presence", lambda told: told[1:] == (DESK, "unknown"))
        assert stage.directory.changes == []


@EACH
async def test_what_holds_already_is_a_success(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        before = len(lab.log)
        await carried_out(stage, change(ChangeKind.ADD, BOB))
        await carried_out(stage, change(ChangeKind.UNBLOCK, BOB))
        await carried_out(stage, change(ChangeKind.REMOVE, DESK))
        said = [line for line in list(lab.log)[before:] if line.direction == "C" and line.verb not in ("PNG", "QRY")]
        assert said == []


@EACH
async def test_nobody_of_that_name(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        stage.directory.wish(change(ChangeKind.ADD, "nobody@msn.test"))
        _, error = await stage.inbox.wait("roster-settled")
        assert (error.reason, error.retryable) == (Reason.UNKNOWN_ADDRESS, False)


@EACH
@pytest.mark.parametrize(
    ("answer", "becomes"), [(ChangeKind.ACCEPT, Lists.AL | Lists.RL), (ChangeKind.DECLINE, Lists.BL | Lists.RL)]
)
async def test_somebody_asks(lab: LabMsn, protocol: int, answer: ChangeKind, becomes: Lists) -> None:
    desk = lab.buddy(DESK, "Desk")
    await desk.sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        desk.add(ALICE)
        asked = await stage.inbox.wait("asked")
        assert (asked.owner, asked.address.value, asked.name, asked.account) == ("alice", DESK, "Desk", ALICE_ADDRESS)
        await carried_out(stage, change(answer))
        assert lists(lab) == becomes
        if answer is ChangeKind.DECLINE:
            await desk.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE and it.text == "FLN")


async def test_who_asked_while_we_were_away_is_told_at_sign_in(lab: LabMsn) -> None:
    desk = lab.buddy(DESK, "Desk")
    await desk.sign_in()
    desk.add(ALICE)
    await desk.happened.wait(lambda it: it.what == "listed")
    async with Stage(lab) as stage:
        await stage.sign_in()
        assert (await stage.inbox.wait("asked")).address.value == DESK


async def test_changes_wait_for_the_sign_in(lab: LabMsn) -> None:
    lab.account(DESK, name="Desk")
    async with Stage(lab) as stage:
        stage.directory.wish(change(ChangeKind.ADD))
        await stage.sign_in()
        await stage.inbox.wait("roster-settled")
        assert [what for what, _ in stage.inbox.all if what.startswith("roster")][:2] == ["roster", "roster-settled"]
        assert Lists.FL in lists(lab)


async def test_a_change_that_gets_no_answer_may_be_tried_again(lab: LabMsn) -> None:
    lab.account(DESK, name="Desk")
    async with Stage(lab, protocol=8, step_timeout=0.2) as stage:
        await stage.sign_in()
        lab.faults.silent.add("ADD")
        stage.directory.wish(change(ChangeKind.ADD))
        _, error = await stage.inbox.wait("roster-settled")
        assert error.retryable


@pytest.mark.parametrize("operation", ["ABContactAdd", "AddMember"])
async def test_the_address_book_refuses(lab: LabMsn, operation: str) -> None:
    lab.account(DESK, name="Desk")
    async with Stage(lab, protocol=18) as stage:
        await stage.sign_in()
        lab.faults.web_faults[operation] = "QuotaLimitReached"
        kind = ChangeKind.ADD if operation == "ABContactAdd" else ChangeKind.BLOCK
        stage.directory.wish(change(kind))
        _, error = await stage.inbox.wait("roster-settled")
        assert "QuotaLimitReached" in error.detail


async def test_the_address_book_takes_another_ticket_when_one_has_run_out(lab: LabMsn) -> None:
    lab.account(DESK, name="Desk")
    async with Stage(lab, protocol=18) as stage:
        await stage.sign_in()
        lab._world.tokens.clear()
        await carried_out(stage, change(ChangeKind.ADD))
        assert Lists.FL in lists(lab)


# --- presence ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [12, 15, 18])
async def test_presence_with_its_note(lab: LabMsn, protocol: int) -> None:
    bob = lab.buddies[BOB]
    bob.note = "at <work> & busy"
    await bob.sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        notes: list[tuple[str, str]] = []
        seen = stage.inbox.presence_changed

        def note(network, owner, address, presence, account=None):  # type: ignore[no-untyped-def]
            notes.append((presence.availability.value, presence.note))
            seen(network, owner, address, presence, account)

        stage.inbox.presence_changed = note  # type: ignore[method-assign]
        bob.set_status("PHN")
        await until(lambda: notes and notes[-1] == ("busy", "at <work> & busy"))
        bob.set_note("home")
        await until(lambda: notes[-1] == ("busy", "home"))


@pytest.mark.parametrize("protocol", [2, 8, 12, 18])
@pytest.mark.parametrize(
    ("status", "shown"),
    [
        (Availability.AVAILABLE, "NLN"),
        (Availability.BUSY, "BSY"),
        (Availability.AWAY, "AWY"),
        (Availability.OFFLINE, None),
    ],
)
async def test_how_the_subscriber_appears(lab: LabMsn, protocol: int, status: Availability, shown: str | None) -> None:
    bob = lab.buddies[BOB]
    await bob.sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        stage.directory.appear("alice", status=status)
        await stage.sign_in()
        if shown is None:
            assert lab.account(ALICE).status == "HDN"
            assert bob.presence.get(ALICE) in (None, "FLN")
        else:
            await bob.happened.wait(lambda it: it.what == "presence" and (it.peer, it.text) == (ALICE, shown))


async def test_another_status_and_note_are_published_at_once(stage: Stage) -> None:
    stage.directory.appear("alice", status=Availability.AWAY, note="back at five")
    bob = stage.bob
    await bob.happened.wait(lambda it: it.what == "presence" and (it.peer, it.text) == (ALICE, "AWY"))
    await bob.happened.wait(lambda it: it.what == "note" and (it.peer, it.text) == (ALICE, "back at five"))
    before = len(stage.lab.log.of("CHG", account=ALICE, direction="C"))
    stage.directory.appear("alice", status=Availability.AWAY, note="back at five")
    await until(lambda: stage.directory.revisions == 3)
    assert len(stage.lab.log.of("CHG", account=ALICE, direction="C")) == before


async def test_who_appears_offline_is_told_why_nobody_can_be_invited(stage: Stage) -> None:
    stage.directory.appear("alice", status=Availability.OFFLINE)
    await stage.bob.happened.wait(lambda it: it.what == "presence" and (it.peer, it.text) == (ALICE, "FLN"))
    (delivery,) = stage.send("hello")
    error = (await stage.outcome(delivery)).error
    assert (error.code, error.retryable) == ("MSNP 913", False)
    assert "appear offline" in error.detail


def test_listing_has_no_wishes_of_its_own() -> None:
    assert not [name for name in vars(Listing) if "queue" in name]
