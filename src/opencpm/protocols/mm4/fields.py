"""Which headers a message of MM4 has, in which order we write them, and how their values are spelled."""

from __future__ import annotations

import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, NamedTuple

from .address import MAX_ADDRESSES, parse_address, parse_addresses
from .headers import decode_words, encode_words, one_line, read_date, write_date
from .messages import Step

_STEP = re.compile(r"\s*(\d{1,4})\s*,\s*(.{1,1000})", re.DOTALL | re.ASCII)
_MAX_STEPS = 64


class Kind(NamedTuple):
    """How the values of all headers of a name are read as one, and spelled."""

    read: Callable[[list[str]], Any]
    write: Callable[[Any], list[str]]


class Slot(NamedTuple):
    """A header, the attribute that holds its value, and spellings of its name that are only read."""

    header: str
    attribute: str
    kind: Kind
    required: bool = False
    variants: tuple[str, ...] = ()


def flag(text: str) -> bool:
    """Yes, true or 1 in any case."""
    return text.strip().lower() in ("yes", "true", "1")


def _integer(values: list[str]) -> int | None:
    text = values[0].strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _steps(values: list[str]) -> tuple[Step, ...]:
    matches = (_STEP.fullmatch(value) for value in values[:_MAX_STEPS])
    return tuple(Step(int(match[1]), match[2].strip()) for match in matches if match)


def _all_addresses(values: list[str]) -> Any:
    return tuple(address for value in values for address in parse_addresses(value))[:MAX_ADDRESSES]


def _sender(values: list[str]) -> Any:
    address = parse_address(values[0])
    return address if address.value else None


_TEXT = Kind(lambda values: values[0], lambda value: [one_line(value)])
_WORDS = Kind(lambda values: decode_words(values[0]), lambda value: [encode_words(value)])
_FLAG = Kind(lambda values: flag(values[0]), lambda value: ["Yes" if value else "No"])
_INTEGER = Kind(_integer, lambda value: [str(value)])
_DATE = Kind(lambda values: read_date(values[0]), lambda value: [write_date(value)])
_ADDRESS = Kind(_sender, lambda value: [one_line(str(value))])
_ADDRESSES = Kind(_all_addresses, lambda value: [",\r\n ".join(one_line(str(address)) for address in value)])
_STEPS = Kind(_steps, lambda value: [f"{step.sequence}, {one_line(step.value)}" for step in value])

_VERSION = Slot("X-Mms-3GPP-MMS-Version", "version", _TEXT, True)
_TRANSACTION = Slot("X-Mms-Transaction-ID", "transaction_id", _TEXT, True, ("X-Mms-Transaction-Id",))
_MESSAGE_ID = Slot("X-Mms-Message-ID", "message_id", _TEXT, True)
_FROM = Slot("From", "sender", _ADDRESS)
_TO = Slot("To", "to", _ADDRESSES, True)
_DATED = Slot("Date", "date", _DATE)
_ACK = Slot("X-Mms-Ack-Request", "ack_request", _FLAG)
_STATUS_TEXT = Slot("X-Mms-Status-Text", "status_text", _WORDS)
_ROUTES = (
    Slot("X-Mms-MMSIP-Address", "mmsip_address", _TEXT),
    Slot("X-Mms-Forward-Route", "forward_route", _TEXT),
    Slot("X-Mms-Return-Route", "return_route", _TEXT),
)
_TAIL = (Slot("Sender", "system_sender", _TEXT), Slot("Message-ID", "internet_id", _TEXT))
_ORIGINATOR = Slot("X-Mms-Originator-System", "originator_system", _TEXT)
MM_STATUS = Slot("X-Mms-MM-Status-Code", "mm_status", _TEXT, True, ("X-Mms-Status",))

SLOTS: MappingProxyType[str, tuple[Slot, ...]] = MappingProxyType(
    {
        "MM4_forward.REQ": (
            _VERSION,
            _TRANSACTION,
            _MESSAGE_ID,
            _FROM,
            _TO,
            Slot("Cc", "cc", _ADDRESSES),
            _DATED,
            Slot("Subject", "subject", _WORDS),
            Slot("X-Mms-Message-Class", "message_class", _TEXT),
            Slot("X-Mms-Expiry", "expiry", _TEXT),
            Slot("X-Mms-Delivery-Report", "delivery_report", _FLAG),
            Slot("X-Mms-Originator-R/S-Delivery-Report", "originator_delivery_report", _FLAG),
            Slot("X-Mms-Priority", "priority", _TEXT),
            Slot("X-Mms-Sender-Visibility", "sender_visibility", _TEXT),
            Slot("X-Mms-Read-Reply", "read_reply", _FLAG, False, ("X-Mms-Read-Report",)),
            _ACK,
            Slot("X-Mms-Forward-Counter", "forward_counter", _INTEGER),
            Slot("X-Mms-Previously-sent-by", "previously_sent_by", _STEPS),
            Slot("X-Mms-Previously-sent-date-and-time", "previously_sent_date", _STEPS),
            Slot("X-Mms-Adaptation-Allowed", "adaptation_allowed", _FLAG),
            Slot("X-Mms-Content-Class", "content_class", _TEXT),
            Slot("X-Mms-Drm-Content", "drm_content", _FLAG),
            Slot("X-Mms-Applic-ID", "applic_id", _TEXT),
            Slot("X-Mms-Reply-Applic-ID", "reply_applic_id", _TEXT),
            Slot("X-Mms-Aux-Applic-Info", "aux_applic_info", _TEXT),
            *_ROUTES,
            _ORIGINATOR,
            *_TAIL,
        ),
        "MM4_delivery_report.REQ": (
            _VERSION,
            _TRANSACTION,
            _MESSAGE_ID,
            Slot("From", "sender", _ADDRESS, True),
            _TO,
            _DATED,
            _ACK,
            MM_STATUS,
            Slot("X-Mms-MM-Status-Extension", "mm_status_extension", _TEXT),
            _STATUS_TEXT,
            Slot("X-Mms-Forward-To-Originator-UA", "forward_to_originator", _FLAG),
            *_ROUTES,
            _ORIGINATOR,
            *_TAIL,
        ),
        "MM4_read_reply_report.REQ": (
            _VERSION,
            _TRANSACTION,
            _MESSAGE_ID,
            Slot("From", "sender", _ADDRESS, True),
            _TO,
            _DATED,
            _ACK,
            Slot("X-Mms-Read-Status", "read_status", _TEXT, True),
            _STATUS_TEXT,
            *_ROUTES,
            _ORIGINATOR,
            *_TAIL,
        ),
    }
)
RESPONSE_SLOTS = (
    _VERSION,
    _TRANSACTION,
    Slot("X-Mms-Message-ID", "message_id", _TEXT),
    Slot("X-Mms-Request-Status-Code", "status", _TEXT, True),
    _STATUS_TEXT,
    Slot("To", "to", _ADDRESSES),
    _DATED,
    *_TAIL,
)
