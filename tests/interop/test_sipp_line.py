"""SIPp as a telephone: SIP and RTP by another hand, and in it the very sound that real equipment made."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import numpy as np
import pytest

from opencpm.domain.delivery import OutcomeKind
from opencpm.interworking.fixedline import build
from opencpm.protocols.g711 import PCMA
from tests.interop.house import HOST, free_port
from tests.interop.programs import running
from tests.interop.sipp import PASSED, acknowledged, expect, scenario, send
from tests.interworking.fixedline.support import LineInbox, context, delivery
from tests.protocols.fsk.line import listed, samples

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("sipp_is_there")]
CENTRE, LINE = "442079460199", "442079460155"
SDP = (
    "v=0\no=- 1 1 IN IP4 [local_ip]\ns=-\nc=IN IP4 [media_ip]\nt=0 0\n"
    "m=audio [media_port] RTP/AVP 8 101\na=rtpmap:8 PCMA/8000\na=rtpmap:101 telephone-event/8000\n"
)
PLAY = '<nop><action><exec rtp_stream="sound.raw,1,8"/></action></nop>'
HANGS_UP = (
    '<recv request="BYE"/><send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n'
    "[last_CSeq:]\nContent-Length: 0\n\n]]></send>"
)


@asynccontextmanager
async def connector(port):
    """Our end of a trunk whose other end is SIPp."""
    settings = {"host": HOST, "port": port, "listen_port": 0, "number": "+" + CENTRE, "keep_alive": 0}
    made = build({"type": "fixedline", **settings}, context())
    inbox = LineInbox()
    task = asyncio.create_task(made.run(inbox))
    await inbox.until(lambda: inbox.healths)
    try:
        yield made, inbox
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def sipp(folder, port, sound, *steps, to=0):
    (folder / "sound.raw").write_bytes(PCMA.encode(np.concatenate((sound, np.zeros(80_000, np.int16)))))
    path = scenario(folder, "line", *steps)
    target = [f"{HOST}:{to}"] if to else []
    media = free_port() & ~1
    command = [
        *("sipp", *target, "-sf", path.name, "-i", HOST, "-mi", HOST, "-p", str(port), "-mp", str(media), "-m", "1"),
        *("-cp", str(free_port()), "-nostdin", "-nd", "-timeout", "30s", "-timeout_error"),
        *("-trace_err", "-error_file", "line.errors"),
    ]
    async with running(*command, home=folder) as program:
        yield program
        status = await program.ended(30)
        errors = folder / "line.errors"
        assert status == PASSED, errors.read_text() if errors.exists() else program.said


async def test_the_recorded_sound_of_a_terminal_takes_our_text(tmp_path):
    """A live terminal's side of a call, as it was recorded, plays to our centre: EST and then ACK, at its own times."""
    port = free_port()
    answers = (
        '<recv request="INVITE"/>',
        "<send><![CDATA[\nSIP/2.0 180 Ringing\n[last_Via:]\n[last_From:]\n[last_To:];tag=t1\n[last_Call-ID:]\n"
        "[last_CSeq:]\nContact: <sip:[local_ip]:[local_port]>\nContent-Length: 0\n\n]]></send>",
        "<send><![CDATA[\nSIP/2.0 200 OK\n[last_Via:]\n[last_From:]\n[last_To:];tag=t1\n[last_Call-ID:]\n"
        "[last_CSeq:]\nContact: <sip:[local_ip]:[local_port]>\nContent-Type: application/sdp\nContent-Length: [len]\n\n"
        + SDP
        + "]]></send>",
        acknowledged(),
        PLAY,
        HANGS_UP,
    )
    sound = samples("fixed-p1-deliver-we-are-sc-peer")
    async with connector(port) as (made, inbox), sipp(tmp_path, port, sound, *answers):
        made.send([delivery("Hello")])
        outcome = await inbox.outcome()
    assert outcome.kind is OutcomeKind.DELIVERED, outcome.error
    assert "protocol 1" in outcome.detail


async def test_the_recorded_sound_of_a_submit_reaches_us(tmp_path):
    """A recorded call to a live centre plays to ours: the text arrives, and we hang up when it has released."""
    port = free_port()
    fields = [
        ("From", f"<sip:{LINE}@[local_ip]>;tag=[pid][call_number]"),
        ("To", f"<sip:{CENTRE}@{HOST}>"),
        ("Call-ID", "[call_id]"),
        ("Contact", f"<sip:{LINE}@[local_ip]:[local_port]>"),
    ]
    invite = send(
        f"INVITE sip:{CENTRE}@{HOST} SIP/2.0",
        [*fields, ("CSeq", "1 INVITE"), ("Content-Type", "application/sdp")],
        "",
        SDP,
    )
    ack_fields = [
        (name, value + "[peer_tag_param]" if name == "To" else value) for name, value in fields if name != "Contact"
    ]
    ack = send("ACK [next_url] SIP/2.0", [*ack_fields, ("CSeq", "1 ACK")], retry=False)
    sound = samples("fixed-p1-submit-us")
    async with connector(port) as (made, inbox):
        to = made.endpoints["sip"][1]
        async with sipp(tmp_path, port, sound, invite, expect(200), ack, PLAY, HANGS_UP, to=to):
            await inbox.until(lambda: inbox.messages)
    (came,) = inbox.messages
    assert came.text == "Fixture submit €1"
    assert (came.sender.value, came.recipients[0].value) == ("+" + LINE, "+447700900123")
    assert listed("fixed-p1-submit", "us")[0].startswith("911e31")
