"""Files over HTTP and a media adapter in memory, for tests of the SIP access."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Adapted, Target
from opencpm.domain.message import Part, text_part
from opencpm.interfaces import Fetch, Share
from tests.access.sip.rig import delivery

BASE = "https://files.cpm.test"
PNG = Part("image/png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "garden.png")
PDF = Part("application/pdf", b"%PDF-" + bytes(3000), "plan.pdf", "attachment")
SMALL = Part("image/jpeg", b"\xff\xd8small")


class FakeFiles:
    def __init__(self) -> None:
        self.uploads: dict[tuple[str, str], Part] = {}  # (url, owner)

    def share(self, delivery_id: str, until: float) -> Share:
        return Share(f"{BASE}/c/{delivery_id}", until)

    def fetch(self, delivery_id: str, index: int, until: float, thumbnail: Part | None = None) -> Fetch:
        url = f"{BASE}/ft/d/{delivery_id}/{index}"
        return Fetch(url, until, f"{url}/thumbnail" if thumbnail else "", thumbnail)

    def uploaded(self, url: str, owner: str) -> Part | None:
        return self.uploads.get((url, owner))

    def serves(self, url: str) -> bool:
        return url.startswith(BASE)


class FakeMedia:
    """Makes the same small picture of every picture; `fails` where it cannot."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    async def adapt(self, parts: Sequence[Part], target: Target) -> Adapted:
        if self.fails:
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail="not a picture")
        return Adapted(parts=(SMALL,), origins=(0,))


def content(*parts: Part | str, **more: object) -> Delivery:
    """A delivery of these parts."""
    base = delivery("", **more)
    given = tuple(text_part(part) if isinstance(part, str) else part for part in parts)
    return replace(base, message=replace(base.message, parts=given))
