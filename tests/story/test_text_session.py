"""A session with somebody who has an ordinary telephone and nothing else, over SIP, MSRP and SMPP."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from opencpm.lab.device import Refused
from tests.story.village import village

PHONE = "+12025550177"


async def test_asked_by_text_joined_by_a_word_and_left_by_one(tmp_path: Path) -> None:
    async with village(tmp_path) as place, place.device() as alice:
        phone = place.mobile.handset(PHONE)
        asking = asyncio.create_task(alice.invite(f"tel:{PHONE}"))
        invitation = await phone.wait_text(0)
        assert invitation.text == "Alice invites you to a chat. Reply YES to join, NO to decline."
        phone.reply("Yes")
        chat = await asking
        _, status = await chat.send("Hello from a session")
        assert status == 200
        assert (await phone.wait_text(1)).text == "Hello from a session"
        phone.reply("Hello from a telephone")
        heard = await alice.journal.wait("message", lambda e: e.what == "Hello from a telephone")
        assert heard.facts["session"] == "yes"
        phone.reply("Bye")
        await alice.journal.wait("sip.in", lambda e: e.what.startswith("BYE"))


async def test_declined_by_a_word(tmp_path: Path) -> None:
    async with village(tmp_path) as place, place.device() as alice:
        phone = place.mobile.handset(PHONE)
        asking = asyncio.create_task(alice.invite(f"tel:{PHONE}"))
        await phone.wait_text(0)
        phone.reply("No.")
        with pytest.raises(Refused) as declined:
            await asking
        assert declined.value.status == 603
