"""Loops, lies, strangers and broken mail."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage

import pytest

from tests.interworking.mms.mm3.support import BOB, DOMAIN, delivery, mail, message, rig


async def test_mail_that_goes_round_in_circles() -> None:
    async with rig(hops=3) as it:
        looping = b"Received: by a\r\n" * 4 + mail().as_bytes().replace(b"\n", b"\r\n")
        assert (await it.bring(looping)).startswith("554 5.4.6")
        await it.sent(delivery("Hello"))
        back = (await it.office.mail())[0].data
        assert (await it.bring(back)).startswith("554 5.4.6 this mail came from here")
        assert it.inbox.messages == []
        assert [reason for _, reason, _ in it.inbox.turned] == ["rejected", "rejected"]


async def test_nobody_outside_is_somebody_inside() -> None:
    async with rig() as it:
        forged = mail(From=f"alice@{DOMAIN}")
        assert (await it.bring(forged)).startswith("250")
        assert it.inbox.messages[0].sender == BOB  # the return path's, where the mail says one of ours
        assert (await it.bring(forged, sender=f"carol@{DOMAIN}")).startswith("550 5.7.1")


async def test_strangers_are_not_let_in() -> None:
    async with rig(trusted=["10.9.8.7"]) as it:
        assert (await it.bring(mail())).startswith("554")


async def test_broken_mail_costs_only_itself() -> None:
    async with rig() as it:
        assert (await it.bring(b"X-A: b\r\n" * 5000 + b"\r\nx\r\n")).startswith("554 5.6.0")
        nested = mail().as_bytes().replace(b"\n", b"\r\n")
        head = b"From: bob@mail.test\r\nMIME-Version: 1.0\r\n"
        inner = b"Content-Type: text/plain\r\n\r\nx\r\n"
        for depth in range(50):
            inner = b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n%s--b%d--\r\n' % (
                depth,
                depth,
                inner,
                depth,
            )
        assert (await it.bring(head + inner)).startswith("550 5.7.0 malformed")
        assert (await it.bring(head + b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n")).startswith("550")
        assert (await it.bring(b"From: bob@mail.test\r\n\r\n")).startswith("550 5.7.0 malformed")
        assert (await it.bring(nested)).startswith("250")
        assert len(it.inbox.messages) == 1


async def test_a_subject_alone_is_a_text() -> None:
    async with rig() as it:
        await it.bring(b"From: bob@mail.test\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\n\r\n")
        assert it.inbox.messages[0].text == "Grüße"


async def test_headers_cannot_be_smuggled_through_texts_and_names() -> None:
    async with rig() as it:
        bad = "Hello\r\nBcc: all@mail.test\r\n\r\nevil"
        await it.sent(delivery(message=message("Hello", subject=bad)))
        _, read = await it.office.mail()
        assert read["Bcc"] is None
        assert read["Subject"].endswith("evil")


async def test_the_system_mailbox_is_read_by_nobody_but_for_reports() -> None:
    async with rig() as it:
        assert (await it.bring(mail(), f"gateway@{DOMAIN}")).startswith("250")
        assert it.inbox.messages == []


async def test_the_standard_library_brings_mail() -> None:
    """smtplib and email are somebody else's."""
    import asyncio

    async with rig() as it:
        made = EmailMessage()
        made["From"], made["To"], made["Subject"] = "bob@mail.test", f"alice@{DOMAIN}", "Grüße"
        made.set_content("Hello Alice 😀\n")

        def send() -> None:
            with smtplib.SMTP(*it.connector.endpoints["smtp"], local_hostname="mail.test") as client:
                assert client.has_extn("x") is False
                client.send_message(made, rcpt_options=["NOTIFY=SUCCESS,FAILURE"])

        await asyncio.to_thread(send)
        assert it.inbox.messages[0].text.strip() == "Hello Alice 😀"


@pytest.mark.parametrize("settings", [{"listen_tls": "tls"}, {"trusted": ["x"]}, {"domain": "-"}, {"nonsense": 1}])
def test_mistakes_in_settings(settings: dict[str, object]) -> None:
    from opencpm.interworking.mms.mm3 import build
    from tests.interworking.mms.mm3.support import context

    with pytest.raises(ValueError):
        build(settings, context())
