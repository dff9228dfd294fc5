"""As centre: lines are called and call us, over SIP and RTP on loopback."""

from dataclasses import replace

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import Notice, OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.lab.line import Manner
from tests.interworking.fixedline.support import ALICE, BOB, CENTRE, context, delivery, eventually, failed, message, rig


@pytest.mark.parametrize("protocol", [1, 2])
async def test_a_text_reaches_the_handset_and_is_known_to_be_delivered(protocol):
    async with rig(protocols=(protocol,)) as r:
        r.send(delivery("Hello Bob"))
        outcome = await r.inbox.outcome()
        assert outcome.kind is OutcomeKind.DELIVERED
        assert outcome.source == "ACK of the SMS terminal"
        assert f"protocol {protocol}" in outcome.detail
        (text,) = r.bob.texts
        assert text.text == "Hello Bob"
        assert text.sender.lstrip("+") == ALICE.value.lstrip("+")
        call = r.last_call
        assert call.caller == CENTRE.lstrip("+")
        assert call.protocol == protocol
        assert call.samples > 6000
        assert abs(call.heard()).max() > 4000


async def test_several_messages_go_in_one_call():
    async with rig() as r:
        r.send(*[delivery(f"number {n}", id=f"d{n}") for n in range(3)])
        await r.inbox.outcome(3)
        assert {outcome.kind for outcome in r.inbox.outcomes} == {OutcomeKind.DELIVERED}
        assert [text.text for text in r.bob.texts] == ["number 0", "number 1", "number 2"]
        assert len(r.exchange.log) == 1


async def test_a_long_text_arrives_whole_where_terminals_take_it():
    text = "all work and no play " * 20
    async with rig(max_segments=5) as r:
        r.send(delivery(text))
        assert (await r.inbox.outcome()).kind is OutcomeKind.DELIVERED
        (shown,) = r.bob.texts
        assert (shown.text, shown.segments) == (text, 3)
        assert len(r.exchange.log) == 1


async def test_a_long_text_is_refused_where_they_do_not():
    async with rig() as r:
        assert r.connector.fit(message("x" * 161)).error.reason is Reason.TOO_LARGE
        r.send(delivery("x" * 161))
        failed(await r.inbox.outcome(), Reason.TOO_LARGE, False)


async def test_greek_letters():
    async with rig() as r:
        r.send(delivery("Καλημέρα 😀"))
        assert (await r.inbox.outcome()).kind is OutcomeKind.DELIVERED
        assert r.bob.texts[0].text == "Καλημέρα 😀"


async def test_letters_that_a_terminal_of_protocol_2_cannot_show():
    async with rig(protocols=(2,)) as r:
        r.send(delivery("Καλημέρα"))
        failed(await r.inbox.outcome(), Reason.UNSUPPORTED_MEDIA, False)


async def test_the_protocol_of_a_line_is_learned_and_kept():
    where = context()
    async with rig(protocols=(2,), where=where) as r:
        r.send(delivery())
        await r.inbox.outcome()
        assert list(where.store.all_state("line.lines").values()) == [b"2"]
        sent = r.bob.send("hello", to=ALICE.value)  # now our answer begins with the seizure of protocol 2
        await r.bob.wait_sent(sent)
        assert sent.status == "accepted"
        assert len([t for t in r.last_call.trace if t.what == "heard" and not t.frame]) == 1


# -- the handset writes


@pytest.mark.parametrize("protocol", [1, 2])
async def test_a_text_of_the_handset_is_acknowledged_after_it_is_stored(protocol):
    async with rig(protocols=(protocol,)) as r:
        r.inbox.hold = True
        sent = r.bob.send("I am at home", to=ALICE.value)
        await r.inbox.until(lambda: r.inbox.messages)
        assert sent.status == "calling"
        r.inbox.release()
        await r.bob.wait_sent(sent)
        assert sent.status == "accepted"
        (came,) = r.inbox.messages
        assert (came.text, came.sender, came.recipients) == ("I am at home", BOB, (ALICE,))
        assert came.wants is Disposition.NONE


async def test_a_reply_to_a_number_that_many_send_from_goes_to_who_wrote():
    async with rig(source="+12025550111") as r:
        r.send(delivery("Hello"))
        await r.inbox.outcome()
        assert r.bob.texts[0].sender == "+12025550111"
        await r.bob.wait_sent(r.bob.reply("hi"))
        assert r.inbox.messages[0].recipients == (ALICE,)


async def test_a_long_text_of_the_handset():
    text = "dear Alice, " * 30
    async with rig() as r:
        sent = await r.bob.wait_sent(r.bob.send(text, to=ALICE.value))
        assert (sent.status, sent.segments) == ("accepted", 3)
        assert [came.text for came in r.inbox.messages] == [text]


@pytest.mark.parametrize(
    ("verdict", "cause"),
    [
        (SendError(Reason.UNKNOWN_ADDRESS), "cause C3"),
        (SendError(Reason.BARRED), "cause C4"),
        (SendError(Reason.CONGESTION, retryable=True), "cause C0"),
        (SendError(Reason.TOO_LARGE), "cause FF"),
    ],
)
async def test_what_messaging_refuses_is_refused_in_the_call(verdict, cause):
    async with rig() as r:
        r.inbox.verdict = verdict
        sent = await r.bob.wait_sent(r.bob.send("hi", to=ALICE.value))
        assert (sent.status, sent.why) == ("refused", cause)


async def test_a_text_sent_again_after_a_lost_acknowledgement_is_the_same_message():
    async with rig() as r:
        r.bob.send("hi", to=ALICE.value)
        await r.inbox.until(lambda: r.inbox.messages)
        payload = r.inbox.messages[0]
        await r.bob.wait_sent(r.bob.sent[-1])
        r.bob._marks = iter([1, 1, 1])
        again = r.bob.send("hi", to=ALICE.value)
        await r.bob.wait_sent(again)
        first, second = r.inbox.messages[0], r.inbox.messages[-1]
        same = again.marks == r.bob.sent[0].marks
        assert (first.id == second.id) is same
        assert payload is first


async def test_a_report_is_brought_to_the_handset_that_asked():
    async with rig(wants_reports=True) as r:
        await r.bob.wait_sent(r.bob.send("are you there?", to=ALICE.value))
        (came,) = r.inbox.messages
        assert came.wants == Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
        for status, cause in ((Status.DELIVERED, ""), (Status.FAILED, "expired")):
            notice = Notice(
                message_id=came.message_id,
                original_sent_at=came.sent_at,
                recipient=ALICE,
                status=status,
                cause=cause,
            )
            r.send(delivery(id=f"n{status}", target=BOB, source=ALICE, notice=notice))
        await r.inbox.outcome(2)
        await r.exchange.happenings.until(lambda: len(r.bob.reports) == 2)
        assert [report.status for report in r.bob.reports] == [0x00, 0x46]
        assert {report.reference for report in r.bob.reports} == {r.bob.sent[0].marks[0]}


async def test_no_report_where_none_was_asked_for():
    async with rig() as r:
        notice = Notice(message_id="abc", original_sent_at=0.0, recipient=ALICE, status=Status.DELIVERED)
        r.send(delivery(notice=notice))
        failed(await r.inbox.outcome(), Reason.NOT_ACCEPTABLE, False)


# -- lines that do not answer, or answer otherwise


@pytest.mark.parametrize(
    ("manner", "heard"),
    [
        (Manner.VOICE, "a voice or music"),
        (Manner.SILENT, "silence"),
        (Manner.FAX, "the answer tone of a fax machine or a modem"),
        (Manner.MARKS, ""),
    ],
)
async def test_a_line_without_a_terminal_fails_with_what_answered(manner, heard):
    async with rig() as r:
        r.exchange.line("+12025550156", manner)
        r.send(delivery(target=Address("tel", "+12025550156")))
        await r.inbox.until(lambda: r.inbox.outcomes, 20)
        error = failed(r.inbox.outcomes[0], Reason.UNDELIVERABLE, False)
        assert error.detail.startswith("there is no SMS terminal on this line")
        assert heard in error.detail


async def test_a_line_known_to_have_a_terminal_is_called_again_later():
    async with rig() as r:
        r.send(delivery())
        await r.inbox.outcome()
        r.exchange.line(BOB.value, Manner.VOICE)
        r.send(delivery(id="d2"))
        error = failed(await r.inbox.outcome(2), Reason.NO_ANSWER, True)
        assert error.retry_after == 900


@pytest.mark.parametrize(
    ("manner", "reason", "retryable"),
    [(Manner.BUSY, Reason.BUSY, True), (Manner.GONE, Reason.UNKNOWN_ADDRESS, False)],
)
async def test_a_line_that_is_busy_or_not_there(manner, reason, retryable):
    async with rig() as r:
        r.exchange.line(BOB.value, manner)
        r.send(delivery(attempt=2))
        error = failed(await r.inbox.outcome(), reason, retryable)
        assert error.retry_after == (3600 if retryable else 0)
        assert error.code.startswith("SIP ")


async def test_a_line_that_rings_and_is_not_answered():
    async with rig(ring_timeout=0.2) as r:
        r.exchange.faults.no_answer.add(BOB.value)
        r.send(delivery())
        failed(await r.inbox.outcome(), Reason.NO_ANSWER, True)
        await eventually(lambda: not r.exchange.phone.agent.calls)


async def test_a_handset_for_another_centre_does_not_answer():
    async with rig(number="+12025550198", ring_timeout=0.2) as r:
        r.send(delivery())
        failed(await r.inbox.outcome(), Reason.NO_ANSWER, True)


async def test_a_sub_address_reaches_its_own_terminal():
    async with rig(digit="3", subaddresses=True, default_digit="9") as r:
        plain = r.exchange.handset(BOB.value, CENTRE, digit="9")
        r.send(delivery("to three", target=Address("tel", BOB.value + "3")), delivery("to all", id="d2"))
        await r.inbox.outcome(2)
        assert [text.text for text in r.bob.texts] == ["to three"]
        assert [text.text for text in plain.texts] == ["to all"]
        await r.bob.wait_sent(r.bob.send("from three", to=ALICE.value))
        await plain.wait_sent(plain.send("from nine", to=ALICE.value))
        assert [came.sender.value for came in r.inbox.messages] == [BOB.value + "3", BOB.value]


# -- bad lines


async def test_a_frame_that_is_spoilt_on_the_way_is_said_again():
    async with rig() as r:
        r.exchange.faults.spoil_heard = 1
        r.send(delivery("Hello Bob, this text is long enough to be hit by a lost packet"))
        assert (await r.inbox.outcome()).kind is OutcomeKind.DELIVERED
        assert len(r.bob.texts) == 1
        assert any(frame.startswith("line: 92") for frame in r.last_call.frames)


async def test_noise_on_the_line():
    async with rig() as r:
        r.exchange.faults.noise = 700.0  # 14 dB under what is sent
        r.send(delivery("x" * 150))
        assert (await r.inbox.outcome()).kind is OutcomeKind.DELIVERED


async def test_a_line_that_loses_everything_fails_in_bounded_time_and_is_tried_again():
    async with rig() as r:
        r.exchange.faults.lose = 0.3
        r.send(delivery("x" * 150))
        await r.inbox.until(lambda: r.inbox.outcomes, 70)
        assert r.inbox.outcomes[0].kind is OutcomeKind.FAILED


async def test_a_full_memory_is_tried_again_later():
    async with rig() as r:
        r.exchange.faults.refuse = 1
        r.send(delivery())
        error = failed(await r.inbox.outcome(), Reason.UNREACHABLE, True)
        assert "memory is full" in error.detail
        assert error.code == "TP-FCS D3"


async def test_hanging_up_before_the_acknowledgement_is_tried_again_and_marked_as_perhaps_doubled():
    async with rig() as r:
        r.exchange.faults.hang_up = 1
        attempt = delivery()
        r.send(attempt)
        failed(await r.inbox.outcome(), Reason.TIMEOUT, True)
        r.send(replace(attempt, attempt=2, token=2))
        outcome = await r.inbox.outcome(2)
        assert (outcome.kind, outcome.doubled) == (OutcomeKind.DELIVERED, True)
        first, second = ([f for f in call.frames if f.startswith("far end: 91")] for call in r.exchange.log)
        assert first == second


async def test_segments_that_were_acknowledged_are_not_said_again():
    text = "long story " * 40
    async with rig(max_segments=5) as r:
        r.send(delivery(text))
        await eventually(lambda: len(r.exchange.log) and any(f.startswith("line: 95") for f in r.last_call.frames))
        r.exchange.faults.hang_up = 1
        failed(await r.inbox.outcome(), Reason.TIMEOUT, True)
        r.send(delivery(text, attempt=2, token=2))
        assert (await r.inbox.outcome(2)).kind is OutcomeKind.DELIVERED
        assert r.bob.texts[0].text == text
        first = [f for f in r.last_call.frames if f.startswith("far end: 91")]
        assert len(first) < 3


# -- the trunk


async def test_no_trunk_no_message():
    async with rig() as r:
        host, port = r.exchange.address
        await r.exchange.__aexit__(None, None, None)
        for trunk in r.connector._trunks:
            trunk.judge(10**9)
        r.connector._watch_health()
        assert r.connector.health().state is HealthState.DOWN
        r.send(delivery())
        failed(await r.inbox.outcome(), Reason.NETWORK_DOWN, True)
        await r.exchange.__aenter__()
        assert r.exchange.address == (host, port)


async def test_a_gateway_with_trouble():
    async with rig() as r:
        r.exchange.faults.gateway = 503
        r.send(delivery())
        failed(await r.inbox.outcome(), Reason.CONGESTION, True)


async def test_what_is_no_text_or_has_no_sender():
    async with rig() as r:
        r.send(delivery(source=Address("sip", "alice@cpm.test")))
        failed(await r.inbox.outcome(), Reason.INVALID_SOURCE, False)
        picture = message(parts=(Part("image/png", b"png"),))
        r.send(delivery(id="d2", message=picture))
        failed(await r.inbox.outcome(2), Reason.UNSUPPORTED_MEDIA, False)


async def test_it_tells_the_operator_what_is_up():
    async with rig() as r:
        r.send(delivery())
        await r.inbox.outcome()
        said = r.connector.describe()
        assert said["trunks"][0]["up"]
        assert said["counters"] == {"delivered": 1}


async def test_an_account_that_the_trunk_does_not_register_is_told():
    async with rig(register_for=600, user="us", password="secret") as r:
        await eventually(lambda: r.connector.describe()["trunks"][0]["account"] == "registration refused: 405")
        assert "secret" not in str(r.connector.describe())
        r.send(delivery())
        assert (await r.inbox.outcome()).kind is OutcomeKind.DELIVERED


async def test_a_call_that_would_outlive_its_lease_is_not_begun():
    async with rig() as r:
        r.send(delivery(deadline=r.connector._context.clock.now() + 60))
        failed(await r.inbox.outcome(), Reason.CONGESTION, True)
        assert not len(r.exchange.log)
