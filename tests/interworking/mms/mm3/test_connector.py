"""Messages to mailboxes and from them, and what mail systems and readers say."""

from __future__ import annotations

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Part, message_ident
from opencpm.domain.profile import HealthState
from opencpm.domain.report import Status
from opencpm.protocols.mail.reports import Dsn, DsnRecipient, Envelope, Mdn, read_report, write_dsn, write_mdn
from tests.interworking.mms.mm3.support import (
    ALICE,
    ALICE_SIP,
    BOB,
    DOMAIN,
    Rig,
    context,
    delivery,
    failed,
    mail,
    message,
    notice,
    rig,
    start,
)
from tests.interworking.mms.mm4.support import PICTURE, Media
from tests.interworking.sms.support import State

NOTIFY = ("SUCCESS", "FAILURE")


# -- to mail


async def test_a_message_becomes_a_mail_that_anybody_can_read() -> None:
    async with rig() as it:
        pdf = Part("application/pdf", b"%PDF", "Übersicht.pdf", "attachment")
        given = message("Grüße 😀", PICTURE, pdf, subject="Bilder für Dich")
        outcome = await it.sent(delivery(message=given))
        assert (outcome.kind, outcome.source) == (OutcomeKind.ACCEPTED, "SMTP of the relay")
        assert outcome.detail == "250 2.0.0 queued"
        envelope, read = await it.office.mail()
        assert (envelope.sender, envelope.recipients) == (f"gateway@{DOMAIN}", ("bob@mail.test",))
        assert (envelope.notify, envelope.envid) == ((frozenset({"SUCCESS", "FAILURE", "DELAY"}),), "m1.0")
        assert read["Subject"] == "Bilder für Dich"
        assert read["From"].addresses[0].addr_spec == f"+12025550100@{DOMAIN}"
        assert (read["To"], read["Message-ID"]) == ("bob@mail.test", f"<m1.0@{DOMAIN}>")
        assert read["Disposition-Notification-To"] == f"<+12025550100@{DOMAIN}>"
        assert read["Message-Context"] == "multimedia-message"
        body = read.get_body()
        assert body is not None
        assert body.get_content().strip() == "Grüße 😀"
        assert [(one.get_filename(), one.get_content()) for one in read.iter_attachments()] == [
            ("sunset.jpg", PICTURE.body),
            ("Übersicht.pdf", b"%PDF"),
        ]
        assert not [one.defects for one in read.walk() if one.defects]
        assert envelope.data.isascii()


async def test_a_plain_text_and_nothing_asked() -> None:
    async with rig(delivery_reports="asked") as it:
        await it.sent(delivery(message=message("Hello", wants=Disposition.NONE)))
        envelope, read = await it.office.mail()
        assert (read.get_content_type(), read.get_content().strip()) == ("text/plain", "Hello")
        assert read["Message-Context"] == "text-message"
        assert read["Disposition-Notification-To"] is None
        assert envelope.notify == (frozenset({"FAILURE"}),)


async def test_mailboxes_of_senders() -> None:
    async with rig(number_form="typed", user_domain="cpm.test") as it:
        await it.sent(delivery("Hello"))
        await it.sent(delivery("Hello", id="m2.0", source=Address("sip", "alice@cpm.test")))
        assert (await it.office.mail(1))[1]["From"].addresses[0].addr_spec == f"+12025550100/TYPE=PLMN@{DOMAIN}"
        assert (await it.office.mail(2))[1]["From"].addresses[0].addr_spec == f"alice@{DOMAIN}"
        for stranger in (Address("sip", "alice@elsewhere.test"), Address("sip", "a b@cpm.test"), Address("msn", "x@y")):
            failed(await it.sent(delivery("Hello", id="m3.0", source=stranger)), Reason.INVALID_SOURCE, False)


async def test_a_relay_that_cannot_tell_of_delivery_is_said() -> None:
    async with rig(dsn=False) as it:
        outcome = await it.sent(delivery("Hello"))
        assert outcome.detail == "250 2.0.0 queued; the relay tells of no delivery"


@pytest.mark.parametrize(
    ("reply", "reason", "retryable"),
    [
        ("451 4.3.0 later", Reason.CONGESTION, True),
        ("552 5.3.4 too big", Reason.TOO_LARGE, False),
        ("554 5.7.1 no", Reason.REJECTED, False),
    ],
)
async def test_refusals_of_the_relay(reply: str, reason: Reason, retryable: bool) -> None:
    async with rig() as it:
        it.office.replies.append(reply)
        failed(await it.sent(delivery("Hello")), reason, retryable)


async def test_an_unknown_mailbox() -> None:
    async with rig() as it:
        it.office.unknown.add("bob@mail.test")
        failed(await it.sent(delivery("Hello")), Reason.UNKNOWN_ADDRESS, False)


async def test_a_relay_that_is_away_is_down_until_it_is_back() -> None:
    async with rig() as it:
        await it.office.down()
        failed(await it.sent(delivery("Hello")), Reason.NETWORK_DOWN, True)
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.DOWN)
        await it.office.up()
        await it.inbox.until(lambda: it.inbox.healths[-1].state is HealthState.UP)
        assert (await it.sent(delivery("Hello", token=2))).kind is OutcomeKind.ACCEPTED


async def test_what_is_too_large_is_reduced() -> None:
    media = Media()
    async with rig(where=context(media=media), max_size=20_000) as it:
        big = PICTURE._replace(body=PICTURE.body + b"x" * 50_000)
        assert it.connector.fit(message("look", big)).losses
        assert it.connector.fit(message("x" * 30_000)).error
        assert it.connector.fit(message("look")).losses == ()
        outcome = await it.sent(delivery("look", big))
        assert "a picture is made smaller" in outcome.detail
        failed(await it.sent(delivery("x" * 30_000, id="m2.0")), Reason.TOO_LARGE, False)


# -- reports about ours


def dsn(action: str, status: str, *, about: str = f"m1.0@{DOMAIN}", envid: str = "") -> bytes:
    envelope = Envelope("MAILER-DAEMON@mail.test", f"gateway@{DOMAIN}", 1795421033.0, "d1@mail.test", "=_d1")
    return write_dsn(envelope, "mail.test", Dsn((DsnRecipient("bob@mail.test", action, status),), about, envid), "x")


@pytest.mark.parametrize(
    ("action", "code", "status", "reason"),
    [
        ("delivered", "2.0.0", Status.DELIVERED, None),
        ("relayed", "2.0.0", Status.PENDING, None),
        ("expanded", "2.0.0", Status.PENDING, None),
        ("delayed", "4.4.1", Status.PENDING, None),
        ("failed", "5.1.1", Status.FAILED, Reason.UNKNOWN_ADDRESS),
        ("failed", "5.2.1", Status.FAILED, Reason.UNKNOWN_ADDRESS),
        ("failed", "5.2.3", Status.FAILED, Reason.TOO_LARGE),
        ("failed", "4.4.7", Status.FAILED, Reason.EXPIRED),
        ("failed", "5.6.1", Status.FAILED, Reason.UNSUPPORTED_MEDIA),
        ("failed", "5.7.1", Status.FAILED, Reason.REJECTED),
        ("failed", "5.0.0", Status.FAILED, Reason.UNDELIVERABLE),
    ],
)
async def test_every_word_of_a_mail_system(action: str, code: str, status: Status, reason: Reason | None) -> None:
    async with rig() as it:
        outcome = await it.sent(delivery("Hello"))
        assert (await it.bring(dsn(action, code), f"gateway@{DOMAIN}", "")).startswith("250")
        report = await it.report()
        assert (report.status, report.key) == (status, outcome.references[0].key)
        assert (report.error.reason if report.error else None) is reason


async def test_a_report_that_names_the_envelope_only_or_nothing() -> None:
    async with rig() as it:
        await it.bring(dsn("delivered", "2.0.0", about="", envid="m1.0"), f"gateway@{DOMAIN}", "")
        assert (await it.report()).key == f"m1.0@{DOMAIN}"
        await it.bring(dsn("delivered", "2.0.0", about=""), f"gateway@{DOMAIN}", "")
        assert len(it.inbox.reports) == 1


@pytest.mark.parametrize(
    ("disposition", "automatic", "trusted", "status"),
    [
        ("displayed", False, True, Status.DISPLAYED),
        ("displayed", True, True, Status.PENDING),
        ("deleted", False, True, Status.PENDING),
        ("displayed", False, False, Status.PENDING),
    ],
)
async def test_what_readers_say(disposition: str, automatic: bool, trusted: bool, status: Status) -> None:
    async with rig(mdn_to_display=trusted) as it:
        envelope = Envelope("bob@mail.test", f"+12025550100@{DOMAIN}", 0.0, "r1@mail.test", "=_r1")
        mdn = Mdn(f"m1.0@{DOMAIN}", "bob@mail.test", disposition, automatic)
        await it.bring(write_mdn(envelope, "mail.test", mdn, "read"), sender="")
        assert ((await it.report()).status, (await it.report()).key) == (status, f"m1.0@{DOMAIN}")
        assert it.inbox.messages == []


async def test_the_reply_to_a_report_waits_for_the_commit() -> None:
    import asyncio

    async with rig() as it:
        it.inbox.hold = True
        bringing = asyncio.create_task(it.bring(dsn("delivered", "2.0.0"), f"gateway@{DOMAIN}", ""))
        await it.report()
        assert not bringing.done()
        it.inbox.release()
        assert (await bringing).startswith("250")


# -- from mail


async def test_a_mail_comes_in() -> None:
    async with rig() as it:
        made = mail("Grüße\n", Subject="Bilder für Dich")
        made.add_attachment(PICTURE.body, maintype="image", subtype="jpeg", filename="sunset.jpg")
        assert (await it.bring(made)).startswith("250")
        (got,) = it.inbox.messages
        assert (got.sender, got.recipients, got.subject) == (BOB, (ALICE,), "Bilder für Dich")
        assert [part.media_type for part in got.parts] == ["text/plain", "image/jpeg"]
        assert (got.text.strip(), got.parts[1].name) == ("Grüße", "sunset.jpg")
        assert got.id == message_ident(BOB, got.message_id)
        assert got.wants == Disposition.NEGATIVE_DELIVERY


@pytest.mark.parametrize(
    ("to", "meant"),
    [
        (f"+12025550100@{DOMAIN}", ALICE),
        (f"12025550100@{DOMAIN}", ALICE),
        (f"+12025550100/TYPE=PLMN@{DOMAIN.upper()}", ALICE),
        (f"alice@{DOMAIN}", ALICE_SIP),
        (f"Alice@{DOMAIN}", ALICE_SIP),
    ],
)
async def test_whose_mailbox(to: str, meant: Address) -> None:
    async with rig() as it:
        await it.bring(mail(), to)
        assert it.inbox.messages[0].recipients == (meant,)


@pytest.mark.parametrize("to", [f"nobody@{DOMAIN}", "+12025550100@elsewhere.test", f"+19995550100@{DOMAIN}", "alice"])
async def test_unknown_mailboxes_are_refused_at_once(to: str) -> None:
    async with rig() as it:
        assert (await it.bring(mail(), to)).startswith("550 5.1.1")


async def test_250_waits_for_the_commit_and_trouble_makes_it_come_again() -> None:
    import asyncio

    async with rig() as it:
        it.inbox.hold = True
        bringing = asyncio.create_task(it.bring(mail()))
        await it.inbox.until(lambda: it.inbox.messages)
        assert not bringing.done()
        it.inbox.release()
        assert (await bringing).startswith("250")
        it.inbox.verdict = SendError(Reason.INTERNAL, retryable=True)
        assert (await it.bring(mail())).startswith("451")
        it.inbox.verdict = SendError(Reason.BARRED)
        assert (await it.bring(mail())).startswith("550 5.7.1")


async def test_the_same_mail_again_is_the_same_message() -> None:
    async with rig() as it:
        await it.bring(mail())
        await it.bring(mail())
        await it.bring(mail(), f"alice@{DOMAIN}")
        await it.bring(mail(Message_ID="<b2@mail.test>"))
        first, second, third, fourth = (one.id for one in it.inbox.messages)
        assert first == second
        assert len({first, third, fourth}) == 3


@pytest.mark.parametrize(
    ("headers", "sender", "more", "wants"),
    [
        ({}, "bob@mail.test", {"notify": NOTIFY}, Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY),
        ({}, "bob@mail.test", {"notify": ("NEVER",)}, Disposition.NONE),
        ({}, "bob@mail.test", {"notify": ("SUCCESS",)}, Disposition.POSITIVE_DELIVERY),
        (
            {"Disposition_Notification_To": "bob@mail.test"},
            "bob@mail.test",
            {},
            Disposition.NEGATIVE_DELIVERY | Disposition.DISPLAY,
        ),
        ({"Disposition_Notification_To": "spy@evil.test"}, "bob@mail.test", {}, Disposition.NEGATIVE_DELIVERY),
        ({"Auto_Submitted": "auto-replied"}, "bob@mail.test", {"notify": NOTIFY}, Disposition.NONE),
        ({"List_Id": "<all.mail.test>"}, "bob@mail.test", {}, Disposition.NONE),
        ({}, "", {}, Disposition.NONE),
    ],
)
async def test_what_a_mail_wants_to_hear(
    headers: dict[str, str], sender: str, more: dict[str, object], wants: Disposition
) -> None:
    async with rig() as it:
        await it.bring(mail(**headers), sender=sender, **more)
        assert it.inbox.messages[0].wants == wants


# -- reports about theirs


async def told(it: Rig, **more: object) -> object:
    await it.bring(mail(Disposition_Notification_To="bob@mail.test"), notify=NOTIFY, envid="E1")
    return it.inbox.messages[0]


async def test_the_sender_of_a_mail_is_told_of_its_delivery() -> None:
    async with rig(display_to_mdn=True) as it:
        got = await told(it)
        outcome = await it.sent(notice(got, Status.DELIVERED))
        assert (outcome.kind, outcome.source) == (OutcomeKind.DELIVERED, "SMTP of the relay")
        envelope, _ = await it.office.mail(1)
        assert (envelope.sender, envelope.recipients) == ("", ("bob@mail.test",))
        report = read_report(envelope.data)
        assert isinstance(report, Dsn)
        assert (report.about, report.envid) == ("b1@mail.test", "E1")
        assert report.recipients[0][:3] == (f"+12025550100@{DOMAIN}", "delivered", "2.1.5")
        await it.sent(notice(got, Status.DISPLAYED))
        mdn = read_report((await it.office.mail(2))[0].data)
        assert mdn == Mdn("b1@mail.test", f"+12025550100@{DOMAIN}", "displayed")


@pytest.mark.parametrize(("cause", "code"), [("expired", "5.4.7"), ("too-large", "5.2.3"), ("internal", "5.0.0")])
async def test_a_failure_is_a_bounce(cause: str, code: str) -> None:
    async with rig() as it:
        await it.sent(notice(await told(it), Status.FAILED, cause=cause, reason="the phone is off"))
        envelope, read = await it.office.mail()
        report = read_report(envelope.data)
        assert isinstance(report, Dsn)
        assert report.recipients[0][1:3] == ("failed", code)
        assert "the phone is off" in next(iter(read.iter_parts())).get_content()


async def test_word_survives_a_restart_and_has_an_end() -> None:
    state = State()
    async with rig(where=context(state)) as it:
        got = await told(it)
        await it.stop()
        later = await start(it.office, context(state))
        assert (await later.sent(notice(got, Status.DELIVERED))).kind is OutcomeKind.DELIVERED
        later.connector._inbound.forget(later.connector._context.clock.now() + 8 * 86400)
        failed(await later.sent(notice(got, Status.DELIVERED)), Reason.NO_ROUTE, False)
        await later.stop()
