"""What the notification server itself says in MSG: offline messages that wait, and that it is going down."""

import re
from datetime import UTC, datetime
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import TYPE_CHECKING, NamedTuple

from opencpm.protocols.msnp import commands, payload
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.xmlsafe import XmlError, local_name, parse_xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

AT_LOGIN = "text/x-msmsgsinitialmdatanotification"
LATER = "text/x-msmsgsoimnotification"
TOO_LARGE = "too-large"
_OFFLINE_MESSAGE = "11"  # the T of an <M>
_MAX_NOTICES = 500
_MAX_DATA = 262144
_ID = re.compile(r"[A-Za-z0-9.{}_-]{1,128}\Z")


class Waiting(NamedTuple):
    """One offline message that the service keeps for us. `at` is epoch seconds, 0 when not told."""

    id: str
    sender: str
    at: float = 0.0
    name: str = ""


def waiting(said: payload.Payload) -> tuple[tuple[Waiting, ...], bool] | None:
    """The offline messages that a notice names, and whether it names all (else the list is to be fetched).

    None: the payload is no such notice. Raises MsnpError when it cannot be read.
    """
    if said.content_type not in (AT_LOGIN, LATER):
        return None
    data = payload.parse(said.body).headers.get("mail-data", "")
    if not data:
        return None
    return ((), False) if data == TOO_LARGE else (mail_data(data), True)


def mail_data(text: str) -> tuple[Waiting, ...]:
    """The offline messages of an <MD> document. Raises MsnpError."""
    try:
        root = parse_xml(text.encode("utf-8", "replace"), limit=_MAX_DATA)
    except XmlError as error:
        raise MsnpError(f"mail data: {error}") from None
    return of_element(root)


def of_element(root: "Element") -> tuple[Waiting, ...]:
    """The offline messages of an <MD> element that was read already."""
    found: list[Waiting] = []
    for mail in root:
        fields = {local_name(field): (field.text or "").strip() for field in mail}
        if local_name(mail) != "M" or fields.get("T") != _OFFLINE_MESSAGE or not _ID.match(fields.get("I", "")):
            continue
        try:
            sender = commands.address(fields.get("E", ""))
        except MsnpError:
            continue
        if len(found) < _MAX_NOTICES:
            found.append(Waiting(fields["I"], sender, moment(fields.get("RT", "")), name(fields.get("N", ""))))
    return tuple(found)


def shutdown_in(said: payload.Payload) -> int | None:
    """Minutes until the server goes down, None when the payload does not say so."""
    if said.content_type not in payload.SYSTEM:
        return None
    body = payload.parse(said.body).headers
    return commands.number(body.get("arg1", "")) if body.get("type") == "1" else None


def moment(text: str) -> float:
    """Epoch seconds of `2026-11-23T07:18:34Z`, 0 when it cannot be read."""
    try:
        read = datetime.fromisoformat(text[:40].replace("Z", "+00:00"))
    except ValueError:
        return 0.0
    return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()


def name(text: str) -> str:
    """A name in RFC 2047 form (`=?utf-8?B?QWxpY2U=?=`); what cannot be decoded stays as it is."""
    try:
        return str(make_header(decode_header(text[:1024])))
    except (MessageError, ValueError, LookupError):
        return text[:256]
