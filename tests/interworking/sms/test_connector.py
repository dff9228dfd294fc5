"""The connector against the lab's SMSC, over real sockets."""

import asyncio
import time

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Preferences, Simplify
from opencpm.interworking.sms import build
from opencpm.lab.smsc import Coverage, LabSmsc, ReceiptStyle
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.smpp.short_message import ShortMessage
from tests.protocols.mm1.vectors import NOTIFICATION

from .support import ALICE, BOB, Clock, Inbox, State, context, delivery, eventually, failed, message, rig, start

PDU = bytes.fromhex(NOTIFICATION)


def matching(outcome, report):
    """The references of an outcome that a report's key means."""
    found = [r for r in outcome.references if r.key == report.key]
    return [r for r in found if not r.weak or r.check == report.check]


async def test_a_text_goes_out_and_its_receipt_comes_back():
    async with rig() as it:
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery("Hello Bob")])
        outcome = await it.inbox.outcome()
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.source == "submit_sm_resp"
        text = await bob.wait_text(0)
        assert (text.sender, text.text) == (ALICE.value, "Hello Bob")
        await it.inbox.until(lambda: it.inbox.reports)
        (report,) = it.inbox.reports
        assert (report.status, report.source) == (Status.DELIVERED, "SMSC receipt")
        assert matching(outcome, report)
        assert it.smsc.log.of("submit_sm")[0].decoded()["registered_delivery"] == 1


@pytest.mark.parametrize(
    ("style", "setting"),
    [
        (ReceiptStyle(response="hex", receipt="decimal"), "auto"),
        (ReceiptStyle(response="decimal", receipt="HEX"), "auto"),
        (ReceiptStyle(response="padded", receipt="decimal"), "auto"),
        (ReceiptStyle(response="HEX", receipt="decimal"), "hex2dec"),
        (ReceiptStyle(text=False, tlvs=True), "same"),
    ],
)
async def test_receipts_in_every_dialect(style, setting):
    async with rig(style=style, receipt_id=setting) as it:
        it.connector.send([delivery()])
        outcome = await it.inbox.outcome()
        await it.inbox.until(lambda: it.inbox.reports)
        assert matching(outcome, it.inbox.reports[0])


async def test_a_receipt_before_the_response_is_reported_first():
    async with rig(style=ReceiptStyle(early=True, enroute=True)) as it:
        it.connector.send([delivery()])
        outcome = await it.inbox.outcome()
        await it.inbox.until(lambda: len(it.inbox.reports) == 2)
        assert [r.status for r in it.inbox.reports] == [Status.PENDING, Status.DELIVERED]
        assert matching(outcome, it.inbox.reports[1])


async def test_a_long_text_is_one_outcome_and_a_receipt_for_each_segment():
    text = "Grüße 😀 " * 40
    async with rig() as it:
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery(text)])
        outcome = await it.inbox.outcome()
        received = await bob.wait_text(0)
        assert received.text == text
        assert received.segments > 1
        assert {r.segments for r in outcome.references} == {received.segments}
        await it.inbox.until(lambda: len(it.inbox.reports) == received.segments)
        segments = {matching(outcome, report)[0].segment for report in it.inbox.reports}
        assert segments == set(range(received.segments))


async def test_a_resend_repeats_the_reference_of_segments():
    async with rig() as it:
        for token in (1, 2):
            it.connector.send([delivery("x" * 200, token=token, attempt=token)])
            await it.inbox.outcome(token)
        first, second, *again = [line.decoded()["short_message"] for line in it.smsc.log.of("submit_sm")]
        assert again == [first, second]
        assert first[:6] == "050003"


async def test_more_than_the_window_all_arrive_in_order():
    async with rig(window=3) as it:
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery(f"text {n}", id=f"d{n}") for n in range(50)])
        await it.inbox.outcome(50)
        assert [t.text for t in bob.texts] == [f"text {n}" for n in range(50)]
        assert it.connector.health().backlog == 0


async def test_a_rate_is_kept():
    async with rig(rate=50.0, window=100) as it:
        begin = time.monotonic()
        it.connector.send([delivery(id=f"d{n}") for n in range(25)])
        await it.inbox.outcome(25)
        assert time.monotonic() - begin > 0.3


async def test_throttled_submits_go_again_by_themselves():
    async with rig() as it:
        it.smsc.faults.throttle = 2
        it.smsc.faults.queue_full = 1
        it.connector.send([delivery(id=f"d{n}") for n in range(5)])
        await it.inbox.outcome(5)
        assert {o.kind for o in it.inbox.outcomes} == {OutcomeKind.ACCEPTED}
        assert len(it.smsc.log.of("submit_sm")) == 8


async def test_refusals_say_why():
    async with rig() as it:
        it.smsc.refuse(BOB.value, 0x0B)
        it.connector.send([delivery()])
        failed(await it.inbox.outcome(), Reason.UNKNOWN_ADDRESS, False)
        assert "RINVDSTADR" in it.inbox.outcomes[0].error.code
        it.smsc.refuse(BOB.value, 0x08)
        it.connector.send([delivery(id="d2")])
        failed(await it.inbox.outcome(2), Reason.UNREACHABLE, True)


async def test_undeliverable_is_a_failed_report():
    async with rig() as it:
        it.smsc.undeliverable(BOB.value)
        it.connector.send([delivery()])
        await it.inbox.until(lambda: it.inbox.reports)
        report = it.inbox.reports[0]
        assert report.status is Status.FAILED
        assert report.error.reason is Reason.UNDELIVERABLE
        assert "UNDELIV" in report.detail


async def test_no_response_is_unknown_and_a_later_success_is_marked():
    async with rig(response_timeout=0.05) as it:
        it.smsc.faults.no_response = 1
        it.connector.send([delivery()])
        failed(await it.inbox.outcome(), Reason.TIMEOUT, True)
        it.connector.send([delivery(token=2, attempt=2)])
        outcome = await it.inbox.outcome(2)
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.doubled


async def test_a_broken_connection_leaves_unknown_then_comes_back():
    async with rig() as it:
        it.smsc.faults.no_response = 1
        it.connector.send([delivery()])
        await eventually(lambda: it.smsc.log.of("submit_sm"))
        await it.smsc.disconnect()
        failed(await it.inbox.outcome(), Reason.TIMEOUT, True)
        await it.inbox.until(lambda: [h.state for h in it.inbox.healths][-2:] == [HealthState.DOWN, HealthState.UP])
        it.connector.send([delivery(token=2)])
        assert (await it.inbox.outcome(2)).kind is OutcomeKind.ACCEPTED


async def test_without_a_link_everything_is_refused_as_retryable():
    async with rig() as it:
        await it.smsc.down()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        it.connector.send([delivery()])
        failed(await it.inbox.outcome(), Reason.NETWORK_DOWN, True)
        await it.smsc.up()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)


async def test_what_waits_when_the_link_goes_is_settled():
    async with rig(window=1) as it:
        it.smsc.faults.no_response = 1
        it.connector.send([delivery(id=f"d{n}") for n in range(3)])
        await eventually(lambda: it.smsc.log.of("submit_sm"))
        await it.smsc.disconnect()
        await it.inbox.outcome(3)
        reasons = sorted(o.error.reason for o in it.inbox.outcomes)
        assert reasons == [Reason.NETWORK_DOWN, Reason.NETWORK_DOWN, Reason.TIMEOUT]
        assert all(o.error.retryable for o in it.inbox.outcomes)


async def test_a_full_queue_is_congestion_and_busy():
    async with rig(window=1, queue=2) as it:
        it.smsc.faults.delay = 0.05
        it.connector.send([delivery(id=f"d{n}") for n in range(3)])
        failed(await it.inbox.outcome(), Reason.CONGESTION, True)
        assert it.connector.health().state is HealthState.BUSY
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 3)
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)


async def test_a_delivery_is_given_up_before_its_lease_ends():
    clock = Clock()
    async with rig(window=1, where=context(clock=clock)) as it:
        it.smsc.faults.no_response = 1
        it.connector.send([delivery(id="d1", deadline=time.time() + 50), delivery(id="d2")])
        clock.ahead = 55.0
        failed(await it.inbox.outcome(), Reason.TIMEOUT, True)  # it had gone, and no answer came
        assert it.inbox.outcomes[0].delivery_id == "d1"
        await it.smsc.disconnect()


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (delivery(expires_at=time.time() - 1), Reason.EXPIRED),
        (delivery("x" * 2000), Reason.TOO_LARGE),
        (delivery("x" * 200, max_segments=1), Reason.TOO_LARGE),
        (delivery(source=Address("sip", "alice@cpm.test")), Reason.INVALID_SOURCE),
        (delivery(target=Address("sip", "bob@cpm.test")), Reason.UNKNOWN_ADDRESS),
    ],
)
async def test_what_cannot_go(given, reason):
    async with rig() as it:
        it.connector.send([given])
        failed(await it.inbox.outcome(), reason, False)
        assert not it.smsc.log.of("submit_sm")


async def test_a_wrong_password_is_told_to_the_operator_and_not_repeated_at_once():
    async with LabSmsc(accounts={"opencpm": "right"}) as smsc:
        it = await start(smsc, password="wrong")
        await eventually(lambda: "refused" in it.connector.describe()["links"][0]["detail"])
        assert it.connector.health().state is HealthState.DOWN
        assert "RINVPASWD" in it.connector.health().detail
        assert "next try in" in it.connector.health().detail
        assert "wrong" not in str(it.connector.describe())
        await it.stop()


async def test_stopping_unbinds():
    async with rig() as it:
        await it.stop()
        assert [line.direction for line in it.smsc.log.of("unbind")] == ["C"]
        assert it.smsc.log.of("unbind_resp")


async def test_receipts_only_when_asked():
    async with rig(receipts="asked") as it:
        it.connector.send([delivery(id="d1")])
        wanting = message(wants=Disposition.POSITIVE_DELIVERY)
        it.connector.send([delivery(id="d2", message=wanting)])
        await it.inbox.outcome(2)
        wants = [line.decoded()["registered_delivery"] for line in it.smsc.log.of("submit_sm")]
        assert wants == [0, 1]


async def test_two_links_share_the_work_and_outlive_each_other():
    async with LabSmsc() as first, LabSmsc() as second:
        links = [
            {"host": s.address[0], "port": s.address[1], "system_id": n, "window": 1}
            for s, n in ((first, "a"), (second, "b"))
        ]
        connector, inbox = build({"type": "sms", "links": links, "reconnect_min": 0.01}, context()), Inbox()
        task = asyncio.create_task(connector.run(inbox))
        await first.wait_bound()
        await second.wait_bound()
        connector.send([delivery(id=f"d{n}") for n in range(10)])
        await inbox.outcome(10)
        assert first.taken
        assert second.taken
        await first.down()
        await eventually(lambda: sum(link["bound"] for link in connector.describe()["links"]) == 1)
        connector.send([delivery(id="last")])
        assert (await inbox.outcome(11)).kind is OutcomeKind.ACCEPTED
        task.cancel()
        await asyncio.wait([task])


# -- the way in


async def test_a_text_comes_in_and_is_answered_after_the_commit():
    async with rig() as it:
        it.inbox.hold = True
        sent = it.smsc.handset(BOB.value).send("let us talk on MSN €", to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)
        (got,) = it.inbox.messages
        assert (got.sender, got.recipients, got.text) == (BOB, (ALICE,), "let us talk on MSN €")
        assert got.origin == "sms"
        assert not it.smsc.log.of("deliver_sm_resp")
        it.inbox.release()
        await it.smsc.happenings.until(lambda: sent.status == "accepted")


async def test_a_long_text_comes_in_whole():
    text = "Привет 👩‍👩‍👧 " * 30
    async with rig() as it:
        sent = it.smsc.handset(BOB.value).send(text, to=ALICE.value)
        await it.smsc.happenings.until(lambda: sent.status == "accepted")
        assert [m.text for m in it.inbox.messages] == [text]
        assert sent.segments > 3
        assert it.connector._inbound._segments._state.rooms.get("sms.segments") == {}


async def test_segments_survive_a_crash():
    state = State()
    async with LabSmsc(window=1) as smsc:
        it = await start(smsc, where=context(state))
        await smsc.wait_bound()
        it.inbox.hold = True
        sent = smsc.handset(BOB.value).send("y" * 400, to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)  # whole, but not committed
        lost = it.inbox.messages[0]
        assert sent.answered == 2
        await it.kill()
        again = await start(smsc, where=context(state))
        await smsc.happenings.until(lambda: sent.status == "accepted")
        (got,) = again.inbox.messages
        assert got.text == "y" * 400
        assert got.id == lost.id
        await again.stop()


async def test_a_message_that_we_cannot_store_now_comes_again():
    async with rig() as it:
        it.inbox.verdict = SendError(Reason.INTERNAL, retryable=True)
        sent = it.smsc.handset(BOB.value).send("hello", to=ALICE.value)
        await it.inbox.until(lambda: it.inbox.messages)
        it.inbox.verdict = None
        await it.smsc.happenings.until(lambda: sent.status == "accepted")
        assert len(it.inbox.messages) == 2


async def test_a_refused_message_is_refused_for_good():
    async with rig() as it:
        it.inbox.verdict = SendError(Reason.UNKNOWN_ADDRESS)
        sent = it.smsc.handset(BOB.value).send("hello", to="+19999999999")
        await it.smsc.happenings.until(lambda: sent.status == "refused")
        assert len(it.inbox.messages) == 1


async def test_a_missing_segment_is_marked_in_the_end():
    clock = Clock()
    async with rig(where=context(clock=clock)) as it:
        handset = it.smsc.handset(BOB.value)
        part = ShortMessage(BOB.value[1:], ALICE.value[1:], bytes.fromhex("050003A70302") + b"middle", esm_class=0x40)
        it.smsc._from_handset(handset, None, [part])
        await eventually(lambda: it.smsc.log.of("deliver_sm_resp"))
        clock.ahead = 301.0
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].text == "[...]middle[...]"


async def test_what_is_not_for_people_is_consumed():
    async with rig() as it:
        handset = it.smsc.handset(BOB.value)
        base = ShortMessage(BOB.value[1:], ALICE.value[1:], b"x")
        odd = [
            base._replace(protocol_id=0x40),
            base._replace(message=bytes.fromhex("0605040B8423F0") + b"wap", esm_class=0x40),
            base._replace(data_coding=4),
            base._replace(message=b""),
            base._replace(message=b"\x00\x0d", data_coding=8),
            base._replace(esm_class=4, message=b"no receipt at all"),
        ]
        it.smsc._from_handset(handset, None, odd)
        await eventually(lambda: len(it.smsc.log.of("deliver_sm_resp")) == len(odd))
        assert {line.decoded()["status"] for line in it.smsc.log.of("deliver_sm_resp")} == {"ESME_ROK"}
        assert [m.text for m in it.inbox.messages] in ([], ["\r"])


async def test_a_reply_to_a_shared_number_finds_who_wrote():
    state = State()
    sip = Address("sip", "alice@cpm.test")
    async with rig(where=context(state), source="60606") as it:
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery(source=sip, message=message(sender=sip))])
        await it.inbox.outcome()
        assert (await bob.wait_text(0)).sender == "60606"
        bob.reply("who is this?")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].recipients == (sip,)
    async with rig(where=context(state), source="60606") as it:  # also in a later life
        it.smsc.handset(BOB.value).send("hello?", to="60606")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].recipients == (sip,)


async def test_a_receipt_is_answered_after_the_commit():
    async with rig() as it:
        it.inbox.hold = True
        it.connector.send([delivery()])
        await it.inbox.until(lambda: it.inbox.reports)
        assert not it.smsc.log.of("deliver_sm_resp")
        it.inbox.release()
        await eventually(lambda: it.smsc.log.of("deliver_sm_resp"))


async def test_off_then_on_again():
    async with rig() as it:
        bob = it.smsc.handset(BOB.value)
        bob.coverage = Coverage.OFF
        it.connector.send([delivery("later")])
        await it.inbox.outcome()
        assert not bob.texts
        bob.coverage = Coverage.ON
        await it.inbox.until(lambda: it.inbox.reports)
        assert bob.texts[0].text == "later"


async def test_word_of_an_mms_goes_to_the_phone_and_comes_from_it():
    async with rig() as it:
        bob = it.smsc.handset(BOB.value)
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
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery("“Žluťoučký”")])
        await it.inbox.outcome()
        assert (await bob.wait_text(0)).text == shown
        assert it.connector.fit(message("“ž" * 60)).segments == (1 if simplify == "latin" else 2)


async def test_a_transmitter_and_a_receiver_under_two_names_are_one_account():
    async with LabSmsc() as smsc:
        common = {"host": smsc.address[0], "port": smsc.address[1], "account": "ours"}
        links = [
            {**common, "system_id": "out", "bind": "transmitter", "version": "3.3"},
            {**common, "system_id": "in", "bind": "receiver", "version": "3.3"},
        ]
        connector, inbox = build({"type": "sms", "links": links, "reconnect_min": 0.01}, context()), Inbox()
        task = asyncio.create_task(connector.run(inbox))
        await smsc.wait_bound(2)
        await inbox.until(lambda: inbox.healths)
        connector.send([delivery()])
        outcome = await inbox.outcome()
        await inbox.until(lambda: inbox.reports)
        assert matching(outcome, inbox.reports[0])
        smsc.handset(BOB.value).send("and back", to=ALICE.value)
        await inbox.until(lambda: inbox.messages)
        task.cancel()
        await asyncio.wait([task])


async def test_a_push_does_not_take_a_reply_from_who_wrote():
    async with rig(source="60606", where=context(owned=())) as it:
        bob = it.smsc.handset(BOB.value)
        it.connector.send([delivery("Hello Bob")])
        await it.inbox.outcome()
        centre = Address("cpm", "mm1")
        word = message(parts=(Part(MEDIA_TYPE, PDU),), sender=centre)
        it.connector.send([delivery(id="d2", message=word, source=centre)])
        await bob.wait_push(0)
        bob.send("Hello Alice", to="60606")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].recipients == (ALICE,)
