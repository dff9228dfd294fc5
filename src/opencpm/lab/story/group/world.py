"""Alice's server, and four ways to people: devices over SIP, an MSN service, an XMPP server, an SMS centre."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from opencpm.lab.town import PATIENCE, Friend, Person, Prepare, Wishes
from opencpm.lab.world import ALICE_MSN, ALICE_NUMBER, BOB_MSN, World, smsc_link
from opencpm.lab.xmpp import LabXmpp

DESK_NUMBER, PHONE = "+12025550102", "+12025550133"


class GroupWorld(World):
    """The demo's world with an XMPP server in which Carol is, and a phone of somebody whom only Alice knows."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        super().__init__(folder, prepare)
        self.xmpp = LabXmpp()
        self.carol = self.xmpp.person("carol")
        self.handset = self.smsc.handset(PHONE)

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        await self._stack.enter_async_context(self.xmpp)
        return self

    async def start_server(self, web: Mapping[str, Any] | None = None) -> None:
        account = self.msn.account(ALICE_MSN, secrets.token_urlsafe(9), "Alice")
        networks = {
            "sms": smsc_link(self.smsc),
            "msn": {"type": "msn", **self.msn.settings, "switchboard_interval": 0.0},
            "xmpp": {"type": "xmpp", **self.xmpp.settings},
        }
        policy = {"order": ["sms", "msn", "xmpp"], "domains": {"msn.test": "msn", self.xmpp.domain: "xmpp"}}
        people = (
            Person("alice", "Alice", ALICE_NUMBER, {"msn": (ALICE_MSN, account.password)}),
            Person("desk", "Desk", DESK_NUMBER),
        )
        friends = (
            Friend("alice", "Bob", (f"msn:{BOB_MSN}",)),
            Friend("alice", "Carol", (f"xmpp:{self.carol.address}",)),
        )
        sections = {"web": web or {}, "policy": policy}
        await self.serve(Wishes(networks=networks, sections=sections, people=people, friends=friends))
        await self.linked()
        await self.xmpp.wait_component(PATIENCE)
