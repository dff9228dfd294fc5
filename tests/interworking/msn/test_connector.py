"""Standalone messages, presence and health, over real sockets."""

import asyncio
import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind, Part
from opencpm.domain.profile import Availability, HealthState
from opencpm.domain.report import Status
from opencpm.domain.session import Composing
from opencpm.interfaces import Context
from opencpm.interworking.msn import build
from opencpm.lab.msn import Calls, LabMsn
from tests.interworking.msn.stage import ALICE, ALICE_ADDRESS, BOB, BOB_ADDRESS, Clock, Directory, Ids, Stage, until


async def test_a_message_opens_a_switchboard_by_itself(stage: Stage) -> None:
    (delivery,) = stage.send("Hello Bob ☃")
    assert await stage.bob.text() == "Hello Bob ☃"
    outcome = await stage.outcome(delivery)
    assert (outcome.kind, outcome.source, outcome.token) == (OutcomeKind.ACCEPTED, "switchboard ACK", 1)
    log = stage.lab.log
    assert [line.verb for line in log if line.connection == "SB 1" and line.direction == "C"] == ["USR", "CAL", "MSG"]


async def test_many_messages_go_in_order_through_one_switchboard(stage: Stage) -> None:
    texts = [f"text {number}" for number in range(40)]
    for text in texts[:20]:
        stage.send(text)
    last = stage.send(*texts[20:])[-1]
    await stage.outcome(last)
    await stage.bob.text("text 39")
    assert [said.text for said in stage.bob.chat.lines] == texts
    assert len(stage.lab.log.of("CAL", direction="C")) == 1
    assert stage.connector.describe()["sent"] == 40


async def test_a_reply_comes_as_a_message(stage: Stage) -> None:
    stage.send("hello")
    await stage.bob.text()
    stage.bob.chat.typing()
    stage.bob.chat.send("hi\r\nAlice")
    message = await stage.inbox.wait("received")
    assert (message.sender, message.recipients, message.text) == (BOB_ADDRESS, (ALICE_ADDRESS,), "hi\nAlice")
    assert (message.kind, message.origin) == (MessageKind.STANDALONE, "msn")
    sender, recipient, composing = await stage.inbox.wait("composing")
    assert (sender, recipient, composing.active) == (BOB_ADDRESS, ALICE_ADDRESS, True)
    assert stage.inbox.of("invited") == []


async def test_what_could_not_be_stored_is_handed_over_again(stage: Stage) -> None:
    stage.inbox.verdicts = [
        SendError(Reason.INTERNAL, retryable=True, retry_after=0.01),
        None,
        SendError(Reason.TOO_LARGE),
    ]
    stage.send("hello")
    await stage.bob.text()
    stage.bob.chat.send("kept")
    await stage.inbox.wait("received", lambda message: message.text == "kept")
    stage.bob.chat.send("refused")
    stage.bob.chat.send("taken")
    await stage.inbox.wait("received", lambda message: message.text == "taken")
    assert [message.text for message in stage.inbox.of("received")] == ["kept", "taken"]


async def test_many_accounts_sign_in_a_few_at_a_time(lab: LabMsn) -> None:
    async with Stage(lab, sign_ons_at_a_time=2) as stage:
        for number in range(12):
            account = lab.account(f"user{number}@msn.test")
            stage.directory.link(f"user{number}", account.address, account.password)
        await stage.inbox.wait("health", lambda health: health.detail == "12 of 12 accounts signed in")
        under_way = most = 0
        for line in lab.log:
            under_way += (line.verb == "VER" and line.direction == "C") - (line.verb == "CHG" and line.direction == "C")
            most = max(most, under_way)
        assert most <= 2 + 1  # the next may begin while the last answer is on its way


async def test_typing_outside_a_session(stage: Stage) -> None:
    stage.connector.composing(ALICE_ADDRESS, BOB_ADDRESS, Composing(True))
    stage.send("hello")
    await stage.bob.text()
    stage.connector.composing(ALICE_ADDRESS, BOB_ADDRESS, Composing(True))
    await stage.bob.happened.wait(lambda it: it.what == "typing" and it.peer == ALICE)


async def test_after_the_buddy_left_a_new_switchboard_is_opened(stage: Stage) -> None:
    stage.send("one")
    await stage.bob.text()
    chat = stage.bob.chat
    chat.leave()
    await chat.closed.wait()
    (delivery,) = stage.send("two")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    await stage.bob.text("two")
    assert len(stage.lab.log.of("CAL", direction="C")) == 2


async def test_long_text_is_split(stage: Stage) -> None:
    text = "many words " * 400
    delivery = stage.delivery(text)
    assert stage.connector.fit(delivery.message).segments == 3
    stage.connector.send([delivery])
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    assert len(stage.inbox.of("settled")) == 1
    assert "".join(said.text for said in stage.bob.chat.lines) == text


async def test_long_text_in_chunks(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, long_text="chunk") as stage:
        await stage.sign_in()
        text = "schön " * 600
        (delivery,) = stage.send(text)
        await stage.outcome(delivery)
        assert [said.text for said in stage.bob.chat.lines] == [text]


async def test_what_msn_cannot_carry(stage: Stage) -> None:
    picture = stage.message(parts=(Part("image/png", b"\x89PNG"),))
    notice = Notice(message_id="x", original_sent_at=0.0, recipient=BOB_ADDRESS, status=Status.DELIVERED)
    deliveries = [stage.delivery(message=picture), stage.delivery(notice=notice), stage.delivery("   ")]
    stage.connector.send(deliveries)
    reasons = [(await stage.outcome(delivery)).error.reason for delivery in deliveries]
    assert reasons == [Reason.UNSUPPORTED_MEDIA, Reason.NOT_ACCEPTABLE, Reason.NOT_ACCEPTABLE]
    assert stage.connector.fit(picture).error.reason is Reason.UNSUPPORTED_MEDIA


async def test_offline_and_back(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, offline_messages=False) as stage:
        await stage.sign_in()
        assert not stage.connector.profile.stores
        await stage.bob.sign_out()
        await stage.inbox.wait("presence", lambda told: told == ("alice", BOB, "offline"))
        assert stage.connector.reach("alice", BOB_ADDRESS).availability is Availability.OFFLINE
        (delivery,) = stage.send("hello")
        error = (await stage.outcome(delivery)).error
        assert (error.reason, error.retryable, error.code) == (Reason.OFFLINE, True, "MSNP 217")
        await stage.bob.sign_in("AWY")
        await stage.inbox.wait("presence", lambda told: told[2] == "away")
        assert stage.connector.reach("alice", BOB_ADDRESS).availability is Availability.AWAY


@pytest.mark.parametrize(
    ("protocol", "code"), [(2, "MSNP 205"), (8, "MSNP 205"), (12, "MSNP 208"), (18, "InvalidPassportUser")]
)
async def test_unknown_account(lab: LabMsn, protocol: int, code: str) -> None:
    async with Stage(lab, protocol=protocol) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello", target="nobody@msn.test")
        error = (await stage.outcome(delivery)).error
        assert (error.reason, error.retryable, error.code) == (Reason.UNKNOWN_ADDRESS, False, code)
        (delivery,) = stage.send("hello", target="not an address")
        assert (await stage.outcome(delivery)).error.reason is Reason.UNKNOWN_ADDRESS


async def test_somebody_new_is_put_on_the_list_first(stage: Stage) -> None:
    desk = stage.lab.buddy("desk@msn.test", "Desk")
    await desk.sign_in()
    address = Address("msn", "desk@msn.test")
    assert stage.connector.reach("alice", address).availability is Availability.UNKNOWN
    (delivery,) = stage.send("hello", target="desk@msn.test")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    await stage.inbox.wait("presence", lambda told: told[1] == "desk@msn.test")
    assert stage.connector.reach("alice", address).availability is Availability.AVAILABLE


async def test_without_adding_contacts_217_is_remembered(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, add_contacts=False) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello", target="nobody@msn.test")
        assert (await stage.outcome(delivery)).error.reason is Reason.OFFLINE
        reach = stage.connector.reach("alice", Address("msn", "nobody@msn.test"))
        assert (reach.availability, reach.detail) == (Availability.OFFLINE, "not online when last tried")


async def test_not_answering(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    lab.buddies[BOB].calls = Calls.IGNORE
    async with Stage(lab, join_timeout=0.1) as stage:
        await stage.sign_in()
        (delivery,) = stage.send("hello")
        error = (await stage.outcome(delivery)).error
        assert (error.reason, error.retryable) == (Reason.NO_ANSWER, True)


async def test_nak_and_swallowed(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab, ack_timeout=0.1) as stage:
        await stage.sign_in()
        lab.faults.nak = True
        (delivery,) = stage.send("hello")
        outcome = await stage.outcome(delivery)
        assert (outcome.error.reason, outcome.error.retryable) == (Reason.UNDELIVERABLE, True)
        lab.faults.clear()
        lab.faults.swallow = True
        (delivery,) = stage.send("hello")
        assert (await stage.outcome(delivery)).error.reason is Reason.TIMEOUT


async def test_deadline(stage: Stage) -> None:
    stage.bob.calls = Calls.IGNORE
    delivery = stage.delivery(deadline=time.time() + 0.05)
    stage.connector.send([delivery])
    assert (await stage.outcome(delivery)).error.reason is Reason.TIMEOUT


async def test_the_service_has_no_switchboard_to_give(stage: Stage) -> None:
    stage.lab.faults.errors["XFR"] = 713
    (delivery,) = stage.send("hello")
    error = (await stage.outcome(delivery)).error
    assert (error.reason, error.retry_after) == (Reason.CONGESTION, 60)


async def test_somebody_else_s_account(stage: Stage) -> None:
    delivery = stage.delivery(source=Address("msn", "desk@msn.test"))
    stage.connector.send([delivery])
    assert (await stage.outcome(delivery)).error.reason is Reason.NO_ACCOUNT
    assert stage.connector.reach("desk", BOB_ADDRESS).availability is Availability.UNKNOWN


async def test_down_and_up(stage: Stage) -> None:
    await stage.lab.down()
    await stage.inbox.wait("health", lambda health: health.state is HealthState.DOWN)
    (delivery,) = stage.send("hello")
    error = (await stage.outcome(delivery)).error
    assert (error.reason, error.retryable) == (Reason.NETWORK_DOWN, True)
    assert stage.connector.reach("alice", BOB_ADDRESS).availability is Availability.UNKNOWN
    stage.inbox.all.clear()
    await stage.lab.up()
    await stage.inbox.wait("health", lambda health: health.state is HealthState.UP)
    await stage.bob.sign_in()
    await stage.inbox.wait("presence", lambda told: told[1:] == (BOB, "available"))
    (delivery,) = stage.send("hello again")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED


async def test_messages_in_flight_when_the_switchboard_breaks_go_first_on_the_next(stage: Stage) -> None:
    stage.send("one")
    await stage.bob.text()
    stage.lab.faults.swallow = True
    first = stage.send("two", "three")
    await until(lambda: len(stage.lab.log.of("MSG", direction="C", account=ALICE)) == 3)
    stage.lab.faults.clear()
    stage.lab.disconnect(ALICE, "SB")
    (last,) = stage.send("four")
    for delivery in (*first, last):
        assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED
    await stage.bob.text("four")
    assert [it.text for it in stage.bob.happened.all if it.what == "text"] == ["one", "two", "three", "four"]


async def test_a_message_that_two_switchboards_died_of_is_given_up(stage: Stage) -> None:
    stage.lab.faults.drop = {"MSG"}
    (delivery,) = stage.send("two")
    error = (await stage.outcome(delivery)).error
    assert (error.reason, error.retryable) == (Reason.TIMEOUT, True)
    assert len(stage.lab.log.of("CAL", direction="C", account=ALICE)) == 2


async def test_wrong_password_is_not_tried_again_and_a_new_one_at_once(lab: LabMsn) -> None:
    await lab.buddies[BOB].sign_in()
    async with Stage(lab) as stage:
        stage.directory.link("alice", ALICE, "wrong")
        health = await stage.inbox.wait("health", lambda health: "wrong password" in health.detail)
        assert health.state is HealthState.UP  # the service works; this account does not
        assert "link the account again" in health.detail
        assert "wrong password" in stage.connector.describe()["accounts"][0]["detail"]
        (delivery,) = stage.send("hello")
        error = (await stage.outcome(delivery)).error
        assert (error.reason, error.retryable) == (Reason.AUTHENTICATION, False)
        logins = len(lab.log.of("VER", direction="C"))
        await stage.sign_in()
        assert len(lab.log.of("VER", direction="C")) == logins + 1


async def test_an_account_without_a_readable_password_stops_no_other(stage: Stage) -> None:
    stage.directory.unreadable.add("desk@msn.test")
    stage.directory.link("desk", "desk@msn.test", "x")
    await stage.inbox.wait("health", lambda health: "desk@msn.test: no password" in health.detail)
    (delivery,) = stage.send("hello")
    assert (await stage.outcome(delivery)).kind is OutcomeKind.ACCEPTED


async def test_refused_ticket(lab: LabMsn) -> None:
    lab.faults.refuse_login = 911
    async with Stage(lab) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await stage.inbox.wait("health", lambda health: "wrong password" in health.detail)


async def test_passport_trouble_is_tried_again(lab: LabMsn) -> None:
    lab.faults.passport_status = 503
    async with Stage(lab) as stage:
        stage.directory.link("alice", ALICE, lab.account(ALICE).password)
        await stage.inbox.wait("health", lambda health: "503" in health.detail)
        lab.faults.clear()
        await stage.sign_in()


async def test_signed_in_elsewhere_is_respected(stage: Stage) -> None:
    stage.lab.kick(ALICE)
    await stage.inbox.wait("health", lambda health: "signed in elsewhere" in health.detail)
    (delivery,) = stage.send("hello")
    assert (await stage.outcome(delivery)).error.code == "OUT OTH"
    account = stage.directory.accounts[ALICE]
    stage.directory.unlink(ALICE)
    await asyncio.sleep(0)
    stage.inbox.all.clear()
    stage.directory.link("alice", ALICE, account[1])
    await stage.inbox.wait("health", lambda health: health.detail.startswith("1 of 1"))


async def test_an_account_linked_and_unlinked_while_running(stage: Stage) -> None:
    desk = stage.lab.account("desk@msn.test")
    stage.directory.link("desk", "desk@msn.test", desk.password)
    await stage.inbox.wait("health", lambda health: health.detail.startswith("2 of 2"))
    stage.directory.unlink("desk@msn.test")
    await until(lambda: stage.lab.log.of("OUT", direction="C", account="desk@msn.test"))
    assert stage.connector.health().detail == "1 of 1 accounts signed in"


async def test_stopping_says_out_everywhere(stage: Stage) -> None:
    stage.send("hello")
    await stage.bob.text()
    await stage.stop()
    assert [line.connection for line in stage.lab.log.of("OUT", direction="C", account=ALICE)] == ["SB 1", "NS 2"]
    assert not stage.lab.is_online(ALICE)
    (delivery,) = stage.send("late")
    assert (await stage.outcome(delivery)).error.reason is Reason.NETWORK_DOWN


async def test_somebody_who_adds_the_account_is_allowed_where_the_operator_wants_it(lab: LabMsn) -> None:
    async with Stage(lab, allow_contacts=True, protocol=12) as stage:
        await stage.sign_in()
        desk = stage.lab.buddy("desk@msn.test", "Desk")
        await desk.sign_in()
        desk.add(ALICE)
        await desk.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE)
        await until(
            lambda: any("AL N=desk@msn.test" in line.text for line in lab.log.of("ADC", direction="S", account=ALICE))
        )
        assert stage.inbox.of("asked") == []


async def test_a_file_is_declined(stage: Stage) -> None:
    stage.send("hello")
    await stage.bob.text()
    invite = "Content-Type: text/x-msmsgsinvite\r\n\r\nInvitation-Command: INVITE\r\nInvitation-Cookie: 9\r\n\r\n"
    chat = stage.bob.chat
    for _ in range(2):
        chat._do(lambda now: chat._machine.send(invite.encode(), "N", now))
    await stage.bob.happened.wait(lambda it: it.what == "text" and "that file" in it.text)
    declined = [line for line in stage.lab.log.of("MSG", direction="C", account=ALICE) if b"CANCEL" in line.payload]
    assert declined
    assert sum("that file" in said.text for said in chat.lines) == 1


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"server": "h:1"}, "nexus_url"),
        ({"server": "h:1", "protocol": 18}, "token_url"),
        ({"server": "h:1", "protocol": 19}, "18"),
        ({"server": "not a server:x", "nexus_url": "https://x/"}, "host:port"),
        ({"server": "h:1", "nexus_url": "ftp://x"}, "https://"),
        ({"server": "h:1", "nexus_url": "https://x/", "typo": 1}, "typo"),
        ({"server": "h:1", "nexus_url": "https://x/", "ca_file": "/nowhere"}, "ca_file"),
    ],
)
def test_settings_say_what_to_mend(settings: dict[str, object], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        build(settings, Context(name="msn", clock=Clock(), ids=Ids(), store=None, directory=Directory()))  # type: ignore[arg-type]
