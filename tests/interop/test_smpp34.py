"""An SMPP stack in Rust (smpp34): as SMS centre at the end of our link, and as ESME that binds to us."""

import asyncio
import socket

import pytest

from opencpm.domain.address import Address
from tests.access.smpp.house import PASSWORD, SHOP, house_with_smsc
from tests.access.smpp.house import PHONE as SHOPS_PHONE
from tests.interop.house import ALICE_NUMBER, HOST, PHONE, free_port, house

try:
    import smpp34
except ImportError:
    smpp34 = None

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("smpp34_is_there")]
PHONE_ADDRESS = Address("tel", PHONE)


class Centre:
    """Takes what is submitted, and reports it delivered under the id that it gave."""

    def __init__(self, server):
        self.server, self.esme, self.taken = server, None, []
        self.bound = asyncio.Event()

    async def serve(self):
        while True:
            event = await self.server.next()
            if isinstance(event, smpp34.Esme):
                self.esme = event
                self.bound.set()
            elif isinstance(event, smpp34.SubmitSmEvent):
                self.taken.append(event)
                message_id = f"{len(self.taken):08X}"
                event.accept(message_id)
                if event.registered_delivery:
                    await self.report(event, message_id)

    async def report(self, event, message_id):
        text = f"id:{message_id} sub:001 dlvrd:001 submit date:2611281200 done date:2611281201 stat:DELIVRD"
        await self.esme.deliver_sm(
            event.source_addr, text.encode(), source_addr=event.destination_addr, source_addr_ton=1, source_addr_npi=1,
            dest_addr_ton=1, dest_addr_npi=1, esm_class=4,
        )  # fmt: skip


@pytest.mark.parametrize("text", ["Hello Bob, 5 € [ok]", "long " * 60, "Привет " * 30])
async def test_as_sms_centre(tmp_path, text):
    port = free_port(socket.SOCK_STREAM)
    server = smpp34.Server(HOST, port, system_id="rust")
    await server.start()
    centre = Centre(server)
    serving = asyncio.create_task(centre.serve())
    try:
        async with house(tmp_path, sms={"host": HOST, "port": port, "reconnect_min": 0.05}) as one:
            await centre.bound.wait()
            async with one.device("alice") as alice:
                await alice.message(f"sip:{PHONE}@cpm.test", text)
                await one.until_state("delivered", peer=PHONE_ADDRESS)
                assert len({event.destination_addr for event in centre.taken}) == 1
                answer = await centre.esme.deliver_sm(
                    ALICE_NUMBER[1:], b"and back", source_addr=PHONE[1:], source_addr_ton=1, dest_addr_ton=1
                )
                assert answer.is_success
                await alice.journal.wait("message")
                assert [heard.text for heard in alice.inbox] == ["and back"]
    finally:
        serving.cancel()
        await asyncio.wait([serving])
        await server.stop()


async def test_as_esme(tmp_path):
    async with house_with_smsc(tmp_path) as one:
        host, port = one.address
        client = smpp34.Client(host, port, "shop", PASSWORD)
        bound = await client.connect()
        phone = one.smsc.handset(SHOPS_PHONE)
        answer = await bound.submit_sm(
            SHOPS_PHONE[1:], b"Hello \x1be", source_addr=SHOP, dest_addr_ton=1, dest_addr_npi=1, registered_delivery=1
        )
        assert answer.is_success
        assert (await phone.wait_text(0)).text == "Hello €"
        receipt = await bound.next()
        ids = [tlv.value.rstrip(b"\0").decode() for tlv in receipt.tlvs if tlv.tag == smpp34.TLV_RECEIPTED_MESSAGE_ID]
        assert ids == [answer.message_id]
        phone.reply("Thanks")
        text = await bound.next()
        assert (text.short_message, text.destination_addr) == (b"Thanks", SHOP)
        refused = await bound.submit_sm("", b"to nobody", source_addr=SHOP)
        assert refused.command_status == 0x0B
        await bound.unbind()
        await client.stop()


async def test_as_esme_with_a_wrong_password(tmp_path):
    async with house_with_smsc(tmp_path) as one:
        client = smpp34.Client(*one.address, "shop", "wrong", connect_timeout_ms=3000)
        with pytest.raises(Exception, match=r"(?i)bind|password|0x0000000e"):
            await client.connect()
        await client.stop()
