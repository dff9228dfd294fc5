"""Foreign networks that misbehave: the link lives on or is tried again; what was accepted goes when it can."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from opencpm.app import build
from opencpm.lab.msn import LabMsn
from opencpm.protocols.smpp import pdu
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.framing import FrameBuffer
from opencpm.protocols.smpp.short_message import ShortMessage, encode_short_message
from tests.hostile.house import (
    ALICE,
    ALICE_MSN,
    BOB_MSN,
    PATIENCE,
    House,
    house,
    in_front_of,
    settings,
    settle_in,
)

BOUND = struct.pack(">LLLL", 17, 0x80000009, 0, 1) + b"\0"


def _pdu(command: int, body: bytes = b"", *, length: int = 0) -> bytes:
    return struct.pack(">LLLL", length or 16 + len(body), command, 0, 77) + body


DEADLY = [
    b"HTTP/1.1 400 Bad Request\r\n\r\n",
    b"\0" * 64,
    BOUND + _pdu(5, length=0x7FFFFFFF),
    BOUND + _pdu(5, length=3),
    BOUND + b"\xff" * 4000,
    BOUND[:10],
    b"",
]


async def test_what_an_smsc_cannot_mean_ends_the_link_not_the_server(tmp_path: Path) -> None:
    """The server comes again each time; a message accepted meanwhile is sent once the SMSC is itself."""
    async with house(tmp_path, front=DEADLY) as here:
        await here.lives()


class _Smsc:
    """One ESME's link, played by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames = FrameBuffer()
        self._waiting: list[bytes] = []

    async def read(self) -> pdu.Pdu:
        while not self._waiting:
            async with asyncio.timeout(PATIENCE):
                data = await self._reader.read(65536)
            assert data, "the server left"
            self._frames.feed(data, self._waiting)
        return pdu.decode(self._waiting.pop(0))

    async def ask(self, data: bytes) -> tuple[int, int]:
        """Command and status of the answer to a request, with the link alive (an enquire_link is answered)."""
        self._writer.write(data + struct.pack(">LLLL", 16, Command.ENQUIRE_LINK, 0, 4242))
        alive = False
        answer: tuple[int, int] | None = None
        while not alive or answer is None:
            found = await self.read()
            if found.sequence == 4242:
                alive = True
            else:
                assert answer is None, "answered twice"
                answer = int(found.command), found.status
        return answer


@asynccontextmanager
async def _smsc_by_hand(folder: Path) -> AsyncIterator[_Smsc]:
    came: asyncio.Future[_Smsc] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *ends: came.set_result(_Smsc(*ends)), "127.0.0.1", 0)
    of = settings(folder, server.sockets[0].getsockname()[:2])
    await settle_in(of)
    async with build(of).running():
        smsc = await came
        bind = await smsc.read()
        smsc._writer.write(struct.pack(">LLLL", 17, bind.command | 0x80000000, 0, bind.sequence) + b"\0")
        yield smsc
        smsc._writer.close()
    server.close()


def _deliver(**fields: object) -> bytes:
    values = {"source": "12025550101", "destination": "12025550100", "message": b"hi", **fields}
    return encode_short_message(Command.DELIVER_SM, 77, ShortMessage(**values))  # type: ignore[arg-type]


GOOD = _deliver()
NACK, RESP = 0x80000000, 0x80000005


@pytest.mark.parametrize(
    ("data", "answered"),
    [
        (_pdu(0x1FF), (NACK, 3)),  # ESME_RINVCMDID
        (_pdu(4, b"\0" * 20), None),  # submit_sm towards an ESME
        (_pdu(5, b"\xff" * 50), None),
        (_pdu(5, b"\0" * 3), None),
        (_pdu(5, GOOD[16:-1]), None),  # shorter than its sm_length
        (GOOD, (RESP, 0)),
        (_deliver(tlvs=((0x1400, b"vendor"),)), (RESP, 0)),
        (_deliver(message=b"\x05\x00\x03\x01\x00\x00x", esm_class=0x40), None),  # segment 0 of 0
        (_deliver(message=b"\xff\x00", esm_class=0x40), None),  # a header longer than the message
        (_deliver(message=b"id: sub: stat:", esm_class=4), None),  # a receipt that says nothing
        (_deliver(message=b"\xd8\x00", data_coding=8), None),  # half a surrogate pair
        (_deliver(source="", source_ton=5, message=b"\r\nX-Evil: 1"), None),
        (_deliver(source="a\r\nX-Evil: 1", source_ton=5), None),
        (_deliver(destination="99999"), None),  # nobody's number
    ],
    ids=range(14),
)
async def test_flawed_pdus_are_answered_and_the_link_lives(
    tmp_path: Path, data: bytes, answered: tuple[int, int] | None
) -> None:
    async with _smsc_by_hand(tmp_path) as smsc:
        answer = await smsc.ask(data)
        assert answered is None or answer == answered
        assert await smsc.ask(GOOD) == (RESP, 0)


@pytest.mark.parametrize("evil", ["a\r\nX-Evil: 1", "a\nX-Evil", "<sip:x>", '"', "a;b=c", "%0d%0aX"])
async def test_a_senders_name_stays_a_name(tmp_path: Path, evil: str) -> None:
    """An alphanumeric sender reaches a SIP device as an address, whatever is in it."""
    async with house(tmp_path) as here, here.device() as alice:
        source = evil[:20]
        deliver = ShortMessage(source=source, destination="12025550100", message=b"hi", source_ton=5)
        for connection in here.smsc._connections:
            connection.session.submit(deliver, None, asyncio.get_running_loop().time(), Command.DELIVER_SM)
            connection.link.wake()
        here.phone.send("the last one", "+12025550100")
        await alice.journal.wait("message", lambda one: one.what == "the last one", PATIENCE)
        for entry in alice.journal.find("sip.in"):
            lines = entry.raw.replace(b"\r", b"\n").split(b"\n")
            assert not any(line.lower().startswith(b"x-evil") for line in lines), entry.raw


MSN_GARBAGE = [
    b"\0" * 100,
    b"VER 1\r\n",
    b"XFR 3 NS nowhere:99999999\r\n",
    b"VER 1 MSNP12 CVR0\r\n" + b"MSG a b 999999999\r\n",
    b"x" * 100_000,
    b"HTTP/1.1 200 OK\r\n\r\n",
]


@asynccontextmanager
async def _with_msn(folder: Path, garbage: list[bytes]) -> AsyncIterator[tuple[House, LabMsn]]:
    async with LabMsn() as msn:
        account = msn.account(ALICE_MSN, name="Alice")
        msn.befriend(ALICE_MSN, BOB_MSN)
        async with in_front_of(msn.notification_server, garbage) as (host, port):
            pauses = {"reconnect_first": 0.02, "reconnect_max": 0.1, "switchboard_interval": 0.0}
            network = {"type": "msn", **msn.settings, "server": f"{host}:{port}", **pauses}
            async with house(folder, msn_password=account.password, networks={"msn": network}) as here:
                yield here, msn


async def test_an_msn_server_that_talks_nonsense(tmp_path: Path) -> None:
    """A message accepted while it does arrives when it has come to its senses."""
    async with _with_msn(tmp_path, MSN_GARBAGE) as (here, msn):
        bob = msn.buddy(BOB_MSN, "Bob")
        await here.api.post("/messages", {"to": [f"msn:{BOB_MSN}"], "text": "are you there?"})
        await here.lives()
        await bob.sign_in()
        assert await bob.text("are you there?", PATIENCE)


@pytest.mark.parametrize(
    "name", ["a\r\nX-Evil: 1", "a\r\nOUT\r\n", "<script>", 'a" <sip:evil@x>', "a%0d%0ab", "\u202e"]
)
async def test_a_buddys_name_stays_a_name(tmp_path: Path, name: str) -> None:
    async with _with_msn(tmp_path, []) as (here, msn), here.device(ALICE) as alice:
        alice.auto_answer = False
        bob = msn.buddy(BOB_MSN, name)
        await bob.sign_in()
        await bob.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN, PATIENCE)
        await here.api.post("/messages", {"to": [f"msn:{BOB_MSN}"], "text": "hello"})
        assert await bob.text("hello", PATIENCE)
        chat = bob.chat
        chat.send("answer")
        await alice.journal.wait("message", lambda one: "answer" in one.what, PATIENCE)
        for entry in alice.journal.find("sip.in"):
            lines = entry.raw.replace(b"\r", b"\n").split(b"\n")
            assert not any(line.lower().startswith((b"x-evil", b"out")) for line in lines), entry.raw


async def test_a_text_cannot_leave_its_command(tmp_path: Path) -> None:
    """What Alice writes is payload to MSN, whatever it looks like."""
    async with _with_msn(tmp_path, []) as (here, msn):
        bob = msn.buddy(BOB_MSN, "Bob")
        await bob.sign_in()
        await bob.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN, PATIENCE)
        for text in ("a\r\nOUT\r\nb", "MSG 1 N 5\r\n\r\nOUT\r\n", "\r\n\r\n\r\n."):
            await here.api.post("/messages", {"to": [f"msn:{BOB_MSN}"], "text": text})
            assert await bob.text(patience=PATIENCE)
        assert msn.is_online(ALICE_MSN)
