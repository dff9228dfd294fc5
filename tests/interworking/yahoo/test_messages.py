"""Texts both ways: what is sent, what is told of it, and what is never told."""

from __future__ import annotations

import time

import pytest

from opencpm.domain.account import AccountState
from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind, Part
from opencpm.domain.report import Status
from opencpm.domain.session import Composing
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.services import Service
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Stage, until


@pytest.mark.parametrize("version", range(9, 17))
@pytest.mark.parametrize("theirs", [10, 16])
async def test_each_version_with_each(lab: LabYahoo, version: int, theirs: int) -> None:
    bob = lab.buddies[BOB]
    bob.version = theirs
    await bob.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("Grüße ☃ <3")
        assert await bob.text() == "Grüße ☃ <3"
        outcome = await stage.outcome(delivery)
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "keepalive answered")
        bob.say(ALICE, "hi ☺")
        message = await stage.inbox.wait("received")
        assert (message.text, message.sender, message.recipients) == ("hi ☺", BOB_ADDRESS, (ALICE_ADDRESS,))
        assert message.kind is MessageKind.STANDALONE
        bob.nudge(ALICE)
        assert (await stage.inbox.wait("received", lambda m: m.text == "(nudge)")).sender == BOB_ADDRESS


async def test_accepted_is_all_there_is_before_version_16(stage: Stage) -> None:
    deliveries = stage.send("one", "two", "three")
    for delivery in deliveries:
        outcome = await stage.outcome(delivery)
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.references == ()
    assert stage.bob.texts() == ["one", "two", "three"]
    assert stage.inbox.of("reported") == []
    assert Status.DELIVERED not in stage.connector.profile.reports


async def test_the_receivers_client_reports_from_version_16_on(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version = 16
    await bob.sign_in()
    async with Stage(lab, version=16) as stage:
        assert Status.DELIVERED in stage.connector.profile.reports
        await stage.sign_in()
        (delivery,) = stage.send("word " * 300)
        outcome = await stage.outcome(delivery)
        keys = [reference.key for reference in outcome.references]
        assert keys == [f"{delivery.id}-0", f"{delivery.id}-1"]
        assert [(r.segment, r.segments) for r in outcome.references] == [(0, 2), (1, 2)]
        await until(lambda: len(stage.inbox.of("reported")) == 2)
        reports = stage.inbox.of("reported")
        assert {report.key for report in reports} == set(keys)
        assert {(report.status, report.source) for report in reports} == {(Status.DELIVERED, "the receiver's client")}


async def test_nobody_confirms_in_version_16_either(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version, bob.confirms = 16, False
    await bob.sign_in()
    async with Stage(lab, version=16) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
        await bob.text()
        assert stage.inbox.of("reported") == []


async def test_a_text_is_acknowledged_after_the_commit_and_a_repetition_is_the_same_message(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version = 16
    await bob.sign_in()
    async with Stage(lab, version=16) as stage:
        await stage.sign_in()
        full = SendError(Reason.CONGESTION, retryable=True, retry_after=0.05)
        stage.inbox.verdicts = [full]
        bob.say(ALICE, "keep this")
        await until(lambda: not stage.inbox.verdicts)
        assert lab.account(ALICE).unconfirmed
        assert lab.log.of("MESSAGE_ACK", direction="C", user=ALICE) == []
        lab.repeat(ALICE)
        await until(lambda: not lab.account(ALICE).unconfirmed)
        await until(lambda: len(stage.inbox.of("received")) == 2)  # the store knows it by its id
        assert len({message.id for message in stage.inbox.of("received")}) == 1
        assert await bob.happened.wait(lambda it: it.what == "confirmed" and it.peer == ALICE)


async def test_what_could_not_be_stored_is_handed_over_again_with_the_same_id(stage: Stage) -> None:
    stage.inbox.verdicts = [SendError(Reason.CONGESTION, retryable=True, retry_after=0.01)]
    stage.bob.say(ALICE, "hello")
    assert (await stage.inbox.wait("received")).text == "hello"
    assert len(stage.inbox.of("received")) == 1


async def test_a_server_without_keepalives_is_found_out_once(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    lab.faults.keepalives = False
    async with Stage(lab, confirm_timeout=0.05) as stage:
        await stage.sign_in()
        first = await stage.outcome(stage.send("one")[0])
        second = await stage.outcome(stage.send("two")[0])
        assert {first.kind, second.kind} == {OutcomeKind.ACCEPTED}
        assert {first.source, second.source} == {"written to the server"}
        asked = len(lab.log.of("KEEPALIVE", direction="C", user=ALICE))
        await stage.outcome(stage.send("three")[0])
        assert len(lab.log.of("KEEPALIVE", direction="C", user=ALICE)) == asked


async def test_nothing_is_asked_where_the_operator_says_so(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, confirm="never") as stage:
        await stage.sign_in()
        assert (await stage.outcome(stage.send("one")[0])).source == "written to the server"
        assert lab.log.of("KEEPALIVE", direction="C", user=ALICE) == []


async def test_a_server_that_goes_silent_has_not_taken_it(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, confirm_timeout=0.05) as stage:
        await stage.sign_in()
        await stage.outcome(stage.send("one")[0])
        lab.faults.silent |= {Service.KEEPALIVE, Service.MESSAGE}
        outcome = await stage.outcome(stage.send("two")[0])
        assert outcome.kind is OutcomeKind.FAILED
        assert outcome.error is not None
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.TIMEOUT, True)
        lab.faults.silent.clear()
        await until(lambda: any("gone silent" in text for _, _, text in stage.inbox.of("account")))
        await until(lambda: stage.inbox.of("account")[-1][1] is AccountState.CONNECTED)  # by another connection
        await stage.outcome(stage.send("three")[0])
        assert stage.bob.texts() == ["one", "three"]


async def test_a_drop_behind_a_text_leaves_it_unsure_and_a_drop_before_it_unsent(stage: Stage) -> None:
    await stage.outcome(stage.send("known to answer")[0])
    stage.lab.faults.drop = {Service.MESSAGE}
    one, two = stage.send("lost", "and this")
    for delivery in (one, two):
        outcome = await stage.outcome(delivery)
        assert outcome.error is not None
        assert outcome.error.retryable
        assert outcome.error.reason in (Reason.TIMEOUT, Reason.NETWORK_DOWN)
    stage.lab.faults.drop = set()
    await until(lambda: stage.lab.is_online(ALICE))
    await stage.seen("available")
    again = stage.delivery(message=one.message, attempt=2, token=2, id=one.id)
    stage.connector.send([again])
    assert await stage.bob.text("lost") == "lost"
    assert stage.bob.texts().count("lost") == 1


async def test_every_delivery_has_one_outcome(stage: Stage) -> None:
    deliveries = stage.send(*(f"text {n}" for n in range(50)))
    stage.lab.disconnect(ALICE)
    for delivery in deliveries:
        await stage.outcome(delivery)
    await until(lambda: stage.connector.health().backlog == 0)
    settled = [outcome.delivery_id for outcome in stage.inbox.of("settled")]
    assert sorted(settled) == sorted(delivery.id for delivery in deliveries)


async def test_the_rate_is_kept(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, messages_per_second=50.0, burst=2) as stage:
        await stage.sign_in()
        deliveries = stage.send(*(str(n) for n in range(8)))
        await stage.outcome(deliveries[-1])
        assert stage.bob.texts() == [str(n) for n in range(8)]
        sent = [line.at for line in lab.log.of("MESSAGE", direction="C", user=ALICE)]
        assert sent[-1] - sent[0] >= 0.1  # two at once, six more at 50 a second


async def test_the_deadline_is_kept_in_a_long_queue(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, messages_per_second=0.001, burst=1) as stage:
        await stage.sign_in()
        first = stage.delivery("goes")
        late = stage.delivery("waits", deadline=time.time() + 0.1)
        stage.connector.send([first, late])
        assert (await stage.outcome(first)).kind is OutcomeKind.ACCEPTED
        outcome = await stage.outcome(late)
        assert outcome.error is not None
        assert outcome.error.reason is Reason.TIMEOUT
        assert stage.bob.texts() == ["goes"]


async def test_a_deadline_before_the_answer_does_not_end_the_connection(stage: Stage) -> None:
    await stage.outcome(stage.send("one")[0])
    stage.lab.faults.delay = 0.3
    short = stage.delivery("two", deadline=time.time() + 0.05)
    stage.connector.send([short])
    outcome = await stage.outcome(short)
    assert outcome.error is not None
    assert outcome.error.reason is Reason.TIMEOUT
    assert (await stage.outcome(stage.send("three")[0])).error is None
    assert len(stage.lab.log.of("VERIFY", direction="C")) == 2  # bob's and alice's


async def test_offline_messages_out_and_in_with_their_time(stage: Stage) -> None:
    await stage.bob.sign_out()
    await stage.seen("offline")
    (delivery,) = stage.send("for later")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    assert stage.lab.keeps(BOB) == 1
    await stage.bob.sign_in()
    assert (await stage.bob.happened.wait(lambda it: it.what == "stored")).text == "for later"
    await stage.seen("available")
    stage.directory.unlink(ALICE_ADDRESS.value)
    await until(lambda: not stage.lab.is_online(ALICE))
    written = time.time()
    for number in range(12):
        stage.bob.say(ALICE, f"n{number}")
    await until(lambda: stage.lab.keeps(ALICE) == 12)
    stage.link()
    await until(lambda: len(stage.inbox.of("received")) == 12)
    came = stage.inbox.of("received")
    assert [message.text for message in came] == [f"n{number}" for number in range(12)]
    assert all(abs(message.sent_at - written) <= 2 for message in came)
    assert all(message.kind is MessageKind.STANDALONE for message in came)


async def test_no_message_is_left_with_the_service_where_the_operator_does_not_want_it(lab: LabYahoo) -> None:
    async with Stage(lab, offline_messages=False) as stage:
        await stage.sign_in()
        assert not stage.connector.profile.stores
        outcome = await stage.outcome(stage.send("hello")[0])
        assert outcome.error is not None
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.OFFLINE, True)


async def test_an_unknown_id_is_silence_unless_the_list_is_asked(lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab) as stage:
        await stage.sign_in()
        assert (await stage.outcome(stage.send("x", target="nobody")[0])).kind is OutcomeKind.ACCEPTED
    async with Stage(lab, add_contacts=True) as stage:
        await stage.sign_in()
        outcome = await stage.outcome(stage.send("x", target="nobody")[0])
        assert outcome.error is not None
        assert (outcome.error.reason, outcome.error.code) == (Reason.UNKNOWN_ADDRESS, "YMSG 66=3")
        assert (await stage.outcome(stage.send("hi", target="carol")[0])).kind is OutcomeKind.ACCEPTED
        assert "carol" in lab.account(ALICE).listed


async def test_old_charsets_and_markup(stage: Stage) -> None:
    stage.bob.say_octets(ALICE, b'<font face="Arial" size="12">\x1b[1mGr\xfc\xdfe</font> <3')
    assert (await stage.inbox.wait("received")).text == "Grüße <3"


async def test_markup_alone_says_nothing(lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version = 16
    await bob.sign_in()
    async with Stage(lab, version=16) as stage:
        await stage.sign_in()
        bob.say(ALICE, "<b> </b>\x1b[1m")
        bob.say(ALICE, "words")
        await stage.inbox.wait("received")
        assert [m.text for m in stage.inbox.of("received")] == ["words"]
        await until(lambda: not lab.account(ALICE).unconfirmed)


async def test_what_cannot_be_carried(stage: Stage) -> None:
    picture = stage.delivery(message=stage.message(parts=(Part("image/png", b"x"),)))
    empty = stage.delivery(" ")
    long = stage.delivery("x" * 20_000)
    notice = stage.delivery(
        "x", notice=Notice(message_id="m", original_sent_at=0.0, recipient=BOB_ADDRESS, status=Status.DELIVERED)
    )
    stage.connector.send([picture, empty, long, notice])
    found = [(await stage.outcome(each)).error for each in (picture, empty, long, notice)]
    assert [error and error.reason for error in found] == [
        Reason.UNSUPPORTED_MEDIA,
        Reason.NOT_ACCEPTABLE,
        Reason.TOO_LARGE,
        Reason.NOT_ACCEPTABLE,
    ]
    stranger = stage.delivery("x", source=ALICE_ADDRESS._replace(value="eve@yahoo.test"))
    stage.connector.send([stranger])
    error = (await stage.outcome(stranger)).error
    assert error is not None
    assert error.reason is Reason.NO_ACCOUNT
    nowhere = stage.delivery("x", target="a b:c")
    stage.connector.send([nowhere])
    error = (await stage.outcome(nowhere)).error
    assert error is not None
    assert error.reason is Reason.UNKNOWN_ADDRESS


async def test_typing_outside_a_session(stage: Stage) -> None:
    stage.bob.typing(ALICE)
    sender, recipient, composing = await stage.inbox.wait("composing")
    assert (sender, recipient, composing.active) == (BOB_ADDRESS, ALICE_ADDRESS, True)
    stage.bob.typing(ALICE, False)
    assert not (await stage.inbox.wait("composing", lambda told: not told[2].active))[2].active
    stage.connector.composing(ALICE_ADDRESS, BOB_ADDRESS, Composing(True))
    await stage.bob.happened.wait(lambda it: it.what == "typing" and it.peer == ALICE)
    stage.connector.composing(ALICE_ADDRESS, BOB_ADDRESS, Composing(False))
    await stage.bob.happened.wait(lambda it: it.what == "idle" and it.peer == ALICE)


@pytest.mark.parametrize("version", [10, 16])
async def test_files_are_refused_and_it_is_said_once(lab: LabYahoo, version: int) -> None:
    bob = lab.buddies[BOB]
    bob.version = version
    await bob.sign_in()
    async with Stage(lab, version=version) as stage:
        await stage.sign_in()
        for name in ("a.jpg", "b.jpg"):
            bob.offer_file(ALICE, name)
        bob.say(ALICE, "there you are")
        await stage.inbox.wait("received")
        service = "P2PFILEXFER" if version == 10 else "FILETRANSFER_OFFER"
        await until(lambda: len(lab.log.of(service, direction="C", user=ALICE)) == 2)
        refused = lab.log.of(service, direction="C", user=ALICE)
        assert all(("13=2" if version == 10 else "222=4") in line.text for line in refused)
        await until(lambda: bob.texts() == ["I cannot receive files here; please send text."])


@pytest.mark.parametrize("links", [True, False])
async def test_files_that_the_service_keeps_are_an_address(lab: LabYahoo, links: bool) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, file_links=links) as stage:
        await stage.sign_in()
        url = "http://files.yahoo.test/a.jpg?sid=1"
        for bad in ("javascript:x", "http://a b", "http://x\r\ny", "http://" + "x" * 3000, ""):
            lab.say(ALICE, Service.FILETRANSFER, 1, (4, BOB), (5, ALICE), (20, bad), (14, "look"))
        lab.say(ALICE, Service.FILETRANSFER, 1, (4, BOB), (5, ALICE), (20, url), (38, 604800), (14, "<b>look</b>"))
        stage.bob.say(ALICE, "that was all")
        await stage.inbox.wait("received", lambda m: m.text == "that was all")
        came = [m.text for m in stage.inbox.of("received")]
        assert came == [*([f"look\nFile: {url}"] if links else []), "that was all"]
