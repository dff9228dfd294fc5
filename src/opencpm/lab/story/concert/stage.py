"""What the steps of the story share: the people, the evidence, and what happened so far."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from opencpm.lab.device import DeviceChat, Entry, LabDevice, Sent
from opencpm.lab.msn.log import Line as MsnLine
from opencpm.lab.smsc import PduLine
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.trails import PATIENCE, Trails, patiently
from opencpm.lab.world import World


@dataclass(slots=True)
class Stage:
    """One run. What a step leaves for the later ones is here; what happened before the run is not looked at."""

    world: World
    device: LabDevice
    trails: Trails
    since: float
    texts_before: int = 0  # on Bob's phone
    sms_is_down: bool = False
    sent: Sent | None = None
    reply: str = ""  # our id of Bob's reply
    session: str = ""
    inviting: asyncio.Task[DeviceChat] | None = None
    chat: DeviceChat | None = None
    closing: asyncio.Task[int] | None = None
    bob_said: str = ""
    selected: dict[str, Any] = field(default_factory=dict)

    @property
    def message_id(self) -> str:
        assert self.sent is not None, "nothing was sent"
        return self.sent.message_id

    def wire(self, kind: str, wanted: Callable[[Entry], bool]) -> Entry:
        """The newest entry of the device's own log. :raises LookupError:"""
        found = [e for e in self.device.journal.find(kind, wanted) if e.at >= self.since]
        if not found:
            raise LookupError(f"nothing like it in the device's log ({kind})")
        return found[-1]

    async def pdu(self, name: str, wanted: Callable[[dict[str, Any]], bool]) -> PduLine:
        """The first such PDU in the SMS centre's log. :raises Missing:"""

        async def look() -> PduLine | None:
            return next((p for p in self.pdus(name) if wanted(p.decoded())), None)

        return await patiently(f"{name} in the log of the SMS centre", look)

    def pdus(self, name: str) -> list[PduLine]:
        return [p for p in self.world.smsc.log.of(name) if p.at >= self.since]

    async def command(
        self, verb: str, direction: str, account: str, wanted: Callable[[MsnLine], bool] = lambda line: True
    ) -> MsnLine:
        """The newest command on a switchboard in the MSN service's log. :raises Missing:"""

        async def look() -> MsnLine | None:
            lines = self.world.msn.log.of(verb, direction=direction, account=account, connection="SB")
            found = [line for line in lines if line.at >= self.since and wanted(line)]
            return found[-1] if found else None

        return await patiently(f"{verb} in the log of the MSN service", look)


def sip(entry: Entry) -> Evidence:
    return {"device log": entry.what, "at": round(entry.at, 3)}


def smpp(line: PduLine) -> Evidence:
    return {"SMSC log": line.decoded(), "octets": line.hex}


def msn(line: MsnLine) -> Evidence:
    return {
        "MSN log": line.text,
        "connection": line.connection,
        "from": "server" if line.direction == "S" else "client",
    }


__all__ = ["PATIENCE", "Evidence", "Stage", "msn", "sip", "smpp"]
