"""A file from a device by MSRP (RFC 5547): what was announced is what has to come, and then it is a message.

The sender need not wait for the receiver: the server takes the file, and brings it when the receiver is there.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from opencpm.access.sip.outgoing import Body
from opencpm.access.sip.session_content import Parties
from opencpm.access.sip.session_content import read as read_text
from opencpm.access.sip.session_terms import Invitation
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message, MessageKind, Part, message_ident
from opencpm.domain.report import Report
from opencpm.domain.session import Composing
from opencpm.protocols import cpim, sdp
from opencpm.protocols.mime import media_type
from opencpm.protocols.sdp import MsrpMedia, SdpError
from opencpm.protocols.sdp_file import FileSelector, parse_range, parse_selector
from opencpm.protocols.sip.response import Refusal

__all__ = ["FileIn", "Partials", "file_in"]

_MAX_ID: Final = 256
Key = tuple[Address, str]


class Partials:
    """Beginnings of files whose transfer broke off, for a while and within bounds; a restart forgets them."""

    def __init__(self, *, count: int = 32, octets: int = 64 << 20, life: float = 3600.0) -> None:
        self._count, self._octets, self._life = count, octets, life
        self._kept: OrderedDict[Key, tuple[bytes, float]] = OrderedDict()

    def put(self, key: Key, data: bytes, now: float) -> None:
        if len(data) > self._octets:
            return
        self._kept.pop(key, None)
        self._kept[key] = data, now
        while len(self._kept) > self._count or sum(len(held) for held, _ in self._kept.values()) > self._octets:
            self._kept.popitem(last=False)

    def get(self, key: Key, now: float) -> bytes:
        data, at = self._kept.get(key, (b"", 0.0))
        return data if now - at < self._life else b""

    def drop(self, key: Key) -> None:
        self._kept.pop(key, None)


class FileIn:
    """Implements `session_content.Codec`: one file comes in, nothing goes out."""

    def __init__(
        self,
        selector: FileSelector,
        key: Key,
        before: bytes,
        partials: Partials,
        about: Message | None,
    ) -> None:
        """`before`: what came of it in an earlier transfer. `about`: the CPIM that stood beside the SDP."""
        self._selector, self._key, self._before = selector, key, before
        self._partials, self._about = partials, about
        self._now = 0.0

    def takes(self, content_type: str, accept_types: Sequence[str]) -> bool:
        return sdp.accepts(accept_types, media_type(content_type))

    def read(
        self, content_type: str, body: bytes, wire_id: str, parties: Parties, now: float, limit: int
    ) -> Message | Composing | list[Report]:
        whole = self._before + body
        if len(whole) > limit:
            raise SendError(Reason.TOO_LARGE)
        self._partials.drop(self._key)
        if not self._selector.fits(whole):
            raise SendError(Reason.MALFORMED, detail="these are not the bytes that were announced")
        about = self._about
        message_id = about.message_id if about is not None else self._key[1]
        part = Part(self._selector.content_type, whole, self._selector.name, "attachment")
        return Message(
            id=message_ident(parties.sender, message_id),
            message_id=message_id,
            sender=parties.sender,
            recipients=(parties.recipient,),
            parts=(part,),
            sent_at=about.sent_at if about is not None else now,
            received_at=now,
            origin=parties.network,
            conversation_id=parties.conversation_id,
            contribution_id=parties.contribution_id,
            in_reply_to=parties.in_reply_to,
            wants=about.wants if about is not None else Disposition.NONE,
            kind=MessageKind.STANDALONE,
        )

    def body(self, delivery: Delivery, theirs: MsrpMedia, parties: Parties) -> Body:
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="the device sends a file here and takes nothing")

    def broken(self, unfinished: bytes, reached: int) -> None:
        if unfinished:
            self._partials.put(self._key, self._before + unfinished, self._now)

    def at(self, now: float) -> FileIn:
        """The time of the transfer, from which what breaks off is kept."""
        self._now = now
        return self


def file_in(
    invitation: Invitation, parties: Parties, partials: Partials, *, limit: int, now: float, host: str
) -> FileIn:
    """What an INVITE announces. `limit`: octets of a file; `host` says who warns.

    :raises Refusal: 403 too large, 488 terms that we cannot serve; both with a Warning.
    """
    attributes = dict(reversed(invitation.terms.file))
    transfer_id = attributes.get("file-transfer-id", "")
    try:
        if "file-selector" not in attributes:
            raise SdpError("a=file-selector is missing", 305)
        if not transfer_id or len(transfer_id) > _MAX_ID:
            raise SdpError("a=file-transfer-id is missing or too long", 305)
        if invitation.terms.direction in (sdp.RECVONLY, sdp.INACTIVE):
            raise SdpError("files are only taken, not given out on request", 305)
        selector = parse_selector(attributes["file-selector"])
        start = parse_range(attributes.get("file-range", "1-*"))
        key = parties.sender, transfer_id
        before = partials.get(key, now)[: start - 1]
        if len(before) < start - 1:
            raise SdpError("the beginning of the file is not here; send it from the start", 399)
    except SdpError as error:
        raise Refusal(488, "", ("Warning", f'{error.warning} {host} "{error}"')) from None
    if (selector.size or 0) > limit:
        raise Refusal(403, "", ("Warning", f'399 {host} "A file may have {limit} bytes at most"'))
    return FileIn(selector, key, before, partials, _about(invitation, parties, now, limit)).at(now)


def _about(invitation: Invitation, parties: Parties, now: float, limit: int) -> Message | None:
    """RCS devices put the Message-ID and what they want to be told in a CPIM beside the SDP."""
    if not invitation.first:
        return None
    try:
        found = read_text(cpim.CONTENT_TYPE, invitation.first, "", replace(parties, session_id=""), now, limit)
    except SendError:
        return None
    return found if isinstance(found, Message) and found.message_id else None
