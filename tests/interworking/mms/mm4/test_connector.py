"""Messages to a peer and from it, reports both ways, and everything that can come instead of an answer."""

from __future__ import annotations

import time
from dataclasses import replace
from email import message_from_bytes, policy

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, message_ident
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.lab.mm4 import Quirks
from opencpm.lab.mm4.faults import RECORDED
from tests.interworking.mms.mm4.support import (
    ALICE,
    BOB,
    PICTURE,
    Media,
    context,
    delivery,
    failed,
    message,
    notice,
    rig,
    start,
)
from tests.interworking.sms.support import Clock, State, eventually

BOTH = pytest.mark.parametrize("quirks", [Quirks(), RECORDED], ids=["by the book", "as recorded"])


# -- to the peer


@BOTH
async def test_a_message_reaches_the_phone_whole(quirks: Quirks) -> None:
    async with rig(quirks=quirks) as it:
        outcome = await it.sent(delivery("Grüße 😀", PICTURE))
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "MM4_forward.RES")
        assert outcome.detail == "Ok from lab"
        mms = await it.bob.wait_mms()
        assert (mms.sender, mms.text) == (ALICE.value, "Grüße 😀")
        assert [(part.content_type.split(";")[0], part.body) for part in mms.media] == [("image/jpeg", PICTURE.body)]
        assert mms.wants_delivery
        assert mms.wants_read


async def test_what_the_request_says() -> None:
    async with rig() as it:
        await it.sent(delivery("Hello", message=message("Hello", subject="Grüße")))
        (line,) = it.mmsc.log.of("MM4_forward.REQ")
        assert line.envelope == ("system-user@peer.mmsc.test", "+447700900560/TYPE=PLMN@mmsc.test")
        said = {name: value for name, value in line.headers if name.startswith("X-Mms") or name in ("From", "To")}
        assert said.pop("X-Mms-Expiry")
        assert said == {
            "X-Mms-Message-Type": "MM4_forward.REQ",
            "X-Mms-3GPP-MMS-Version": "6.10.0",
            "X-Mms-Transaction-ID": "m1.0",
            "X-Mms-Message-ID": "m1.0@peer.mmsc.test",
            "From": "+12025550100/TYPE=PLMN@peer.mmsc.test",
            "To": "+447700900560/TYPE=PLMN@mmsc.test",
            "X-Mms-Message-Class": "Personal",
            "X-Mms-Delivery-Report": "Yes",
            "X-Mms-Priority": "Normal",
            "X-Mms-Sender-Visibility": "Show",
            "X-Mms-Read-Reply": "Yes",
            "X-Mms-Ack-Request": "Yes",
            "X-Mms-Originator-System": "system-user@peer.mmsc.test",
        }
        parsed = message_from_bytes(line.data, policy=policy.default)
        assert parsed["Subject"] == "Grüße"
        assert not [part.defects for part in parsed.walk() if part.defects]


async def test_numbers_without_domain_where_the_peer_wants_them_so() -> None:
    async with rig(peer={"number_domains": False, "version": "5.5.0"}) as it:
        await it.sent(delivery("Hello"))
        (line,) = it.mmsc.log.of("MM4_forward.REQ")
        assert (line.get("To"), line.get("From")) == ("+447700900560/TYPE=PLMN", "+12025550100/TYPE=PLMN")
        assert line.envelope[1] == "+447700900560/TYPE=PLMN@mmsc.test"
        assert line.get("X-Mms-3GPP-MMS-Version") == "5.5.0"


async def test_a_sender_without_a_number_uses_the_shared_one_and_gets_the_answer() -> None:
    sip = Address("sip", "alice@cpm.test")
    async with rig() as it:
        failed(await it.sent(delivery("Hello", source=sip)), Reason.INVALID_SOURCE, False)
    async with rig(fallback_source="66777") as it:
        one = delivery("Hello", source=sip, message=message("Hello", sender=sip))
        assert (await it.sent(one)).kind is OutcomeKind.ACCEPTED
        mms = await it.bob.wait_mms()
        assert mms.sender == "66777"
        it.bob.send(["Hello Alice"], to="66777")
        assert (await it.came()).recipients == (sip,)


@pytest.mark.parametrize(
    ("status", "reason", "retryable"),
    [
        ("Error-service-denied", Reason.BARRED, False),
        ("Error-sending-address-unresolved", Reason.UNKNOWN_ADDRESS, False),
        ("Error-network-problem", Reason.UNREACHABLE, True),
        ("Error-transient-failure", Reason.UNREACHABLE, True),
        ("Error-unspecified", Reason.UNREACHABLE, True),
        ("Error-permanent-lack-of-prepaid", Reason.BARRED, False),
    ],
)
async def test_a_refusal_has_its_reason(status: str, reason: Reason, retryable: bool) -> None:
    async with rig() as it:
        it.mmsc.faults.refuse.append(status)
        outcome = await it.sent(delivery("Hello"))
        failed(outcome, reason, retryable)
        assert status in outcome.error.code


async def test_content_that_is_refused_is_made_smaller_and_goes_again() -> None:
    media = Media()
    picture = PICTURE._replace(body=PICTURE.body + b"x" * 250_000)
    async with rig(where=context(media=media)) as it:
        it.mmsc.faults.max_size = 150_000
        outcome = await it.sent(delivery("look", picture))
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert "a picture is made smaller" in outcome.detail
        requests = it.mmsc.log.of("MM4_forward.REQ")
        assert [line.get("X-Mms-Transaction-ID") for line in requests] == ["m1.0", "m1.0-1"]
        assert outcome.references[0].key == "lab/m1.0-1@peer.mmsc.test"
        assert [target.max_bytes for target in media.targets] == sorted(
            (target.max_bytes for target in media.targets), reverse=True
        )
        assert it.connector.counters["made smaller"] == 1


async def test_content_that_is_refused_however_small_fails() -> None:
    async with rig() as it:
        it.mmsc.faults.max_size = 1000
        failed(await it.sent(delivery("look", PICTURE)), Reason.UNSUPPORTED_MEDIA, False)
        assert len(it.mmsc.log.of("MM4_forward.REQ")) == 3


@pytest.mark.parametrize(
    ("reply", "reason", "retryable"),
    [
        ("451 4.3.0 try later", Reason.CONGESTION, True),
        ("554 5.7.1 no", Reason.REJECTED, False),
    ],
)
async def test_a_refusal_of_the_mail(reply: str, reason: Reason, retryable: bool) -> None:
    async with rig() as it:
        it.mmsc.faults.smtp.append(reply)
        failed(await it.sent(delivery("Hello")), reason, retryable)


async def test_a_mail_server_that_takes_less_gets_less() -> None:
    async with rig() as it:
        it.mmsc.faults.smtp.append("552 5.3.4 too big")
        assert (await it.sent(delivery("look", PICTURE))).kind is OutcomeKind.ACCEPTED


async def test_a_peer_that_is_away_is_down_until_it_is_back() -> None:
    async with rig() as it:
        await it.mmsc.down()
        failed(await it.sent(delivery("Hello")), Reason.NETWORK_DOWN, True)
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        await it.mmsc.up()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)
        assert (await it.sent(delivery("Hello", token=2))).kind is OutcomeKind.ACCEPTED


async def test_numbers_go_to_the_peer_that_serves_them() -> None:
    async with rig(peer={"prefixes": ["+44"]}) as it:
        assert (await it.sent(delivery("Hello"))).kind is OutcomeKind.ACCEPTED
        failed(await it.sent(delivery("Hello", id="m2.0", target=ALICE)), Reason.NO_ROUTE, False)


async def test_without_responses_the_mail_server_takes_it() -> None:
    async with rig(peer={"responses": False}) as it:
        outcome = await it.sent(delivery("Hello"))
        assert (outcome.kind, outcome.source, outcome.detail) == (
            OutcomeKind.ACCEPTED,
            "SMTP of lab",
            "250 2.0.0 queued",
        )
        assert it.mmsc.log.of("MM4_forward.REQ")[0].get("X-Mms-Ack-Request") == "No"


async def test_what_is_over_is_not_sent() -> None:
    async with rig() as it:
        failed(await it.sent(delivery("Hello", expires_at=time.time() - 1)), Reason.EXPIRED, False)
        assert not it.mmsc.log.of("MM4_forward.REQ")


async def test_too_many_in_hand_are_put_off() -> None:
    async with rig(in_hand=1) as it:
        it.mmsc.faults.no_response = 1
        it.send(delivery("one"), delivery("two", id="m2.0"))
        failed(await it.inbox.outcome(), Reason.CONGESTION, True)
        assert it.inbox.healths[-1].state is HealthState.BUSY


# -- no response


async def test_no_response_the_mail_goes_again_as_it_was_and_a_late_one_ends_it() -> None:
    clock = Clock()
    async with rig(where=context(clock=clock), answer_wait=0.0) as it:
        it.mmsc.faults.no_response = 1
        outcome = await it.sent(delivery("Hello"))
        assert outcome.detail == "250 2.0.0 queued; no response yet"
        assert it.connector.describe()["waiting for a response"] == 1
        clock.ahead = 700.0
        again = await it.said("MM4_forward.REQ", 2)
        assert again.data == it.mmsc.log.of("MM4_forward.REQ")[0].data
        report = await it.report(2)  # the phone's own report came first
        assert (report.status, report.source, report.key) == (
            Status.PENDING,
            "MM4_forward.RES",
            "lab/m1.0@peer.mmsc.test",
        )
        assert it.connector.describe()["waiting for a response"] == 0
        assert len(it.bob.inbox) == 1


async def test_a_late_refusal_fails_the_message() -> None:
    clock = Clock()
    async with rig(where=context(clock=clock), answer_wait=0.0) as it:
        it.bob.reports = ""
        it.mmsc.faults.no_response = 1
        await it.sent(delivery("Hello"))
        it.mmsc.faults.refuse.append("Error-service-denied")
        clock.ahead = 700.0
        report = await it.report()
        assert (report.status, report.error.reason) == (Status.FAILED, Reason.BARRED)


async def test_after_the_last_mail_nothing_is_claimed() -> None:
    clock = Clock()
    async with rig(where=context(clock=clock), answer_wait=0.0, resends=2) as it:
        it.bob.reports = ""
        it.mmsc.faults.no_response = 9
        await it.sent(delivery("Hello"))
        for count, ahead in ((1, 700.0), (2, 2500.0)):
            clock.ahead = ahead
            await eventually(lambda: it.connector.describe()["counters"].get("sent again") == count)  # noqa: B023
        clock.ahead = 9000.0
        report = await it.report()
        assert (report.status, report.detail) == (Status.PENDING, "no response came to 3 mails")


async def test_what_waits_for_a_response_survives_a_restart() -> None:
    clock, state = Clock(), State()
    async with rig(where=context(state, clock), answer_wait=0.0) as it:
        it.mmsc.faults.no_response = 1
        await it.sent(delivery("Hello"))
        await it.stop()
        clock.ahead = 700.0
        later = await start(it.mmsc, context(state, clock))
        await it.said("MM4_forward.REQ", 2)
        assert (await later.report()).source in ("MM4_forward.RES", "MM4_delivery_report")
        await later.stop()


# -- reports about ours


@BOTH
async def test_delivered_and_read_are_told(quirks: Quirks) -> None:
    async with rig(quirks=quirks, read_to_display=True) as it:
        outcome = await it.sent(delivery("Hello"))
        report = await it.report()
        assert (report.status, report.source, report.detail) == (Status.DELIVERED, "MM4_delivery_report", "Retrieved")
        assert report.key == outcome.references[0].key
        await it.said("MM4_delivery_report.RES")
        it.bob.read(await it.bob.wait_mms())
        read = await it.report(2)
        assert (read.status, read.source, read.key) == (Status.DISPLAYED, "MM4_read_reply_report", report.key)
        await it.said("MM4_read_reply_report.RES")


async def test_a_read_report_is_no_display_unless_the_operator_trusts_it() -> None:
    async with rig() as it:
        await it.sent(delivery("Hello"))
        it.bob.read(await it.bob.wait_mms())
        await it.said("MM4_read_reply_report.RES")
        assert [report.status for report in it.inbox.reports] == [Status.DELIVERED, Status.PENDING]


@pytest.mark.parametrize(
    ("said", "status", "reason"),
    [
        ("Expired", Status.FAILED, Reason.EXPIRED),
        ("Rejected", Status.FAILED, Reason.REJECTED),
        ("Unrecognised", Status.FAILED, Reason.UNSUPPORTED_MEDIA),
        ("Deferred", Status.PENDING, None),
        ("Forwarded", Status.PENDING, None),
        ("Indeterminate", Status.PENDING, None),
    ],
)
async def test_every_status_of_a_report(said: str, status: Status, reason: Reason | None) -> None:
    async with rig(quirks=replace(Quirks(), old_status=said == "Rejected")) as it:
        it.bob.reports = said
        await it.sent(delivery("Hello"))
        report = await it.report()
        assert report.status is status
        assert (report.error.reason if report.error else None) is reason


async def test_the_response_to_a_report_waits_for_the_commit() -> None:
    async with rig() as it:
        it.inbox.hold = True
        await it.sent(delivery("Hello"))
        await it.report()
        assert not it.mmsc.log.of("MM4_delivery_report.RES")
        it.inbox.release()
        await it.said("MM4_delivery_report.RES")


# -- from the peer


@BOTH
async def test_a_message_of_a_phone_comes_in(quirks: Quirks) -> None:
    async with rig(quirks=quirks) as it:
        sent = it.bob.send(["Übersicht", _picture()], to=ALICE.value, subject="Bilder für Dich")
        message = await it.came()
        assert (message.sender, message.recipients, message.subject) == (BOB, (ALICE,), "Bilder für Dich")
        assert [part.media_type for part in message.parts] == ["text/plain", "image/jpeg"]
        assert message.text == "Übersicht"
        assert message.id == message_ident(message.sender, message.message_id)
        assert message.wants == Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY | Disposition.DISPLAY
        await it.said("MM4_forward.RES")
        assert sent.status == "Ok"


async def test_the_response_and_250_wait_for_the_commit() -> None:
    async with rig() as it:
        it.inbox.hold = True
        sent = it.bob.send(["Hello"], to=ALICE.value)
        await it.came()
        assert not [one for one in it.mmsc.happenings.all if one.what == "sent"]
        assert sent.status == ""
        it.inbox.release()
        await it.said("MM4_forward.RES")
        assert sent.status == "Ok"


async def test_the_same_transaction_is_answered_again_and_delivered_once() -> None:
    async with rig() as it:
        it.mmsc.faults.twice = 1
        it.bob.send(["Hello"], to=ALICE.value)
        await it.said("MM4_forward.RES", 2)
        assert len({message.id for message in it.inbox.messages}) == 1
        it.mmsc.raw(it.mmsc.log.of("MM4_forward.REQ", "out")[0].data, "+12025550100/TYPE=PLMN@peer.mmsc.test")
        assert (await it.said("MM4_forward.RES", 3)).get("X-Mms-Request-Status-Code") == "Ok"
        before = len(it.inbox.messages)
        assert it.connector.describe()["counters"]["repeated"] >= 1
        assert len(it.inbox.messages) == before


async def test_a_repetition_is_known_after_a_restart() -> None:
    state = State()
    async with rig(where=context(state)) as it:
        it.bob.send(["Hello"], to=ALICE.value)
        await it.said("MM4_forward.RES")
        await it.stop()
        later = await start(it.mmsc, context(state))
        it.mmsc.raw(it.mmsc.log.of("MM4_forward.REQ", "out")[0].data, "+12025550100/TYPE=PLMN@peer.mmsc.test")
        await it.said("MM4_forward.RES", 2)
        assert later.inbox.messages == []
        await later.stop()


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        (Reason.UNKNOWN_ADDRESS, "Error-sending-address-unresolved"),
        (Reason.BARRED, "Error-service-denied"),
        (Reason.TOO_LARGE, "Error-content-not-accepted"),
        (Reason.CANCELLED, "Error-unspecified"),
    ],
)
async def test_a_refusal_is_said_in_the_response(reason: Reason, said: str) -> None:
    async with rig() as it:
        it.inbox.verdict = SendError(reason, detail="no")
        sent = it.bob.send(["Hello"], to=ALICE.value)
        line = await it.said("MM4_forward.RES")
        assert (sent.status, line.get("X-Mms-Status-Text")) == (said, "no")


async def test_without_a_wish_for_a_response_the_mail_itself_is_refused() -> None:
    async with rig(quirks=Quirks(ack="")) as it:
        it.inbox.verdict = SendError(Reason.BARRED, detail="no")
        it.bob.send(["Hello"], to=ALICE.value)
        await it.mmsc.happenings.until(lambda: any(one.what == "sent" for one in it.mmsc.happenings.all))
        assert next(one for one in it.mmsc.happenings.all if one.what == "sent").text.startswith("550 5.7.0 barred")


async def test_trouble_of_ours_makes_the_mail_come_again() -> None:
    async with rig() as it:
        it.inbox.verdict = SendError(Reason.INTERNAL, retryable=True)
        it.bob.send(["Hello"], to=ALICE.value)
        await it.mmsc.happenings.until(lambda: any(one.what == "sent" for one in it.mmsc.happenings.all))
        assert next(one for one in it.mmsc.happenings.all if one.what == "sent").text.startswith("451")
        it.inbox.verdict = None
        it.mmsc.raw(it.mmsc.log.of("MM4_forward.REQ", "out")[0].data, "+12025550100/TYPE=PLMN@peer.mmsc.test")
        await it.said("MM4_forward.RES")
        assert len(it.inbox.messages) == 2


# -- reports about theirs


@BOTH
async def test_the_peer_is_told_what_became_of_its_message(quirks: Quirks) -> None:
    async with rig(quirks=quirks, display_to_read=True) as it:
        sent = it.bob.send(["Hello"], to=ALICE.value)
        message = await it.came()
        await it.said("MM4_forward.RES")
        outcome = await it.sent(notice(message, Status.DELIVERED))
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "MM4_delivery_report.RES")
        assert sent.delivery == ["Retrieved"]
        line = it.mmsc.log.of("MM4_delivery_report.REQ", "in")[0]
        asked = it.mmsc.log.of("MM4_forward.REQ", "out")[0]
        assert line.get("To") == asked.get("From")
        assert line.get("From") == "+12025550100/TYPE=PLMN@peer.mmsc.test"
        assert line.get("X-Mms-Message-ID") == asked.get("X-Mms-Message-ID")
        assert line.get("X-Mms-Forward-To-Originator-UA") == "Yes"
        assert line.envelope[1] == "system-user@mmsc.test"
        await it.sent(notice(message, Status.DISPLAYED))
        assert sent.read == ["Read"]


@pytest.mark.parametrize(
    ("cause", "said"),
    [(Reason.EXPIRED, "Expired"), (Reason.BARRED, "Rejected"), (Reason.UNSUPPORTED_MEDIA, "Unrecognised")],
)
async def test_failures_are_told_in_words_of_mms(cause: Reason, said: str) -> None:
    async with rig(peer={"status_header": "both"}) as it:
        sent = it.bob.send(["Hello"], to=ALICE.value)
        message = await it.came()
        await it.sent(notice(message, Status.FAILED, cause=cause.value, reason="the phone is off"))
        assert sent.delivery == [said]
        line = it.mmsc.log.of("MM4_delivery_report.REQ", "in")[0]
        assert line.get("X-Mms-Status-Text") == "the phone is off"
        assert line.get("X-Mms-Status") == said


async def test_word_about_a_message_nobody_knows_any_more() -> None:
    async with rig() as it:
        failed(await it.sent(notice(message(sender=BOB), Status.DELIVERED)), Reason.NO_ROUTE, False)


async def test_word_can_be_told_after_a_restart() -> None:
    state = State()
    async with rig(where=context(state)) as it:
        sent = it.bob.send(["Hello"], to=ALICE.value)
        message = await it.came()
        await it.said("MM4_forward.RES")
        await it.stop()
        later = await start(it.mmsc, context(state))
        await later.sent(notice(message, Status.DELIVERED))
        assert sent.delivery == ["Retrieved"]
        await later.stop()


def _picture():  # type: ignore[no-untyped-def]
    from opencpm.protocols.mms.content import part_of

    return part_of('image/jpeg; name="sunset.jpg"', PICTURE.body, "sunset", "sunset.jpg")
