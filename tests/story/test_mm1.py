"""MMS between CPM devices and phones of our own centre: notified by SMS, fetched and sent over HTTP."""

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
from opencpm.lab.mm1 import MmsPhone
from opencpm.lab.smsc import Coverage, LabSmsc
from opencpm.protocols.mm1.tokens import Status
from opencpm.settings import parse
from tests.interworking.sms.support import eventually

ALICE, ALICE_NUMBER, BOB_NUMBER, PASSWORD = "sip:alice@cpm.test", "+12025550100", "+12025550101", "alice-knows"
BOB = f"tel:{BOB_NUMBER}"


class House:
    def __init__(self, app: App, smsc: LabSmsc, bob: MmsPhone) -> None:
        self.app, self.smsc, self.bob = app, smsc, bob

    @asynccontextmanager
    async def device(self) -> AsyncIterator[LabDevice]:
        where = self.app.endpoints["sip"]["tcp"]
        async with LabDevice(ALICE, PASSWORD, where, transport="TCP") as device:
            assert await device.register() == 200
            yield device

    def state(self, message_id: str) -> str:
        found = self.app.store.deliveries_of(message_ident(Address.parse(ALICE), message_id))
        return found[0].state.value if found else ""


@asynccontextmanager
async def house(folder: Path, smsc: LabSmsc, behaviour: Any = "immediate", **more: Any) -> AsyncIterator[House]:
    host, port = smsc.address
    sms = {"type": "sms", "host": host, "port": port, "system_id": "opencpm", "password": "sesame"}
    values = {
        "domain": "cpm.test",
        "secret_key": "k" * 32,
        "data_dir": str(folder / "data"),
        "sip": {"udp_port": 0, "tcp_port": 0, "msrp_port": 0},
        "web": {"enabled": False},
        "policy": {"order": ["mms", "sms"], "home_region": "US", "retry_schedule": [0.05]},
        "networks": {
            "sms": {**sms, "fallback_source": "66777", "reconnect_min": 0.05},
            "mms": {"type": "mm1", "listen_port": 0, "domain": "mms.cpm.test", **more},
        },
    }
    settings = parse(values, folder)
    async with opened(settings) as (_, people):
        if people.subscriber("alice") is None:
            people.add_user("alice", "Alice", PASSWORD, [Address("sip", "alice@cpm.test"), tel(ALICE_NUMBER)])
    async with build(settings).running() as app:
        await smsc.wait_bound()
        where = app.endpoints["mms"]["http"]
        url = f"http://{where[0]}:{where[1]}/mms"
        async with MmsPhone(smsc.handset(BOB_NUMBER), url, behaviour=behaviour) as bob:
            yield House(app, smsc, bob)


async def heard(device: LabDevice, message_id: str, what: str) -> None:
    await device.journal.wait("imdn", lambda e: e.what == what and e.facts["message_id"] == message_id)


async def test_a_phone_fetches_what_alice_sent_and_she_hears_of_it(tmp_path: Path) -> None:
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, house(tmp_path, smsc) as here, here.device() as alice:
        sent = await alice.message(BOB, "Grüße 😀")
        await heard(alice, sent.message_id, "delivered")
        mms = await here.bob.wait_mms()
        assert (mms.text, mms.sender) == ("Grüße 😀", f"{ALICE_NUMBER}/TYPE=PLMN")
        assert smsc.handset(BOB_NUMBER).texts == []  # a notification is shown to nobody as text


async def test_displayed_where_the_operator_trusts_read_reports(tmp_path: Path) -> None:
    async with (
        LabSmsc(accounts={"opencpm": "sesame"}) as smsc,
        house(tmp_path, smsc, read_to_display=True) as here,
        here.device() as alice,
    ):
        sent = await alice.message(BOB, "Hello", wants=("positive-delivery", "display"))
        mms = await here.bob.wait_mms()
        await heard(alice, sent.message_id, "delivered")
        await here.bob.read(mms)
        await heard(alice, sent.message_id, "displayed")


async def test_the_phone_answers_and_is_told(tmp_path: Path) -> None:
    async with (
        LabSmsc(accounts={"opencpm": "sesame"}) as smsc,
        house(tmp_path, smsc, display_to_read=True) as here,
        here.device() as alice,
    ):
        sent = await here.bob.send(["let us talk"], to=ALICE_NUMBER)
        assert sent.status == 0x80
        assert (await alice.journal.wait("message")).what == "let us talk"
        await here.bob.happened.until(lambda: sent.delivery)
        assert sent.delivery == [(f"{ALICE_NUMBER}/TYPE=PLMN", Status.RETRIEVED)]
        await alice.displayed(alice.inbox[0])
        await here.bob.happened.until(lambda: sent.read)


async def test_a_phone_that_rejects(tmp_path: Path) -> None:
    async with (
        LabSmsc(accounts={"opencpm": "sesame"}) as smsc,
        house(tmp_path, smsc, "rejecting") as here,
        here.device() as alice,
    ):
        sent = await alice.message(BOB, "Hello")
        await heard(alice, sent.message_id, "failed")


async def test_a_phone_that_cannot_be_notified(tmp_path: Path) -> None:
    """The SMS centre says that the number is gone: the notification's failure is the message's."""
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, house(tmp_path, smsc) as here, here.device() as alice:
        smsc.handset(BOB_NUMBER).coverage = Coverage.ABSENT
        sent = await alice.message(BOB, "Hello")
        await eventually(lambda: here.state(sent.message_id) in ("accepted", "failed"))
        ident = message_ident(Address.parse(ALICE), sent.message_id)
        await eventually(
            lambda: any("notif" in e.what and "not notified" in e.what for e in here.app.store.trail(ident))
        )


async def test_a_notification_waits_for_the_sms_network(tmp_path: Path) -> None:
    """It goes by no other network, and least of all by the one that it is about."""
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, house(tmp_path, smsc) as here, here.device() as alice:
        await smsc.down()
        await eventually(lambda: here.app.messaging.connectors["sms"].health().state.value == "down")
        sent = await alice.message(BOB, "Hello")
        await eventually(lambda: here.state(sent.message_id) == "accepted")
        assert here.bob.notifications == []
        await smsc.up()
        await heard(alice, sent.message_id, "delivered")
        assert len(here.bob.notifications) == 1
        assert here.app.messaging.connectors["mms"].describe()["messages kept"] == 1


async def test_somebody_unknown(tmp_path: Path) -> None:
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc, house(tmp_path, smsc) as here:
        sent = await here.bob.send(["Hello"], to="+12025550177")
        assert sent.status == 0x82  # two strangers: this centre is not for them


async def test_fetched_after_a_restart(tmp_path: Path) -> None:
    async with LabSmsc(accounts={"opencpm": "sesame"}) as smsc:
        async with house(tmp_path, smsc, "silent") as here, here.device() as alice:
            sent = await alice.message(BOB, "Hello")
            told = await here.bob.wait_notification()
        async with house(tmp_path, smsc, "silent") as here:
            location = f"{here.bob.url}/{told.location.rpartition('/')[2]}"
            mms = await here.bob.fetch(type(told)(told.transaction_id, location, "", "", 0))
            assert mms.text == "Hello"
            await here.bob.acknowledge(mms)
            await eventually(lambda: here.state(sent.message_id) == "delivered")
