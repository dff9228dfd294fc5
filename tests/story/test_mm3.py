"""Mail between CPM devices and mailboxes, through our server and a relay."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from opencpm.app import build
from opencpm.app.people import opened
from opencpm.app.server import App
from opencpm.domain.address import Address, tel
from opencpm.domain.message import message_ident
from opencpm.lab.device import LabDevice
from opencpm.protocols.mail.reports import Dsn, DsnRecipient, Envelope, Mdn, read_report, write_dsn, write_mdn
from opencpm.settings import parse
from opencpm.transport.smtp_sender import Host, SmtpSender
from tests.interworking.mms.mm3.support import DOMAIN, Postoffice, mail
from tests.interworking.sms.support import eventually

ALICE, PASSWORD = f"sip:alice@{DOMAIN}", "alice-knows"
BOB = "sip:bob@mail.test"  # a device writes SIP addresses; the operator says that mail serves this domain


class House:
    def __init__(self, app: App, office: Postoffice) -> None:
        self.app, self.office = app, office

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        where = self.app.endpoints["sip"]["tcp"]
        async with LabDevice(ALICE, PASSWORD, where, transport="TCP") as device:
            assert await device.register() == 200
            yield device

    async def bring(self, data: bytes, to: str, sender: str = "bob@mail.test", **more: Any) -> str:
        where = self.app.endpoints["mail"]["smtp"]
        client = SmtpSender(Host(host=where[0], port=where[1]))
        try:
            return (await client.send(sender, to, data, **more)).reply
        finally:
            await client.close()

    def state(self, message_id: str) -> str:
        found = self.app.store.deliveries_of(message_ident(Address.parse(ALICE), message_id))
        return found[0].state.value if found else ""


@asynccontextmanager
async def house(folder: Path, office: Postoffice, **more: Any) -> AsyncIterator[House]:
    values = {
        "domain": DOMAIN,
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"enabled": False},
        "policy": {"order": ["mail"], "home_region": "US", "domains": {"mail.test": "mail"}},
        "networks": {
            "mail": {"type": "mm3", "domain": DOMAIN, "listen_port": 0, "relay_port": office.where[1], **more}
        },
    }
    settings = parse(values, folder)
    async with opened(settings) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", f"alice@{DOMAIN}"), tel("+12025550100")])
    async with build(settings).running() as app:
        yield House(app, office)


@asynccontextmanager
async def postoffice() -> AsyncIterator[Postoffice]:
    office = Postoffice()
    await office.up()
    try:
        yield office
    finally:
        await office.down()


async def heard(device: LabDevice, message_id: str, what: str) -> None:
    await device.journal.wait("imdn", lambda e: e.what == what and e.facts["message_id"] == message_id)


async def test_a_message_to_a_mailbox_and_every_word_of_it(tmp_path: Path) -> None:
    async with postoffice() as office, house(tmp_path, office) as here, here.device() as alice:
        sent = await alice.message(BOB, "Grüße 😀", wants=("positive-delivery", "display"))
        assert sent.status == 202
        envelope, read = await office.mail()
        assert read.get_content().strip() == "Grüße 😀"
        assert read["From"].addresses[0].display_name == "Alice"
        await eventually(lambda: here.state(sent.message_id) == "accepted")
        about = read["Message-ID"].strip("<>")
        back = Envelope("MAILER-DAEMON@mail.test", envelope.sender, 0.0, "d1@mail.test", "=_d1")
        relayed = Dsn((DsnRecipient("bob@mail.test", "relayed", "2.0.0"),), about, envelope.envid)
        await here.bring(write_dsn(back, "mail.test", relayed, "on its way"), envelope.sender, "")
        assert here.state(sent.message_id) == "accepted"
        delivered = Dsn((DsnRecipient("bob@mail.test", "delivered", "2.0.0"),), about, envelope.envid)
        await here.bring(write_dsn(back, "mail.test", delivered, "there"), envelope.sender, "")
        await heard(alice, sent.message_id, "delivered")
        mdn = Mdn(about, "bob@mail.test", "displayed")
        await here.bring(write_mdn(back, "mail.test", mdn, "read"), f"alice@{DOMAIN}", "")
        await heard(alice, sent.message_id, "displayed")


async def test_an_alias_behind_our_own_domain(tmp_path: Path) -> None:
    async with postoffice() as office, house(tmp_path, office) as here, here.device() as alice:
        await alice.message(f"sip:bob%40mail.test@{DOMAIN}", "Hello")
        assert (await office.mail())[0].recipients == ("bob@mail.test",)


async def test_a_bounce_is_a_failure(tmp_path: Path) -> None:
    async with postoffice() as office, house(tmp_path, office) as here, here.device() as alice:
        sent = await alice.message(BOB, "Hello")
        envelope, read = await office.mail()
        failed = Dsn(
            (DsnRecipient("bob@mail.test", "failed", "5.1.1", "no such user"),), read["Message-ID"].strip("<>")
        )
        back = Envelope("MAILER-DAEMON@mail.test", envelope.sender, 0.0, "d1@mail.test", "=_d1")
        await here.bring(write_dsn(back, "mail.test", failed, "sorry"), envelope.sender, "")
        await heard(alice, sent.message_id, "failed")


async def test_a_mail_reaches_alice_and_its_sender_is_told(tmp_path: Path) -> None:
    async with postoffice() as office, house(tmp_path, office, display_to_mdn=True) as here, here.device() as alice:
        data = mail("let us talk\n", **{"Disposition-Notification-To": "bob@mail.test"}).as_bytes()
        reply = await here.bring(data, "+12025550100@" + DOMAIN, notify=("SUCCESS", "FAILURE"), envid="E1")
        assert reply.startswith("250")
        assert (await alice.journal.wait("message")).what == "let us talk"
        report = read_report((await office.mail())[0].data)
        assert isinstance(report, Dsn)
        assert (report.recipients[0].action, report.about) == ("delivered", "b1@mail.test")
        await alice.displayed(alice.inbox[0])
        assert isinstance(read_report((await office.mail(2))[0].data), Mdn)
        sent = await alice.message(BOB, "gladly")  # the answer stays in the conversation
        assert (await office.mail(3))[0].recipients == ("bob@mail.test",)
        assert sent.status == 202
