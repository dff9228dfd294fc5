"""baresip against the running server: it speaks text/plain over UDP, TCP and TLS and knows no dispositions."""

from contextlib import AsyncExitStack

import pytest

from tests.interop.baresip import baresip
from tests.interop.house import ALICE, BOB, PASSWORDS, PHONE, free_port, house, tls

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("baresip_is_there")]
EACH = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


def alice(tmp_path, server, contact="", transport="udp"):
    return baresip(
        tmp_path / "alice", "alice", PASSWORDS["alice"], server.port(transport), contact=contact, transport=transport
    )


def bob(tmp_path, server, transport="udp"):
    return baresip(
        tmp_path / "bob", "bob", PASSWORDS["bob"], server.port(transport), contact=str(ALICE), transport=transport
    )


@EACH
async def test_registers_and_leaves(tmp_path, transport):
    async with house(tmp_path, **tls(tmp_path)) as server, alice(tmp_path, server, transport=transport) as one:
        await one.program.says(r"All 1 useragent registered successfully")
        assert server.registered("alice")
        assert await one.quit() == 0
        await server.until(lambda: not server.registered("alice"))


async def test_a_wrong_password_is_refused(tmp_path):
    async with house(tmp_path) as server:
        async with baresip(tmp_path / "alice", "alice", "not-hers", server.port("udp")) as one:
            await one.program.says("401 Unauthorized[^!]*401 Unauthorized")
        assert not server.registered("alice")


@EACH
async def test_two_of_them_talk(tmp_path, transport):
    async with (
        house(tmp_path, **tls(tmp_path)) as server,
        alice(tmp_path, server, str(BOB), transport) as one,
        bob(tmp_path, server, transport) as other,
    ):
        await server.until_registered("alice", "bob")
        await one.message("Hello Bob, žluťoučký 😀")
        await other.program.says(r'sip:alice@cpm.test: "Hello Bob, žluťoučký 😀"')
        await other.message("Hello Alice")
        await one.program.says(r'sip:bob@cpm.test: "Hello Alice"')
        await server.until_state("delivered")
        await server.until_state("delivered", "bob", ALICE)


async def test_with_a_cpm_device(tmp_path):
    """CPIM is unwrapped for baresip; what the device reports is kept although baresip cannot be told."""
    async with (
        house(tmp_path) as server,
        alice(tmp_path, server, str(BOB)) as one,
        server.device("bob") as device,
    ):
        await server.until_registered("alice")
        sent = await device.message(str(ALICE), "Hello Alice")
        await one.program.says(r"(?s)Content-Type: text/plain;charset=UTF-8.*sip:bob@cpm.test: \"Hello Alice\"")
        told = await device.journal.wait("imdn")
        assert (sent.status, told.facts.get("message_id", sent.message_id)) == (202, sent.message_id)
        await one.message("Hello Bob")
        heard = (await device.journal.wait("message")) and device.inbox[0]
        assert heard.text == "Hello Bob"
        await device.displayed(heard)
        await server.until_state("displayed")


async def test_to_a_telephone_and_back(tmp_path):
    async with house(tmp_path) as server, alice(tmp_path, server, f"sip:{PHONE}@cpm.test") as one:
        phone = server.smsc.handset(PHONE)
        await server.until_registered("alice")
        await one.message("Hello phone")
        text = await phone.wait_text(0)
        assert (text.text, text.sender) == ("Hello phone", "+12025550100")
        phone.reply("Hello Alice")
        await one.program.says(r'sip:\+12025550155@cpm.test;user=phone: "Hello Alice"')


async def test_what_came_while_it_was_away_comes_when_it_registers(tmp_path):
    async with house(tmp_path) as server, server.device("bob") as device:
        for number in range(3):
            await device.message(str(ALICE), f"while you were away {number}")
        async with alice(tmp_path, server) as one:
            for number in range(3):
                await one.program.says(f'sip:bob@cpm.test: "while you were away {number}"')
            await server.until_state("delivered", "bob", ALICE)


async def test_a_restart_of_the_server_goes_unnoticed(tmp_path):
    """The registration over UDP is kept: what comes after the restart is delivered without a new REGISTER."""
    port = free_port()
    async with AsyncExitStack() as stack:
        async with house(tmp_path, udp_port=port) as server:
            one = await stack.enter_async_context(alice(tmp_path, server, str(BOB)))
            await server.until_registered("alice")
        async with house(tmp_path, udp_port=port) as server, server.device("bob") as device:
            await device.message(str(ALICE), "after the restart")
            await one.program.says('sip:bob@cpm.test: "after the restart"')
            await one.message("still here")
            await device.journal.wait("message")
            assert device.inbox[0].text == "still here"
            requests = server.app.messaging.connectors["sip"].describe()["requests"]
            assert requests["REGISTER"] == 2  # the device's, and no other
            await one.quit()
