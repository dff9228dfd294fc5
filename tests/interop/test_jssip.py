"""JsSIP against the running server: SIP over WebSocket (RFC 7118), as browsers speak it."""

import pytest

from tests.interop.house import ALICE, BOB, PASSWORDS, PHONE, house, tls
from tests.interop.jssip_phone import phone

pytestmark = pytest.mark.interop
CPIM = (
    "From: <sip:anonymous@anonymous.invalid>\r\nTo: <sip:anonymous@anonymous.invalid>\r\n"
    "NS: imdn <urn:ietf:params:imdn>\r\nimdn.Message-ID: from-a-page\r\nDateTime: 2026-11-24T08:00:00.000Z\r\n"
    "imdn.Disposition-Notification: positive-delivery, display\r\n\r\n"
    "Content-Type: text/plain;charset=UTF-8\r\n\r\nHello Bob"
)


@pytest.fixture
def jssip(jssip_folder, tmp_path):
    """A function that starts a user's JsSIP."""

    def start(server, user, password="", scheme="ws"):
        password = password or PASSWORDS[user]
        return phone(jssip_folder, tmp_path / user, user, password, server.port(scheme), scheme=scheme)

    return start


async def test_registers_and_leaves(tmp_path, jssip):
    async with house(tmp_path) as server, jssip(server, "alice") as alice:
        assert (await alice.event("registered"))["status"] == 200
        assert server.registered("alice")
        await alice.quit()
        await alice.event("unregistered")
        await server.until(lambda: not server.registered("alice"))


async def test_one_who_closes_the_page_is_away_at_once(tmp_path, jssip):
    async with house(tmp_path) as server:
        async with jssip(server, "alice") as alice:
            await alice.event("registered")
        await server.until(lambda: not server.registered("alice"))


async def test_a_wrong_password_is_refused(tmp_path, jssip):
    async with house(tmp_path) as server, jssip(server, "alice", "not-hers") as alice:
        refused = await alice.event("refused")
        assert (refused["status"], refused["cause"]) == (401, "Authentication Error")
        assert not server.registered("alice")


async def test_two_of_them_talk(tmp_path, jssip):
    async with house(tmp_path) as server, jssip(server, "alice") as alice, jssip(server, "bob") as bob:
        await alice.event("registered")
        await bob.event("registered")
        assert (await alice.send(str(BOB), "Hello Bob, žluťoučký 😀"))["status"] == 202
        heard = await bob.event("message")
        assert (heard["from"], heard["type"]) == (str(ALICE), "text/plain;charset=UTF-8")
        assert heard["body"] == "Hello Bob, žluťoučký 😀"
        await server.until_state("delivered")
        assert (await bob.send(str(ALICE), "Hello Alice"))["status"] == 202
        assert (await alice.event("message"))["body"] == "Hello Alice"


async def test_a_page_that_speaks_cpim_hears_what_became_of_its_message(tmp_path, jssip):
    async with house(tmp_path) as server, server.device("bob") as device, jssip(server, "alice") as alice:
        await alice.event("registered")
        assert (await alice.send(str(BOB), CPIM, "message/cpim"))["status"] == 202
        await device.journal.wait("message")
        assert [(heard.message_id, heard.text) for heard in device.inbox] == [("from-a-page", "Hello Bob")]
        told = await alice.event("message")
        assert told["type"] == "message/cpim"
        assert "<message-id>from-a-page</message-id>" in told["body"]
        assert "<delivered/>" in told["body"]
        await device.displayed(device.inbox[0])
        assert "<displayed/>" in (await alice.event("message"))["body"]


async def test_to_a_telephone_and_back(tmp_path, jssip):
    async with house(tmp_path) as server, jssip(server, "alice") as alice:
        handset = server.smsc.handset(PHONE)
        await alice.event("registered")
        assert (await alice.send(f"sip:{PHONE}@cpm.test", "Hello phone"))["status"] == 202
        text = await handset.wait_text(0)
        assert (text.text, text.sender) == ("Hello phone", "+12025550100")
        handset.reply("Hello Alice")
        heard = await alice.event("message")
        assert (heard["from"], heard["body"]) == (f"sip:{PHONE}@cpm.test;user=phone", "Hello Alice")


async def test_nobody_there(tmp_path, jssip):
    async with house(tmp_path) as server, jssip(server, "alice") as alice:
        await alice.event("registered")
        assert (await alice.send("sip:nobody@cpm.test", "Hello?"))["status"] == 404


async def test_what_came_while_it_was_away_comes_when_it_registers(tmp_path, jssip):
    async with house(tmp_path) as server, server.device("bob") as device:
        for number in range(3):
            await device.message(str(ALICE), f"while you were away {number}")
        async with jssip(server, "alice") as alice:
            for number in range(3):
                assert (await alice.event("message"))["body"] == f"while you were away {number}"
            await server.until_state("delivered", "bob", ALICE)


async def test_over_tls(tmp_path, jssip):
    async with (
        house(tmp_path, **tls(tmp_path)) as server,
        jssip(server, "alice", scheme="wss") as alice,
        jssip(server, "bob", scheme="wss") as bob,
    ):
        await alice.event("registered")
        await bob.event("registered")
        assert (await alice.send(str(BOB), "Hello Bob"))["status"] == 202
        assert (await bob.event("message"))["body"] == "Hello Bob"
