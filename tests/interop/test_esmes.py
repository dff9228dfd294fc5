"""ESMEs that are not ours bind to us: smpplib and node-smpp; behind us the lab's SMS centre."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from tests.access.smpp.house import NUMBER, PASSWORD, PHONE, SHOP, house_with_smsc
from tests.interop.node import script

try:
    import smpplib.client
    import smpplib.consts
    import smpplib.gsm
except ImportError:
    smpplib = None

pytestmark = pytest.mark.interop


class Theirs:
    """smpplib is blocking: it lives in a thread."""

    def __init__(self, address):
        self.client = smpplib.client.Client(*address, allow_unknown_opt_params=True, timeout=10)
        self.responses, self.delivered, self.refused = [], [], []
        self.client.set_message_sent_handler(lambda pdu: self.responses.append(pdu.message_id.decode()))
        self.client.set_message_received_handler(self._got)
        self.client.set_error_pdu_handler(lambda pdu: self.refused.append(pdu.status))

    def _got(self, pdu):
        self.delivered.append(pdu)
        return smpplib.consts.SMPP_ESME_ROK

    def bind(self, how="bind_transceiver"):
        self.client.connect()
        getattr(self.client, how)(system_id="shop", password=PASSWORD)

    def send(self, text, to=PHONE[1:], sender=NUMBER[1:]):
        parts, coding, esm = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr=sender,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=to,
                short_message=part,
                data_coding=coding,
                esm_class=esm,
                registered_delivery=True,
            )
        return len(parts)

    def read_until(self, true):
        while not true():
            self.client.read_once()

    def leave(self):
        self.client.unbind()
        self.client.disconnect()


@pytest.mark.usefixtures("smpplib_is_there")
@pytest.mark.parametrize("text", ["Hello Bob, 5 € [ok]", "long " * 60, "Привет " * 30])
async def test_smpplib_submits_and_gets_receipts(tmp_path, text):
    async with house_with_smsc(tmp_path) as one:
        phone = one.smsc.handset(PHONE)
        theirs = Theirs(one.address)
        await asyncio.to_thread(theirs.bind)
        parts = await asyncio.to_thread(theirs.send, text)
        await asyncio.to_thread(theirs.read_until, lambda: len(theirs.responses) == len(theirs.delivered) == parts)
        assert phone.texts[0].text == text
        receipts = [pdu.receipted_message_id.rstrip(b"\0").decode() for pdu in theirs.delivered]
        assert receipts == theirs.responses
        await asyncio.to_thread(theirs.leave)


@pytest.mark.usefixtures("smpplib_is_there")
async def test_smpplib_as_transmitter_and_receiver(tmp_path):
    async with house_with_smsc(tmp_path) as one:
        transmitter, receiver = Theirs(one.address), Theirs(one.address)
        await asyncio.to_thread(transmitter.bind, "bind_transmitter")
        await asyncio.to_thread(receiver.bind, "bind_receiver")
        await asyncio.to_thread(transmitter.send, "Hello")
        one.smsc.handset(PHONE).send("and back", to=SHOP)
        await asyncio.to_thread(receiver.read_until, lambda: len(receiver.delivered) == 2)
        assert b"and back" in [pdu.short_message for pdu in receiver.delivered]
        await asyncio.to_thread(transmitter.read_until, lambda: transmitter.responses)
        assert transmitter.responses[0] in [
            (pdu.receipted_message_id or b"").rstrip(b"\0").decode() for pdu in receiver.delivered
        ]
        for one_of in (transmitter, receiver):
            await asyncio.to_thread(one_of.leave)


@asynccontextmanager
async def node_esme(folder, one, bind="bind_transceiver", password=PASSWORD):
    host, port = one.address
    url = f"smpp://{host}:{port}"
    async with script(folder / "esme.js", url, "shop", password, bind, home=one.folder / "node") as esme:
        yield esme


async def test_node_smpp_both_ways(tmp_path, smsc_folder):
    async with house_with_smsc(tmp_path) as one:
        one.folder = tmp_path
        async with node_esme(smsc_folder, one) as esme:
            assert (await esme.event("bound"))["status"] == 0
            phone = one.smsc.handset(PHONE)
            await esme.order(
                {
                    "submit": {
                        "source_addr": SHOP,
                        "destination_addr": PHONE[1:],
                        "dest_addr_ton": 1,
                        "short_message": "Hello Bob, 5 €",
                        "registered_delivery": 1,
                    }
                }
            )
            submitted = await esme.event("submitted")
            assert submitted["status"] == 0
            assert (await phone.wait_text(0)).text == "Hello Bob, 5 €"
            receipt = await esme.event("delivered")
            assert (receipt["id"].rstrip("\0"), receipt["state"]) == (submitted["id"], 2)
            phone.reply("Thanks, é and ж")
            text = await esme.event("delivered")
            assert (text["from"], text["to"], text["text"]) == (PHONE[1:], SHOP, "Thanks, é and ж")
            await esme.order({"query": submitted["id"]})
            assert (await esme.event("state"))["state"] == 2
            await esme.order({"unbind": True})
            await esme.event("closed")


async def test_node_smpp_with_a_wrong_password(tmp_path, smsc_folder):
    async with house_with_smsc(tmp_path) as one:
        one.folder = tmp_path
        async with node_esme(smsc_folder, one, password="wrong") as esme:
            assert (await esme.event("bound"))["status"] == 0x0E


async def test_node_smpp_is_unbound_when_the_server_stops(tmp_path, smsc_folder):
    async with house_with_smsc(tmp_path) as one:
        one.folder = tmp_path
        async with node_esme(smsc_folder, one) as esme:
            await esme.event("bound")
            one.app.directory.set_barred("shop", True)
            await esme.event("unbound")
