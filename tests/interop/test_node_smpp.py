"""An SMS centre that is not ours, made of node-smpp, at the other end of the server's SMPP link."""

from contextlib import asynccontextmanager

import pytest

from opencpm.domain.address import Address
from opencpm.domain.profile import HealthState
from tests.interop.house import ALICE_NUMBER, HOST, PHONE, house
from tests.interop.node import script

pytestmark = pytest.mark.interop
TO = f"sip:{PHONE}@cpm.test"
PHONE_ADDRESS = Address("tel", PHONE)


@pytest.fixture
def town(tmp_path, smsc_folder):
    """The centre, the server bound to it, and Alice's device."""

    @asynccontextmanager
    async def start(password="sesame", **settings):
        expected = HealthState.UP if password == "sesame" else HealthState.DOWN
        async with script(smsc_folder / "smsc.js", "opencpm", "sesame", home=tmp_path / "smsc") as centre:
            port = (await centre.event("listening"))["port"]
            link = {"host": HOST, "port": port, "system_id": "opencpm", "password": password, **settings}
            async with house(tmp_path, sms=link) as server:
                await centre.event("bound" if password == "sesame" else "refused")
                await server.until(lambda: health(server) is expected)
                async with server.device("alice") as alice:
                    yield centre, server, alice

    return start


def health(server):
    return server.app.messaging.connectors["sms"].health().state


@pytest.mark.parametrize(
    ("text", "parts"), [("Hello, 5 € [ok]", 1), ("žluťoučký 😀", 1), ("long " * 60, 2), ("Привет " * 30, 4)]
)
async def test_text_and_receipt(town, text, parts):
    async with town() as (centre, server, alice):
        await alice.message(TO, text)
        sent = [await centre.event("submitted") for _ in range(parts)]
        assert "".join(one["text"] for one in sent) == text
        assert {(one["source"], one["destination"]) for one in sent} == {(ALICE_NUMBER[1:], PHONE[1:])}
        assert all(one["udh"] for one in sent) == (parts > 1)
        await server.until_state("delivered", peer=PHONE_ADDRESS)
        await server.until(lambda: any(told.status == "delivered" for told in alice.imdns))


async def test_a_receipt_of_failure(town):
    async with town() as (centre, server, alice):
        await centre.order({"receipt": "UNDELIV"})
        await alice.message(TO, "Hello?")
        await server.until_state("failed", peer=PHONE_ADDRESS)


async def test_throttling_is_waited_out(town):
    async with town() as (centre, server, alice):
        await centre.order({"status": "ESME_RTHROTTLED", "times": 1})
        await alice.message(TO, "Hello")
        assert (await centre.event("refused"))["status"] == "ESME_RTHROTTLED"
        assert (await centre.event("submitted"))["text"] == "Hello"
        await server.until_state("delivered", peer=PHONE_ADDRESS)


@pytest.mark.parametrize(("text", "coding"), [("Hello Alice, 5 €", 0), ("Привет 😀", 8)])
async def test_a_text_from_a_phone(town, text, coding):
    async with town() as (centre, _, alice):
        fields = {"source_addr": PHONE[1:], "destination_addr": ALICE_NUMBER[1:], "source_addr_ton": 1}
        await centre.order({"deliver": {**fields, "short_message": text, "data_coding": coding}})
        await alice.journal.wait("message")
        assert (alice.inbox[0].text, alice.inbox[0].sender) == (text, f"tel:{PHONE}")
        assert (await centre.event("delivered"))["status"] == 0


async def test_a_long_text_from_a_phone_whose_parts_come_in_the_wrong_order(town):
    async with town() as (centre, _, alice):
        fields = {"source_addr": PHONE[1:], "destination_addr": ALICE_NUMBER[1:], "source_addr_ton": 1, "esm_class": 64}
        for udh, text in (("0500032a0202", "second"), ("0500032a0201", "first, ")):
            await centre.order({"deliver": {**fields, "udh": udh, "short_message": text}})
        await alice.journal.wait("message")
        assert [heard.text for heard in alice.inbox] == ["first, second"]


async def test_a_lost_link_comes_back(town):
    async with town() as (centre, server, alice):
        await centre.order({"drop": True})
        await centre.event("lost")
        await alice.message(TO, "Hello")
        await centre.event("bound")
        assert (await centre.event("submitted"))["text"] == "Hello"
        await server.until_state("delivered", peer=PHONE_ADDRESS)


async def test_a_wrong_password_leaves_the_network_down_and_the_text_waiting(town):
    async with town(password="wrong") as (_, server, alice):
        assert health(server) is HealthState.DOWN
        await alice.message(TO, "Hello")
        await server.until_state("queued", peer=PHONE_ADDRESS)
