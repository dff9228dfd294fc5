"""What a phone and this centre say to each other, and what messaging hears of it."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, MessageKind, message_ident
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.protocols.mm1 import decode, tokens
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.pdu import MEDIA_TYPE, Header
from opencpm.protocols.mms.content import part_of
from tests.interworking.mms.mm1.support import (
    ALICE,
    BOB,
    PICTURE,
    Media,
    Messages,
    context,
    delivery,
    failed,
    handset,
    message,
    notice,
    rig,
)
from tests.interworking.sms.support import Clock, State, eventually

SERVICE = Address("cpm", "mms")


# -- to the phone


async def test_a_message_is_notified_fetched_and_delivered() -> None:
    async with rig() as it:
        outcome = await it.sent(
            delivery("Grüße 😀", PICTURE, message=message("Grüße 😀", PICTURE, subject="Übersicht"))
        )
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "this MMS centre")
        mms = await it.bob.wait_mms()
        assert (mms.sender, mms.subject, mms.text) == ("+12025550100/TYPE=PLMN", "Übersicht", "Grüße 😀")
        assert [part.body for part in mms.media] == [PICTURE.body]
        assert mms.wants_read
        await it.inbox.until(lambda: it.inbox.reports and it.inbox.reports[-1].status is Status.DELIVERED)
        first, last = it.inbox.reports
        assert (first.status, first.source, first.detail) == (Status.PENDING, "M-Retrieve.conf", "fetched by the phone")
        assert (last.source, last.delivery_id) == ("the phone", "m1.0")


async def test_what_the_notification_says() -> None:
    async with rig(behaviour="silent") as it:
        await it.sent(delivery("Hello", PICTURE, message=message("Hello", PICTURE, subject="s" * 100)))
        told = await it.bob.wait_notification()
        assert told.location.startswith(it.url + "/")
        assert told.size == len("Hello") + len(PICTURE.body)
        assert (told.sender, told.subject) == ("+12025550100/TYPE=PLMN", "s" * 40)
        (push,) = it.inbox.pushed
        assert (push.sender, push.recipients, push.route, push.kind) == (SERVICE, (BOB,), "sms", MessageKind.SYSTEM)
        assert push.parts[0].content_type == MEDIA_TYPE
        assert push.id == message_ident(push.sender, push.message_id)
        pdu = decode(push.parts[0].body)
        assert pdu.flag(Field.DELIVERY_REPORT)
        assert pdu.number(Field.MESSAGE_CLASS) == tokens.MessageClass.PERSONAL


async def test_a_notification_fits_into_few_short_messages() -> None:
    """With a short public address, one or two."""
    async with rig(behaviour="silent", public_url="http://mms.op.example/m") as it:
        await it.sent(delivery("Hello"))
        await it.bob.wait_notification()
        assert len(it.inbox.pushed[0].parts[0].body) <= 133 + 16


async def test_names_cannot_be_guessed_and_are_the_same_for_every_attempt() -> None:
    state = State()
    async with rig(behaviour="silent", where=context(state)) as it:
        await it.sent(delivery("Hello"))
        await it.sent(delivery("Hello", token=2, attempt=2))
        await it.sent(delivery("Hello", id="m2.0"))
        names = [told.location for told in it.bob.notifications]
        assert names[0] == names[1] != names[2]
        assert it.inbox.pushed[0].id == it.inbox.pushed[1].id
    elsewhere = context()
    elsewhere.ids.new()  # another server, another secret
    async with rig(behaviour="silent", where=elsewhere) as other:
        await other.sent(delivery("Hello"))
        assert other.bob.notifications[0].location.rpartition("/")[2] != names[0].rpartition("/")[2]


async def test_deferred_then_fetched_and_acknowledged() -> None:
    async with rig(behaviour="deferred") as it:
        await it.sent(delivery("Hello"))
        report = await it.report()
        assert (report.status, report.detail) == (Status.PENDING, "deferred")
        mms = await it.bob.fetch(it.bob.notifications[0])
        assert (await it.report(2)).status is Status.PENDING
        await it.bob.acknowledge(mms)
        assert (await it.report(3)).status is Status.DELIVERED


@pytest.mark.parametrize(
    ("status", "reason"),
    [(tokens.Status.REJECTED, Reason.REJECTED), (tokens.Status.UNRECOGNISED, Reason.UNSUPPORTED_MEDIA)],
)
async def test_a_phone_that_does_not_want_it(status: tokens.Status, reason: Reason) -> None:
    async with rig(behaviour="silent") as it:
        await it.sent(delivery("Hello"))
        await it.bob.respond(await it.bob.wait_notification(), status)
        report = await it.report()
        assert report.error is not None
        assert (report.status, report.error.reason) == (Status.FAILED, reason)


async def test_retrieved_is_believed_only_after_a_fetch() -> None:
    async with rig(behaviour="silent") as it:
        await it.sent(delivery("Hello"))
        await it.bob.respond(await it.bob.wait_notification(), tokens.Status.RETRIEVED)
        assert it.inbox.reports == []
        assert it.counted("retrieved without a fetch") == 1


async def test_fetched_but_not_acknowledged_is_not_delivered() -> None:
    async with rig(behaviour="impatient") as it:
        await it.sent(delivery("Hello"))
        await it.bob.wait_mms()
        assert [report.status for report in it.inbox.reports] == [Status.PENDING]


async def test_a_phone_whose_owner_allows_no_report() -> None:
    async with rig() as it:
        it.bob.report_allowed = False
        await it.sent(delivery("Hello"))
        report = await it.report(2)
        assert (report.status, report.detail) == (Status.PENDING, "retrieved; its owner allows no report")


async def test_another_phone_gets_nothing_and_says_nothing() -> None:
    async with rig(behaviour="silent") as it:
        await it.sent(delivery("Hello"))
        told = await it.bob.wait_notification()
        it.bob._client.headers["X-MSISDN"] = "+12025550166"
        fetched = await it.bob.fetch(told)
        assert (fetched.status, fetched.parts) == (0xE1, ())
        await it.bob.respond(told, tokens.Status.REJECTED)
        assert it.inbox.reports == []
        assert (it.counted("fetched by strangers"), it.counted("answers to nothing")) == (1, 1)


async def test_it_may_be_fetched_again_and_is_told_once() -> None:
    async with rig() as it:
        await it.sent(delivery("Hello"))
        await it.report(2)
        again = await it.bob.fetch(it.bob.notifications[0])
        assert again.text == "Hello"
        await it.bob.acknowledge(again)
        await it.bob.respond(it.bob.notifications[0], tokens.Status.RETRIEVED)
        assert len(it.inbox.reports) == 2


@pytest.mark.parametrize(
    ("agent", "largest"), [("SonyEricssonT610/R1", 30 * 1024), ("NokiaN95/2.0", 300 * 1024), ("LabPhone", 100 * 1024)]
)
async def test_content_is_made_for_the_phone_that_fetches(agent: str, largest: int) -> None:
    media = Media()
    agents = {"SonyEricsson": "image-rich", "SonyEricssonT610": "image-basic", "nokian95": "video-rich"}
    async with rig(where=context(media=media), user_agent=agent, content_class="image-rich", user_agents=agents) as it:
        await it.sent(delivery("look", PICTURE))
        await it.bob.wait_mms()
        assert media.targets[-1].max_bytes == largest


async def test_what_was_lost_is_said() -> None:
    picture = PICTURE._replace(body=PICTURE.body + b"x" * 400_000)
    async with rig() as it:
        await it.sent(delivery("look", picture))
        assert (await it.report()).detail == "fetched by the phone; a picture is made smaller"


async def test_content_that_cannot_be_made() -> None:
    class Broken:
        def __init__(self, error: SendError) -> None:
            self.error = error

        async def adapt(self, parts: object, target: object) -> object:
            raise self.error

    final = Broken(SendError(Reason.UNSUPPORTED_MEDIA, detail="this is no picture"))
    async with rig(where=context(media=final), behaviour="silent") as it:
        await it.sent(delivery("look", PICTURE))
        assert (await it.bob.fetch(await it.bob.wait_notification())).status == 0xE3
        report = await it.report()
        assert report.error is not None
        assert report.error.reason is Reason.UNSUPPORTED_MEDIA
    later = Broken(SendError(Reason.CONGESTION, retryable=True))
    async with rig(where=context(media=later), behaviour="silent") as it:
        await it.sent(delivery("look", PICTURE))
        assert (await it.bob.fetch(await it.bob.wait_notification())).status == 0xC0
        assert it.inbox.reports == []


async def test_what_nobody_fetches_expires() -> None:
    clock = Clock()
    async with rig(where=context(clock=clock), behaviour="silent") as it:
        await it.sent(delivery("Hello"))
        told = await it.bob.wait_notification()
        clock.ahead = 7300.0
        report = await it.report()
        assert report.error is not None
        assert (report.status, report.error.reason) == (Status.FAILED, Reason.EXPIRED)
        assert (await it.bob.fetch(told)).status == 0xE2
        assert it.connector.describe()["messages kept"] == 0


async def test_a_phone_that_does_not_answer_is_notified_again() -> None:
    clock = Clock()
    async with rig(where=context(clock=clock), behaviour="silent", notify_again=[60.0, 120.0]) as it:
        await it.sent(delivery("Hello"))
        for count, ahead in ((2, 70.0), (3, 200.0)):
            clock.ahead = ahead
            await it.bob.wait_notification(count - 1)
        clock.ahead = 2000.0
        await eventually(lambda: it.counted("notified again") == 2)
        assert len({told.location for told in it.bob.notifications}) == 1
        assert len({push.id for push in it.inbox.pushed}) == 3


async def test_a_restart_forgets_nothing() -> None:
    state, messages, phone = State(), Messages(), handset()
    async with rig(where=context(state, messages=messages), behaviour="silent", phone=phone) as it:
        await it.sent(delivery("Hello"))
        told = await it.bob.wait_notification()
    async with rig(where=context(state, messages=messages), behaviour="silent", phone=phone) as it:
        location = it.url + "/" + told.location.rpartition("/")[2]
        mms = await it.bob.fetch(told.__class__(told.transaction_id, location, "", "", 0))
        assert mms.text == "Hello"
        await it.bob.acknowledge(mms)
        assert (await it.report(2)).status is Status.DELIVERED


async def test_no_way_for_the_notification() -> None:
    async with rig() as it:
        it.inbox.verdict = SendError(Reason.NO_ROUTE, detail="no SMS")
        failed(await it.sent(delivery("Hello")), Reason.NO_ROUTE, False)
        assert it.connector.describe()["messages kept"] == 0


async def test_a_phone_that_is_not_ours() -> None:
    async with rig(prefixes=["+1999"]) as it:
        failed(await it.sent(delivery("Hello")), Reason.NO_ROUTE, False)


@pytest.mark.parametrize(
    ("cause", "status"), [(Reason.UNKNOWN_ADDRESS, Status.FAILED), (Reason.EXPIRED, Status.PENDING)]
)
async def test_a_notification_that_does_not_arrive(cause: Reason, status: Status) -> None:
    async with rig(behaviour="silent") as it:
        it.inbox.unreachable = True
        await it.sent(delivery("Hello"))
        word = notice(it.inbox.pushed[0], Status.FAILED, cause=cause.value, reason="no such number", recipient=BOB)
        assert (await it.sent(word)).kind is OutcomeKind.DELIVERED
        report = await it.report()
        assert (report.status, report.source, report.delivery_id) == (status, "notification", "m1.0")
        if status is Status.FAILED:
            assert report.error is not None
            assert report.error.detail == "the phone could not be notified: no such number"


async def test_read_is_displayed_where_the_operator_trusts_it() -> None:
    async with rig(read_to_display=True) as it:
        await it.sent(delivery("Hello"))
        mms = await it.bob.wait_mms()
        await it.report(2)
        await it.bob.read(mms)
        assert ((await it.report(3)).status, it.inbox.reports[2].source) == (Status.DISPLAYED, "M-Read-Rec.ind")
        await it.bob.read(mms, tokens.ReadStatus.DELETED_WITHOUT_BEING_READ)
        assert (await it.report(4)).status is Status.PENDING
    async with rig() as it:
        await it.sent(delivery("Hello"))
        mms = await it.bob.wait_mms()
        await it.report(2)
        await it.bob.read(mms)
        assert (await it.report(3)).status is Status.PENDING


async def test_a_message_that_waits_can_be_deleted() -> None:
    async with rig(behaviour="silent") as it:
        await it.sent(delivery("Hello"))
        told = await it.bob.wait_notification()
        answer = await it.bob.ask(mm1.delete_req("D1", [told.location]))
        assert (answer.transaction_id, answer.number(Field.RESPONSE_STATUS)) == ("D1", 0x80)
        report = await it.report()
        assert report.error is not None
        assert report.error.reason is Reason.REJECTED
        again = await it.bob.ask(mm1.delete_req("D2", [told.location]))
        assert again.number(Field.RESPONSE_STATUS) == 0x85


# -- from the phone


async def test_a_message_of_the_phone_comes_in() -> None:
    picture = part_of('image/jpeg; name="a.jpg"', PICTURE.body, "a", "a.jpg")
    async with rig() as it:
        sent = await it.bob.send(["Übersicht", picture], to=ALICE.value, subject="Grüße")
        message = it.inbox.messages[0]
        assert (message.sender, message.recipients, message.subject) == (BOB, (ALICE,), "Grüße")
        assert [part.media_type for part in message.parts] == ["text/plain", "image/jpeg"]
        assert message.text == "Übersicht"
        assert message.id == message_ident(BOB, message.message_id)
        assert message.wants & Disposition.DISPLAY
        assert (sent.status, sent.transaction_id, sent.message_id) == (0x80, "T1", f"{message.id}@mms.cpm.test")


async def test_the_answer_waits_for_the_commit() -> None:
    async with rig() as it:
        it.inbox.hold = True
        from asyncio import create_task

        sending = create_task(it.bob.send(["Hello"], to=ALICE.value))
        await it.inbox.until(lambda: it.inbox.messages)
        assert not sending.done()
        it.inbox.release()
        assert (await sending).status == 0x80


async def test_a_repeated_post_is_the_same_message_and_a_new_one_is_not() -> None:
    async with rig() as it:
        pdu = mm1.send_req("T7", [f"{ALICE.value}/TYPE=PLMN"], mm1.mixed(), _text("Hello"))
        other = mm1.send_req("T7", [f"{ALICE.value}/TYPE=PLMN"], mm1.mixed(), _text("Hello again"))
        for one in (pdu, pdu, other):
            await it.bob.submit(one)
        first, second, third = it.inbox.messages
        assert first.id == second.id != third.id


@pytest.mark.parametrize(
    ("reason", "retryable", "status"),
    [
        (Reason.UNKNOWN_ADDRESS, False, 0x84),
        (Reason.BARRED, False, 0x82),
        (Reason.TOO_LARGE, False, 0x87),
        (Reason.INTERNAL, True, 0x86),
        (Reason.CANCELLED, False, 0x81),
    ],
)
async def test_a_refusal_is_said_in_the_answer(reason: Reason, retryable: bool, status: int) -> None:
    async with rig() as it:
        it.inbox.verdict = SendError(reason, retryable=retryable, detail="no, sorry")
        sent = await it.bob.send(["Hello"], to=ALICE.value)
        assert (sent.status, sent.text, sent.message_id) == (status, "no, sorry", "")


async def test_several_receivers_and_mail_addresses() -> None:
    async with rig() as it:
        await it.bob.send(["Hello"], to=[ALICE.value, "Carol@Mail.test"])
        assert it.inbox.messages[0].recipients == (ALICE, Address("mailto", "carol@mail.test"))


async def test_a_sender_that_hides_is_hidden_and_told() -> None:
    async with rig() as it:
        pdu = mm1.send_req(
            "T1",
            [f"{ALICE.value}/TYPE=PLMN"],
            mm1.mixed(),
            _text("Hello"),
            extra=[Header(Field.SENDER_VISIBILITY, 0x80), Header(Field.DELIVERY_REPORT, 0x80)],
        )
        sent = await it.bob.submit(pdu)
        message = it.inbox.messages[0]
        assert message.sender == Address("alpha", "anonymous")
        await it.sent(notice(message, Status.DELIVERED))
        await it.bob.happened.until(lambda: sent.delivery)
        assert sent.delivery == [("+12025550100/TYPE=PLMN", tokens.Status.RETRIEVED)]


@pytest.mark.parametrize(
    ("status", "cause", "said"),
    [
        (Status.DELIVERED, "", tokens.Status.RETRIEVED),
        (Status.FAILED, "expired", tokens.Status.EXPIRED),
        (Status.FAILED, "barred", tokens.Status.REJECTED),
        (Status.FAILED, "unsupported-media", tokens.Status.UNRECOGNISED),
    ],
)
async def test_the_phone_is_told_what_became_of_its_message(status: Status, cause: str, said: tokens.Status) -> None:
    async with rig() as it:
        sent = await it.bob.send(["Hello"], to=ALICE.value)
        outcome = await it.sent(notice(it.inbox.messages[0], status, cause=cause))
        assert outcome.kind is OutcomeKind.DELIVERED
        await it.bob.happened.until(lambda: sent.delivery)
        assert sent.delivery == [("+12025550100/TYPE=PLMN", said)]


async def test_the_phone_is_told_that_it_was_read() -> None:
    async with rig(display_to_read=True) as it:
        sent = await it.bob.send(["Hello"], to=ALICE.value)
        await it.sent(notice(it.inbox.messages[0], Status.DISPLAYED))
        await it.bob.happened.until(lambda: sent.read)
        assert sent.read == ["+12025550100/TYPE=PLMN"]
        assert Status.DISPLAYED in it.connector.profile.told


async def test_word_for_a_phone_survives_a_restart_and_has_an_end() -> None:
    state, phone, clock = State(), handset(), Clock()
    async with rig(where=context(state), phone=phone) as it:
        await it.bob.send(["Hello"], to=ALICE.value)
        message = it.inbox.messages[0]
    async with rig(where=context(state, clock), phone=phone) as it:
        assert (await it.sent(notice(message, Status.DELIVERED))).kind is OutcomeKind.DELIVERED
        it.connector._posts.forget(clock.now() + 8 * 86400.0)
        failed(await it.sent(notice(message, Status.DELIVERED)), Reason.NO_ROUTE, False)


async def test_forwarding_is_refused_with_the_right_error() -> None:
    async with rig() as it:
        answer = await it.bob.ask(mm1.forward_req("F1", [f"{ALICE.value}/TYPE=PLMN"], f"{it.url}/x"))
        assert (answer.type, answer.transaction_id) == (tokens.MessageType.FORWARD_CONF, "F1")
        assert answer.number(Field.RESPONSE_STATUS) == 0x88


async def test_health_and_facts() -> None:
    async with rig() as it:
        assert it.connector.health().state is HealthState.UP
        facts = it.connector.describe()
        assert facts["phones reach it at"] == it.url
        await it.stop()
        assert it.connector.health().state is HealthState.DOWN
        assert it.connector.endpoints == {}


def _text(text: str):  # type: ignore[no-untyped-def]
    from opencpm.protocols.mm1.mime_parts import from_parts

    return from_parts([part_of("text/plain; charset=utf-8", text.encode(), "t", "t.txt")])
