"""Instant Message Disposition Notification bodies (RFC 5438) and the interworking kind OMA CPM adds.

`parse` has a path without an XML parser for the plain documents that nearly every client sends, and hands
everything else (prefixes, entities, comments, other encodings) to the bounded XML parser.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from .mime import MimeError, media_type, split_multipart
from .xmlsafe import XmlError, escape, local_name, namespace, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["CONTENT_TYPE", "CPM_NS", "KINDS", "NS", "Imdn", "ImdnError", "build", "parse", "parse_body"]

CONTENT_TYPE = "message/imdn+xml"
NS = "urn:ietf:params:xml:ns:imdn"
CPM_NS = "urn:oma:xml:cpm:imdn-extensions:1.0"

# Kind of notification → what its status may say (RFC 5438 §7.1; interworking: OMA CPM).
KINDS: dict[str, frozenset[str]] = {
    "delivery": frozenset({"delivered", "failed", "forbidden", "error"}),
    "display": frozenset({"displayed", "forbidden", "error"}),
    "processing": frozenset({"processed", "stored", "forbidden", "error"}),
    "interworking": frozenset({"legacy-sms", "legacy-mms", "error"}),
}
_LIMIT = 16384
_SUFFIX = "-notification"


class ImdnError(ValueError):
    """Not an IMDN document, or one with an unknown kind or status, or over 16 kB."""


class Imdn(NamedTuple):
    """One notification about one message."""

    message_id: str
    """imdn.Message-ID of the message it is about (the SIP Call-ID where that had none)."""
    datetime: str
    """DateTime of that message (RFC 3339), as written."""
    kind: str
    """delivery, display, processing or interworking."""
    status: str
    """One of KINDS[kind]."""
    recipient_uri: str | None = None
    original_recipient_uri: str | None = None
    subject: str | None = None


def parse(body: bytes) -> Imdn:
    """Parse one `message/imdn+xml` document. Raises ImdnError."""
    if len(body) > _LIMIT:
        raise ImdnError(f"IMDN over {_LIMIT} bytes")
    return _parse_plain(body) or _parse_xml(body)


def parse_body(content_type: str, body: bytes) -> tuple[Imdn, ...]:
    """One document, or the aggregated form: a multipart of several. Raises ImdnError."""
    kind = media_type(content_type)
    if kind == CONTENT_TYPE:
        return (parse(body),)
    if not kind.startswith("multipart/"):
        raise ImdnError("not an IMDN content type")
    try:
        parts = split_multipart(content_type, body)
        found = tuple(parse(part.decoded()) for part in parts if media_type(part.content_type) == CONTENT_TYPE)
    except MimeError as error:
        raise ImdnError(str(error)) from None
    if not found:
        raise ImdnError("multipart without an IMDN")
    return found


def _parse_plain(body: bytes) -> Imdn | None:
    """The document without prefixes, references, comments or odd encodings; None if it is not so plain."""
    if b"&" in body or b"<!" in body or not body.rstrip().endswith(b"</imdn>"):
        return None
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return None
    start = text.find(f'<imdn xmlns="{NS}"')
    if start < 0 or (start and not _utf8_prolog(text[:start])):
        return None
    message_id = _between(text, "message-id")
    datetime = _between(text, "datetime")
    found = _notification(text)
    if not message_id or found is None:
        return None
    recipient = _between(text, "recipient-uri") if "<recipient-uri>" in text else None
    original = _between(text, "original-recipient-uri") if "<original-recipient-uri>" in text else None
    subject = _between(text, "subject") if "<subject>" in text else None
    return Imdn(message_id, datetime or "", *found, recipient, original, subject)


def _utf8_prolog(text: str) -> bool:
    prolog = text.strip()
    return not prolog or (prolog.startswith("<?xml ") and prolog.endswith("?>") and "utf-8" in prolog.lower())


def _between(text: str, tag: str) -> str | None:
    start = text.find(f"<{tag}>")
    if start < 0:
        return None
    start += len(tag) + 2
    end = text.find("<", start)
    if end < 0 or not text.startswith(f"</{tag}>", end):
        return None
    return text[start:end].strip()


def _notification(text: str) -> tuple[str, str] | None:
    end = text.find("-notification>")
    start = text.rfind("<", 0, end)
    kind = text[start + 1 : end]
    statuses = KINDS.get(kind)
    opened = text.find("<status>", end)
    if end < 0 or statuses is None or opened < 0:
        return None
    tag = text.find("<", opened + 8)
    status = text[tag + 1 : text.find(">", tag)]
    if tag < 0 or not status.endswith("/"):
        return None
    status = status[:-1].rstrip()
    return (kind, status) if status in statuses else None


def _parse_xml(body: bytes) -> Imdn:
    try:
        root = parse_xml(body, limit=_LIMIT)
    except XmlError as error:
        raise ImdnError(str(error)) from None
    if local_name(root) != "imdn" or namespace(root) not in (NS, ""):
        raise ImdnError("not an imdn document")
    values: dict[str, str] = {}
    found: tuple[str, str] | None = None
    for child in root:
        name = local_name(child)
        if name.endswith(_SUFFIX):
            found = found or _status(name[: -len(_SUFFIX)], child)
        else:
            values.setdefault(name, (child.text or "").strip())
    if found is None or not values.get("message-id"):
        raise ImdnError("no message-id or no notification")
    return Imdn(
        values["message-id"],
        values.get("datetime", ""),
        *found,
        values.get("recipient-uri"),
        values.get("original-recipient-uri"),
        values.get("subject"),
    )


def _status(kind: str, notification: Element) -> tuple[str, str]:
    statuses = KINDS.get(kind)
    if statuses is None:
        raise ImdnError("unknown kind of notification")
    for status in notification:
        if local_name(status) == "status":
            for value in status:
                if local_name(value) in statuses:
                    return kind, local_name(value)
    raise ImdnError("no known status")


def build(imdn: Imdn) -> bytes:
    """Serialise (interworking statuses in the CPM namespace). Raises ImdnError for a status of another kind."""
    kind, status = imdn.kind, imdn.status
    if status not in KINDS.get(kind, ()):
        raise ImdnError(f"no {status} in {kind}")
    extension, prefix = "", ""
    if kind == "interworking":
        extension, prefix = f' xmlns:cpm="{CPM_NS}"', "cpm:"
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\r\n<imdn xmlns="{NS}"{extension}>\r\n'
        f"<message-id>{escape(imdn.message_id)}</message-id>\r\n<datetime>{escape(imdn.datetime)}</datetime>\r\n"
        f"{_optional(imdn) if imdn[4:] != _ABSENT else ''}"
        f"<{kind}-notification><status><{prefix}{status}/></status></{kind}-notification>\r\n</imdn>"
    ).encode()


_ABSENT = (None, None, None)


def _optional(imdn: Imdn) -> str:
    pairs = (
        ("recipient-uri", imdn.recipient_uri),
        ("original-recipient-uri", imdn.original_recipient_uri),
        ("subject", imdn.subject),
    )
    return "".join(f"<{tag}>{escape(value)}</{tag}>\r\n" for tag, value in pairs if value is not None)
