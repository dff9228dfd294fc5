"""Offline messages both ways: left with the service, fetched from it, and removed there only after our commit."""

import asyncio
import time

import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.lab.msn import LabMsn
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Stage, until

BY_STORE, BY_COMMAND = (11, 12, 13, 15, 17), (18,)


def kept(lab: LabMsn, address: str = BOB) -> list[str]:
    return [each.mail for each in lab.account(address).kept]


async def leave_for_alice(lab: LabMsn, *texts: str) -> None:
    """Bob writes to Alice while she is away."""
    world = lab._world
    bob, alice = lab.account(BOB), lab.account(ALICE)
    for number, text in enumerate(texts, start=1):
        head = "MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\n"
        world.keep(alice, bob, f"{head}X-OIM-Run-Id: {{R}}\nX-OIM-Sequence-Num: {number}\n\n{text}")


# --- leaving -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [*BY_STORE, *BY_COMMAND])
async def test_left_with_the_service_and_read_at_the_next_sign_in(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        assert stage.connector.profile.stores
        texts = ("one ☃", "two & <more>")
        deliveries = stage.send(*texts)
        for delivery in deliveries:
            outcome = await stage.outcome(delivery)
            assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "offline message")
        await until(lambda: len(kept(lab)) == 2)
        invited = bool(lab.log.of("CAL", account=ALICE))  # what is not confirmed is left only after a refusal
        assert invited or protocol not in BY_COMMAND
    async with Stage(lab, protocol=protocol) as other:
        other.directory.link("bob", BOB, lab.account(BOB).password)
        got = [await other.inbox.wait("received", lambda said, text=text: said.text == text) for text in texts]
        assert [(said.sender, said.recipients, said.kind) for said in got] == [
            (ALICE_ADDRESS, (BOB_ADDRESS,), MessageKind.STANDALONE)
        ] * 2
        assert [said.text for said in other.inbox.of("received")] == list(texts)
        await until(lambda: kept(lab) == [])


@pytest.mark.parametrize("protocol", [12, 15, 18])
async def test_nobody_counts_as_offline_before_the_service_has_told(lab: LabMsn, protocol: int) -> None:
    lab.buddies[BOB].dialects = (f"MSNP{protocol}",)
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, protocol=protocol) as stage:
        signed_in = stage.inbox.account_changed

        def at_once(network, owner, account, status):  # type: ignore[no-untyped-def]
            signed_in(network, owner, account, status)
            if status.state == "connected":
                stage.send("the moment we are in")

        stage.inbox.account_changed = at_once  # type: ignore[method-assign]
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        assert await stage.bob.text("the moment we are in")
        assert (await stage.inbox.wait("settled")).source == "switchboard ACK"
        assert kept(lab) == []


async def test_the_lock_key_is_asked_for_once(lab: LabMsn) -> None:
    async with Stage(lab, protocol=12) as stage:
        await stage.sign_in()
        for text in ("one", "two", "three"):
            (delivery,) = stage.send(text)
            assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        statuses = [line.text for line in lab.log.of("HTTP", account=ALICE) if "Failed" in line.text]
        assert statuses == ["HTTP 500 q0:AuthenticationFailed"]


async def test_long_texts_are_left_in_pieces_of_one_run(lab: LabMsn) -> None:
    async with Stage(lab, protocol=15) as stage:
        await stage.sign_in()
        text = "many words " * 100
        (delivery,) = stage.send(text)
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        runs = {line for mail in kept(lab) for line in mail.splitlines() if line.startswith("X-OIM-Run-Id")}
        numbers = [line for mail in kept(lab) for line in mail.splitlines() if "Sequence-Num" in line]
        assert len(runs) == 1
        assert numbers == [f"X-OIM-Sequence-Num: {number}" for number in range(1, len(numbers) + 1)]
        assert len(numbers) > 2
    async with Stage(lab, protocol=15) as other:
        other.directory.link("bob", BOB, lab.account(BOB).password)
        await until(lambda: len(other.inbox.of("received")) == len(numbers))
        assert "".join(said.text for said in other.inbox.of("received")) == text


@pytest.mark.parametrize(
    ("fault", "reason", "retryable"),
    [
        ("SystemUnavailable", Reason.UNDELIVERABLE, True),
        ("SenderThrottleLimitExceeded", Reason.UNDELIVERABLE, True),
        ("MessageTooLarge", Reason.REJECTED, False),
    ],
)
async def test_not_taken(lab: LabMsn, fault: str, reason: Reason, retryable: bool) -> None:
    async with Stage(lab, protocol=12) as stage:
        await stage.sign_in()
        lab.faults.web_faults["Store"] = fault
        (delivery,) = stage.send("hello")
        error = (await stage.outcome(delivery)).error
        assert (error.reason, error.retryable, error.code) == (reason, retryable, fault)


@pytest.mark.parametrize("trouble", ["down", "silent", "nonsense"])
async def test_the_store_cannot_be_reached(lab: LabMsn, trouble: str) -> None:
    async with Stage(lab, protocol=12, step_timeout=0.3) as stage:
        await stage.sign_in()
        if trouble == "silent":
            lab.faults.web_silent.add("Store")
        else:
            lab.faults.web_status["Store"] = 503 if trouble == "down" else 200
        (delivery,) = stage.send("hello")
        error = (await stage.outcome(delivery)).error
        assert error.retryable
        assert "MSN" in error.detail


@pytest.mark.parametrize("protocol", [12, 15])
async def test_an_expired_ticket_is_renewed(lab: LabMsn, protocol: int) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        lab._world.tokens.clear()
        lab._world.passports.clear()
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        logins = [line for line in lab.log if line.direction == "C" and ("RST" in line.text or "/login" in line.text)]
        assert len(logins) == 2


async def test_in_order_when_the_buddy_comes_meanwhile(lab: LabMsn) -> None:
    async with Stage(lab, protocol=12) as stage:
        await stage.sign_in()
        lab.faults.delay = 0.02
        first = stage.send("one", "two")
        lab.faults.delay = 0.0
        await stage.bob.sign_in()
        await stage.inbox.wait("presence", lambda told: told[1:] == (BOB, "available"))
        (last,) = stage.send("three")
        outcomes = [await stage.outcome(delivery) for delivery in (*first, last)]
        assert [outcome.source for outcome in outcomes] == ["offline message", "offline message", "switchboard ACK"]
        assert [outcome.delivery_id for outcome in stage.inbox.of("settled")] == [d.id for d in (*first, last)]


async def test_signed_out_while_leaving(lab: LabMsn) -> None:
    async with Stage(lab, protocol=12) as stage:
        await stage.sign_in()
        lab.faults.web_silent.add("Store")
        deliveries = stage.send("one", "two")
        await until(lambda: lab.log.of("POST", account=ALICE))
        stage.directory.unlink(ALICE)
        for delivery in deliveries:
            assert (await stage.outcome(delivery)).error.retryable


async def test_a_blocked_peer_gets_nothing_left(lab: LabMsn) -> None:
    lab.block(ALICE, BOB)
    async with Stage(lab, protocol=12) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).error.reason is Reason.OFFLINE
        assert kept(lab) == []


# --- taking in ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [12, 15, 18])
async def test_taken_in_with_their_time_and_removed_after_the_commit(lab: LabMsn, protocol: int) -> None:
    written = time.time() - 3600
    await leave_for_alice(lab, "an hour ago")
    account = lab.account(ALICE)
    account.kept = [type(each)(each.id, each.sender, each.name, written, each.mail) for each in account.kept]
    async with Stage(lab, protocol=protocol) as stage:
        committed: list[object] = []
        stage.inbox.received = lambda messages, done: committed.append((messages, done))  # type: ignore[method-assign]
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await until(lambda: committed)
        (((said,), done),) = committed  # type: ignore[misc]
        assert (said.text, said.sender, said.recipients) == ("an hour ago", BOB_ADDRESS, (ALICE_ADDRESS,))
        assert abs(said.sent_at - written) < 2
        await asyncio.sleep(0.05)  # long enough for a removal that must not come
        assert len(kept(lab, ALICE)) == 1
        done([None])
        await until(lambda: kept(lab, ALICE) == [])
        assert len(lab.log.of("POST", account=ALICE)) >= 2


async def test_the_order_within_a_run_is_that_of_its_numbers(lab: LabMsn) -> None:
    await leave_for_alice(lab, "one", "two", "three")
    lab.account(ALICE).kept.reverse()
    async with Stage(lab, protocol=12) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await until(lambda: len(stage.inbox.of("received")) == 3)
        assert [said.text for said in stage.inbox.of("received")] == ["one", "two", "three"]


async def test_not_stored_it_stays_and_comes_again_with_the_same_id(lab: LabMsn) -> None:
    await leave_for_alice(lab, "keep me")
    async with Stage(lab, protocol=12) as stage:
        seen: list[str] = []

        def refuse(messages, done):  # type: ignore[no-untyped-def]
            seen.extend(message.id for message in messages)
            done([SendError(Reason.INTERNAL, retryable=True, retry_after=60.0)])

        stage.inbox.received = refuse  # type: ignore[method-assign]
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await until(lambda: seen)
        assert len(kept(lab, ALICE)) == 1
    async with Stage(lab, protocol=12) as again:
        again.directory.link("alice", ALICE, lab.account(ALICE).password)
        said = await again.inbox.wait("received")
        assert seen == [said.id]
        await until(lambda: kept(lab, ALICE) == [])


async def test_what_was_stored_is_removed_later_when_the_service_fails_at_that(
    lab: LabMsn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("opencpm.interworking.msn.offline._PAUSE", 0.01)
    await leave_for_alice(lab, "once")
    lab.faults.web_faults["DeleteMessages"] = "SystemUnavailable"
    async with Stage(lab, protocol=12) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await stage.inbox.wait("received")
        await until(lambda: any("DeleteMessages" in line.text for line in lab.log.of("POST", account=ALICE)))
        lab.faults.clear()
        lab.disconnect(ALICE, "NS")  # the next sign-in is told of it again
        await until(lambda: kept(lab, ALICE) == [])
        assert len(stage.inbox.of("received")) == 1


async def test_more_than_a_notice_holds(lab: LabMsn) -> None:
    lab._world.mail_limit = 100
    await leave_for_alice(lab, *(f"text {number}" for number in range(12)))
    async with Stage(lab, protocol=18) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await until(lambda: len(stage.inbox.of("received")) == 12)
        assert [said.text for said in stage.inbox.of("received")] == [f"text {number}" for number in range(12)]
        await until(lambda: kept(lab, ALICE) == [])


async def test_left_while_we_are_there_but_hidden(lab: LabMsn) -> None:
    async with Stage(lab, protocol=18) as stage:
        await stage.sign_in()
        await leave_for_alice(lab, "psst")
        assert (await stage.inbox.wait("received")).text == "psst"
        await until(lambda: kept(lab, ALICE) == [])


async def test_one_that_cannot_be_read_does_not_keep_back_the_others(lab: LabMsn) -> None:
    await leave_for_alice(lab, "good")
    account = lab.account(ALICE)
    bad = account.kept[0]
    broken = "Content-Type: multipart/mixed; boundary=x\n\n--x\n\na\n--x--"
    account.kept.insert(0, type(bad)("BAD-1", bad.sender, bad.name, bad.at, broken))
    async with Stage(lab, protocol=12) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        assert (await stage.inbox.wait("received")).text == "good"
        await until(lambda: len(kept(lab, ALICE)) == 1)
        assert account.kept[0].id == "BAD-1"
