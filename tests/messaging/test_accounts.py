"""Account states, requests and presence through messaging as connectors see it."""

import asyncio
from collections.abc import Mapping
from typing import Any

from opencpm.domain.account import AccountState, AccountStatus
from opencpm.domain.address import Address
from opencpm.domain.presence import Presence
from opencpm.domain.profile import Availability
from opencpm.domain.roster import ContactRequest, RosterEntry
from opencpm.domain.subscriber import LinkedAccount
from tests.messaging.world import BOB_MSN, World

ME = Address("msn", "alice@msn.test")
CONNECTED = AccountStatus(AccountState.CONNECTED)


def mine(world: World) -> LinkedAccount:
    found = world.directory.subscriber("alice")
    assert found is not None
    return found.accounts[0]


def hearing(world: World) -> list[Mapping[str, Any]]:
    heard: list[Mapping[str, Any]] = []
    world.messaging.bus.subscribe("user:alice", heard.append)
    return heard


async def test_states_are_told_and_kept(world: World) -> None:
    accounts, heard = world.messaging.accounts, hearing(world)
    assert accounts.of(mine(world)).state is AccountState.CONNECTING
    world.messaging.account_changed("msn", "alice", ME, CONNECTED)
    world.messaging.account_changed("msn", "alice", ME, CONNECTED)
    assert accounts.of(mine(world)) == AccountStatus(AccountState.CONNECTED, "", world.clock.now())
    assert [h["state"] for h in heard] == ["connected"]


async def test_what_does_not_mend_itself_is_in_the_trail_once(world: World) -> None:
    bad = AccountStatus(AccountState.BAD_CREDENTIALS, "MSN refused the password.")
    for status in (AccountStatus(AccountState.CONNECTING), bad, bad, AccountStatus(AccountState.UNREACHABLE)):
        world.messaging.account_changed("msn", "alice", ME, status)
    await world.settle()
    assert [entry.what for entry in world.store.trail(str(ME))] == ["bad-credentials: MSN refused the password."]


async def test_linked_anew_nothing_is_known(world: World) -> None:
    bad = AccountStatus(AccountState.BAD_CREDENTIALS, "The password is wrong.")
    world.messaging.account_changed("msn", "alice", ME, bad)
    world.directory.link_account("alice", "msn", ME, "right")
    assert world.messaging.accounts.of(mine(world)).state is AccountState.CONNECTING
    world.directory.enable_account("alice", "msn", ME, False)
    assert world.messaging.accounts.of(mine(world)).state is AccountState.DISABLED


async def test_an_account_that_is_gone_is_forgotten(world: World) -> None:
    world.messaging.account_changed("msn", "alice", ME, CONNECTED)
    account = mine(world)
    world.directory.unlink_account("alice", "msn")
    world.messaging.account_changed("msn", "alice", ME, CONNECTED)
    assert world.messaging.accounts.of(account).state is AccountState.CONNECTING


async def test_a_network_that_is_no_more(world: World) -> None:
    account = world.directory.link_account("alice", "icq", Address("icq", "1"), "x")
    assert world.messaging.accounts.of(account).state is AccountState.UNREACHABLE


async def test_waiting_for_how_it_went(world: World) -> None:
    waiting = asyncio.create_task(world.messaging.accounts.settled(mine(world), 10))
    await asyncio.sleep(0)
    elsewhere = AccountStatus(AccountState.ELSEWHERE, "Signed in elsewhere.", 7.0)
    world.messaging.account_changed("msn", "alice", ME, AccountStatus(AccountState.CONNECTING))
    world.messaging.account_changed("msn", "alice", ME, elsewhere)
    assert await waiting == elsewhere
    world.directory.retry_account("alice", "msn", ME)
    assert (await world.messaging.accounts.settled(mine(world), 0.0)).state is AccountState.CONNECTING


async def test_a_list_and_a_request_come_in(world: World) -> None:
    heard = hearing(world)
    world.messaging.roster("msn", "alice", [RosterEntry(address=BOB_MSN)], ME)
    world.messaging.roster("msn", "nobody", [RosterEntry(address=BOB_MSN)], ME)
    carol = Address("msn", "carol@msn.test")
    asked = ContactRequest(owner="alice", network="msn", address=carol, at=1.0, text="Hi", account=ME)
    world.messaging.contact_asked(asked)
    world.messaging.contact_asked(asked)
    assert [h["type"] for h in heard] == ["contacts", "contact-request"]
    (bob,) = world.directory.contacts("alice")
    assert [m.address for m in bob.marks] == [BOB_MSN]


async def test_presence_comes_in(world: World) -> None:
    heard = hearing(world)
    world.messaging.presence_changed("msn", "alice", BOB_MSN, Presence(Availability.BUSY, "in a call"), ME)
    assert world.messaging.presence.of("alice", "msn", BOB_MSN).note == "in a call"
    assert heard[0]["availability"] == "busy"


async def test_what_a_subscriber_publishes(world: World) -> None:
    world.directory.publish("alice", Availability.AWAY, "in\nRome", 50.0)
    world.directory.publish("alice", Availability.AWAY, "in Paris", 60.0)
    alice = world.directory.subscriber("alice")
    assert alice is not None
    assert alice.presence == Presence(Availability.AWAY, "in Paris", 50.0)
