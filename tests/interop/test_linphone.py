"""linphone against the running server: its daemon, whose notifications come deflated, and its console program."""

import pytest

from opencpm.domain.report import Report, Status
from tests.interop.house import ALICE, BOB, PASSWORDS, PHONE, house, tls
from tests.interop.linphone import console, daemon

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("linphone_is_there")]
EACH = pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])


def linphone(tmp_path, server, user, transport="udp", **more):
    return daemon(tmp_path / user, user, PASSWORDS[user], server.port(transport), transport, **more)


def reports_to(server, monkeypatch) -> list[Report]:
    """What devices report from now on."""
    reports, reported = [], server.app.messaging.reported

    def listening(found, done=None):
        reports.extend(found)
        reported(found, done)

    monkeypatch.setattr(server.app.messaging, "reported", listening)
    return reports


@EACH
async def test_registers_and_leaves(tmp_path, transport):
    async with house(tmp_path, **tls(tmp_path)) as server, linphone(tmp_path, server, "alice", transport) as one:
        await server.until_registered("alice")
        await one.program.write("quit")
        await server.until(lambda: not server.registered("alice"))


async def test_registers_by_sha_256(tmp_path):
    async with (
        house(tmp_path, digest_algorithms=["SHA-256"]) as server,
        linphone(tmp_path, server, "alice", algorithm="SHA-256") as alice,
    ):
        await server.until_registered("alice")
        await alice.message(str(BOB), "Hello Bob")
        await server.until(lambda: server.texts() == ["Hello Bob"])


@EACH
async def test_two_of_them_talk(tmp_path, transport, monkeypatch):
    async with (
        house(tmp_path, **tls(tmp_path)) as server,
        linphone(tmp_path, server, "alice", transport) as alice,
        linphone(tmp_path, server, "bob", transport) as bob,
    ):
        reports = reports_to(server, monkeypatch)
        await server.until_registered("alice", "bob")
        await alice.message(str(BOB), "Hello Bob, žluťoučký 😀")
        await bob.program.says(r'message-received\s+From: sip:alice@cpm.test[^"]*"Hello Bob, žluťoučký 😀"')
        await alice.program.says("LinphoneChatMessageStateDelivered")
        record = await server.until_state("delivered")
        # its notification: deflated, bare, about the Call-ID of our MESSAGE
        await server.until(lambda: reports)
        assert (reports[0].status, reports[0].delivery_id) == (Status.DELIVERED, record.id)
        await server.until(lambda: "Content-Encoding: deflate" in bob.log())
        await bob.message(str(ALICE), "Hello Alice")
        await alice.program.says(r'message-received\s+From: sip:bob@cpm.test[^"]*"Hello Alice"')


async def test_with_a_cpm_device(tmp_path):
    async with (
        house(tmp_path) as server,
        server.device("bob") as device,
        linphone(tmp_path, server, "alice") as alice,
    ):
        await server.until_registered("alice")
        sent = await device.message(str(ALICE), "Hello Alice")
        await alice.program.says('"Hello Alice"')
        await device.journal.wait("imdn")
        assert [(one.message_id, one.status) for one in device.imdns] == [(sent.message_id, "delivered")]
        await alice.message(str(BOB), "Hello Bob")
        await device.journal.wait("message")
        assert device.inbox[0].text == "Hello Bob"
        await device.displayed(device.inbox[0])
        await server.until_state("displayed")


async def test_to_a_telephone_and_back(tmp_path):
    async with house(tmp_path) as server, linphone(tmp_path, server, "alice") as alice:
        phone = server.smsc.handset(PHONE)
        await server.until_registered("alice")
        await alice.message(f"sip:{PHONE}@cpm.test", "Hello phone")
        text = await phone.wait_text(0)
        assert (text.text, text.sender) == ("Hello phone", "+12025550100")
        phone.reply("Hello Alice")
        await alice.program.says(r'From: <sip:\+12025550155@cpm.test;user=phone>[^"]*"Hello Alice"')


async def test_what_came_while_it_was_away_comes_when_it_registers(tmp_path):
    async with house(tmp_path) as server, server.device("bob") as device:
        for number in range(3):
            await device.message(str(ALICE), f"while you were away {number}")
        async with linphone(tmp_path, server, "alice") as alice:
            for number in range(3):
                await alice.program.says(f'"while you were away {number}"')
            await server.until_state("delivered", "bob", ALICE)


async def test_a_call_is_refused_and_nothing_stays(tmp_path):
    async with (
        house(tmp_path) as server,
        server.device("bob"),
        linphone(tmp_path, server, "alice") as alice,
    ):
        await server.until_registered("alice")
        await alice.command(f"call {BOB}")
        await server.until(lambda: "488 Not Acceptable Here" in alice.log())
        assert server.app.messaging.connectors["sip"].describe()["dialogs"] == 0


async def test_the_console_program(tmp_path):
    async with (
        house(tmp_path) as server,
        server.device("bob") as device,
        console(tmp_path / "alice", "alice", PASSWORDS["alice"], server.port("udp")) as alice,
    ):
        await server.until_registered("alice")
        await alice.write(f"chat {BOB} Hello Bob")
        await device.journal.wait("message")
        assert device.inbox[0].text == "Hello Bob"
        await device.message(str(ALICE), "Hello Alice")
        await alice.says("Hello Alice")
