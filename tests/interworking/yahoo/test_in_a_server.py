"""The whole server with Yahoo: what senders are told, over broken connections and restarts; accounts and lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.domain.delivery import DeliveryState
from opencpm.lab.yahoo import LabYahoo
from opencpm.protocols.ymsg.services import Service
from tests.interworking.sms.support import eventually
from tests.interworking.yahoo.server import TO_BOB, house
from tests.interworking.yahoo.stage import ALICE, BOB, BOB_ADDRESS, CAROL, DOMAIN


async def test_accepted_is_where_it_stays_before_version_16(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        assert (await alice.message(TO_BOB, "Hello Bob")).status == 202
        await here.bob.text("Hello Bob")
        await eventually(lambda: here.state() is DeliveryState.ACCEPTED)
        here.bob.say(ALICE, "Hello Alice")
        await alice.journal.wait("message", lambda entry: entry.what == "Hello Alice")
        assert len(here.app.store.threads("alice")) == 1  # one conversation, both ways
        assert here.state() is not DeliveryState.FAILED


async def test_delivered_once_all_pieces_are_confirmed_in_version_16(tmp_path: Path, lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version = 16
    await bob.sign_in()
    async with house(tmp_path, lab, version=16) as here, here.device() as alice:
        await alice.message(TO_BOB, "word " * 500)
        await eventually(lambda: here.state() is DeliveryState.DELIVERED)
        assert len(bob.texts()) == 4
        assert "".join(bob.texts()) == "word " * 500


async def test_a_confirmation_finds_its_message_after_a_restart(tmp_path: Path, lab: LabYahoo) -> None:
    bob = lab.buddies[BOB]
    bob.version, bob.confirms = 16, False
    await bob.sign_in()
    async with house(tmp_path, lab, version=16) as here, here.device() as alice:
        await alice.message(TO_BOB, "later")
        await bob.text("later")
        await eventually(lambda: here.state() is DeliveryState.ACCEPTED)
    async with house(tmp_path, lab, version=16) as here:
        bob.confirms = True
        lab.repeat(BOB)
        await eventually(lambda: here.state() is DeliveryState.DELIVERED)


async def test_a_connection_that_breaks_under_a_message(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        await alice.message(TO_BOB, "first")
        await here.bob.text("first")
        lab.faults.drop.add(Service.MESSAGE)
        await alice.message(TO_BOB, "second")
        await eventually(lambda: not lab.is_online(ALICE))
        lab.faults.drop.clear()
        await here.bob.text("second")
        await eventually(lambda: here.state() is DeliveryState.ACCEPTED)
        assert here.bob.texts() == ["first", "second"]


async def test_what_is_written_while_the_service_is_down_arrives_once(tmp_path: Path, lab: LabYahoo) -> None:
    async with house(tmp_path, lab, reconnect_max=0.1) as here, here.device() as alice:
        await lab.down()
        yahoo = here.app.messaging.connectors["yahoo"]
        await eventually(lambda: yahoo.health().state.value == "down")
        assert (await alice.message(TO_BOB, "when you are back")).status == 202
        await lab.up()
        await here.bob.sign_in()
        await here.bob.text("when you are back")
        await eventually(lambda: here.state() is DeliveryState.ACCEPTED)
        assert here.bob.texts() == ["when you are back"]


async def test_accounts_lists_and_presence_survive_a_restart(tmp_path: Path, lab: LabYahoo) -> None:
    lab.befriend(ALICE, CAROL)
    await lab.buddies[BOB].sign_in()
    for _ in range(2):
        async with house(tmp_path, lab) as here:
            await here.sees("available")
            contacts = await here.api.get("/contacts")
            known = {address for contact in contacts for address in contact["addresses"]}
            assert known == {f"yahoo:{BOB}@{DOMAIN}", f"yahoo:{CAROL}@{DOMAIN}"}
            (account,) = await here.api.get("/accounts")
            assert (account["state"], account["network"]) == ("connected", "yahoo")
        assert not lab.is_online(ALICE)


async def test_a_wrong_password_and_the_right_one(tmp_path: Path, lab: LabYahoo) -> None:
    async with house(tmp_path, lab) as here:
        body = {"network": "yahoo", "address": f"{CAROL}@{DOMAIN}", "password": "wrong", "wait": 20}
        linked = await here.api.post("/accounts", body)
        assert linked["state"] == "bad-credentials"
        assert "the password is wrong (13)" in linked["detail"]
        linked = await here.api.post("/accounts", {**body, "password": lab.account(CAROL).password})
        assert linked["state"] == "connected"


async def test_a_picture_goes_as_a_text_with_a_link(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab) as here:
        png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
        await here.api.post(
            "/messages",
            {"to": [str(BOB_ADDRESS)], "parts": [{"content_type": "image/png", "body": png, "name": "dot.png"}]},
        )
        assert (await here.bob.text()).startswith("Picture: http")


async def test_how_bob_is_is_known_to_selection(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab) as here:
        here.bob.show(2)
        await here.sees("busy")
        plan = await here.api.post("/routes/explain", {"to": str(BOB_ADDRESS), "text": "hi"})
        assert "status busy" in str(plan)


@pytest.mark.parametrize("incoming", ["message", "session"])
async def test_what_bob_begins(tmp_path: Path, lab: LabYahoo, incoming: str) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab, incoming=incoming) as here, here.device() as alice:
        here.bob.say(ALICE, "hello")
        heard = await alice.journal.wait("message", lambda entry: entry.what == "hello")
        assert (heard.facts.get("session") == "yes") == (incoming == "session")
        if incoming == "session":
            chat = next(iter(alice.chats.values()))
            await chat.send("hello yourself")
            await here.bob.text("hello yourself")
            await here.bob.sign_out()
            await alice.journal.wait("sip.in", lambda entry: entry.what.startswith("BYE"))


async def test_nobody_to_take_a_session_and_nothing_is_lost(tmp_path: Path, lab: LabYahoo) -> None:
    await lab.buddies[BOB].sign_in()
    async with house(tmp_path, lab, incoming="session") as here:
        here.bob.say(ALICE, "one")
        here.bob.say(ALICE, "two")
        await eventually(lambda: len(here.app.store.threads("alice")) == 1)
        async with here.device() as alice:
            for text in ("one", "two"):
                await alice.journal.wait("message", lambda entry, text=text: entry.what == text)


async def test_members_of_a_group(tmp_path: Path, lab: LabYahoo) -> None:
    """Bob and Carol on Yahoo, Alice on her device: each reads who said what, nobody reads their own words."""
    lab.befriend(ALICE, CAROL)
    carol = lab.buddies[CAROL]
    for user in (BOB, CAROL):
        await lab.buddies[user].sign_in()
    async with house(tmp_path, lab) as here, here.device() as alice:
        await here.sees("available")
        group = await here.api.post(
            "/groups", {"members": [str(BOB_ADDRESS), f"yahoo:{CAROL}@{DOMAIN}"], "subject": "Friday"}
        )
        await here.api.post(f"/groups/{group['id']}/messages", {"text": "who is coming?"})
        await eventually(lambda: any("who is coming?" in text for text in here.bob.texts()))
        await eventually(lambda: any("who is coming?" in text for text in carol.texts()))
        here.bob.say(ALICE, "I am")
        await alice.journal.wait("message", lambda entry: "I am" in entry.what)
        await eventually(lambda: any("I am" in text and "bob" in text.lower() for text in carol.texts()))
        assert not any("I am" in text for text in here.bob.texts())
