"""Delivery and disposition notifications: ours back and forth, those of others, and what is none."""

from __future__ import annotations

import email
from email import policy

import pytest

from opencpm.protocols.mail.reports import (
    Dsn,
    DsnRecipient,
    Envelope,
    Mdn,
    address_of,
    hops,
    is_automatic,
    read_report,
    write_dsn,
    write_mdn,
)

ENVELOPE = Envelope("system-user@mms.cpm.test", "bob@mail.test", 1795421033.0, "r1@mms.cpm.test", "=_r1")
POSTFIX = b"""Return-Path: <>
From: MAILER-DAEMON@relay.test (Mail Delivery System)
To: system-user@mms.cpm.test
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
 boundary="A1B2.1795421033/relay.test"

This is a MIME-encapsulated message.

--A1B2.1795421033/relay.test
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients.

--A1B2.1795421033/relay.test
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; relay.test
X-Postfix-Queue-ID: A1B2
Original-Envelope-Id: m1.0
Arrival-Date: Mon, 23 Nov 2026 08:03:53 +0000 (UTC)

Final-Recipient: rfc822; nobody@mail.test
Original-Recipient: rfc822;nobody@mail.test
Action: failed
Status: 5.1.1
Remote-MTA: dns; mail.test
Diagnostic-Code: smtp; 550 5.1.1 <nobody@mail.test>: Recipient address
    rejected: User unknown

--A1B2.1795421033/relay.test
Content-Description: Undelivered Message Headers
Content-Type: text/rfc822-headers

From: +12025550100@mms.cpm.test
Message-ID: <m1.0@mms.cpm.test>
X-Mms-Transaction-ID: m1.0

--A1B2.1795421033/relay.test--
"""


@pytest.mark.parametrize("mail", [POSTFIX, POSTFIX.replace(b"\n", b"\r\n")])
def test_a_bounce_of_postfix(mail: bytes) -> None:
    report = read_report(mail)
    assert isinstance(report, Dsn)
    assert (report.about, report.envid) == ("m1.0@mms.cpm.test", "m1.0")
    (one,) = report.recipients
    assert one[:3] == ("nobody@mail.test", "failed", "5.1.1")
    assert one.diagnostic == "550 5.1.1 <nobody@mail.test>: Recipient address rejected: User unknown"
    assert ("X-Mms-Transaction-ID", "m1.0") in report.returned


@pytest.mark.parametrize("action", ["delivered", "failed", "delayed", "relayed"])
def test_ours_is_read_again_and_by_the_standard_library(action: str) -> None:
    dsn = Dsn((DsnRecipient("+12025550100@mms.cpm.test", action, "2.0.0"),), "abc@mail.test", "env-1")
    data = write_dsn(ENVELOPE, "mms.cpm.test", dsn, "Grüße\nBob")
    read = read_report(data)
    assert isinstance(read, Dsn)
    assert (read.recipients, read.about, read.envid) == (dsn.recipients, dsn.about, dsn.envid)
    parsed = email.message_from_bytes(data, policy=policy.default)
    assert parsed.get_content_type() == "multipart/report"
    assert [part.get_content_type() for part in parsed.iter_parts()] == [
        "text/plain",
        "message/delivery-status",
        "text/rfc822-headers",
    ]
    assert not any(part.defects for part in parsed.walk())
    status = list(parsed.iter_parts())[1].get_payload()
    assert status[1]["Action"] == action  # type: ignore[index]
    assert parsed["Auto-Submitted"] == "auto-replied"


@pytest.mark.parametrize("automatic", [True, False])
def test_a_reading_report_there_and_back(automatic: bool) -> None:
    mdn = Mdn("abc@mail.test", "+12025550100@mms.cpm.test", "displayed", automatic)
    assert read_report(write_mdn(ENVELOPE, "mms.cpm.test", mdn, "read")) == mdn


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"Subject: hello\r\n\r\nnothing",
        POSTFIX.replace(b"message/delivery-status", b"text/plain"),
        POSTFIX.replace(b"Action:", b"X-Action:"),
        POSTFIX.replace(b'boundary="A1B2.1795421033/relay.test"', b""),
        POSTFIX.replace(b"Action: failed", b"Action: failed\n" + b"X: y\n" * 20_000),
        write_mdn(ENVELOPE, "x", Mdn("", "a@b", "displayed"), "x").replace(b"Original-Message-ID: <>\r\n", b""),
    ],
)
def test_what_is_no_report(data: bytes) -> None:
    assert read_report(data) is None


def test_values_cannot_leave_their_line() -> None:
    dsn = Dsn((DsnRecipient("a@b\r\nAction: delivered", "failed", "5.0.0"),), "x")
    read = read_report(write_dsn(ENVELOPE._replace(to="bob@mail.test\r\nBcc: all@mail.test"), "x", dsn, "t"))
    assert isinstance(read, Dsn)
    assert read.recipients[0].action == "failed"


def test_what_programs_send_is_not_answered() -> None:
    assert is_automatic((("Auto-Submitted", "auto-generated; x=y"),))
    assert is_automatic((("precedence", "Bulk"),))
    assert is_automatic((("List-Id", "<all.mail.test>"),))
    assert not is_automatic((("Auto-Submitted", "no"), ("From", "bob@mail.test")))
    assert hops((("Received", "x"), ("received", "y"), ("From", "z"))) == 2
    assert address_of('"Bob" <bob@mail.test>') == "bob@mail.test"
