"""The lab from outside: two buddies on real sockets, the log as evidence, trouble on demand."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from opencpm.lab.msn import Buddy, Calls, LabMsn

ALICE, BOB = "alice@msn.test", "bob@msn.test"


@pytest.fixture
async def lab() -> AsyncIterator[LabMsn]:
    async with LabMsn(challenge=True) as lab:
        lab.buddy(ALICE, "Alice")
        lab.buddy(BOB, "Bob")
        lab.befriend(ALICE, BOB)
        yield lab


async def both(lab: LabMsn) -> tuple[Buddy, Buddy]:
    alice, bob = lab.buddies[ALICE], lab.buddies[BOB]
    await bob.sign_in("BSY")
    await alice.sign_in()
    await alice.happened.wait(lambda it: it.what == "presence" and it.text == "BSY")
    await bob.happened.wait(lambda it: it.what == "presence" and it.text == "NLN")
    return alice, bob


@pytest.mark.parametrize("dialect", ["MSNP18", "MSNP16", "MSNP15", "MSNP13", "MSNP12", "MSNP10", "MSNP8", "MSNP2"])
async def test_talk(lab: LabMsn, dialect: str) -> None:
    for buddy in lab.buddies.values():
        buddy.dialects = (dialect,)
    alice, bob = await both(lab)
    window = await alice.start_chat(BOB)
    window.typing()
    window.send("Hello Bob ☃")
    assert await bob.text() == "Hello Bob ☃"
    bob.chat.send("Hi Alice")
    bob.chat.nudge()
    assert await alice.text() == "Hi Alice"
    await alice.happened.wait(lambda it: it.what == "nudge")
    await alice.happened.wait(lambda it: it.what == "accepted")
    theirs = bob.chat
    window.leave()
    await window.closed.wait()
    await bob.happened.wait(lambda it: it.what == "left")
    theirs.leave()
    await theirs.closed.wait()
    assert bob.chats == []
    verbs = [line.verb for line in lab.log if line.connection == "SB 1" and line.direction == "C"]
    assert verbs == ["USR", "CAL", "MSG", "MSG", "OUT"]
    assert "alice@msn.test Alice" in lab.log.of("RNG", account=BOB)[0].text
    assert lab.log.of("CHL", account=ALICE)
    assert lab.log.of("QRY", direction="S", account=ALICE)


async def test_presence_and_signing_out(lab: LabMsn) -> None:
    alice, bob = await both(lab)
    bob.set_status("AWY")
    await alice.happened.wait(lambda it: it.what == "presence" and it.text == "AWY")
    bob.set_status("HDN")
    await alice.happened.wait(lambda it: it.what == "presence" and it.text == "FLN")
    with pytest.raises(ConnectionError, match="217"):
        await alice.start_chat(BOB)
    await bob.sign_out()
    assert not bob.online
    assert not lab.is_online(BOB)


@pytest.mark.parametrize("dialect", ["MSNP18", "MSNP15", "MSNP8", "MSNP2"])
async def test_secrets_are_not_in_the_log(lab: LabMsn, dialect: str) -> None:
    for buddy in lab.buddies.values():
        buddy.dialects = (dialect,)
    alice, _ = await both(lab)
    logged = "\n".join(line.text for line in lab.log)
    world = lab._world
    assert not any(
        secret and secret in logged for secret in (lab.account(ALICE).password, *world.tokens, *world.logins)
    )
    said = [line.text for line in lab.log.of("USR", direction="C", account=ALICE)][-1]
    assert said.split(" ")[4] in ("<token>", "<ticket>")
    assert alice.online


async def test_wrong_password() -> None:
    async with LabMsn() as lab:
        lab.account(ALICE, "right")
        buddy = Buddy(ALICE, "wrong", "Alice", lab._where)
        with pytest.raises(PermissionError):
            await buddy.sign_in()


async def test_refused_login(lab: LabMsn) -> None:
    lab.faults.refuse_login = 911
    with pytest.raises(ConnectionError, match="authentication"):
        await lab.buddies[ALICE].sign_in()


async def test_signed_in_elsewhere(lab: LabMsn) -> None:
    alice, _ = await both(lab)
    second = Buddy(ALICE, lab.account(ALICE).password, "Alice", lab._where)
    await second.sign_in()
    await alice.happened.wait(lambda it: it.what == "failed" and it.text == "OUT OTH")
    assert lab.is_online(ALICE)
    await second.close()


@pytest.mark.parametrize("calls", [Calls.IGNORE, Calls.DECLINE])
async def test_calls_not_taken(lab: LabMsn, calls: Calls) -> None:
    alice, bob = await both(lab)
    bob.calls = calls
    opening = asyncio.get_running_loop().create_task(alice.start_chat(BOB))
    await bob.happened.wait(lambda it: it.what == "rung")
    if calls is Calls.DECLINE:
        await opening
        await alice.happened.wait(lambda it: it.what == "left")
    else:
        assert not opening.done()
        opening.cancel()


async def test_messages_not_delivered(lab: LabMsn) -> None:
    alice, _bob = await both(lab)
    window = await alice.start_chat(BOB)
    lab.faults.nak = True
    window.send("one")
    await alice.happened.wait(lambda it: it.what == "lost")
    lab.faults.clear()
    lab.disconnect(ALICE, "SB")
    await window.closed.wait()


async def test_errors_silence_and_delay(lab: LabMsn) -> None:
    alice, _bob = await both(lab)
    lab.faults.errors["XFR"] = 713
    with pytest.raises(ConnectionError, match="713"):
        await alice.start_chat(BOB)
    lab.faults.errors.clear()
    lab.faults.delay = 0.01
    window = await alice.start_chat(BOB)
    for number in range(5):
        window.send(str(number))
    await lab.buddies[BOB].text("4")
    assert [said.text for said in lab.buddies[BOB].chat.lines] == ["0", "1", "2", "3", "4"]


async def test_down_and_up_on_the_same_ports(lab: LabMsn) -> None:
    alice, bob = await both(lab)
    where = lab.notification_server
    await lab.down()
    await alice.happened.wait(lambda it: it.what == "signed-off")
    with pytest.raises(OSError):
        await bob.sign_in()
    await lab.up()
    assert lab.notification_server == where
    await bob.sign_in()


async def test_blocked_and_unknown(lab: LabMsn) -> None:
    lab.block(BOB, ALICE)
    alice, bob = lab.buddies[ALICE], lab.buddies[BOB]
    await alice.sign_in()
    await bob.sign_in()
    for who in (BOB, "nobody@msn.test"):
        with pytest.raises(ConnectionError, match="217"):
            await alice.start_chat(who)
    assert alice.presence.get(BOB) is None


async def test_adding_a_contact(lab: LabMsn) -> None:
    desk = lab.buddy("desk@msn.test")
    alice = lab.buddies[ALICE]
    await alice.sign_in()
    await desk.sign_in()
    alice.add("desk@msn.test")
    await alice.happened.wait(lambda it: it.what == "presence" and it.peer == "desk@msn.test")
    assert [line.text.split(" ")[:2] for line in lab.log.of("ADL", direction="S", account="desk@msn.test")][1] == [
        "ADL",
        "0",
    ]


async def test_what_is_not_msnp_breaks_only_its_own_connection(lab: LabMsn) -> None:
    alice, _ = await both(lab)
    reader, writer = await asyncio.open_connection(*lab.notification_server)
    writer.write(b"\x16\x03\x01\r\n")
    assert await reader.read() == b""
    writer.close()
    assert alice.online
