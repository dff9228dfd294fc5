"""Offline messages over the web services: leaving one for somebody (11 to 17), fetching and removing those kept for us.

The functions make the HTTP requests and read the answers; `OfflineText` is one message as it was fetched.
"""

import binascii
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from email.errors import MessageError
from email.parser import BytesParser
from email.policy import compat32
from email.utils import parseaddr, parsedate_to_datetime
from typing import NamedTuple

from opencpm.protocols.msnp import commands, notices, payload, soap
from opencpm.protocols.msnp.challenge import Product
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.notices import Waiting
from opencpm.protocols.xmlsafe import escape

STORE = "/OimWS/oim.asmx"
RSI = "/rsi/rsi.asmx"
OLD = "http://messenger.msn.com/ws/2004/09/oim/"  # Store, 11 and 12
NEW = "http://messenger.live.com/ws/2006/09/oim/"  # Store2, 13 to 17
RSI_NAMESPACE = "http://www.hotmail.msn.com/ws/2004/09/oim/rsi"
MAX_TEXT = 400  # octets of one message; the historic client left about as many characters
MAX_MESSAGE = 65536

TOO_FAST = frozenset({"SenderThrottleLimitExceeded"})
TEMPORARY = frozenset({"SystemUnavailable"})
TOO_LONG = frozenset({"MessageTooLarge"})
EXPIRED = frozenset({"AuthenticationFailed", "PassportAuthFail", "BadContextToken"})

_FILETIME = re.compile(r"\s*\(UTC\).*\Z", re.DOTALL)
_FRACTION = re.compile(r"(:\d\d)\.\d+")
_TICKET = re.compile(r"t=([^&]*)&p=(.*)\Z", re.DOTALL)
_NUMBER = re.compile(r"\d{1,6}\Z")


class Sender(NamedTuple):
    """Who leaves a message, and with what right. `run` (`{GUID}`) is the same for the messages of one conversation."""

    address: str
    name: str
    ticket: str
    product: Product
    dialect: int
    run: str
    lock_key: str = ""
    version: str = "7.5.0324"


class OfflineText(NamedTuple):
    """A message that was kept. `at` is epoch seconds, 0 when it does not say; `run` and `number` give its order."""

    sender: str
    text: str
    at: float
    run: str = ""
    number: int = 0


# --- leaving a message -------------------------------------------------------------------------------------------


def store(base: str, sender: Sender, to: str, text: str, number: int) -> soap.HttpRequest:
    """Leave one text of at most MAX_TEXT octets; `number` counts from 1 in a conversation."""
    new = sender.dialect >= 13
    space, action = (NEW, "Store2") if new else (OLD, "Store")
    identifier = "http://messenger.msn.com"
    header = (
        f'<From memberName="{escape(sender.address)}" friendlyName="{_encoded(sender.name)}" xml:lang="en-US" '
        f'proxy="MSNMSGR" xmlns="{space}" msnpVer="MSNP{sender.dialect}" buildVer="{escape(sender.version)}"/>'
        f'<To memberName="{escape(to)}" xmlns="{space}"/>'
        f'<Ticket passport="{escape(whole_ticket(sender.ticket))}" appid="{escape(sender.product.id)}" '
        f'lockkey="{escape(sender.lock_key)}" xmlns="{space}"/>'
        '<Sequence xmlns="http://schemas.xmlsoap.org/ws/2003/03/rm">'
        f'<Identifier xmlns="http://schemas.xmlsoap.org/ws/2002/07/utility">{identifier}</Identifier>'
        f"<MessageNumber>{number}</MessageNumber></Sequence>"
    )
    mail = _mail(sender.run, number, text)
    body = f'<MessageType xmlns="{space}">text</MessageType><Content xmlns="{space}">{mail}</Content>'
    return soap.post(base.rstrip("/") + STORE, soap.envelope(header, body, schema=True), space + action)


def _mail(run: str, number: int, text: str) -> str:
    encoded = b64encode(payload.wire_text(text)).decode()
    return "\r\n".join(
        (
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=UTF-8",
            "Content-Transfer-Encoding: base64",
            "X-OIM-Message-Type: OfflineMessage",
            f"X-OIM-Run-Id: {run}",
            f"X-OIM-Sequence-Num: {number}",
            "",
            encoded,
            "",
        )
    )


def _encoded(name: str) -> str:
    return f"=?utf-8?B?{b64encode(name.encode('utf-8', 'replace')).decode()}?="


def stored(reply: soap.HttpReply) -> None:
    """Whether the message was taken. Raises soap.Fault (with `LockKeyChallenge` in its detail where a lock key is
    wanted) or MsnpError."""
    soap.read(reply)


# --- fetching ----------------------------------------------------------------------------------------------------


def get_message(base: str, ticket: str, ident: str) -> soap.HttpRequest:
    inside = f"<messageId>{escape(ident)}</messageId><alsoMarkAsRead>false</alsoMarkAsRead>"
    return _rsi(base, ticket, "GetMessage", inside)


def delete_messages(base: str, ticket: str, idents: Iterable[str]) -> soap.HttpRequest:
    inside = "".join(f"<messageId>{escape(ident)}</messageId>" for ident in idents)
    return _rsi(base, ticket, "DeleteMessages", f"<messageIds>{inside}</messageIds>")


def get_metadata(base: str, ticket: str) -> soap.HttpRequest:
    return _rsi(base, ticket, "GetMetadata", "")


def _rsi(base: str, ticket: str, operation: str, inside: str) -> soap.HttpRequest:
    t, p = ticket_parts(ticket)
    header = f'<PassportCookie xmlns="{RSI_NAMESPACE}"><t>{escape(t)}</t><p>{escape(p)}</p></PassportCookie>'
    body = f'<{operation} xmlns="{RSI_NAMESPACE}">{inside}</{operation}>'
    url, action = base.rstrip("/") + RSI, f"{RSI_NAMESPACE}/{operation}"
    return soap.post(url, soap.envelope(header, body, schema=True), action)


def ticket_parts(ticket: str) -> tuple[str, str]:
    """The `t` and `p` of a ticket `t=..&p=..`; a ticket of another form is all `t`."""
    found = _TICKET.match(ticket)
    return (found[1], found[2]) if found else (ticket, "")


def whole_ticket(ticket: str) -> str:
    """The form `t=..&p=..` that leaving a message wants."""
    return ticket if _TICKET.match(ticket) else f"t={ticket}&p="


def metadata(reply: soap.HttpReply) -> tuple[Waiting, ...]:
    """The messages that GetMetadata names. Raises soap.Fault or MsnpError."""
    found = soap.first(soap.read(reply), "MD")
    return () if found is None else notices.of_element(found)


def message(reply: soap.HttpReply) -> OfflineText:
    """The message of a GetMessage answer. Raises soap.Fault or MsnpError."""
    return read_mail(soap.text(soap.read(reply), "GetMessageResult"))


def read_mail(text: str) -> OfflineText:
    """A kept message in mail form. Raises MsnpError."""
    head, body = _split(text)
    sender = commands.address(parseaddr(notices.name(head.get("from", "")))[1] or head.get("from", ""))
    said = payload.Payload({"content-type": head.get("content-type", "")}, _octets(head, body))
    number = head.get("x-oim-sequence-num", "")
    return OfflineText(
        sender,
        payload.decode_text(said),
        _moment(head),
        head.get("x-oim-run-id", "")[:80],
        int(number) if _NUMBER.match(number) else 0,
    )


def _split(text: str) -> tuple[Mapping[str, str], bytes]:
    data = text.encode("utf-8", "replace")
    if len(data) > MAX_MESSAGE:
        raise MsnpError("offline message too large")
    try:
        mail = BytesParser(policy=compat32).parsebytes(data)
        body = mail.get_payload()
        head = {name.lower(): str(value) for name, value in reversed(mail.items())}
    except (MessageError, ValueError, LookupError, TypeError, RecursionError):
        raise MsnpError("offline message not understood") from None
    if not isinstance(body, str):
        raise MsnpError("offline message in several parts")
    return head, body.encode("utf-8", "replace")


def _octets(head: Mapping[str, str], body: bytes) -> bytes:
    if head.get("content-transfer-encoding", "").strip().lower() != "base64":
        return body
    try:
        return b64decode(b"".join(body.split()))
    except (binascii.Error, ValueError):
        raise MsnpError("offline message not in base64") from None


def _moment(head: Mapping[str, str]) -> float:
    """X-OriginalArrivalTime (`23 Nov 2026 07:19:57.0000 (UTC) FILETIME=[..]`), else Date."""
    arrived = _FRACTION.sub(r"\1", _FILETIME.sub(" +0000", head.get("x-originalarrivaltime", "")[:200]))
    for text in (arrived, head.get("date", "")[:200]):
        try:
            return max(parsedate_to_datetime(text).timestamp(), 0.0)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
    return 0.0


def in_order(texts: Sequence[tuple[str, OfflineText]]) -> list[tuple[str, OfflineText]]:
    """Kept messages (id and text) as they were written: by time, within a conversation's run by number, and where both
    say nothing (times are whole seconds) as the service names them."""
    began: dict[tuple[str, str], tuple[float, int]] = {}
    for place, (ident, text) in enumerate(texts):
        run = _run(ident, text)
        began[run] = min(began.get(run, (text.at, place)), (text.at, place))
    places = {ident: place for place, (ident, _) in enumerate(texts)}
    return sorted(texts, key=lambda each: (began[_run(*each)], each[1].number, each[1].at, places[each[0]]))


def _run(ident: str, text: OfflineText) -> tuple[str, str]:
    return text.sender, text.run or ident
