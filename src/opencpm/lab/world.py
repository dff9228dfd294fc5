"""The demo's world: Alice's server, Bob's SMS system and phone, his MSN service, his home line; on real sockets."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from opencpm.lab.msn.service import LabMsn
from opencpm.lab.smsc import LabSmsc
from opencpm.lab.town import DOMAIN, PATIENCE, Friend, Person, Prepare, Town, Wishes

if TYPE_CHECKING:
    from opencpm.lab.line import Handset, LabExchange

ALICE, ALICE_NUMBER, ALICE_MSN = f"sip:alice@{DOMAIN}", "+12025550100", "alice@msn.test"
BOB_NUMBER, BOB_MSN = "+12025550101", "bob@msn.test"
HOME_NUMBER, HOME_CENTRE = "+12025550131", "+12025550199"
"""Bob's home telephone, and the number under which it knows the server's SMS centre."""
LINE = "line"


@dataclass(frozen=True, slots=True)
class Home:
    """Bob's home line, and the exchange it hangs on."""

    exchange: LabExchange
    handset: Handset


class World(Town):
    """Everything between Alice and Bob. ``async with`` starts the networks; :meth:`start_server` the server.

    ``with_home``: Bob has a telephone line at home, too.
    """

    def __init__(self, folder: Path, prepare: Prepare, *, with_home: bool = False) -> None:
        super().__init__(folder, prepare)
        self.smsc = LabSmsc(accounts={"opencpm": "sesame"})
        self.msn = LabMsn(challenge=True)
        self.phone = self.smsc.handset(BOB_NUMBER)
        self.bob = self.msn.buddy(BOB_MSN, "Bob")
        self.home: Home | None = None
        self._with_home = with_home

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.smsc)
        await self._stack.enter_async_context(self.msn)
        self.msn.befriend(ALICE_MSN, BOB_MSN)
        if self._with_home:
            from opencpm.lab.line import LabExchange  # the sound of telephone lines takes a while to load

            exchange = await self._stack.enter_async_context(LabExchange())
            self.home = Home(exchange, exchange.handset(HOME_NUMBER, HOME_CENTRE))
        return self

    async def start_server(self, web: Mapping[str, Any] | None = None) -> None:
        """Settings, Alice, and the server; returns when it is ready and has its links.

        :raises opencpm.lab.process.ServerError: :raises TimeoutError: a link did not come up.
        """
        account = self.msn.account(ALICE_MSN, secrets.token_urlsafe(9), "Alice")
        networks: dict[str, dict[str, Any]] = {
            "sms": smsc_link(self.smsc),
            # Bob's texts wait for his phone: nothing is left with MSN for him while he is not there.
            "msn": {"type": "msn", **self.msn.settings, "switchboard_interval": 0.0, "offline_messages": False},
        }
        routes: list[dict[str, Any]] = [{"prefix": "+1", "networks": ["sms"]}]
        addresses = [f"tel:{BOB_NUMBER}", f"msn:{BOB_MSN}"]
        if self.home is not None:
            networks[LINE] = _line(self.home)
            # Numbers of this country do not show whether they are mobile or fixed: the operator's table says it.
            routes.append({"prefix": HOME_NUMBER, "networks": [LINE], "is_type": "fixed"})
            addresses.append(f"tel:{HOME_NUMBER}")
        policy = {"order": list(networks), "domains": {"msn.test": "msn"}, "routes": routes}
        alice = Person("alice", "Alice", ALICE_NUMBER, {"msn": (ALICE_MSN, account.password)})
        # Texts to Bob by SMS first, also after he wrote on MSN: the story can be told again in the same world.
        bob = Friend("alice", "Bob", tuple(addresses), ("sms", LINE, "msn") if self.home else ("sms", "msn"))
        sections = {"web": web or {}, "policy": policy}
        await self.serve(Wishes(networks=networks, sections=sections, people=(alice,), friends=(bob,)))
        await self.linked()
        if self.home is not None:
            self.home.exchange.connect(self.server.endpoints[LINE]["sip"])

    async def linked(self) -> None:
        """Until the server is bound to the SMS centre, signed in to MSN and has its trunk. :raises TimeoutError:"""
        await self.smsc.wait_bound(1, PATIENCE)
        async with asyncio.timeout(PATIENCE):
            while not self.msn.is_online(ALICE_MSN):
                await _heard(self.msn.log.subscribe)
            if self.home is not None:
                await self._trunk()

    async def _trunk(self) -> None:
        """Until the server says that its trunk answers."""
        while True:
            status = await self.api().get("/status")
            if any(one["name"] == LINE and "answers" in one["detail"] for one in status["connectors"]):
                return
            await asyncio.sleep(0.02)

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


def _line(home: Home) -> dict[str, Any]:
    """Settings of a trunk to the exchange; a busy line is called again while people still look."""
    from opencpm.lab.line import trunk_to

    more = {"label": "Telephone line", "busy_retry": [4.0], "unicode": True}
    return trunk_to(home.exchange, HOME_CENTRE, "1", trunk_prefix="", **more)


async def _heard(subscribe: Callable[[Callable[[Any], None]], Callable[[], None]]) -> None:
    """Wait for the next line of a log."""
    heard = asyncio.Event()
    end = subscribe(lambda line: heard.set())
    try:
        await heard.wait()
    finally:
        end()
