"""What the steps work on: the world, Alice's device, and what earlier steps left."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from opencpm.lab.device import DeviceChat, Entry, LabDevice, Sent
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import PATIENCE, Trails, patiently
from opencpm.lab.story.xmpp.world import XmppWorld
from opencpm.lab.xmpp import Person, StanzaLine


@dataclass(slots=True)
class Stage:
    """One run."""

    world: XmppWorld
    device: LabDevice
    trails: Trails
    since: float
    sent: Sent | None = None
    session: str = ""
    chat: DeviceChat | None = None
    closing: asyncio.Task[int] | None = None

    @property
    def bob(self) -> Person:
        return self.world.bob

    @property
    def message_id(self) -> str:
        assert self.sent is not None, "nothing was sent"
        return self.sent.message_id

    async def stanza(self, kind: str, *words: str) -> StanzaLine:
        """The newest stanza from Alice with these words, in the far side's log. :raises Missing:"""

        async def look() -> StanzaLine | None:
            found = self.world.log.of(kind, self.world.brought, *words)
            return found[-1] if found else None

        return await patiently(f"<{kind}/> with {' '.join(words)} in the log of the XMPP side", look)

    async def heard(self, kind: str, wanted: Callable[[Entry], bool]) -> Entry:
        """In the log of Alice's device. :raises TimeoutError:"""
        return await self.device.journal.wait(kind, lambda e: e.at >= self.since and wanted(e), PATIENCE)

    async def heard_imdn(self, status: str) -> Entry:
        """What Alice's device was told of the last message she sent. :raises TimeoutError:"""
        mine = self.message_id
        return await self.heard("imdn", lambda e: e.what == status and e.facts["message_id"] == mine)

    async def bob_as_seen(self, availability: str) -> dict[str, Any]:
        """Bob, once Alice's server says that he is so. :raises Missing:"""

        async def look() -> dict[str, Any] | None:
            seen = (await self.world.api().get("/presence"))["contacts"].get("bob", [])
            return next((one for one in seen if one["availability"] == availability), None)

        return await patiently(f"Bob being {availability} in what Alice sees", look)


def xmpp(line: StanzaLine) -> Evidence:
    return {"XMPP log": line.text, "at": round(line.at, 3)}
