"""The demo's world: Alice's server, Bob's SMS system and phone, Bob's MSN service, all on real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

from opencpm.lab.msn.service import LabMsn
from opencpm.lab.smsc import LabSmsc
from opencpm.lab.town import DOMAIN, PATIENCE, Friend, Person, Prepare, Town, Wishes

ALICE, ALICE_NUMBER, ALICE_MSN = f"sip:alice@{DOMAIN}", "+12025550100", "alice@msn.test"
BOB_NUMBER, BOB_MSN = "+12025550101", "bob@msn.test"


class World(Town):
    """Everything between Alice and Bob. ``async with`` starts the networks; :meth:`start_server` the server."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        super().__init__(folder, prepare)
        self.smsc = LabSmsc(accounts={"opencpm": "sesame"})
        self.msn = LabMsn(challenge=True)
        self.phone = self.smsc.handset(BOB_NUMBER)
        self.bob = self.msn.buddy(BOB_MSN, "Bob")

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.smsc)
        await self._stack.enter_async_context(self.msn)
        self.msn.befriend(ALICE_MSN, BOB_MSN)
        return self

    async def start_server(self, web: Mapping[str, Any] | None = None) -> None:
        """Settings, Alice, and the server; returns when it is ready and has its links.

        :raises opencpm.lab.process.ServerError: :raises TimeoutError: a link did not come up.
        """
        account = self.msn.account(ALICE_MSN, secrets.token_urlsafe(9), "Alice")
        networks = {
            "sms": smsc_link(self.smsc),
            # Bob's texts wait for his phone: nothing is left with MSN for him while he is not there.
            "msn": {"type": "msn", **self.msn.settings, "switchboard_interval": 0.0, "offline_messages": False},
        }
        policy = {
            "order": ["sms", "msn"],
            "domains": {"msn.test": "msn"},
            "routes": [{"prefix": "+1", "networks": ["sms"]}],
        }
        alice = Person("alice", "Alice", ALICE_NUMBER, {"msn": (ALICE_MSN, account.password)})
        # Texts to Bob by SMS first, also after he wrote on MSN: the story can be told again in the same world.
        bob = Friend("alice", "Bob", (f"tel:{BOB_NUMBER}", f"msn:{BOB_MSN}"), ("sms", "msn"))
        sections = {"web": web or {}, "policy": policy}
        await self.serve(Wishes(networks=networks, sections=sections, people=(alice,), friends=(bob,)))
        await self.linked()

    async def linked(self) -> None:
        """Until the server is bound to the SMS centre and signed in to MSN. :raises TimeoutError:"""
        await self.smsc.wait_bound(1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while not self.msn.is_online(ALICE_MSN):
                await _heard(self.msn.log.subscribe)

    async def bob_signs_in(self) -> None:
        """Bob sits down at his computer; returns when he and Alice see each other. :raises TimeoutError:"""
        if not self.bob.online:
            await self.bob.sign_in()
        await self.bob.happened.wait(lambda it: it.what == "presence" and it.peer == ALICE_MSN, PATIENCE)


def smsc_link(smsc: LabSmsc) -> dict[str, Any]:
    """Settings of a network "sms" that binds to a stand-in SMS centre."""
    host, port = smsc.address
    account = {"system_id": "opencpm", "password": "sesame"}
    return {"type": "sms", "host": host, "port": port, **account, "reconnect_min": 0.2, "reconnect_max": 1.0}


async def _heard(subscribe: Callable[[Callable[[Any], None]], Callable[[], None]]) -> None:
    """Wait for the next line of a log."""
    heard = asyncio.Event()
    end = subscribe(lambda line: heard.set())
    try:
        await heard.wait()
    finally:
        end()
