"""The story's world, and what its steps share."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from opencpm.lab.device import DeviceChat, Entry, LabDevice
from opencpm.lab.http import segment
from opencpm.lab.msn.buddy import Buddy
from opencpm.lab.msn.log import Line
from opencpm.lab.msn.service import LabMsn
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import Trails, patiently
from opencpm.lab.town import Friend, Person, Prepare, Town, Wishes

ALICE_MSN, BOB_MSN, CAROL_MSN = "alice@msn.test", "bob@msn.test", "carol@msn.test"
BOB, TO_BOB = f"msn:{BOB_MSN}", f"sip:{BOB_MSN}"  # in the address book; as a SIP device writes it


class MsnTown(Town):
    """Alice's server and the MSN service of Bob and Carol."""

    def __init__(self, folder: Path, prepare: Prepare) -> None:
        super().__init__(folder, prepare)
        self.msn = LabMsn(challenge=True)
        self.bob = self.msn.buddy(BOB_MSN, "Bob")
        self.carol = self.msn.buddy(CAROL_MSN, "Carol")
        self.password = ""

    async def __aenter__(self) -> Self:
        await self._stack.enter_async_context(self.msn)
        self.msn.befriend(ALICE_MSN, BOB_MSN)
        return self

    async def start_server(self) -> None:
        """Settings, Alice, and the server. :raises opencpm.lab.process.ServerError:"""
        self.password = self.msn.account(ALICE_MSN, secrets.token_urlsafe(9), "Alice").password
        networks = {"msn": {"type": "msn", **self.msn.settings, "switchboard_interval": 0.0}}
        policy = {"domains": {"msn.test": "msn"}}
        alice = Person("alice", "Alice")
        bob = Friend("alice", "Bob", (BOB,))
        await self.serve(Wishes(networks=networks, sections={"policy": policy}, people=(alice,), friends=(bob,)))


@dataclass(slots=True)
class Stage:
    """One run. What a step leaves for the later ones is here; what happened before the run is not looked at."""

    town: MsnTown
    device: LabDevice
    trails: Trails
    since: float
    peer: str = ""  # Bob's id in Alice's address book
    session: str = ""
    chat: DeviceChat | None = None

    @property
    def bob(self) -> Buddy:
        return self.town.bob

    async def command(
        self, verb: str, direction: str, account: str, wanted: Callable[[Line], bool] = lambda line: True, of: str = ""
    ) -> Line:
        """The newest such command in the MSN service's log; ``of``: on a connection of this kind.

        :raises opencpm.lab.story.trails.Missing:
        """

        async def look() -> Line | None:
            lines = self.town.msn.log.of(verb, direction=direction, account=account, connection=of)
            found = [line for line in lines if line.at >= self.since and wanted(line)]
            return found[-1] if found else None

        return await patiently(f"{verb} of {account} in the log of the MSN service", look)

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

    async def talk(self) -> str:
        """The path of Bob's conversation in the API."""
        return f"/conversations/{segment(await self.bob_id())}/messages"


def log(*lines: Line) -> Evidence:
    return {"MSN log": [f"{line.connection} {line.direction}: {line.text}" for line in lines]}
