"""What a delivery looks like to one device: the MESSAGE's fields and body, pure but for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache

from opencpm.access.sip.addresses import Home
from opencpm.access.sip.binding import Binding
from opencpm.access.sip.content import rfc3339, wants_tokens
from opencpm.access.sip.pager import CALL_ID_MARK, mark_of
from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind, message_ident
from opencpm.domain.report import Status
from opencpm.domain.subscriber import Subscriber
from opencpm.protocols import cpim, imdn, mime
from opencpm.protocols.sip.features import accept_contact, icsi

_NOTIFIED = {
    Status.DELIVERED: ("delivery", "delivered"),
    Status.DISPLAYED: ("display", "displayed"),
    Status.FAILED: ("delivery", "failed"),
    Status.UNKNOWN: ("delivery", "failed"),
    Status.PENDING: ("processing", "stored"),
    Status.SUBMITTED: ("processing", "processed"),
}
_LEGACY = {"sms": "legacy-sms", "mms": "legacy-mms", "fixedline": "legacy-sms"}
_ACCEPT_MSG = accept_contact("msg")
_ACCEPT_SYSTEM = accept_contact("systemmsg", require=False)


@dataclass(frozen=True, slots=True)
class Body:
    content_type: str
    content: bytes


def body_for(delivery: Delivery, binding: Binding) -> Body:
    """The body in the form this device takes. Raises SendError UNSUPPORTED_MEDIA when it takes none."""
    if delivery.notice is not None:
        return _notice_body(delivery, delivery.notice, binding)
    return wrapped(delivery) if binding.cpim else _unwrapped(delivery)


def other_form(delivery: Delivery, binding: Binding, tried: Body) -> Body | None:
    """After 415: the other form, CPIM or the bare text, if there is one."""
    if delivery.notice is not None:
        return None
    try:
        other = _unwrapped(delivery) if tried.content_type == cpim.CONTENT_TYPE else wrapped(delivery)
    except SendError:
        return None
    return other if other.content_type != tried.content_type else None


def wrapped(delivery: Delivery, sender: str = cpim.ANONYMOUS, recipient: str = cpim.ANONYMOUS) -> Body:
    """In CPIM. Between two people the SIP level tells who they are; in a group `sender` names the author."""
    message = delivery.message
    content_type, content = _content(delivery)
    headers = list(message.headers)
    if message.subject:
        headers.append(("Subject", message.subject))
    body = cpim.compose(
        content,
        content_type,
        message_id=_message_id(delivery),
        datetime=rfc3339(message.sent_at),
        sender=sender,
        recipient=recipient,
        dispositions=wants_tokens(message.wants),
        headers=headers,
        content_headers=_part_headers(delivery),
    )
    return Body(cpim.CONTENT_TYPE, body)


def _message_id(delivery: Delivery) -> str:
    """The imdn.Message-ID: the sender's own where a notification that names it leads back to the message. It does not
    where the sender gave none and a Call-ID stands for it: then one of ours, that holds the delivery's id."""
    message = delivery.message
    if message_ident(message.sender, message.message_id) == message.id:
        return message.message_id
    return f"{CALL_ID_MARK}{delivery.id}-{mark_of(delivery.target)}"


def _content(delivery: Delivery) -> tuple[str, bytes]:
    parts = delivery.message.parts
    if len(parts) == 1:
        return parts[0].content_type, parts[0].body
    boundary = f"b{delivery.id}"
    wired = [
        mime.Part(
            (("Content-Type", p.content_type), *((("Content-Disposition", p.disposition),) if p.disposition else ())),
            p.body,
        )
        for p in parts
    ]
    return f'multipart/mixed;boundary="{boundary}"', mime.build_multipart(wired, boundary)


def _part_headers(delivery: Delivery) -> list[tuple[str, str]]:
    parts = delivery.message.parts
    disposition = parts[0].disposition if len(parts) == 1 else ""
    return [("Content-Disposition", disposition)] if disposition else []


def _unwrapped(delivery: Delivery) -> Body:
    """Plain text, and nothing is left out: who asked for it would hear "delivered" of a picture nobody saw."""
    text = delivery.message.text
    if not text or any(part.media_type != "text/plain" for part in delivery.message.parts):
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="The receiver's device takes text only.")
    return Body("text/plain;charset=UTF-8", text.encode())


def _notice_body(delivery: Delivery, notice: Notice, binding: Binding) -> Body:
    document = imdn.build(
        imdn.Imdn(
            notice.message_id,
            rfc3339(notice.original_sent_at),
            *_kind(notice),
            recipient_uri=str(notice.recipient),
        )
    )
    if not binding.cpim:
        if binding.imdn:
            return Body(imdn.CONTENT_TYPE, document)
        raise SendError(Reason.UNSUPPORTED_MEDIA, detail="The device takes no notifications.")
    body = cpim.compose(
        document,
        imdn.CONTENT_TYPE,
        message_id=f"N{delivery.id}",
        datetime=rfc3339(delivery.message.received_at),
        content_headers=(("Content-Disposition", "notification"),),
    )
    return Body(cpim.CONTENT_TYPE, body)


def _kind(notice: Notice) -> tuple[str, str]:
    if notice.status is Status.ACCEPTED:
        legacy = _LEGACY.get(notice.network)
        return ("interworking", legacy) if legacy else ("processing", "processed")
    return _NOTIFIED[notice.status]


def call_id_of(delivery: Delivery, binding: Binding, host: str) -> str:
    """The Call-ID of a delivery to a device: the same at every attempt, and the delivery can be read from it."""
    return f"{CALL_ID_MARK}{delivery.id}-{mark_of(delivery.target)}{binding.mark}@{host}"


@lru_cache(maxsize=1024)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)


def fields_for(
    delivery: Delivery, binding: Binding, body: Body, home: Home, owner: Subscriber | None, host: str
) -> list[tuple[str, str]]:
    """The header fields of the MESSAGE, without Via."""
    message, rcs = delivery.message, not binding.plain
    sender = home.uri(delivery.source, tel=rcs)
    fields = [
        ("Max-Forwards", "70"),
        *[("Route", path) for path in binding.path],
        ("From", f"<{sender}>;tag={delivery.id}-{delivery.token}"),
        ("To", f"<{home.uri(delivery.target)}>"),
        ("Call-ID", call_id_of(delivery, binding, host)),
        ("CSeq", f"{max(1, delivery.token)} MESSAGE"),
        ("P-Asserted-Identity", home.asserted(delivery.source, owner, tel=rcs)),
        ("Date", _date(int(message.sent_at))),
    ]
    if message.conversation_id:
        fields.append(("Conversation-ID", message.conversation_id))
    contribution = delivery.id if delivery.notice is not None else message.contribution_id
    if contribution:
        fields.append(("Contribution-ID", contribution))
    if message.in_reply_to and delivery.notice is None:
        fields.append(("InReplyTo-Contribution-ID", message.in_reply_to))
    if rcs:
        system = message.kind is MessageKind.SYSTEM
        fields += [
            ("P-Asserted-Service", icsi("systemmsg" if system else "msg")),
            ("Accept-Contact", _ACCEPT_SYSTEM if system else _ACCEPT_MSG),
            ("P-Called-Party-ID", f"<{home.uri(delivery.target)}>"),
        ]
    elif message.subject and body.content_type != cpim.CONTENT_TYPE:
        fields.append(("Subject", " ".join(message.subject.split())))
    fields.append(("Content-Type", body.content_type))
    return fields
