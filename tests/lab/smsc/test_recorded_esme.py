"""Kannel as it was recorded, replayed against the lab's centre."""

import asyncio

from opencpm.lab.smsc import LabSmsc, ReceiptStyle
from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.command import RESPONSE, Command
from opencpm.protocols.smpp.framing import FrameBuffer
from tests.protocols.smpp.vectors import transcript


async def test_kannel_is_served():
    requests = [line.pdu for line in transcript("kannel-session") if line.side == "C" and not line.pdu[4] & 0x80]
    submits = [pdu.decode(r) for r in requests if r[4:8].hex() == "00000004"]
    wanted = sum(s.body["registered_delivery"] & 3 == 1 for s in submits)
    async with LabSmsc(accounts={"foo": "bar"}, style=ReceiptStyle(tlvs=True)) as smsc:
        bob = smsc.handset("+447700900003")
        reader, writer = await asyncio.open_connection(*smsc.address)
        answers, receipts, buffer = {}, [], FrameBuffer()
        writer.write(requests[0])
        await smsc.wait_bound()
        writer.write(b"".join(requests[1:]))
        async with asyncio.timeout(10):
            while len(answers) < len(requests) or len(receipts) < wanted:
                frames = []
                buffer.feed(await reader.read(65536), frames)
                for frame in map(pdu.decode, frames):
                    if frame.command & RESPONSE:
                        answers[frame.sequence] = frame
                    else:
                        receipts.append(frame)
        assert {a.status for a in answers.values()} == {0}
        assert {r.command for r in receipts} == {Command.DELIVER_SM}
        assert wanted == len(receipts) > 0
        # Kannel cut between a space and an emoji of a long UCS-2 text: it shows whole
        assert bob.texts[0].segments == 2
        assert "😀" in bob.texts[0].text
        assert "\ufffd" not in bob.texts[0].text
        writer.close()
