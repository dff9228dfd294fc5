"""Mail composed from deliveries: every id in it is derived from ``delivery.id``. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.message import Disposition, Part
from opencpm.domain.report import Status
from opencpm.protocols import mime
from opencpm.protocols.mail.content import composed
from opencpm.protocols.mail.reports import Dsn, DsnRecipient, Envelope, Mdn, write_dsn, write_mdn
from opencpm.protocols.mm4.headers import encode_words, one_line, write_date

from .names import mailbox
from .reasons import action
from .settings import Mm3Settings

MARK = "X-OpenCPM-Gateway"
"""Names our domain: a mail that comes back with it goes round in circles."""
_ASKS_DELIVERY = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY


class Outgoing(NamedTuple):
    """A mail with its envelope. ``notify``: the delivery reports that are wanted."""

    sender: str
    recipient: str
    data: bytes
    ident: str = ""
    notify: tuple[str, ...] = ()


def ident_of(delivery_id: str, settings: Mm3Settings) -> str:
    """The Message-ID of a delivery, without brackets."""
    return f"{delivery_id}@{settings.domain}"


def mail(delivery: Delivery, parts: Sequence[Part], name: str, settings: Mm3Settings) -> Outgoing:
    """The message as mail; ``name`` is its sender's, for people. Raises SendError."""
    message = delivery.message
    sender, ident = mailbox(delivery.source, settings), ident_of(delivery.id, settings)
    head = [
        f"From: {_named(name, sender)}",
        f"To: {one_line(delivery.target.value)}",
        f"Date: {write_date(message.sent_at)}",
        f"Message-ID: <{ident}>",
    ]
    if message.subject:
        head.append(f"Subject: {encode_words(message.subject[:400])}")
    if message.wants & Disposition.DISPLAY and settings.read_reports == "asked":
        head.append(f"Disposition-Notification-To: <{sender}>")
    text_only = all(part.media_type == "text/plain" for part in parts)
    head += [f"Message-Context: {'text-message' if text_only else 'multimedia-message'}", f"{MARK}: {settings.domain}"]
    content = composed([_mime(part) for part in parts], f"=_{delivery.id}")
    head += ["MIME-Version: 1.0", *(f"{key}: {value}" for key, value in content.headers)]
    data = ("\r\n".join(head) + "\r\n\r\n").encode() + content.body
    return Outgoing(settings.system_address, delivery.target.value, data, ident, _notify(delivery, settings))


def _named(name: str, address: str) -> str:
    words = " ".join(name.split())[:60]
    if not words:
        return f"<{address}>"
    quoted = encode_words(words) if not words.isascii() else '"' + words.replace("\\", "").replace('"', "") + '"'
    return f"{one_line(quoted)} <{address}>"


def _mime(part: Part) -> mime.Part:
    if part.media_type == "text/plain" and part.disposition != "attachment":
        return mime.Part((("Content-Type", "text/plain; charset=utf-8"),), part.text.encode())
    name = "".join(c for c in part.name if c.isprintable() and c not in '"\\')[:120]
    named = f'{part.media_type}; name="{name}"' if name else part.media_type
    return mime.Part((("Content-Type", one_line(named)),), part.body)


def _notify(delivery: Delivery, settings: Mm3Settings) -> tuple[str, ...]:
    asked = bool(delivery.message.wants & _ASKS_DELIVERY)
    if settings.delivery_reports == "always" or (settings.delivery_reports == "asked" and asked):
        return ("SUCCESS", "FAILURE", "DELAY")
    return ("FAILURE",)


class Origin(NamedTuple):
    """Where word about a mail that came in goes."""

    return_path: str
    message_id: str
    envid: str = ""


def report(
    delivery: Delivery, notice: Notice, origin: Origin, receiver: str, settings: Mm3Settings, now: float
) -> Outgoing:
    """A delivery report (it has no return path, RFC 3464 §2), or word that a mail was read."""
    ident = ident_of(delivery.id, settings)
    envelope = Envelope(settings.system_address, origin.return_path, now, ident, f"=_{delivery.id}")
    if notice.status is Status.DISPLAYED:
        mdn = Mdn(origin.message_id, receiver, "displayed")
        data = write_mdn(envelope._replace(sender=receiver), settings.domain, mdn, "The message was displayed.")
        return Outgoing("", origin.return_path, data, ident)
    done, status = action(notice)
    text = f"Your message to {receiver} was delivered."
    if done == "failed":
        text = f"Your message to {receiver} could not be delivered: {notice.reason or notice.cause or 'unknown'}."
    dsn = Dsn((DsnRecipient(receiver, done, status),), origin.message_id, origin.envid)
    return Outgoing("", origin.return_path, write_dsn(envelope, settings.domain, dsn, text), ident)
