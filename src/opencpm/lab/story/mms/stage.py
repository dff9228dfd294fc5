"""What the steps share: the people, the pictures, the evidence, and what happened so far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO

from PIL import Image

from opencpm.lab.device import Entry, LabDevice, Sent
from opencpm.lab.mmsc import Line, Mm
from opencpm.lab.story.driver import Evidence
from opencpm.lab.story.mms.world import MmsWorld
from opencpm.lab.story.trails import Trails, patiently


@dataclass(slots=True)
class Stage:
    """One run. What a step leaves for the later ones is here."""

    world: MmsWorld
    device: LabDevice
    trails: Trails
    since: float
    sent: Sent | None = None
    shown: Mm | None = None
    second: Sent | None = None
    link: str = ""

    @property
    def message_id(self) -> str:
        assert self.sent is not None, "nothing was sent"
        return self.sent.message_id

    async def operation(self, name: str, wanted: Callable[[Line], bool] = lambda line: True) -> Line:
        """The newest such operation in the MMS centre's log. :raises Missing:"""

        async def look() -> Line | None:
            found = [one for one in self.world.mmsc.log.of(name) if one.at >= self.since and wanted(one)]
            return found[-1] if found else None

        return await patiently(f"{name} in the log of the MMS centre", look)

    async def imdn(self, status: str, message_id: str) -> Entry:
        """What Alice's device was told about a message. :raises TimeoutError:"""
        return await self.device.journal.wait(
            "imdn", lambda entry: entry.what == status and entry.facts["message_id"] == message_id
        )


def mm7(line: Line) -> Evidence:
    return {"MMSC log": line.decoded(), "octets": len(line.body)}


@lru_cache(maxsize=4)
def photograph(width: int, height: int, turn: int) -> bytes:
    """A picture as a camera makes it: fine structure everywhere, so that it does not compress well."""
    grain = Image.effect_noise((width // 4, height // 4), 60).resize((width, height))
    sky = Image.linear_gradient("L").rotate(turn).resize((width, height))
    sea = Image.radial_gradient("L").resize((width, height))
    out = BytesIO()
    Image.merge("RGB", (Image.blend(grain, sky, 0.7), Image.blend(grain, sea, 0.6), sky)).save(out, "JPEG", quality=90)
    return out.getvalue()
