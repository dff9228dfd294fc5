"""What travels inside a session, between its wire form and the neutral one: pager mode's forms over another wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, cast

from opencpm.access.sip.binding import Binding
from opencpm.access.sip.content import Content, rfc3339
from opencpm.access.sip.content import read as read_body
from opencpm.access.sip.outgoing import Body, body_for, wrapped
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, MessageKind, message_ident
from opencpm.domain.report import Report, Status
from opencpm.domain.session import Composing
from opencpm.protocols import cpim, imdn, iscomposing, sdp
from opencpm.protocols.mime import media_type
from opencpm.protocols.sdp import MsrpMedia
from opencpm.protocols.sip.message import Message as SipMessage
from opencpm.protocols.sip.response import Refusal

__all__ = ["Codec", "Parties", "Texts", "composing_body", "delivery_body", "read", "read_message"]

_STATUS = {
    ("delivery", "delivered"): Status.DELIVERED,
    ("delivery", "failed"): Status.FAILED,
    ("delivery", "forbidden"): Status.FAILED,
    ("delivery", "error"): Status.FAILED,
    ("display", "displayed"): Status.DISPLAYED,
}
_REFUSED = {413: Reason.TOO_LARGE, 415: Reason.UNSUPPORTED_MEDIA}


@dataclass(frozen=True, slots=True)
class Parties:
    """Who speaks in what comes from a side, and where. `session_id` is SessionOffer.id; empty: a standalone message
    that travels like one (large message mode)."""

    sender: Address
    recipient: Address
    network: str
    session_id: str = ""
    conversation_id: str = ""
    contribution_id: str = ""
    in_reply_to: str = ""
    named: Callable[[Address], str] | None = None
    """In a group: how a device is told the author of a text, whom the session alone does not name."""


def read(
    content_type: str, body: bytes, wire_id: str, parties: Parties, now: float, limit: int
) -> Message | Composing | list[Report]:
    """What an MSRP body says: a text, typing, or dispositions. `wire_id` (the MSRP Message-ID) stands in for an
    imdn.Message-ID; `now` is seconds since the epoch, `limit` octets.

    :raises SendError: MALFORMED, TOO_LARGE or UNSUPPORTED_MEDIA.
    """
    return read_message(SipMessage("", "", 0, "", {"content-type": [content_type]}, body), wire_id, parties, now, limit)


def read_message(
    carrier: SipMessage, wire_id: str, parties: Parties, now: float, limit: int
) -> Message | Composing | list[Report]:
    """The same for the body of a MESSAGE inside the dialog."""
    try:
        content = read_body(carrier, limit=limit)
        if content.media_type == iscomposing.CONTENT_TYPE:
            state = iscomposing.parse(content.parts[0].body)
            return Composing(state.active, float(state.refresh), state.content_type)
        if content.media_type == imdn.CONTENT_TYPE:
            return _reports(content, parties, now)
    except Refusal as refusal:
        raise SendError(_REFUSED.get(refusal.status, Reason.MALFORMED), detail=str(refusal)) from None
    except (imdn.ImdnError, iscomposing.IsComposingError) as error:
        raise SendError(Reason.MALFORMED, detail=str(error)) from None
    if not content.parts:
        raise SendError(Reason.MALFORMED, detail="empty message")
    return _message(content, content.message_id or wire_id, parties, now)


def _message(content: Content, message_id: str, parties: Parties, now: float) -> Message:
    return Message(
        id=message_ident(parties.sender, message_id),
        message_id=message_id,
        sender=parties.sender,
        recipients=(parties.recipient,),
        parts=content.parts,
        sent_at=now if content.sent_at is None else content.sent_at,
        received_at=now,
        origin=parties.network,
        conversation_id=parties.conversation_id,
        contribution_id=parties.contribution_id,
        in_reply_to=parties.in_reply_to,
        wants=content.wants,
        subject=content.subject,
        kind=MessageKind.CHAT if parties.session_id else MessageKind.STANDALONE,
        session_id=parties.session_id,
        headers=content.headers,
    )


def _reports(content: Content, parties: Parties, now: float) -> list[Report]:
    """Only what a device can truly know: delivery and display."""
    reports = []
    for part in content.parts:
        if part.media_type != imdn.CONTENT_TYPE:
            continue
        found = imdn.parse(part.body)
        status = _STATUS.get((found.kind, found.status))
        if status is not None:
            failed = status is Status.FAILED
            reports.append(
                Report(
                    status=status,
                    network=parties.network,
                    source="device",
                    at=now,
                    message_id=found.message_id,
                    reporter=parties.sender,
                    original_sender=parties.recipient,
                    error=SendError(Reason.REJECTED, detail="the device reported a failure") if failed else None,
                    detail=f"{found.kind} {found.status}",
                )
            )
    return reports


class Codec(Protocol):
    """What a leg carries: texts as a rule, or one file."""

    def takes(self, content_type: str, accept_types: Sequence[str]) -> bool:
        """Whether something of this type may come."""

    def read(
        self, content_type: str, body: bytes, wire_id: str, parties: Parties, now: float, limit: int
    ) -> Message | Composing | list[Report]:
        """See `read`. :raises SendError:"""

    def body(self, delivery: Delivery, theirs: MsrpMedia, parties: Parties) -> Body:
        """What goes out for a delivery. :raises SendError:"""

    def broken(self, unfinished: bytes, reached: int) -> None:
        """The connection has gone: `unfinished` had come of a message, `reached` bytes of ours had been answered."""


class Texts:
    """CPIM and what it wraps. `resolve` puts the files into messages that name them."""

    def __init__(self, resolve: Callable[[Message], Message] = lambda message: message) -> None:
        self._resolve = resolve

    def takes(self, content_type: str, accept_types: Sequence[str]) -> bool:
        kind = media_type(content_type)
        return sdp.accepts(accept_types, kind) or kind in (cpim.CONTENT_TYPE, iscomposing.CONTENT_TYPE)

    def read(
        self, content_type: str, body: bytes, wire_id: str, parties: Parties, now: float, limit: int
    ) -> Message | Composing | list[Report]:
        found = read(content_type, body, wire_id, parties, now, limit)
        return self._resolve(found) if isinstance(found, Message) else found

    def body(self, delivery: Delivery, theirs: MsrpMedia, parties: Parties) -> Body:
        return delivery_body(delivery, theirs.accept_types, theirs.wrapped_types, parties.named)

    def broken(self, unfinished: bytes, reached: int) -> None: ...


@dataclass(frozen=True, slots=True)
class _Form:
    """What `body_for` asks of a device."""

    cpim: bool
    imdn: bool


def delivery_body(
    delivery: Delivery,
    accept_types: Sequence[str],
    wrapped_types: Sequence[str],
    named: Callable[[Address], str] | None = None,
) -> Body:
    """The body for a delivery in the form that the device listed for this session: CPIM, or bare. In a group
    (``named``) CPIM names the author and the member.

    :raises SendError: UNSUPPORTED_MEDIA.
    """
    kind = _inner_type(delivery)
    wraps = sdp.accepts(accept_types, cpim.CONTENT_TYPE) and (not wrapped_types or sdp.accepts(wrapped_types, kind))
    if not wraps and not sdp.accepts(accept_types, kind):
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail=f"the device takes no {kind} in this session")
    if named is not None and wraps and delivery.notice is None:
        return wrapped(delivery, f"<{named(delivery.message.sender)}>", f"<{named(delivery.target)}>")
    return body_for(delivery, cast(Binding, _Form(wraps, imdn=not wraps)))


def _inner_type(delivery: Delivery) -> str:
    if delivery.notice is not None:
        return imdn.CONTENT_TYPE
    parts = delivery.message.parts
    return parts[0].media_type if len(parts) == 1 else "multipart/mixed"


def composing_body(
    composing: Composing, accept_types: Sequence[str], wrapped_types: Sequence[str], message_id: str, now: float
) -> Body | None:
    """Typing in the form a device takes: bare, wrapped, or not at all (None)."""
    state = iscomposing.IsComposing(composing.active, composing.content_type, max(1, round(composing.refresh)))
    body = iscomposing.build(state)
    if sdp.accepts(accept_types, iscomposing.CONTENT_TYPE):
        return Body(iscomposing.CONTENT_TYPE, body)
    if sdp.accepts(accept_types, cpim.CONTENT_TYPE) and sdp.accepts(wrapped_types, iscomposing.CONTENT_TYPE):
        wrapped = cpim.compose(body, iscomposing.CONTENT_TYPE, message_id=message_id, datetime=rfc3339(now))
        return Body(cpim.CONTENT_TYPE, wrapped)
    return None
