"""Selection asked without a running server."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.app.dry_run import explain
from opencpm.app.people import opened
from opencpm.domain.address import Address, tel
from opencpm.settings import Settings
from tests.app.settings_of import small

BOB = tel("+12025550101")


@pytest.fixture
async def settings(tmp_path: Path) -> Settings:
    found = small(
        tmp_path,
        networks={
            "sms": {"type": "sms", "host": "127.0.0.1", "port": 1},
            "msn": {"type": "msn", "server": "127.0.0.1:1", "nexus_url": "http://127.0.0.1:1/"},
        },
    )
    async with opened(found) as (_, people):
        people.add_user("alice", "Alice", "secret-password", [Address("sip", "alice@cpm.test")])
        people.add_contact("alice", "Bob", [BOB, Address("msn", "bob@msn.test")])
        people.link_account("alice", "msn", Address("msn", "alice@msn.test"), "secret")
    return found


async def test_a_text_goes_by_sms(settings: Settings) -> None:
    plan = await explain(settings, "alice", BOB, "Hello", "sms", False)
    assert plan["action"] == "send"
    assert plan["chosen"]["network"] == "sms"


async def test_a_session_goes_to_msn(settings: Settings) -> None:
    plan = await explain(settings, "alice", BOB, "", "", True)
    assert plan["chosen"]["network"] == "msn"


async def test_an_unknown_sender_is_said(settings: Settings) -> None:
    with pytest.raises(KeyError):
        await explain(settings, "nobody", BOB, "Hello", "", False)
