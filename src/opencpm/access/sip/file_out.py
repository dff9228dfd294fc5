"""A file on its way to a device by MSRP (RFC 5547): the offer, and its bytes as they are."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from opencpm.access.sip.outgoing import Body
from opencpm.access.sip.session_content import Parties
from opencpm.access.sip.session_terms import FileOffer
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.media import Target
from opencpm.domain.message import Message, Part
from opencpm.domain.report import Report
from opencpm.domain.session import Composing
from opencpm.interfaces import MediaAdapter
from opencpm.protocols import sdp_file
from opencpm.protocols.sdp import MsrpMedia, accepts

__all__ = ["FileOut", "offer_of", "thumbnail"]

log = logging.getLogger("opencpm.access.sip")

_SMALL: Final = Target(
    max_bytes=12_288,
    accepts=("image/jpeg",),
    image_box=(240, 240),
    reserve=0,
    best_quality=70,
    least_quality=30,
    least_side=64,
    stand_in=False,
)
"""A thumbnail: 5 to 10 kB as a rule."""


class FileOut:
    """Implements `session_content.Codec`: one part goes out, from byte `start` on; nothing comes in.

    `reached`: how far it was answered when the connection went; 0 where nothing of it was.
    """

    def __init__(self, part: Part, start: int = 0) -> None:
        self._part, self._start = part, start
        self.reached = 0

    def takes(self, content_type: str, accept_types: Sequence[str]) -> bool:
        return False

    def read(
        self, content_type: str, body: bytes, wire_id: str, parties: Parties, now: float, limit: int
    ) -> Message | Composing | list[Report]:
        raise SendError(Reason.UNSUPPORTED_MEDIA)

    def body(self, delivery: Delivery, theirs: MsrpMedia, parties: Parties) -> Body:
        if not accepts(theirs.accept_types, self._part.media_type):
            raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"the device takes no {self._part.media_type}")
        return Body(self._part.media_type, self._part.body[self._start :])

    def broken(self, unfinished: bytes, reached: int) -> None:
        if reached:
            self.reached = self._start + reached


def offer_of(delivery: Delivery, small: Part | None, start: int = 0) -> FileOffer:
    """What the INVITE says of the one file of a delivery; the same at every attempt, but for where it begins."""
    part = delivery.message.parts[0]
    selector = sdp_file.selector_of(part.name, part.media_type, part.body)
    icon = f"{delivery.id}@icon" if small is not None else ""
    kind = part.disposition.partition(";")[0].strip().lower()
    disposition = kind if kind == "render" else "attachment"
    pairs = sdp_file.attributes(selector, delivery.id, disposition=disposition, icon=icon)
    if start:
        pairs = [*pairs, ("file-range", f"{start + 1}-*")]
    return FileOffer(part.media_type, tuple(pairs), small.body if small is not None else b"", icon_id=icon)


async def thumbnail(media: MediaAdapter, part: Part) -> Part | None:
    """A small picture of a picture; none where it cannot be made, which costs nobody the file."""
    if not part.media_type.startswith("image/"):
        return None
    try:
        made = await media.adapt([part], _SMALL)
    except SendError as error:
        log.info("no thumbnail: %s", error.detail)
        return None
    return next((found for found in made.parts if found.media_type == "image/jpeg"), None)
