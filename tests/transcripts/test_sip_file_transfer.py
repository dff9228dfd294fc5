"""The recorded client sends its file to our server: its own signalling and framing, with bytes of ours in place of
those the recording leaves out (and so their hash, which has the same length)."""

from __future__ import annotations

import asyncio
import hashlib

from opencpm.protocols import sdp
from opencpm.protocols.msrp.message import Parser
from opencpm.protocols.msrp.uri import parse_uri
from tests.access.sip.rig import ALICE, BOB
from tests.access.sip.session_rig import running_sessions
from tests.transcripts.sip_script import Recorded, read

BOBS_TAG, BOBS_PATH = b"bbd01b7b-d330-4079-873c-2fe4cfa89baf", b"msrp://192.0.2.2:45537/802fb60725dce2e831a9;tcp"
BOBS_GRUU = b"sip:bob@cpm.test;gr=urn:uuid:4f4360e6-0cd1-4869-9f5a-0c1875c0cc88"
SEEN_HASH = b"37:CB:4F:31:CF:66:28:F8:BD:73:32:AF:7C:14:C6:A9:9C:51:95:BC"
FILE = bytes(i * 7 % 251 for i in range(300_000))
HASH = hashlib.sha1(FILE, usedforsecurity=False).digest().hex(":").upper().encode()


def of_alice(transport: str, start: bytes = b"") -> list[bytes]:
    events: list[Recorded] = read("sip-msrp-file-transfer.txt")
    return [e.data for e in events if e.source == "alice" and e.transport == transport and e.data.startswith(start)]


def refilled(frame: bytes) -> bytes:
    """A recorded chunk with all of its bytes again."""
    head, _, _ = frame.partition(b"\r\n\r\n")
    start = int(head.partition(b"Byte-Range: ")[2].partition(b"-")[0])
    end = frame.rindex(b"\r\n-------")
    return head + b"\r\n\r\n" + FILE[start - 1 : start - 1 + 65_536] + frame[end:]


async def test_the_recorded_client_sends_its_file() -> None:
    async with running_sessions(trust_flows=["udp"], listen=({"transport": "udp"},)) as rig:
        alice = await rig.device("alice", "udp", '+sip.instance="<urn:uuid:471d06e2-b25f-417a-a1f8-ed4124c1a2f4>"')
        alice.write(of_alice("UDP", b"INVITE")[0].replace(SEEN_HASH, HASH))
        ok = await alice.answered("INVITE")
        assert ok.status == 200, ok
        _, terms = sdp.msrp_media(sdp.parse(ok.body))
        assert terms.direction == "recvonly"
        assert dict(terms.file)["file-transfer-id"] == "f5a24625-f78c-4b25-bb47-c97213449099"
        tag = ok.get("to").rpartition("tag=")[2].encode()
        contact = ok.get("contact").partition("<")[2].partition(">")[0].encode()

        def now(data: bytes) -> bytes:
            return data.replace(BOBS_TAG, tag).replace(BOBS_PATH, terms.path.encode()).replace(BOBS_GRUU, contact)

        alice.write(now(of_alice("UDP", b"ACK")[0]))
        uri = parse_uri(terms.path)
        reader, writer = await asyncio.open_connection(uri.host, uri.port)
        opening, offset, *chunks = of_alice("MSRP")
        writer.write(now(opening + offset))
        parser, frames = Parser(), []
        while len(frames) < 2:
            frames += parser.feed(await reader.read(4096))
        assert [frame.status for frame in frames] == [200, 501]  # its own extension: it goes on without
        writer.write(now(b"".join(refilled(chunk) for chunk in chunks)))
        while len(frames) < 8:
            frames += parser.feed(await reader.read(65536))
        assert [frame.status for frame in frames[2:7]] == [200] * 5
        assert frames[7].method == "REPORT"
        assert frames[7].headers["byte-range"] == "1-300000/300000"
        message = await rig.inbox.messages.get()
        assert (message.parts[0].body, message.parts[0].name) == (FILE, "ft.bin")
        assert (message.sender, message.recipients) == (ALICE, (BOB,))
        alice.write(now(of_alice("UDP", b"BYE")[0]))
        assert (await alice.answered("BYE")).status == 200
