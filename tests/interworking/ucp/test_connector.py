"""The connector on real sockets, against the lab's centre."""

import asyncio
from datetime import UTC, datetime

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Preferences, Simplify
from opencpm.lab.ucp import LabUcp
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.ucp.operations import DELIVER, NOTIFICATION, Message
from tests.protocols.mm1.vectors import NOTIFICATION as WORD_OF_AN_MMS

from .support import ALICE, BOB, Clock, State, context, delivery, eventually, failed, message, rig, start

PDU = bytes.fromhex(WORD_OF_AN_MMS)
LONG = "a text of many words " * 15
EMOJI = "ünïcödé 😀 " * 20


@pytest.mark.parametrize("text", ["Hello €", LONG, EMOJI])
async def test_a_text_goes_out_and_its_notification_comes_back(text):
    async with rig() as it:
        bob = it.centre.phone(BOB.value)
        it.send(delivery(text))
        outcome = await it.inbox.outcome()
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.source == "UCP 51 result"
        await it.inbox.until(lambda: len(it.inbox.reports) == len(outcome.references))
        assert [report.key for report in it.inbox.reports] == [one.key for one in outcome.references]
        assert {one.segments for one in outcome.references} == {len(outcome.references)}
        assert {report.status for report in it.inbox.reports} == {Status.DELIVERED}
        assert bob.texts[0].text == text
        assert bob.texts[0].sender == ALICE.value


async def test_notifications_before_the_result():
    async with rig() as it:
        it.centre.faults.early = True
        it.send(delivery())
        outcome = await it.inbox.outcome()
        await it.inbox.until(lambda: it.inbox.reports)
        assert it.inbox.reports[0].key == outcome.references[0].key


@pytest.mark.parametrize(
    ("rsn", "reason"), [("107", Reason.EXPIRED), ("103", Reason.BARRED), ("108", Reason.UNDELIVERABLE)]
)
async def test_not_delivered(rsn, reason):
    async with rig() as it:
        it.centre.faults.undeliverable[BOB.value[1:]] = rsn
        it.send(delivery())
        await it.inbox.until(lambda: it.inbox.reports)
        report = it.inbox.reports[0]
        assert report.status is Status.FAILED
        assert report.error.reason is reason
        assert f"Rsn:{rsn}" in report.detail


async def test_buffered_is_not_final():
    async with rig(buffered=True) as it:
        it.centre.phone(BOB.value).on = False
        it.send(delivery())
        await it.inbox.until(lambda: it.inbox.reports)
        assert it.inbox.reports[0].status is Status.PENDING
        it.centre.phone(BOB.value).on = True
        await it.inbox.until(lambda: len(it.inbox.reports) == 2)
        assert it.inbox.reports[1].status is Status.DELIVERED
        assert it.inbox.reports[0].key == it.inbox.reports[1].key
        assert Status.PENDING in it.connector.profile.reports


async def test_the_notification_is_answered_after_the_commit():
    async with rig() as it:
        it.inbox.hold = True
        it.send(delivery())
        await it.inbox.until(lambda: it.inbox.held)
        assert it.centre.log.of(NOTIFICATION)
        assert not it.centre.log.of(NOTIFICATION, results=True)
        it.inbox.release()
        await eventually(lambda: it.centre.log.of(NOTIFICATION, results=True))


@pytest.mark.parametrize(
    ("ec", "reason", "retryable"),
    [
        (6, Reason.UNKNOWN_ADDRESS, False),
        (5, Reason.BARRED, False),
        (24, Reason.TOO_LARGE, False),
        (36, Reason.UNREACHABLE, True),
        (99, Reason.REJECTED, False),
    ],
)
async def test_refused(ec, reason, retryable):
    async with rig() as it:
        it.centre.faults.ec[BOB.value[1:]] = ec
        it.send(delivery(LONG))
        failed(await it.inbox.outcome(), reason, retryable)
        assert f"UCP {ec:02}" in it.inbox.outcomes[0].error.code
        assert len(it.inbox.outcomes) == 1


async def test_denied_backs_off_and_goes_again():
    async with rig() as it:
        it.centre.faults.denied = 1
        it.send(delivery())
        outcome = await it.inbox.outcome()
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert not outcome.doubled
        assert it.connector.describe()["counters"]["EC 04"] == 1


async def test_a_validity_that_is_refused_is_left_out():
    async with rig() as it:
        it.centre.faults.once = [22]
        it.send(delivery())
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        first, second = (Message(*line.frame.fields) for line in it.centre.log.of(51))
        assert first.vp
        assert second == first._replace(vp="")


async def test_a_checksum_error_is_tried_once_more():
    async with rig() as it:
        it.centre.faults.once = [1]
        it.send(delivery(id="d1"))
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        it.centre.faults.once = [1, 1]
        it.send(delivery(id="d2"))
        failed(await it.inbox.outcome(2), Reason.INTERNAL, False)


async def test_no_result_is_told_and_a_resend_is_marked():
    async with rig(result_timeout=0.05) as it:
        it.centre.faults.no_result = 1
        it.send(delivery())
        failed(await it.inbox.outcome(), Reason.TIMEOUT, True)
        await eventually(lambda: len(it.centre.log.of(60, results=True)) == 2)
        await eventually(lambda: it.connector.health().state is HealthState.UP)
        it.send(delivery(attempt=2, token=2))
        outcome = await it.inbox.outcome(2)
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.doubled


async def test_a_centre_that_names_no_message():
    async with rig() as it:
        it.centre.faults.nameless = 1
        it.send(delivery())
        outcome = await it.inbox.outcome()
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.references == ()


async def test_messages_to_one_number_are_kept_apart():
    async with LabUcp() as centre:
        it = await start(centre, apart=0.05, window=20)
        try:
            await it.inbox.until(lambda: it.inbox.healths)
            it.send(
                *[delivery(id=f"d{n}") for n in range(3)], delivery(id="other", target=Address("tel", "+12025550177"))
            )
            await it.inbox.outcome(4)
            ends = [line.at for line in centre.log.of(51, results=True) if "2025550101" in line.frame.fields[-1]]
            begins = [line.at for line in centre.log.of(51) if line.frame.fields[0] == "12025550101"]
            assert all(begin - end > 0.04 for end, begin in zip(ends, begins[1:], strict=False))
            assert it.inbox.outcomes[1].delivery_id == "other"
        finally:
            await it.stop()


async def test_the_window_holds():
    async with rig(window=1) as it:
        it.send(*[delivery(id=f"d{n}", target=Address("tel", f"+1202555{n:04}")) for n in range(30)])
        await it.inbox.outcome(30)
        frames = [line for line in it.centre.log if line.frame.ot == 51]
        assert [line.frame.result for line in frames] == [False, True] * 30


# -- texts in


@pytest.mark.parametrize("text", ["let us talk", LONG, EMOJI])
async def test_a_text_comes_in(text):
    async with rig() as it:
        sent = it.centre.phone(BOB.value).send(text, to=ALICE.value)
        await it.centre.happenings.until(lambda: sent.status == "accepted")
        (got,) = it.inbox.messages
        assert (got.text, got.sender, got.recipients, got.origin) == (text, BOB, (ALICE,), "sms")


async def test_a_text_is_answered_after_the_commit_with_its_name():
    async with rig() as it:
        it.inbox.hold = True
        sent = it.centre.phone(BOB.value).send("hi", to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.held)
        assert not it.centre.log.of(DELIVER, results=True)
        it.inbox.release()
        await it.centre.happenings.until(lambda: sent.status == "accepted")
        operation = Message(*it.centre.log.of(DELIVER)[0].frame.fields)
        assert it.centre.log.of(DELIVER, results=True)[0].frame.fields == ("A", "", f"{operation.adc}:{operation.scts}")


@pytest.mark.parametrize(("reason", "ec"), [(Reason.UNKNOWN_ADDRESS, "06"), (Reason.BARRED, "23")])
async def test_a_text_that_is_refused(reason, ec):
    async with rig() as it:
        it.inbox.verdict = SendError(reason)
        sent = it.centre.phone(BOB.value).send("hi", to=ALICE.value)
        await it.centre.happenings.until(lambda: sent.status == "refused")
        assert it.centre.log.of(DELIVER, results=True)[0].frame.fields[1] == ec


async def test_trouble_of_ours_brings_the_text_again_under_the_same_name():
    async with rig() as it:
        it.inbox.verdict = SendError(Reason.INTERNAL, retryable=True)
        sent = it.centre.phone(BOB.value).send("hi", to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)
        it.inbox.verdict = None
        await it.centre.happenings.until(lambda: sent.status == "accepted")
        first, second = it.inbox.messages
        assert first.id == second.id


async def test_segments_outlive_the_server():
    state = State()
    async with LabUcp(window=1) as centre:
        it = await start(centre, where=context(state))
        it.inbox.hold = True
        sent = centre.phone(BOB.value).send(LONG, to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.held)
        before = it.inbox.messages[0]
        await centre.disconnect()
        await it.stop()
        assert state.all_state("sms.segments")
        it = await start(centre, where=context(state))
        await centre.happenings.until(lambda: sent.status == "accepted")
        assert it.inbox.messages[0].text == LONG
        assert it.inbox.messages[0].id == before.id
        await it.stop()
        assert not state.all_state("sms.segments")


async def test_what_is_not_for_people_or_cannot_be_read_is_taken_and_dropped():
    async with rig() as it:
        to = {"adc": ALICE.value[1:], "oadc": BOB.value[1:]}
        for bad in (
            Message(**to, mt="3", msg="48", rpid="0064"),
            Message(**to, mt="4", nb="0016", msg="00FF", xser="0201F5"),
            Message(**to, mt="3", msg="4"),
            Message(**to, mt="4", msg="00", xser="010706050400000B84"),
            Message(**to, mt="3", msg=""),
        ):
            it.centre._connections[0].session.submit(bad, _Nobody(), asyncio.get_running_loop().time(), DELIVER)
            it.centre._connections[0].link.wake()
        await eventually(lambda: len(it.centre.log.of(DELIVER, results=True)) == 5)
        assert {line.frame.fields[0] for line in it.centre.log.of(DELIVER, results=True)} == {"A"}
        assert not it.inbox.messages
        counters = it.connector.describe()["counters"]
        assert (counters["not for people"], counters["unreadable"], counters["without text"]) == (2, 1, 2)


class _Nobody:
    sent = None


async def test_a_notification_without_a_time_is_taken():
    async with rig() as it:
        note = Message(ALICE.value[1:], BOB.value[1:], dst="0")
        it.centre._connections[0].session.submit(note, _Nobody(), asyncio.get_running_loop().time(), NOTIFICATION)
        it.centre._connections[0].link.wake()
        await eventually(lambda: it.centre.log.of(NOTIFICATION, results=True))
        assert not it.inbox.reports


async def test_a_reply_to_a_shared_number_comes_to_who_wrote_last():
    carol = Address("sip", "carol@cpm.test")
    async with rig(source="60606") as it:
        bob = it.centre.phone(BOB.value)
        it.send(delivery(source=carol, message=message(sender=carol)), delivery(id="d2"))
        assert (await bob.wait_text(1)).sender == "60606"
        bob.send("yes", to="60606")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].recipients == (ALICE,)


async def test_a_missing_segment_is_marked():
    clock = Clock()
    async with rig(where=context(clock=clock), reassembly_timeout=300) as it:
        lost = []
        phone = it.centre.phone(BOB.value)
        phone.submit = lambda who, sent, messages: (
            lost.append(messages.pop(1)),
            it.centre._from_phone(who, sent, messages),
        )
        phone.send(LONG, to=ALICE.value)
        await eventually(lambda: len(it.centre.log.of(DELIVER, results=True)) == 2)
        clock.ahead = 1000
        it.connector._inbound.expire()
        (got,) = it.inbox.messages
        assert "[...]" in got.text


# -- the link


async def test_a_name_as_sender_and_settings_of_the_peer():
    async with rig(source="CPM Test", destination_prefix="00", receipts="never") as it:
        bob = it.centre.phone("00" + BOB.value[1:])
        it.send(delivery())
        await it.inbox.outcome()
        assert (await bob.wait_text(0)).sender == "CPM Test"
        assert not it.centre.log.of(NOTIFICATION)
        assert Status.DELIVERED not in it.connector.profile.reports


async def test_receipts_only_where_asked():
    async with rig(receipts="asked") as it:
        it.send(delivery())
        it.send(delivery(id="d2", message=message(wants=Disposition.POSITIVE_DELIVERY)))
        await it.inbox.outcome(2)
        assert [Message(*line.frame.fields).nrq for line in it.centre.log.of(51)] == ["", "1"]


async def test_the_validity_is_in_the_centres_time():
    async with rig(timezone="Asia/Tokyo") as it:
        it.send(delivery(expires_at=datetime(2100, 1, 1, tzinfo=UTC).timestamp()))
        await it.inbox.outcome()
        vp = Message(*it.centre.log.of(51)[0].frame.fields).vp
        stated = datetime.strptime(vp + "+0900", "%d%m%y%H%M%z")
        ahead = (stated - datetime.now(UTC)).total_seconds()
        assert 72 * 3600 - 1 <= ahead <= 72 * 3600 + 61


async def test_an_older_centre():
    async with rig(amsg="ira") as it:
        it.send(delivery("plain"), delivery("a@b.c", id="d2"))
        await it.inbox.outcome(2)
        plain, other = (Message(*line.frame.fields) for line in it.centre.log.of(51))
        assert (plain.mt, plain.msg) == ("3", b"plain".hex().upper())
        assert (other.mt, other.xser) == ("4", "020108")
        assert it.connector.fit(message("x" * 100)).segments == 1
        assert it.connector.fit(message("@" * 100)).segments == 2


async def test_login_refused_and_nothing_is_lost_by_waiting():
    async with rig(up=False, centre={"accounts": {"cpm": "right"}}, account="cpm", password="wrong") as it:
        await eventually(lambda: "refused" in it.connector.health().detail)
        assert it.connector.health().state is HealthState.DOWN
        assert "next try in" in it.connector.health().detail
        it.send(delivery())
        failed(await it.inbox.outcome(), Reason.NETWORK_DOWN, True)
        assert "right" not in repr(it.connector.describe()) + repr(list(it.centre.log))


async def test_a_lost_link_comes_back():
    async with rig() as it:
        await it.centre.disconnect()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)
        it.send(delivery())
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED


async def test_what_is_under_way_when_the_link_breaks_is_doubtful_and_the_rest_is_not():
    async with rig(window=1) as it:
        it.centre.faults.no_result = 1
        it.send(delivery(id="gone"), delivery(id="kept", target=Address("tel", "+12025550177")))
        await eventually(lambda: it.centre.log.of(51))
        await it.centre.disconnect()
        await it.inbox.outcome(2)
        by_id = {outcome.delivery_id: outcome for outcome in it.inbox.outcomes}
        failed(by_id["gone"], Reason.TIMEOUT, True)
        failed(by_id["kept"], Reason.NETWORK_DOWN, True)


async def test_a_silent_centre_is_left():
    async with rig(result_timeout=0.05) as it:
        it.centre.faults.no_result = 1
        it.send(delivery())
        await it.inbox.until(lambda: any(health.state is HealthState.DOWN for health in it.inbox.healths))
        assert any("nothing was heard" in health.detail for health in it.inbox.healths)


async def test_denied_for_long_logs_in_anew():
    async with rig() as it:
        it.connector._outbox._denials = 2
        it.centre.faults.denied = 1
        it.send(delivery())
        failed(await it.inbox.outcome(), Reason.NETWORK_DOWN, True)
        await eventually(lambda: len(it.centre.log.of(60)) == 2)


async def test_no_session():
    async with rig(session=False, up=False, authentication_code="ac1") as it:
        await eventually(lambda: it.connector.health().state is HealthState.UP)
        assert not it.centre.log.of(60)
        it.send(delivery())
        await eventually(lambda: it.centre.log.of(51))
        assert Message(*it.centre.log.of(51)[0].frame.fields).ac == "ac1"


async def test_keep_alive():
    async with rig(keep_alive=0.02) as it:
        await eventually(lambda: len(it.centre.log.of(31, results=True)) >= 2)
        assert it.centre.log.of(31)[0].frame.fields == ("opencpm", "0539")


async def test_a_full_queue():
    async with rig(queue=1, window=1) as it:
        it.centre.faults.no_result = 1
        it.send(delivery(id="one"), delivery(id="two"))
        failed(it.inbox.outcomes[0], Reason.CONGESTION, True)
        assert it.connector.health().state is HealthState.BUSY
        assert it.connector.health().backlog == 1


async def test_what_cannot_go_is_said_at_once():
    async with rig() as it:
        it.send(
            delivery(expires_at=1.0),
            delivery(target=Address("tel", "*100#")),
            delivery(source=Address("sip", "alice@cpm.test")),
            delivery("x" * 5000),
        )
        reasons = [outcome.error.reason for outcome in it.inbox.outcomes]
        assert reasons == [Reason.EXPIRED, Reason.UNKNOWN_ADDRESS, Reason.INVALID_SOURCE, Reason.TOO_LARGE]


async def test_a_deadline_ends_the_wait():
    clock = Clock()
    async with rig(where=context(clock=clock), window=1) as it:
        it.centre.faults.no_result = 1
        it.send(delivery())
        clock.ahead = 120
        failed(await it.inbox.outcome(), Reason.CONGESTION, True)


async def test_there_are_no_sessions():
    async with rig() as it:
        with pytest.raises(SendError):
            await it.connector.open(None, None)
        it.connector.composing(ALICE, BOB, None)
        assert it.connector.reach("alice", BOB).availability == "unknown"


async def test_word_of_an_mms_goes_to_the_phone_and_comes_from_it():
    async with rig() as it:
        bob = it.centre.phone(BOB.value)
        it.connector.send([delivery(message=message(parts=(Part(MEDIA_TYPE, PDU * 4),)))])
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        push = await bob.wait_push(0)
        assert (push.is_mms, push.content, bob.texts) == (True, PDU * 4, [])
        sent = bob.push(PDU * 4, to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].parts == (Part(MEDIA_TYPE, PDU * 4),)
        assert (it.inbox.messages[0].sender, it.inbox.messages[0].recipients) == (BOB, (ALICE,))
        await eventually(lambda: sent.status == "accepted")
        bob.push(PDU, to=ALICE.value)
        await it.inbox.until(lambda: len(it.inbox.messages) == 2)


@pytest.mark.parametrize(("simplify", "shown"), [("network", "“Žluťoučký”"), ("latin", '"Zlutoucky"')])
async def test_what_may_be_simplified_is_the_senders_to_say(simplify, shown):
    where = context()
    where.directory.preferences = Preferences(simplify=Simplify(simplify))
    async with rig(where=where, transliteration="off") as it:
        bob = it.centre.phone(BOB.value)
        it.connector.send([delivery("“Žluťoučký”")])
        await it.inbox.outcome()
        assert (await bob.wait_text(0)).text == shown
        assert it.connector.fit(message("“ž" * 60)).segments == (1 if simplify == "latin" else 2)
