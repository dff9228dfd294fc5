"""A Yahoo service, and people on it, that mean harm: at the running server."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.packet import HEADER, Packet, encode, pairs
from opencpm.protocols.ymsg.services import Service
from tests.hostile.house import in_front_of
from tests.interworking.sms.support import eventually
from tests.interworking.yahoo.server import TO_BOB, house
from tests.interworking.yahoo.stage import ALICE, ALICE_ADDRESS, BOB, CAROL

HELLO = encode(Packet(Service.VERIFY, 1), 0)
GARBAGE = [
    b"\0" * 100,
    b"HTTP/1.1 200 OK\r\n\r\n",
    b"x" * 100_000,
    HELLO + HEADER.pack(b"YMSG", 0, 0, 0xFFFF, Service.AUTH, 1, 0) + b"1\xc0\x80",
    HELLO + encode(Packet(Service.AUTH, 1, pairs((94, "short"))), 0),
    HELLO + encode(Packet(Service.AUTH, 1, pairs((94, b"\xff" * 24), (13, 99))), 0) + b"\xff" * 30,
    encode(Packet(Service.LOGOFF, 0), 0),
]


@pytest.fixture
async def lab() -> LabYahoo:  # type: ignore[misc]
    async with LabYahoo() as lab:
        lab.account(ALICE)
        lab.buddy(BOB)
        lab.buddy(CAROL)
        lab.befriend(ALICE, BOB)
        yield lab


async def test_a_service_that_talks_nonsense(tmp_path: Path, lab: LabYahoo) -> None:
    """A message accepted while it does arrives when it has come to its senses."""
    host, _, port = lab.settings["server"].rpartition(":")
    await lab.buddies[BOB].sign_in()
    async with in_front_of((host, int(port)), GARBAGE) as (front, at):
        more = {"server": f"{front}:{at}", "reconnect_max": 0.1, "step_timeout": 0.5}
        async with house(tmp_path, lab, signed_in=False, **more) as here, here.device() as alice:
            assert (await alice.message(TO_BOB, "are you there?")).status == 202
            assert await here.bob.text("are you there?") == "are you there?"


@pytest.mark.parametrize(
    "text", ["a\xc0\x80" + "5\xc0\x80carol", "\x1b[31m", "<ding>", "a\r\n\r\nYMSG\x00\x0a", "\u202e<b>", "14"]
)
async def test_a_text_cannot_leave_its_packet(tmp_path: Path, lab: LabYahoo, text: str) -> None:
    """What Alice writes is a value of key 14, whatever it looks like; and a buzz only where she means one."""
    await lab.buddies[BOB].sign_in()
    await lab.buddies[CAROL].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        assert (await alice.message(TO_BOB, text)).status == 202
        await alice.message(TO_BOB, "the end")
        await here.bob.text("the end")
        assert [it.what for it in here.bob.happened.all if it.what in ("text", "nudge")] in (["text", "text"], ["text"])
        assert lab.buddies[CAROL].texts() == []
        assert lab.is_online(ALICE)


@pytest.mark.parametrize("evil", ["x\r\nX-Evil: 1", "x\nX-Evil: 1\r\n\r\n", "<script>", "\u202e", '" <sip:evil@x>'])
async def test_what_people_write_stays_what_they_wrote(tmp_path: Path, lab: LabYahoo, evil: str) -> None:
    """Notes, subjects of conferences and texts reach Alice's device as content, never as a header."""
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        here.bob.show(99, evil, 0)
        here.bob.say(ALICE, f"text {evil}")
        await alice.journal.wait("message", lambda entry: "text" in entry.what)
        room = here.bob.confer(ALICE, CAROL, text=evil)
        await eventually(lambda: ALICE in here.bob.rooms[room])
        here.bob.say_in(room, f"said {evil}")
        await alice.journal.wait("message", lambda entry: "said" in entry.what)
        for entry in alice.journal.find("sip.in"):
            head = entry.raw.partition(b"\r\n\r\n")[0].replace(b"\r", b"\n").split(b"\n")
            assert not any(line.lower().startswith(b"x-evil") for line in head), entry.raw


async def test_packets_that_no_server_would_send(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        for service in (*Service, 0, 0xFFFF):
            if service in (Service.PROTOCOL_ERROR, Service.LOGOFF):
                continue
            for status in (0, 1, 3, 5, 7, 0x16):
                lab.say(ALICE, service, status, (7, "\x00"), (4, ""), (57, ""), (50, "x" * 300), (31, ""), (66, "NaN"))
        here.bob.say(ALICE, "still here")
        await alice.journal.wait("message", lambda entry: entry.what == "still here")
        assert lab.is_online(ALICE)
        accounts = await here.api.get("/accounts")
        assert [(a["address"], a["state"]) for a in accounts] == [(str(ALICE_ADDRESS), "connected")]
