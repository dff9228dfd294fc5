"""Mail by other hands: swaks brings it, and Exim relays it, reports its delivery, and bounces it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.domain.address import Address
from opencpm.domain.delivery import OutcomeKind
from opencpm.domain.errors import Reason
from opencpm.domain.message import Disposition
from opencpm.domain.report import Report, Status
from opencpm.transport.smtp_sender import Host, SmtpSender
from tests.interop.exim import Exim, exim, free_port
from tests.interop.programs import running
from tests.interworking.mms.mm3.support import BOB, DOMAIN, Postoffice, Rig, delivery, mail, message, notice, start
from tests.interworking.mms.mm3.support import rig as mm3
from tests.interworking.mms.mm4.support import PICTURE
from tests.interworking.mms.mm4.support import rig as mm4
from tests.interworking.sms.support import eventually

pytestmark = pytest.mark.interop
FIXTURES = Path(__file__).parents[1] / "fixtures" / "mms"


@pytest.mark.usefixtures("swaks_is_there")
async def test_swaks_brings_a_mail_with_a_picture(tmp_path: Path) -> None:
    (tmp_path / "sunset.jpg").write_bytes(PICTURE.body)
    async with mm3() as it:
        host, port = it.connector.endpoints["smtp"]
        async with running(
            "swaks", "--server", f"{host}:{port}", "--helo", "mail.test", "--from", "bob@mail.test",
            "--to", f"12025550100@{DOMAIN}", "--header", "Subject: sunset", "--body", "look at this",
            "--attach-type", "image/jpeg", "--attach", "@sunset.jpg",
            home=tmp_path,
        ) as swaks:  # fmt: skip
            assert await swaks.ended() == 0, swaks.said
        (got,) = it.inbox.messages
        assert (got.sender, got.subject, got.text.strip()) == (BOB, "sunset", "look at this")
        assert [part.body for part in got.parts if part.media_type == "image/jpeg"] == [PICTURE.body]


@pytest.mark.usefixtures("swaks_is_there")
async def test_swaks_brings_the_recorded_message_of_a_live_mms_centre(tmp_path: Path) -> None:
    lines = (FIXTURES / "mm4-forward-req-out-mo.eml").read_bytes().splitlines(keepends=True)
    (tmp_path / "mail.eml").write_bytes(b"".join(line for line in lines if not line.startswith(b"X-Recorded")))
    async with mm4() as it:
        async with running(
            "swaks", "--server", f"{it.where[0]}:{it.where[1]}", "--helo", "mmsc.test",
            "--from", "447700900556/TYPE=PLMN", "--to", "100/TYPE=PLMN@peer.mmsc.test", "--data", "@mail.eml",
            home=tmp_path,
        ) as swaks:  # fmt: skip
            assert await swaks.ended() == 0, swaks.said
        assert (await it.came()).recipients == (Address("tel", "100"),)


@pytest.mark.usefixtures("swaks_is_there")
async def test_swaks_is_told_what_is_not_ours(tmp_path: Path) -> None:
    async with mm3() as it:
        host, port = it.connector.endpoints["smtp"]
        async with running(
            "swaks", "--server", f"{host}:{port}", "--from", "bob@mail.test", "--to", f"nobody@{DOMAIN}", home=tmp_path
        ) as swaks:
            assert await swaks.ended() == 24  # no recipient was taken
            assert "550 5.1.1 nobody here has this mailbox" in swaks.said


@asynccontextmanager
async def relayed() -> AsyncIterator[tuple[Rig, Exim]]:
    """Our gateway with Exim as its relay. It stops first: Exim waits for connections that are open."""
    office = Postoffice()
    office.where = ("127.0.0.1", free_port())
    it = await start(office)
    try:
        async with exim(office.where[1], it.connector.endpoints["smtp"][1], DOMAIN) as mta:
            try:
                yield it, mta
            finally:
                await it.stop()
    finally:
        await it.stop()


@pytest.mark.usefixtures("exim_is_there")
async def test_exim_delivers_and_says_so() -> None:
    async with relayed() as (it, mta):
        outcome = await it.sent(delivery(message=message("Grüße 😀", PICTURE, subject="Bilder")))
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert outcome.detail.startswith("250 OK id=")
        report = await reported(it, mta)
        assert (report.status, report.key) == (Status.DELIVERED, outcome.references[0].key)
        assert f"Message-ID: <m1.0@{DOMAIN}>" in mta.mailbox


@pytest.mark.usefixtures("exim_is_there")
async def test_exim_bounces_what_it_cannot_deliver() -> None:
    async with relayed() as (it, mta):
        outcome = await it.sent(delivery("Hello", target=Address("mailto", "nobody@mail.test")))
        assert outcome.kind is OutcomeKind.ACCEPTED
        report = await reported(it, mta)
        assert (report.status, report.key) == (Status.FAILED, outcome.references[0].key)
        assert report.error is not None
        assert report.error.reason in (Reason.UNKNOWN_ADDRESS, Reason.UNDELIVERABLE)


@pytest.mark.usefixtures("exim_is_there")
async def test_exim_brings_a_mail_and_hears_of_its_delivery() -> None:
    async with relayed() as (it, mta):
        client = SmtpSender(Host(host="127.0.0.1", port=mta.port))
        to = f"+12025550100@{DOMAIN}"
        await client.send("bob@mail.test", to, mail().as_bytes(), notify=("SUCCESS", "FAILURE"), envid="E7")
        await client.close()
        await it.inbox.until(lambda: it.inbox.messages)
        got = it.inbox.messages[0]
        assert got.wants == Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY
        assert (await it.sent(notice(got, Status.DELIVERED))).kind is OutcomeKind.DELIVERED
        await eventually(lambda: "Action: delivered" in mta.mailbox)
        assert "Original-Envelope-Id: E7" in mta.mailbox


async def reported(it: Rig, mta: Exim) -> Report:
    try:
        return await it.report()
    except TimeoutError:
        raise AssertionError(mta.log) from None
