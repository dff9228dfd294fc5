"""Presence over real wires: what a device publishes, and what it sees of people on other networks."""

from __future__ import annotations

from pathlib import Path

from opencpm.domain.profile import Availability
from opencpm.lab.device.presence import Followed, publish
from opencpm.protocols import pidf
from tests.story.village import ALICE, BOB, BOB_MSN, CAROL, OFF, village

BOB_AS_ALIAS = f"sip:{BOB_MSN.replace('@', '%40')}@cpm.test"


async def test_a_device_sees_bob_on_msn_come_and_go(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF) as place, place.device("alice") as alice:
        bob, phone = Followed(alice, BOB_AS_ALIAS), Followed(alice, "tel:+12025550199")
        assert await bob.begin() == 200
        await place.until(lambda: bob.words == "closed")
        await place.bob_signs_in()
        await place.until(lambda: bob.words == "open")
        place.bob.set_status("BSY")
        await place.until(lambda: bob.words == "open busy")
        await place.bob.sign_out()
        await place.until(lambda: bob.words == "closed")
        by_number = Followed(alice, BOB)
        assert await by_number.begin() == 200
        await place.until(lambda: by_number.words == "closed")  # one person, whatever the address
        assert await phone.begin() == 200
        await place.until(lambda: phone.told)
        assert phone.words == "unknown", "a number tells nothing, and nothing is made up"
        assert await bob.end() == 200
        await place.until(lambda: bob.ended)
        told = bob.told
        await place.bob_signs_in()
        await place.until(lambda: by_number.words == "open")
        assert bob.told == told


async def test_what_carols_device_publishes_alices_device_sees(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        carol_seen = Followed(alice, CAROL)
        assert await carol_seen.begin() == 200
        await place.until(lambda: carol_seen.words == "closed")
        async with place.device("carol") as carol:
            await place.until(lambda: carol_seen.words == "open")
            status, tag = await publish(carol, pidf.BUSY, "in a meeting")
            assert (status, bool(tag)) == (200, True)
            await place.until(lambda: carol_seen.words == "open busy in a meeting")
            subscriber = place.app.directory.subscriber("carol")
            assert subscriber is not None
            assert subscriber.presence.availability is Availability.BUSY
            status, second = await publish(carol, tag=tag, silent=True)
            assert (status, second != tag) == (200, True)
            assert (await publish(carol, tag=tag, silent=True))[0] == 412, "that one was replaced"
            assert (await publish(carol, tag=second, expires=0, silent=True))[0] == 200
            await place.until(lambda: carol_seen.words == "open")
            assert await carol.register(0) == 200
            await place.until(lambda: carol_seen.words == "closed")


async def test_an_instant_message_while_bob_is_online_if_alice_prefers_it(tmp_path: Path) -> None:
    async with village(tmp_path) as place, place.device("alice") as alice:
        await place.prefer(online_first=True)
        away = await alice.message(BOB, "By SMS, as he is away")
        assert (await place.phone.wait_text(0)).text == "By SMS, as he is away"
        await place.bob_signs_in()
        there = await alice.message(BOB, "By MSN, as he is there")
        assert await place.bob.text() == "By MSN, as he is there"
        line = await place.line(there.message_id, "selected")
        assert "the receiver is online there, and the user prefers an instant message then" in line.what
        assert "instant message" not in (await place.line(away.message_id, "selected")).what
        await place.prefer(online_first=False)
        await alice.message(BOB, "By SMS again")
        assert (await place.phone.wait_text(1)).text == "By SMS again"


async def test_who_is_blocked_sees_nobody(tmp_path: Path) -> None:
    async with (
        village(tmp_path, web=OFF, signed_in=False) as place,
        place.device("alice") as alice,
        place.device("carol"),
    ):
        place.app.directory.add_contact("carol", "Alice", [place.app.directory.subscriber("alice").addresses[0]])  # type: ignore[union-attr]
        place.app.directory.set_blocked("carol", "alice", True)
        carol_seen = Followed(alice, CAROL)
        assert await carol_seen.begin() == 200
        await place.until(lambda: carol_seen.told)
        assert carol_seen.words == "closed"


async def test_what_is_refused(tmp_path: Path) -> None:
    async with village(tmp_path, web=OFF, signed_in=False) as place, place.device("alice") as alice:
        document = pidf.build(pidf.Pidf(ALICE, True))
        for target, fields, body, status in (
            (CAROL, [("Event", "presence"), ("Content-Type", pidf.CONTENT_TYPE)], document, 403),
            (ALICE, [("Event", "dialog"), ("Content-Type", pidf.CONTENT_TYPE)], document, 489),
            (ALICE, [("Event", "presence"), ("Content-Type", "text/plain")], b"here", 415),
            (ALICE, [("Event", "presence"), ("Content-Type", pidf.CONTENT_TYPE)], b"<x/>", 400),
            (ALICE, [("Event", "presence")], b"", 400),
            (ALICE, [("Event", "presence"), ("Expires", "3")], document, 423),
            (ALICE, [("Event", "presence"), ("SIP-If-Match", "other")], b"", 412),
        ):
            head = alice.out_of_dialog("PUBLISH", target, "session")
            _, response = await alice.agent.request("PUBLISH", target, [*head, *fields], body)
            assert response.status == status, (fields, body)
