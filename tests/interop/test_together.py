"""Different programs, one user: all of Alice's devices get what is sent to her, and she may write from each."""

from contextlib import AsyncExitStack

import pytest

from tests.interop.baresip import baresip
from tests.interop.house import ALICE, BOB, PASSWORDS, house
from tests.interop.jssip_phone import phone
from tests.interop.linphone import daemon

pytestmark = [
    pytest.mark.interop,
    pytest.mark.usefixtures("baresip_is_there", "linphone_is_there"),
]


async def test_three_devices_of_three_makes(tmp_path, jssip_folder):
    password = PASSWORDS["alice"]
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(house(tmp_path))
        bob = await stack.enter_async_context(server.device("bob"))
        desk = await stack.enter_async_context(
            baresip(tmp_path / "desk", "alice", password, server.port("udp"), contact=str(BOB))
        )
        mobile = await stack.enter_async_context(
            daemon(tmp_path / "mobile", "alice", password, server.port("tcp"), "tcp")
        )
        page = await stack.enter_async_context(
            phone(jssip_folder, tmp_path / "page", "alice", password, server.port("ws"))
        )
        await server.until(lambda: len(server.app.messaging.connectors["sip"].describe()["devices"]) == 4)

        sent = await bob.message(str(ALICE), "Hello Alice")
        await desk.program.says('sip:bob@cpm.test: "Hello Alice"')
        await mobile.program.says('From: sip:bob@cpm.test[^"]*"Hello Alice"')
        assert (await page.event("message"))["body"] == "Hello Alice"
        await server.until_state("delivered", "bob", ALICE)
        await bob.journal.wait("imdn")
        assert [(told.message_id, told.status) for told in bob.imdns] == [(sent.message_id, "delivered")]

        await desk.message("from the desk")
        await server.until(lambda: len(bob.inbox) == 1)
        await mobile.message(str(BOB), "from the mobile")
        await server.until(lambda: len(bob.inbox) == 2)
        await page.send(str(BOB), "from the page")
        await server.until(lambda: len(bob.inbox) == 3)
        assert [heard.text for heard in bob.inbox] == ["from the desk", "from the mobile", "from the page"]
        assert {heard.sender for heard in bob.inbox} == {str(ALICE)}
        assert len({heard.conversation_id for heard in bob.inbox}) == 1
