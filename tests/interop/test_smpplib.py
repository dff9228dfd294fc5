"""An ESME that is not ours: smpplib, against the lab's SMSC; and our PDUs read by it."""

import asyncio

import pytest

from opencpm.lab.smsc import LabSmsc, ReceiptStyle
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.short_message import ShortMessage, encode_id_response, encode_short_message

try:
    import smpplib.client
    import smpplib.consts
    import smpplib.gsm
    import smpplib.smpp
except ImportError:
    smpplib = None

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("smpplib_is_there")]

BOB = "+12025550101"
ALICE = "12025550100"


class Theirs:
    """smpplib is blocking: it lives in a thread."""

    def __init__(self, address):
        self.client = smpplib.client.Client(*address, allow_unknown_opt_params=True, timeout=10)
        self.responses, self.delivered = [], []
        self.client.set_message_sent_handler(lambda pdu: self.responses.append(pdu.message_id))
        self.client.set_message_received_handler(self._got)

    def _got(self, pdu):
        self.delivered.append(pdu)
        return smpplib.consts.SMPP_ESME_ROK

    def bind(self):
        self.client.connect()
        self.client.bind_transceiver(system_id="cpm", password="secret")

    def send(self, text):
        parts, coding, esm = smpplib.gsm.make_parts(text)
        for part in parts:
            self.client.send_message(
                source_addr_ton=1,
                source_addr_npi=1,
                source_addr=ALICE,
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=BOB[1:],
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


@pytest.mark.parametrize("text", ["Hello Bob, 5 € [ok]", "long " * 60, "Привет " * 30])
async def test_bind_submit_receipt_and_unbind(text):
    async with LabSmsc(accounts={"cpm": "secret"}, style=ReceiptStyle(tlvs=True)) as smsc:
        bob = smsc.handset(BOB)
        theirs = Theirs(smsc.address)
        await asyncio.to_thread(theirs.bind)
        parts = await asyncio.to_thread(theirs.send, text)
        await asyncio.to_thread(theirs.read_until, lambda: len(theirs.responses) == len(theirs.delivered) == parts)
        assert bob.texts[0].text == text
        assert sorted(pdu.receipted_message_id for pdu in theirs.delivered) == sorted(theirs.responses)
        await asyncio.to_thread(theirs.leave)


async def test_a_handsets_text_arrives():
    async with LabSmsc() as smsc:
        theirs = Theirs(smsc.address)
        await asyncio.to_thread(theirs.bind)
        sent = smsc.handset(BOB).send("let us talk", to=ALICE)
        await asyncio.to_thread(theirs.read_until, lambda: theirs.delivered)
        assert theirs.delivered[0].short_message == b"let us talk"
        await smsc.happenings.until(lambda: sent.status == "accepted")
        await asyncio.to_thread(theirs.leave)


def test_our_pdus_read_by_them():
    client = smpplib.client.Client("127.0.0.1", 1, allow_unknown_opt_params=True)
    message = ShortMessage(
        ALICE, BOB[1:], b"Hello \x1be", registered_delivery=1, validity="000003000000000R", tlvs=((0x0204, b"\1\2"),)
    )
    theirs = smpplib.smpp.parse_pdu(
        encode_short_message(Command.SUBMIT_SM, 7, message), client=client, allow_unknown_opt_params=True
    )
    assert (theirs.command, theirs.sequence) == ("submit_sm", 7)
    assert (theirs.source_addr, theirs.destination_addr) == (ALICE.encode(), BOB[1:].encode())
    assert (theirs.short_message, theirs.registered_delivery) == (b"Hello \x1be", 1)
    response = smpplib.smpp.parse_pdu(encode_id_response(0x80000004, 0, 7, "1A2B3C"), client=client)
    assert response.message_id == b"1A2B3C"
