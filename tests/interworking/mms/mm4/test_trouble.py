"""What peers, mail servers and strangers send that is not as it should be."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason
from opencpm.domain.message import Disposition
from opencpm.domain.report import Status
from opencpm.protocols.mail.reports import Dsn, DsnRecipient, Envelope, write_dsn
from opencpm.transport.smtp_sender import MailRefused
from tests.interworking.mms.mm4.support import ALICE, BOB, DOMAIN, Rig, delivery, notice, rig

FIXTURES = Path(__file__).parents[3] / "fixtures" / "mms"
TO = f"+12025550100/TYPE=PLMN@{DOMAIN}"
SYSTEM = f"system-user@{DOMAIN}"
REQUEST = (
    "X-Mms-3GPP-MMS-Version: 6.10.0\r\nX-Mms-Message-Type: MM4_forward.REQ\r\n"
    "X-Mms-Transaction-ID: t1\r\nX-Mms-Message-ID: m1\r\nX-Mms-Ack-Request: Yes\r\n"
    "X-Mms-Originator-System: system-user@mmsc.test\r\n"
    "From: +447700900560/TYPE=PLMN@mmsc.test\r\nTo: +12025550100/TYPE=PLMN@peer.mmsc.test\r\n"
    "Content-Type: text/plain\r\n{more}\r\nHello Alice\r\n"
)


def request(more: str = "", **changed: str) -> bytes:
    text = REQUEST
    for name, value in changed.items():
        header = "X-Mms-" + name.replace("_", "-")
        text = "".join(
            f"{header}: {value}\r\n" if line.lower().startswith(header.lower() + ":") else line
            for line in text.splitlines(keepends=True)
        )
    return text.replace("{more}", f"{more}\r\n" if more else "").encode()


async def refusal(it: Rig, data: bytes, to: str = TO, sender: str = "system-user@mmsc.test") -> MailRefused:
    with pytest.raises(MailRefused) as refused:
        await it.mail(data, to, sender)
    return refused.value


# -- fixtures of a live centre


def recorded(name: str) -> tuple[bytes, str, str]:
    """A recorded mail and its envelope."""
    data = (FIXTURES / name).read_bytes().replace(b"\r\n", b"\n")
    lines = data.split(b"\n")
    told = {line.split(b": ")[0]: line.split(b": ", 1)[1].decode() for line in lines if line.startswith(b"X-Recorded")}
    kept = [line for line in lines if not line.startswith(b"X-Recorded")]
    return (
        b"\r\n".join(kept),
        told.get(b"X-Recorded-Envelope-From", ""),
        told.get(b"X-Recorded-Envelope-To", ""),
    )


async def test_the_recorded_message_of_a_service() -> None:
    async with rig(fallback_source="") as it:
        data, sender, to = recorded("mm4-forward-req-out.eml")
        assert (await it.mail(data, to, sender)).startswith("250")
        message = await it.came()
        assert message.sender == Address("tel", "100")
        assert message.recipients == (ALICE,)
        assert [part.media_type for part in message.parts] == ["image/gif", "text/plain"]
        assert message.text == "Grüße aus CPM 😀"
        assert message.subject == "Hello MM7"
        assert message.wants == Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
        response = await it.said("MM4_forward.RES")
        assert response.get("X-Mms-Transaction-ID") == '"+12025550100/TYPE=PLMN-mmsc-qf877.3.x588.0"'


async def test_the_recorded_message_of_a_handset_to_a_short_code() -> None:
    async with rig() as it:
        data, sender, to = recorded("mm4-forward-req-out-mo.eml")
        await it.mail(data, to, sender)
        message = await it.came()
        assert (message.sender, message.recipients) == (
            Address("tel", "+447700900556"),
            (Address("tel", "100"),),
        )
        assert message.subject == "Übersicht"


async def test_the_recorded_response_and_report() -> None:
    async with rig() as it:
        data, sender, to = recorded("mm4-forward-res.eml")
        assert (await it.mail(data, to, sender)).startswith("250")
        assert it.connector.describe()["counters"]["responses to nothing"] == 1
        data, sender, to = recorded("mm4-delivery-report-req.eml")
        await it.mail(data, to, sender)
        report = await it.report()
        assert (report.status, report.key) == (Status.DELIVERED, "lab/mid-1")
        await it.said("MM4_delivery_report.RES")


# -- messages


@pytest.mark.parametrize(
    ("more", "status"),
    [
        ("X-Mms-Forward-Counter: 6", "Error-service-denied"),
        ("X-Mms-Drm-Content: Yes", "Ok"),
        ("X-Mms-Forward-Counter: 5", "Ok"),
        ("X-Mms-Forward-Counter: many", "Ok"),
        ("X-Mms-Expiry: 3600", "Ok"),
        ("X-Mms-Expiry: someday", "Ok"),
        ("Date: never", "Ok"),
    ],
)
async def test_headers_of_a_message(more: str, status: str) -> None:
    async with rig() as it:
        await it.mail(request(more), TO)
        assert (await it.said("MM4_forward.RES")).get("X-Mms-Request-Status-Code") == status


async def test_a_message_that_came_from_here_is_a_loop() -> None:
    async with rig() as it:
        await it.mail(request(Originator_System=SYSTEM), TO)
        assert (await it.said("MM4_forward.RES")).get("X-Mms-Request-Status-Code") == "Error-service-denied"
        assert it.inbox.messages == []


@pytest.mark.parametrize("more", ["X-Mms-Sender-Visibility: Hide", "X-Nothing: x"])
async def test_a_sender_that_hides(more: str) -> None:
    async with rig() as it:
        data = request(more)
        if "Hide" not in more:
            data = data.replace(b"From: +447700900560/TYPE=PLMN@mmsc.test\r\n", b"")
        await it.mail(data, TO)
        assert (await it.came()).sender == Address("alpha", "anonymous")


async def test_receivers_are_those_of_the_envelope() -> None:
    async with rig() as it:
        await it.mail(request("Cc: +12025550109/TYPE=PLMN@peer.mmsc.test"), f"+12025550102/TYPE=PLMN@{DOMAIN}")
        assert (await it.came()).recipients == (Address("tel", "+12025550102"),)
        await it.mail(request(Transaction_ID="t2"), SYSTEM)
        assert (await it.came(2)).recipients == (ALICE,)
        await it.mail(request(Transaction_ID="t3"), f"alice@{DOMAIN}")
        assert (await it.came(3)).recipients == (Address("sip", f"alice@{DOMAIN}"),)


@pytest.mark.parametrize(("user", "system", "told"), [("Yes", "No", "Yes"), ("No", "Yes", "No"), ("No", "No", "")])
async def test_reports_for_the_sender_and_for_their_centre(user: str, system: str, told: str) -> None:
    async with rig() as it:
        more = f"X-Mms-Delivery-Report: {user}\r\nX-Mms-Originator-R/S-Delivery-Report: {system}"
        await it.mail(request(more), TO)
        got = await it.came()
        assert bool(got.wants & Disposition.POSITIVE_DELIVERY) is bool(told)
        if told:
            await it.said("MM4_forward.RES")
            it.send(notice(got, Status.DELIVERED))
            assert (await it.said("MM4_delivery_report.REQ")).get("X-Mms-Forward-To-Originator-UA") == told


async def test_a_message_for_nobody() -> None:
    async with rig() as it:
        await it.mail(request().replace(b"peer.mmsc.test\r\nContent", b"elsewhere.test\r\nContent"), SYSTEM)
        status = (await it.said("MM4_forward.RES")).get("X-Mms-Request-Status-Code")
        assert status == "Error-sending-address-unresolved"


@pytest.mark.parametrize(
    "content",
    [
        "multipart/related",
        'multipart/mixed; boundary="x"',
        "application/smil",
    ],
)
async def test_content_that_cannot_be_read(content: str) -> None:
    async with rig() as it:
        await it.mail(request().replace(b"text/plain", content.encode()), TO)
        status = (await it.said("MM4_forward.RES")).get("X-Mms-Request-Status-Code")
        assert status == "Error-message-format-corrupt"
        assert it.inbox.turned[0][1] == "malformed"


async def test_a_request_without_a_transaction() -> None:
    async with rig() as it:
        await it.mail(request(Transaction_ID=""), TO)
        await it.said("MM4_forward.RES")
        refused = await refusal(it, request(Transaction_ID="", Ack_Request="No"), TO)
        assert refused.code == 550
        assert it.inbox.messages == []


async def test_a_mail_that_is_no_mm4() -> None:
    async with rig() as it:
        refused = await refusal(it, b"Subject: buy this\r\n\r\nnow\r\n")
        assert (refused.code, refused.stage) == (554, "data")
        assert it.inbox.turned[0][0] == "mailto:system-user@mmsc.test"


async def test_a_domain_that_is_not_ours() -> None:
    async with rig() as it:
        assert (await refusal(it, request(), "+12025550100/TYPE=PLMN@elsewhere.test")).stage == "rcpt"


# -- who


async def test_a_stranger_is_not_let_in() -> None:
    async with rig(peer={"addresses": ["10.9.8.7"]}) as it:
        assert (await refusal(it, request())).code == 554


async def test_peers_that_share_an_address_are_told_apart_by_domain() -> None:
    async with rig(
        peers=[
            {"name": "one", "domain": "one.test", "port": 1},
            {"name": "two", "domain": "two.test", "port": 1},
        ]
    ) as it:
        refused = await refusal(it, request())
        assert (refused.code, refused.text.split()[0]) == (550, "5.7.1")
        report = (
            "X-Mms-Message-Type: MM4_delivery_report.REQ\r\nX-Mms-Transaction-ID: r1\r\nX-Mms-Message-ID: x@us\r\n"
            "X-Mms-MM-Status-Code: Retrieved\r\nX-Mms-Originator-System: system-user@two.test\r\n"
            "From: +1\r\nTo: +2\r\n\r\n"
        )
        await it.mail(report.encode(), SYSTEM, "")
        assert (await it.report()).key == "two/x@us"


# -- bounces


def bounce(status: str, action: str = "failed", about: str = f"m1.0@{DOMAIN}") -> bytes:
    envelope = Envelope("MAILER-DAEMON@relay.test", SYSTEM, 1795421033.0, "b1@relay.test", "=_b1")
    one = DsnRecipient(f"{BOB.value}/TYPE=PLMN@mmsc.test", action, status, "550 5.1.1 unknown")
    return write_dsn(envelope, "relay.test", Dsn((one,), about), "sorry")


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("5.1.1", Reason.UNKNOWN_ADDRESS),
        ("5.2.3", Reason.TOO_LARGE),
        ("4.4.7", Reason.EXPIRED),
        ("5.4.7", Reason.EXPIRED),
        ("5.6.1", Reason.UNDELIVERABLE),
    ],
)
async def test_a_bounce_fails_the_message(status: str, reason: Reason) -> None:
    async with rig(peer={"responses": False}) as it:
        it.bob.reports = ""
        outcome = await it.sent(delivery("Hello"))
        assert (await it.mail(bounce(status), SYSTEM, "")).startswith("250")
        report = await it.report()
        assert (report.key, report.status) == (outcome.references[0].key, Status.FAILED)
        assert report.error is not None
        assert report.error.reason is reason


async def test_a_delay_is_no_failure() -> None:
    async with rig() as it:
        await it.mail(bounce("4.4.1", "delayed"), SYSTEM, "")
        await it.mail(bounce("2.0.0", "relayed"), SYSTEM, "")
        await it.mail(bounce("5.1.1", about=""), SYSTEM, "")
        assert it.inbox.reports == []
        assert it.connector.describe()["counters"]["bounces"] == 3


# -- hostile


async def test_thousands_of_headers_and_nested_parts_cost_only_their_mail() -> None:
    async with rig() as it:
        assert (await refusal(it, b"X-A: b\r\n" * 20_000 + request())).code == 554
        nested, inner = b"Content-Type: text/plain\r\n\r\nx\r\n", b""
        for depth in range(200):
            inner = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n%s--b%d--\r\n' % (
                depth,
                depth,
                nested,
                depth,
            )
            nested = inner
        data = request().replace(b"Content-Type: text/plain\r\n\r\nHello Alice\r\n", inner)
        await it.mail(data, TO)
        assert (await it.said("MM4_forward.RES")).get("X-Mms-Request-Status-Code") == "Error-message-format-corrupt"
        await it.mail(request(Transaction_ID="t9"), TO)
        assert (await it.came()).text.strip() == "Hello Alice"


async def test_headers_cannot_be_smuggled_through_texts() -> None:
    async with rig() as it:
        await it.sent(delivery("Hello", message=_message("Hello\r\nX-Mms-Delivery-Report: No\r\nBcc: all@mmsc.test")))
        (line,) = it.mmsc.log.of("MM4_forward.REQ")
        assert line.get("X-Mms-Delivery-Report") == "Yes"
        assert line.get("Bcc") == ""


def _message(subject: str):  # type: ignore[no-untyped-def]
    from tests.interworking.mms.mm4.support import message

    return message("Hello", subject=subject)
