"""Messages both ways over real sockets: receipts, markers, errors, and what is told when."""

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind, Part
from opencpm.domain.report import Status
from opencpm.domain.session import Composing

from .support import ALICE, ALICE_JID, ALICE_TEL, BOB, WANTED, delivery, failed, message, notice, rig


async def test_a_text_is_accepted_by_the_server_and_delivered_by_the_client():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.reads = True
        it.send(delivery("Grüße <&> 😀"))
        outcome = await it.inbox.outcome()
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "XMPP server")
        text = await it.bob.text("Grüße <&> 😀")
        assert (text.sender, text.id, text.stanza.type, text.thread) == (ALICE_JID, "d1", "normal", "")
        await it.inbox.until(lambda: len(it.inbox.reports) == 2)
        assert [report.status for report in it.inbox.reports] == [Status.DELIVERED, Status.DISPLAYED]
        assert {report.key for report in it.inbox.reports} == {outcome.references[0].key}


async def test_a_batch_is_confirmed_by_one_mark():
    async with rig(add_contacts=False) as it:
        it.bob.sign_in()
        it.send(*[delivery(f"text {n}", id=f"d{n}") for n in range(50)])
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 50)
        assert [outcome.delivery_id for outcome in it.inbox.outcomes] == [f"d{n}" for n in range(50)]
        assert [text.text for text in it.bob.texts] == [f"text {n}" for n in range(50)]
        assert len(it.server.log.of("iq", "C")) == 1


async def test_what_is_sent_while_a_mark_is_under_way_gets_the_next():
    async with rig() as it:
        it.server.faults.silent = True
        it.send(delivery(id="d1"))
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C"))
        it.send(delivery(id="d2"))
        it.send(delivery(id="d3"))
        await it.server.happenings.until(lambda: len(it.server.log.of("message", "C")) == 3)
        assert it.inbox.outcomes == []
        assert len(it.server.log.of("iq", "C")) == 1
        it.server.faults.silent = False
        ours = it.server.component
        it.server.inject(f"<iq type='get' id='mark-1' from='{ours}' to='{ours}'/>")
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 3)
        assert len(it.server.log.of("iq", "C")) == 2


async def test_a_forged_mark_confirms_nothing():
    async with rig() as it:
        it.server.faults.silent = True
        it.send(delivery())
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C"))
        it.server.send(f"<iq type='get' id='mark-1' from='bob@xmpp.test/x' to='{it.server.component}'><a/></iq>")
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C", "error"))
        assert it.inbox.outcomes == []


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(
    ("condition", "reason", "retryable"),
    [
        ("item-not-found", Reason.UNKNOWN_ADDRESS, False),
        ("service-unavailable", Reason.UNREACHABLE, False),
        ("resource-constraint", Reason.CONGESTION, True),
    ],
)
async def test_an_error_fails_the_delivery_before_and_after_the_mark(condition, reason, retryable, late):
    async with rig() as it:
        it.server.faults.errors[BOB.value] = condition
        it.server.faults.late_errors = late
        it.send(delivery())
        outcome = await it.inbox.outcome()
        if late:
            assert outcome.kind is OutcomeKind.ACCEPTED
            it.server.release()
            await it.inbox.until(lambda: it.inbox.reports)
            report = it.inbox.reports[0]
            assert (report.status, report.key) == (Status.FAILED, outcome.references[0].key)
            error = report.error
        else:
            failed(outcome, reason, retryable)
            error = outcome.error
        assert error.reason is reason
        assert condition in error.code


async def test_an_unknown_user_is_told():
    async with rig() as it:
        it.send(delivery(target=Address("xmpp", "nobody@xmpp.test")))
        failed(await it.inbox.outcome(), Reason.UNREACHABLE, False)


async def test_an_offline_message_waits_in_the_server_and_is_delivered_later():
    async with rig() as it:
        it.send(delivery())
        assert (await it.inbox.outcome()).kind is OutcomeKind.ACCEPTED
        assert it.inbox.reports == []
        it.bob.sign_in()
        assert (await it.bob.text("Hello Bob")).delayed
        await it.inbox.until(lambda: it.inbox.reports)
        assert it.inbox.reports[0].status is Status.DELIVERED


@pytest.mark.parametrize("who", ["eve@xmpp.test", "bob@other.test", "xmpp.test", "eve@cpm.xmpp.test"])
async def test_a_receipt_counts_only_from_the_receiver(who):
    async with rig() as it:
        it.send(delivery())
        outcome = await it.inbox.outcome()
        it.server.send(
            f"<message from='{who}' to='{ALICE_JID}'><received xmlns='urn:xmpp:receipts' id='d1'/></message>"
        )
        it.server.send(f"<message from='{who}' to='{ALICE_JID}' id='d1' type='error'/>")
        it.server.send(f"<message from='bob@xmpp.test' to='{ALICE_JID}'><body>done</body></message>")
        await it.inbox.until(lambda: it.inbox.messages)
        assert outcome.references[0].key not in {report.key for report in it.inbox.reports}


async def test_a_text_comes_in_and_its_receipt_only_after_delivery():
    async with rig() as it:
        it.bob.sign_in()
        ident = it.bob.write(ALICE_JID, "hi Alice", subject="greeting")
        await it.inbox.until(lambda: it.inbox.messages)
        came = it.inbox.messages[0]
        assert (came.sender, came.recipients, came.text, came.subject) == (BOB, (ALICE,), "hi Alice", "greeting")
        assert (came.kind, came.wants, came.origin) == (MessageKind.STANDALONE, WANTED, "xmpp")
        assert it.bob.receipts == []
        it.send(notice(Status.DELIVERED, came, id="a"))
        await it.bob.until(lambda: it.bob.receipts)
        it.send(notice(Status.DISPLAYED, came, id="b"))
        await it.bob.until(lambda: it.bob.displayed)
        assert (it.bob.receipts, it.bob.displayed) == ([ident], [ident])
        await it.inbox.until(lambda: len(it.inbox.outcomes) == 2)
        assert {outcome.kind for outcome in it.inbox.outcomes} == {OutcomeKind.DELIVERED}  # told
        assert all(outcome.references == () for outcome in it.inbox.outcomes)


async def test_what_failed_after_all_is_an_error():
    async with rig() as it:
        it.bob.sign_in()
        ident = it.bob.write(ALICE_JID, "hi")
        await it.inbox.until(lambda: it.inbox.messages)
        it.send(notice(Status.FAILED, it.inbox.messages[0], "Alice was away too long"))
        await it.bob.until(lambda: it.bob.errors)
        error = it.bob.errors[0]
        assert (error.id, error.error.condition, error.error.text) == (
            ident,
            "service-unavailable",
            "Alice was away too long",
        )


@pytest.mark.parametrize(
    ("verdict", "condition", "kind"),
    [
        (SendError(Reason.UNKNOWN_ADDRESS, detail="nobody"), "item-not-found", "cancel"),
        (SendError(Reason.BARRED), "forbidden", "auth"),
        (SendError(Reason.INTERNAL, retryable=True), "internal-server-error", "wait"),
        (SendError(Reason.TOO_LARGE), "policy-violation", "modify"),
    ],
)
async def test_a_refused_text_is_an_error(verdict, condition, kind):
    async with rig() as it:
        it.bob.sign_in()
        it.inbox.verdict = verdict
        ident = it.bob.write(ALICE_JID, "hi")
        await it.bob.until(lambda: it.bob.errors)
        error = it.bob.errors[0]
        assert (error.id, error.sender, error.error.condition, error.error.type) == (ident, ALICE_JID, condition, kind)


async def test_the_same_id_twice_is_two_messages():
    """Many clients count from 1 in each session."""
    async with rig() as it:
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "one", id="1")
        it.bob.write(ALICE_JID, "two", id="1")
        await it.inbox.until(lambda: len(it.inbox.messages) == 2)
        first, second = it.inbox.messages
        assert first.id != second.id
        assert first.message_id != second.message_id


async def test_when_it_was_written_is_kept():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "from before", delay=1_700_000_000.0)
        it.bob.write(ALICE_JID, "from the future", delay=99_999_999_999.0)
        await it.inbox.until(lambda: len(it.inbox.messages) == 2)
        old, future = it.inbox.messages
        assert old.sent_at == 1_700_000_000.0
        assert future.sent_at == future.received_at


async def test_to_a_number_and_answered_from_it():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.write("+12025550100@cpm.xmpp.test", "hi")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].recipients == (ALICE_TEL,)
        it.send(delivery("hi yourself"))
        text = await it.bob.text("hi yourself")
        assert (text.sender, text.stanza.type) == ("+12025550100@cpm.xmpp.test", "chat")


async def test_an_answer_is_a_chat_message_in_their_thread():
    async with rig(sessions="never") as it:
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "hi", thread="t7")
        await it.inbox.until(lambda: it.inbox.messages)
        assert it.inbox.messages[0].conversation_id == "t7"
        it.send(delivery("hello"))
        text = await it.bob.text("hello")
        assert (text.thread, text.stanza.type, text.stanza.state) == ("t7", "chat", "active")


async def test_typing_both_ways():
    async with rig() as it:
        it.bob.sign_in()
        it.connector.composing(ALICE, BOB, Composing(True))  # his client has shown no chat states: dropped
        it.bob.show_state(ALICE_JID, "composing")
        it.bob.show_state(ALICE_JID, "paused")
        await it.inbox.until(lambda: len(it.inbox.typing) == 2)
        assert it.inbox.typing == [(BOB, ALICE, True), (BOB, ALICE, False)]
        it.connector.composing(ALICE, BOB, Composing(True))
        it.connector.composing(ALICE, BOB, Composing(False))
        await it.bob.until(lambda: len(it.bob.states) == 2)
        assert it.bob.states == [(ALICE_JID, "composing"), (ALICE_JID, "paused")]


async def test_a_picture_is_not_carried_as_it_is():
    picture = message(parts=(Part("image/png", b"\x89PNG"),))
    async with rig() as it:
        it.send(delivery(message=picture))
        failed(await it.inbox.outcome(), Reason.UNSUPPORTED_MEDIA, False)
        assert it.connector.fit(picture).error.reason is Reason.UNSUPPORTED_MEDIA


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        ({"target": Address("xmpp", "no address at all")}, Reason.UNKNOWN_ADDRESS),
        ({"target": Address("xmpp", "carol@cpm.xmpp.test")}, Reason.UNKNOWN_ADDRESS),
        ({"source": Address("msn", "alice@msn.test")}, Reason.INVALID_SOURCE),
        ({"expires_at": 1.0}, Reason.EXPIRED),
    ],
)
async def test_what_is_refused_before_it_is_sent(wrong, reason):
    async with rig() as it:
        it.send(delivery(**wrong))
        failed(await it.inbox.outcome(), reason, False)
        assert it.server.log.of("message", "C") == []


async def test_servers_rooms_echoes_and_headlines_are_no_people():
    async with rig() as it:
        for sender, kind in (
            ("xmpp.test", "chat"),
            ("carol@cpm.xmpp.test", "chat"),
            ("room@rooms.xmpp.test/bob", "groupchat"),
            ("not an address", "chat"),
        ):
            it.server.send(f"<message from='{sender}' to='{ALICE_JID}' type='{kind}'><body>x</body></message>")
        it.server.send(f"<message from='bob@xmpp.test' to='{ALICE_JID}' type='headline'><body>news</body></message>")
        await it.inbox.until(lambda: it.inbox.messages)
        assert [came.text for came in it.inbox.messages] == ["news"]


async def test_a_message_to_the_gateway_itself_is_refused():
    async with rig() as it:
        it.bob.sign_in()
        it.bob.write("cpm.xmpp.test", "is anybody there?")
        await it.bob.until(lambda: it.bob.errors)
        assert it.bob.errors[0].error.condition == "item-not-found"
