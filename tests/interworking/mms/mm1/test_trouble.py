"""What comes to the door of phones that should not, or is not as it should be."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from opencpm.domain.address import Address
from opencpm.protocols.mm1 import decode, encode
from opencpm.protocols.mm1 import messages as mm1
from opencpm.protocols.mm1.fields import Field
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from tests.interworking.mms.mm1.support import ALICE, BOB, delivery, rig

FIXTURES = Path(__file__).parents[3] / "fixtures" / "mms"


async def test_the_recorded_message_of_a_live_exchange_is_taken() -> None:
    async with rig() as it:
        answer = await it.bob.post((FIXTURES / "mm1-send-req.bin").read_bytes())
        conf = decode(answer.content)
        assert conf.number(Field.RESPONSE_STATUS) == 0x80
        message = it.inbox.messages[0]
        assert message.sender == BOB
        assert [part.media_type for part in message.parts] == ["image/gif", "text/plain"]


async def test_strangers_are_not_answered() -> None:
    async with rig() as it, httpx.AsyncClient(trust_env=False) as stranger:
        assert (await stranger.get(f"{it.url}/x")).status_code == 403
        assert (await stranger.post(it.url, content=b"x")).status_code == 403
        assert (await stranger.get(f"{it.url}/x", headers={"X-MSISDN": "shop"})).status_code == 403
        assert (await stranger.get(f"{it.url}/x", headers={"X-MSISDN": "1" * 100})).status_code == 403
        assert it.counted("strangers") == 4
    async with rig(trusted=["10.0.0.1"]) as it:
        assert (await it.bob.get(f"{it.url}/x")).status_code == 403


@pytest.mark.parametrize("written", ["12025550101", "+1 202 555 0101".replace(" ", ""), "tel:+12025550101;ext=1"])
async def test_the_number_as_gateways_write_it(written: str) -> None:
    async with rig(behaviour="silent") as it:
        it.bob._client.headers["X-MSISDN"] = written
        await it.sent(delivery("Hello"))
        assert (await it.bob.fetch(await it.bob.wait_notification())).text == "Hello"


async def test_paths_methods_and_sizes() -> None:
    async with rig(max_post=20_000) as it:
        base = it.url.removesuffix("/mms")
        assert (await it.bob.get(f"{base}/other")).status_code == 404
        assert (await it.bob.get(f"{base}/mmsx")).status_code == 404
        assert (await it.bob._client.put(it.url, content=b"x")).status_code == 405
        assert (await it.bob.post(b"x" * 20_001)).status_code == 413
        assert (await it.bob.post(b"")).status_code == 400
        assert (await it.bob.post(b"\x8c\x80\x98" + b"x" * 500)).status_code == 400
        assert decode((await it.bob.get(f"{it.url}/no-such-name")).content).number(Field.RETRIEVE_STATUS) == 0xE2
        assert [reason for _, reason, _ in it.inbox.turned] == ["malformed", "malformed"]


async def test_pdus_that_are_not_for_us() -> None:
    async with rig() as it:
        for pdu in (
            mm1.send_conf("T1", 0x80, "x"),
            mm1.cancel_conf("T1", 0x80),  # type: ignore[arg-type]
        ):
            assert (await it.bob.post(encode(pdu))).status_code == 501
        assert (await it.bob.post(encode(mm1.notifyresp_ind("T1", 0x86)))).status_code == 200  # type: ignore[arg-type]
        assert it.counted("responses of no meaning") == 1


async def test_messages_that_lack_something() -> None:
    async with rig() as it:
        whole = mm1.send_req("T1", [f"{ALICE.value}/TYPE=PLMN"], mm1.mixed(), ())
        nobody = whole._replace(headers=tuple(h for h in whole.headers if h.field != Field.TO))
        empty = whole._replace(content_type=None, body=b"")
        broken = whole._replace(body=b"\x05\x7f\x7f\x7f")
        machine = mm1.send_req("T1", ["10.0.0.1/TYPE=IPv4"], mm1.mixed(), ())
        statuses = [
            decode((await it.bob.post(encode(pdu))).content).number(Field.RESPONSE_STATUS)
            for pdu in (nobody, empty, broken, whole, machine)
        ]
        assert statuses == [0x83, 0x83, 0x83, 0x83, 0x84]
        assert it.inbox.messages == []


async def test_one_request_more_than_can_be_in_hand_comes_again() -> None:
    import asyncio

    async with rig(at_once=1) as it:
        it.inbox.hold = True
        first = asyncio.create_task(it.bob.send(["Hello"], to=ALICE.value))
        await it.inbox.until(lambda: it.inbox.messages)
        second = await it.bob.get(f"{it.url}/x")
        assert (second.status_code, second.headers["retry-after"]) == (503, "5")
        it.inbox.release()
        assert (await first).status == 0x80


async def test_a_phone_that_goes_away_amid_its_message() -> None:
    import asyncio

    async with rig() as it:
        host, port = it.connector.endpoints["http"]
        _, writer = await asyncio.open_connection(host, port)
        writer.write(b"POST /mms HTTP/1.1\r\nHost: x\r\nX-MSISDN: +12025550101\r\nContent-Length: 500\r\n\r\nabc")
        await writer.drain()
        writer.close()
        await writer.wait_closed()
        assert (await it.bob.send(["Hello"], to=ALICE.value)).status == 0x80
        assert len(it.inbox.messages) == 1
        assert it.inbox.messages[0].sender == Address("tel", BOB.value)


def test_the_type_of_what_is_served() -> None:
    assert MEDIA_TYPE == "application/vnd.wap.mms-message"
