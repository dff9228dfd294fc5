"""The lab is strict about what the recorded server is strict about, and says what that one says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from opencpm.lab.yahoo import Buddy, Invited, LabYahoo
from opencpm.protocols.ymsg import Framer, Packet
from opencpm.protocols.ymsg.packet import ERROR, encode, pairs
from opencpm.protocols.ymsg.services import CONTINUED, INVISIBLE, Service
from tests.protocols.ymsg.script import PASSWORD, connections


@pytest.fixture
async def lab() -> AsyncIterator[LabYahoo]:
    async with LabYahoo() as lab:
        for user in ("alice", "bob", "carol"):
            lab.buddy(user, PASSWORD)
        lab.befriend("alice", "bob")
        yield lab


class Raw:
    """A client that says what it likes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, version: int) -> None:
        self._reader, self._writer, self._version = reader, writer, version
        self._framer = Framer()
        self._waiting: list[Packet] = []

    @classmethod
    async def connected(cls, lab: LabYahoo, version: int = 10) -> Raw:
        host, _, port = lab.settings["server"].rpartition(":")
        return cls(*await asyncio.open_connection(host, int(port)), version)

    def say(self, service: int, *values: tuple[int, str | int], status: int = 0) -> None:
        self._writer.write(encode(Packet(service, status, pairs(*values)), self._version))

    async def hear(self) -> Packet | None:
        """The next packet; None when the service closes."""
        async with asyncio.timeout(10):
            while not self._waiting:
                data = await self._reader.read(4096)
                if not data:
                    return None
                self._waiting += [packet for packet in self._framer.feed(data) if isinstance(packet, Packet)]
        return self._waiting.pop(0)


async def test_nobody_is_asked_before_the_hello_and_nobody_is_in_before_the_proof(lab: LabYahoo) -> None:
    raw = await Raw.connected(lab)
    raw.say(Service.MESSAGE, (1, "alice"), (5, "bob"), (14, "x"))
    raw.say(Service.AUTHRESP, (6, "x"), (96, "x"))
    raw.say(Service.VERIFY)
    assert await raw.hear() == Packet(Service.VERIFY, 1)
    assert not lab.is_online("alice")


@pytest.mark.parametrize(("user", "code"), [("alice", 13), ("nobody", 3)])
async def test_refused_logins(lab: LabYahoo, user: str, code: int) -> None:
    raw = await Raw.connected(lab)
    raw.say(Service.VERIFY)
    raw.say(Service.AUTH, (1, user))
    raw.say(Service.AUTHRESP, (0, user), (6, "x"), (96, "x"), (1, user))
    assert [packet and packet.service for packet in (await raw.hear(), await raw.hear())] == [0x4C, 0x57]
    refused = await raw.hear()
    assert refused is not None
    assert (refused.service, refused.status, refused.number(66)) == (Service.AUTHRESP, ERROR, code)
    assert await raw.hear() is None


@pytest.mark.parametrize("version", [9, 10])
async def test_what_follows_a_login_is_what_the_recorded_server_says(lab: LabYahoo, version: int) -> None:
    recorded = [line.packet for line in connections(version)[0][1] if line.direction == "S"]
    services = [packet.service for packet in recorded[1 : 5 if version == 10 else 4]]
    bob = lab.buddies["bob"]
    lab.buddies["alice"].version = bob.version = version
    await lab.buddies["alice"].sign_in()
    await bob.sign_in()
    bob.say("alice", "x")
    await lab.buddies["alice"].text()
    said = [line.packet.service for line in lab.log if line.user == "alice" and line.direction == "S" and line.packet]
    assert said[: len(services)] == services
    keys = {
        line.name: [key for key, _ in line.packet.pairs]
        for line in lab.log
        if line.user == "alice" and line.direction == "S" and line.packet is not None and line.packet.status != 0
    }
    live = {packet.service: [key for key, _ in packet.pairs] for packet in recorded if packet.status == 1}
    assert keys["LOGON"] == live[Service.LOGON]
    assert sorted(keys["MESSAGE"]) == sorted([*live[Service.MESSAGE], 63, 64])


async def test_a_second_login_throws_out_the_first(lab: LabYahoo) -> None:
    first = lab.buddies["alice"]
    await first.sign_in()
    other = Buddy("alice", PASSWORD, first._where)
    await other.sign_in()
    await first.happened.wait(lambda it: it.what == "failed" and "another place" in it.text)
    assert other.online
    await other.close()


async def test_goodbye_is_nothing_until_the_connection_is_closed(lab: LabYahoo) -> None:
    bob = lab.buddies["bob"]
    await bob.sign_in()
    await lab.buddies["alice"].sign_in()
    await bob.happened.wait(lambda it: it.what == "presence" and it.text == "0")
    bob.send(Packet(Service.LOGOFF))
    bob.say("alice", "still here")
    assert await lab.buddies["alice"].text() == "still here"
    assert lab.is_online("bob")
    bob.drop()
    await lab.buddies["alice"].happened.wait(lambda it: it.what == "presence" and it.text == "offline")


async def test_kept_texts_come_in_order_several_in_a_packet(lab: LabYahoo) -> None:
    alice, bob = lab.buddies["alice"], lab.buddies["bob"]
    await alice.sign_in()
    for number in range(15):
        alice.say("bob", str(number))
    alice.say("nobody", "silence")
    alice.say("carol", "also kept: strangers may write")
    async with asyncio.timeout(10):
        while not lab.keeps("carol"):
            await asyncio.sleep(0.001)
    await bob.sign_in()
    await bob.text("14")
    assert bob.texts() == [str(number) for number in range(15)]
    packets = [line for line in lab.log.of("MESSAGE", direction="S", user="bob") if line.packet]
    assert {line.packet.status for line in packets if line.packet} == {CONTINUED}
    assert len(packets) == 2
    assert lab.keeps("bob") == 0


async def test_invisible_people_can_write(lab: LabYahoo) -> None:
    alice, bob = lab.buddies["alice"], lab.buddies["bob"]
    await alice.sign_in()
    await bob.sign_in(invisible=True)
    bob.say("alice", "boo")
    await alice.text("boo")
    assert "bob" not in alice.presence
    bob.show(0)
    await alice.happened.wait(lambda it: it.what == "presence" and it.text == "0")
    bob.show(INVISIBLE)
    await alice.happened.wait(lambda it: it.what == "presence" and it.text == "offline")


@pytest.mark.parametrize("version", [10, 16])
async def test_conferences(lab: LabYahoo, version: int) -> None:
    alice, bob, carol = (lab.buddies[user] for user in ("alice", "bob", "carol"))
    for buddy in (alice, bob, carol):
        buddy.version = version
        await buddy.sign_in()
    carol.invitations = Invited.DECLINE
    room = alice.confer("bob", "carol", "nobody")
    await alice.happened.wait(lambda it: it.what == "joined" and it.peer == "bob")
    await alice.happened.wait(lambda it: it.what == "declined" and it.peer == "carol")
    alice.say_in(room, "hello")
    await bob.text("hello")
    carol.rooms[room] = {"carol", "alice"}
    carol.say_in(room, "I am not in it")
    bob.leave(room)
    await alice.happened.wait(lambda it: it.what == "left" and it.peer == "bob")
    assert alice.texts() == []


async def test_the_log_has_no_secrets(lab: LabYahoo) -> None:
    lab.buddies["alice"].version = 16
    await lab.buddies["alice"].sign_in()
    await lab.buddies["bob"].sign_in()
    text = "\n".join(line.text for line in lab.log)
    assert PASSWORD not in text
    assert "307=<secret>" in text
    assert "6=<secret> 96=<secret>" in text
