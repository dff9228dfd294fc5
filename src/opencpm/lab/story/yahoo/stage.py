"""The story's world, and what its steps share."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from opencpm.lab.device import DeviceChat, Entry, LabDevice
from opencpm.lab.http import segment
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import Trails, patiently
from opencpm.lab.town import Friend, Person, Prepare, Town, Wishes
from opencpm.lab.yahoo import Buddy, LabYahoo, Line

DOMAIN = "yahoo.test"
ALICE_ID, BOB_ID, CAROL_ID = "alice", "bob", "carol"
ALICE_YAHOO, CAROL = f"{ALICE_ID}@{DOMAIN}", f"yahoo:{CAROL_ID}@{DOMAIN}"
BOB, TO_BOB = f"yahoo:{BOB_ID}@{DOMAIN}", f"sip:{BOB_ID}@{DOMAIN}"  # in the address book; as a SIP device writes it


class YahooTown(Town):
    """Alice's server and the Yahoo service of Bob and Carol."""

    def __init__(self, folder: Path, prepare: Prepare, version: int = 10) -> None:
        super().__init__(folder, prepare)
        self.version = version
        self.yahoo = LabYahoo()
        self.bob = self.yahoo.buddy(BOB_ID)
        self.carol = self.yahoo.buddy(CAROL_ID)
        self.bob.version = self.carol.version = version
        self.password = ""

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.yahoo)
        self.yahoo.befriend(ALICE_ID, BOB_ID)
        return self

    async def start_server(self) -> None:
        """Settings, Alice, and the server. :raises opencpm.lab.process.ServerError:"""
        self.password = self.yahoo.account(ALICE_ID, secrets.token_urlsafe(9)).password
        own = {"domain": DOMAIN, "version": self.version, "reconnect_first": 0.2}
        networks = {"yahoo": {"type": "yahoo", **own, **self.yahoo.settings}}
        policy = {"domains": {DOMAIN: "yahoo"}}
        alice = Person("alice", "Alice")
        bob = Friend("alice", "Bob", (BOB,))
        await self.serve(Wishes(networks=networks, sections={"policy": policy}, people=(alice,), friends=(bob,)))


@dataclass(slots=True)
class Stage:
    """One run. What a step leaves for the later ones is here; what happened before the run is not looked at."""

    town: YahooTown
    device: LabDevice
    trails: Trails
    since: float
    peer: str = ""  # Bob's id in Alice's address book
    session: str = ""
    chat: DeviceChat | None = None
    room: str = ""

    @property
    def bob(self) -> Buddy:
        return self.town.bob

    async def packet(
        self, name: str, direction: str, user: str, wanted: Callable[[Line], bool] = lambda line: True
    ) -> Line:
        """The newest such packet in the Yahoo service's log. :raises opencpm.lab.story.trails.Missing:"""

        async def look() -> Line | None:
            lines = self.town.yahoo.log.of(name, direction=direction, user=user)
            found = [line for line in lines if line.at >= self.since and wanted(line)]
            return found[-1] if found else None

        return await patiently(f"{name} of {user} in the log of the Yahoo service", look)

    async def account(self, state: str) -> dict[str, Any]:
        """Alice's account, once it is in this state. :raises opencpm.lab.story.trails.Missing:"""

        async def look() -> dict[str, Any] | None:
            return next((a for a in await self.town.api().get("/accounts") if a["state"] == state), None)

        return await patiently(f"account in the state {state!r}", look)

    async def seen(self, who: str, availability: str, note: str | None = None) -> dict[str, Any]:
        """Somebody's presence as Alice is shown it. :raises opencpm.lab.story.trails.Missing:"""

        async def look() -> dict[str, Any] | None:
            told = (await self.town.api().get("/presence"))["contacts"]
            lines = [line for lines in told.values() for line in lines if line["address"] == who]
            fitting = [line for line in lines if line["availability"] == availability and note in (None, line["note"])]
            return fitting[0] if fitting else None

        return await patiently(f"presence {availability!r} of {who}", look)

    async def hears(self, text: str) -> Entry:
        """A text on Alice's device."""
        return await self.device.journal.wait("message", lambda e: e.what == text and e.at >= self.since)

    async def bob_id(self) -> str:
        """Bob's id in the address book."""
        if not self.peer:
            contacts = await self.town.api().get("/contacts")
            self.peer = next(str(c["id"]) for c in contacts if BOB in c["addresses"])
        return self.peer

    @property
    def account_path(self) -> str:
        return f"/accounts/yahoo/{segment(ALICE_YAHOO)}"


def log(*lines: Line) -> Evidence:
    return {"Yahoo log": [f"{line.connection} {line.direction}: {line.text}" for line in lines]}
