"""Delivery status notifications (RFC 3464) and message disposition notifications (RFC 8098), read and written.

Reading never fails: what is no report, or one beyond the bounds, is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.utils import parseaddr
from types import MappingProxyType
from typing import NamedTuple

from opencpm.protocols.mime import MimeError, Part, build_multipart, media_type, split_multipart
from opencpm.protocols.mm4.errors import Mm4Error
from opencpm.protocols.mm4.headers import Headers, encode_words, one_line, read_headers, write_date
from opencpm.protocols.mms.content import bare_id

_MAX_PARTS = 16
_MAX_FIELDS = 64 << 10
_MAX_RECIPIENTS = 100
_STATUS = re.compile(r"[245]\.\d{1,3}\.\d{1,3}", re.ASCII)
_BLANK = re.compile(r"\n[ \t]*\n")


class DsnRecipient(NamedTuple):
    """What became of the mail at one recipient."""

    final: str
    """The address, without its type."""
    action: str
    """failed, delayed, delivered, relayed or expanded."""
    status: str = ""
    """The enhanced code: 5.1.1."""
    diagnostic: str = ""
    original: str = ""


class Dsn(NamedTuple):
    """A delivery status notification. ``about`` is the Message-ID of the mail, without brackets, if it says it."""

    recipients: tuple[DsnRecipient, ...]
    about: str = ""
    envid: str = ""
    returned: Headers = ()
    """The headers of the mail, as far as they came back."""


class Mdn(NamedTuple):
    """A message disposition notification."""

    about: str
    """The Message-ID of the mail, without brackets."""
    final: str
    disposition: str
    """displayed, deleted, dispatched, processed, denied or failed, in lower case."""
    automatic: bool = False
    """Sent without its reader's doing."""


def read_report(data: bytes) -> Dsn | Mdn | None:
    """The report in a mail."""
    try:
        headers, body = read_headers(data)
    except Mm4Error:
        return None
    content_type = value_of(headers, "Content-Type")
    if media_type(content_type) != "multipart/report":
        return None
    try:
        parts = split_multipart(content_type, body, max_parts=_MAX_PARTS)
        return _read(parts)
    except MimeError:
        return None


def value_of(headers: Headers, name: str) -> str:
    """The first header of a name, in any case; empty if absent."""
    wanted = name.lower()
    return next((value for key, value in headers if key.lower() == wanted), "")


def _read(parts: tuple[Part, ...]) -> Dsn | Mdn | None:
    for part in parts:
        kind = media_type(part.content_type)
        if kind in ("message/delivery-status", "message/global-delivery-status"):
            return _dsn(_groups(part), _returned(parts))
        if kind in ("message/disposition-notification", "message/global-disposition-notification"):
            return _mdn(_groups(part))
    return None


def _groups(part: Part) -> list[dict[str, str]]:
    """The fields of a report, a group between blank lines each; of a repeated field the first."""
    body = part.decoded()
    if len(body) > _MAX_FIELDS:
        raise MimeError("report too long")
    text = body.decode("utf-8", "replace").replace("\r\n", "\n")
    return [_fields(group) for group in _BLANK.split(text)[: _MAX_RECIPIENTS + 1] if group.strip()]


def _fields(group: str) -> dict[str, str]:
    found: dict[str, str] = {}
    name = ""
    for line in group.split("\n"):
        if line[:1] in (" ", "\t") and name:
            found[name] += " " + line.strip()
            continue
        key, colon, value = line.partition(":")
        name = key.strip().lower() if colon and key.strip().lower() not in found else ""
        if name:
            found[name] = value.strip()
    return found


def _dsn(groups: list[dict[str, str]], returned: Headers) -> Dsn | None:
    found = [group for group in groups if "action" in group and ("final-recipient" in group)]
    if not found:
        return None
    whole = groups[0] if groups[0] not in found else {}
    return Dsn(
        tuple(_recipient(group) for group in found),
        bare_id(value_of(returned, "Message-ID")),
        whole.get("original-envelope-id", ""),
        returned,
    )


def _recipient(group: dict[str, str]) -> DsnRecipient:
    status = _STATUS.match(group.get("status", ""))
    return DsnRecipient(
        _typed(group["final-recipient"]),
        (group["action"].split() or [""])[0].lower(),
        status[0] if status else "",
        _typed(group.get("diagnostic-code", "")),
        _typed(group.get("original-recipient", "")),
    )


def _typed(value: str) -> str:
    """``rfc822; bob@example.test`` → the address."""
    _, semicolon, rest = value.partition(";")
    return (rest if semicolon else value).strip().strip("<>")


def _returned(parts: tuple[Part, ...]) -> Headers:
    for part in parts:
        if media_type(part.content_type) in ("message/rfc822", "text/rfc822-headers", "message/global"):
            try:
                return read_headers(part.decoded())[0]
            except Mm4Error:
                return ()
    return ()


def _mdn(groups: list[dict[str, str]]) -> Mdn | None:
    fields = groups[0] if groups else {}
    mode, semicolon, rest = fields.get("disposition", "").partition(";")
    about = bare_id(fields.get("original-message-id", ""))
    if not semicolon or not about:
        return None
    disposition = rest.split("/")[0].strip().lower()
    return Mdn(about, _typed(fields.get("final-recipient", "")), disposition, mode.strip().lower().startswith("auto"))


# -- writing


class Envelope(NamedTuple):
    """Who a report is from and to, and its own ids."""

    sender: str
    to: str
    date: float
    message_id: str
    """Without brackets."""
    boundary: str
    """One that stands in no part."""


_SUBJECTS = MappingProxyType(
    {"delivered": "Delivered", "failed": "Not delivered", "delayed": "Delayed", "relayed": "Passed on"}
)


def write_dsn(envelope: Envelope, reporter: str, dsn: Dsn, text: str) -> bytes:
    """The mail of a delivery report; ``reporter`` is the host that speaks. It goes out with an empty return path."""
    lines = [f"Reporting-MTA: dns; {one_line(reporter)}"]
    if dsn.envid:
        lines.append(f"Original-Envelope-Id: {one_line(dsn.envid)}")
    for one in dsn.recipients:
        lines += ["", f"Final-Recipient: rfc822; {one_line(one.final)}", f"Action: {one_line(one.action)}"]
        lines.append(f"Status: {one_line(one.status)}")
        if one.diagnostic:
            lines.append(f"Diagnostic-Code: {one_line(one.diagnostic)}")
    returned = [f"{name}: {one_line(value)}" for name, value in dsn.returned]
    parts = [_text(text), _fields_part("message/delivery-status", lines)]
    if dsn.about and not returned:
        returned = [f"Message-ID: <{one_line(dsn.about)}>"]
    if returned:
        parts.append(_fields_part("text/rfc822-headers", returned))
    action = dsn.recipients[0].action if dsn.recipients else ""
    return _report(envelope, "delivery-status", _SUBJECTS.get(action, "Report"), dsn.about, parts)


def write_mdn(envelope: Envelope, reporter: str, mdn: Mdn, text: str) -> bytes:
    """The mail of a reading report."""
    mode = "automatic-action/MDN-sent-automatically" if mdn.automatic else "manual-action/MDN-sent-manually"
    lines = [
        f"Reporting-UA: {one_line(reporter)}; OpenCPM",
        f"Final-Recipient: rfc822; {one_line(mdn.final)}",
        f"Original-Message-ID: <{one_line(mdn.about)}>",
        f"Disposition: {mode}; {one_line(mdn.disposition)}",
    ]
    parts = [_text(text), _fields_part("message/disposition-notification", lines)]
    return _report(envelope, "disposition-notification", "Read", mdn.about, parts)


def _text(text: str) -> Part:
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Transfer-Encoding", "8bit"))
    return Part(headers, text.replace("\n", "\r\n").encode() + b"\r\n")


def _fields_part(kind: str, lines: Iterable[str]) -> Part:
    return Part((("Content-Type", kind),), "".join(f"{line}\r\n" for line in lines).encode())


def _report(envelope: Envelope, kind: str, subject: str, about: str, parts: list[Part]) -> bytes:
    head = [
        f"From: {one_line(envelope.sender)}",
        f"To: {one_line(envelope.to)}",
        f"Date: {write_date(envelope.date)}",
        f"Message-ID: <{one_line(envelope.message_id)}>",
        f"Subject: {encode_words(subject)}",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="{envelope.boundary}"',
    ]
    if about:
        head.insert(4, f"References: <{one_line(about)}>")
    return ("\r\n".join(head) + "\r\n\r\n").encode() + build_multipart(parts, envelope.boundary)


# -- loops


def is_automatic(headers: Headers) -> bool:
    """Whether a program sent this: it is not answered by one (RFC 3834 §2)."""
    said = value_of(headers, "Auto-Submitted").split(";")[0].strip().lower()
    precedence = value_of(headers, "Precedence").strip().lower()
    listed = any(name.lower() in ("list-id", "list-unsubscribe") for name, _ in headers)
    return said not in ("", "no") or precedence in ("bulk", "junk", "list") or listed


def hops(headers: Headers) -> int:
    """How many servers it has passed."""
    return sum(1 for name, _ in headers if name.lower() == "received")


def address_of(value: str) -> str:
    """The bare address of a From or Sender; empty for none."""
    return parseaddr(value)[1]
