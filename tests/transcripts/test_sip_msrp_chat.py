"""The recorded MSRP client as Alice, against our server: its own octets, only our tag and path put in."""

from __future__ import annotations

import asyncio

from opencpm.domain.session import CloseReason
from opencpm.protocols import sdp
from opencpm.protocols.msrp.message import Frame, Parser, response
from opencpm.protocols.msrp.uri import parse_uri
from opencpm.protocols.sip.message import Message, parse
from tests.access.sip.rig import ALICE, BOB
from tests.access.sip.session_rig import chat, running_sessions
from tests.transcripts.sip_script import Recorded, read

BOBS_TAG, BOBS_PATH = b"058333aa-d9c0-4979-9ad8-40aec109e7db", b"msrp://192.0.2.2:39353/f909c5e01dfb307d83d4;tcp"
BOBS_GRUU = b"sip:bob@cpm.test;gr=urn:uuid:4f4360e6-0cd1-4869-9f5a-0c1875c0cc88"


def of_alice(transport: str, start: bytes = b"") -> list[bytes]:
    events: list[Recorded] = read("sip-msrp-chat-session.txt")
    return [e.data for e in events if e.source == "alice" and e.transport == transport and e.data.startswith(start)]


async def test_a_recorded_client_chats():
    async with running_sessions(trust_flows=["udp"], listen=({"transport": "udp"},)) as rig:
        alice = await rig.device("alice", "udp", '+sip.instance="<urn:uuid:471d06e2-b25f-417a-a1f8-ed4124c1a2f4>"')

        alice.write(of_alice("UDP", b"INVITE")[0])
        ok = await alice.answered("INVITE")
        assert ok.status == 200, ok
        assert b"a=setup:passive\r\n" in ok.body
        tag = ok.get("to").rpartition("tag=")[2].encode()
        contact = ok.get("contact").partition("<")[2].partition(">")[0].encode()
        _, terms = sdp.msrp_media(sdp.parse(ok.body))
        ours = terms.path.encode()

        def now(data: bytes) -> bytes:
            return data.replace(BOBS_TAG, tag).replace(BOBS_PATH, ours).replace(BOBS_GRUU, contact)

        alice.write(now(of_alice("UDP", b"ACK")[0]))
        uri = parse_uri(terms.path)
        reader, writer = await asyncio.open_connection(uri.host, uri.port)
        opening, typing, hello, *_ = of_alice("MSRP")
        writer.write(now(opening + typing + hello))
        parser, frames = Parser(), []
        while len(frames) < 3:
            frames += parser.feed(await reader.read(4096))
        # The typing wanted no answer; the text is answered and, as it asked, reported.
        assert [f.method or f.status for f in frames] == [200, 200, "REPORT"]
        assert frames[2].headers["message-id"] == "3807e47784c532ab"
        assert (await rig.inbox.events.typing.get()).refresh == 60
        message = await rig.inbox.events.messages.get()
        assert (message.text, message.sender, message.recipients) == ("hello over msrp", ALICE, (BOB,))

        _, leg = await rig.inbox.invitations.get()
        leg.send([chat("reply: hello over msrp")])
        frame: Frame = (parser.feed(await reader.read(4096)))[0]
        writer.write(response(frame.tid, 200, terms.path, "msrp://192.0.2.2:33487/8c7c72586d6e6077625f;tcp"))
        assert (await rig.inbox.events.outcomes.get()).error is None

        alice.write(now(of_alice("UDP", b"BYE")[0]))
        assert (await alice.answered("BYE")).status == 200
        assert (await rig.inbox.events.ends.get())[0] is CloseReason.NORMAL
        writer.close()


async def test_the_recorded_client_is_told_bye_at_its_gruu():
    async with running_sessions(trust_flows=["udp"], listen=({"transport": "udp"},)) as rig:
        alice = await rig.device("alice", "udp")
        alice.write(of_alice("UDP", b"INVITE")[0])
        ok = await alice.answered("INVITE")
        tag = ok.get("to").rpartition("tag=")[2].encode()
        contact = ok.get("contact").partition("<")[2].partition(">")[0].encode()
        alice.write(of_alice("UDP", b"ACK")[0].replace(BOBS_TAG, tag).replace(BOBS_GRUU, contact))
        _, leg = await rig.inbox.invitations.get()
        byes: list[Message] = []
        alice.reply = lambda m: 200 if m.method == "BYE" and (byes.append(m) or True) else 0
        assert await leg.close(CloseReason.NORMAL) == "BYE 200 OK"
        assert byes[0].uri == "sip:alice@cpm.test;gr=urn:uuid:471d06e2-b25f-417a-a1f8-ed4124c1a2f4"


def test_every_recorded_sip_message_is_read():
    for name in ("sip-msrp-chat-session.txt", "sip-msrp-file-transfer.txt"):
        for event in read(name):
            if event.transport == "UDP":
                assert parse(event.data).flaw == ""
