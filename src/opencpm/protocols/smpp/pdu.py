"""Every PDU as a row of one table, and the codec that reads the table (SMPP 3.4 §4).

The frequent ones have their own codec in :mod:`short_message`; this one serves everything else, tools and
logs.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from .command import GENERIC_NACK, RESPONSE, Command
from .errors import SmppError
from .framing import HEADER, MAX_PDU
from .status import RINVCMDID, RINVCMDLEN, RINVMSGLEN
from .tlv import Tlvs, decode_tlvs, encode_tlvs


class Kind(Enum):
    """Field types of §3.1; lists are the tables of submit_multi (§4.5)."""

    CSTRING = "C-octet string"  # NUL at the end; ``size`` counts it
    INTEGER = "integer"  # ``size`` octets
    OCTETS = "octet string"  # its length is the field before
    DESTINATIONS = "dest_address list"
    UNSUCCESSES = "unsuccess_sme list"


class Field(NamedTuple):
    name: str
    kind: Kind
    size: int = 0


Address = tuple[int, int, str]  # TON, NPI, digits
Value = int | str | bytes | tuple[Address, ...] | tuple[tuple[int, int, str, int], ...]


class Pdu(NamedTuple):
    """One PDU. ``body`` has the mandatory fields under the standard's names; strings are Latin-1 text
    without NUL.

    An element of ``dest_addresses`` is (TON, NPI, number), or (0, 0, "list:" and the name) for a
    distribution list.
    """

    command: int
    status: int
    sequence: int
    body: Mapping[str, Value]
    tlvs: Tlvs = ()


def _fields(layout: str) -> tuple[Field, ...]:
    """``name:C16`` is a C-octet string, ``name`` an octet, ``name:I4`` four, ``name:O`` octets,
    ``name:D/U`` lists.
    """
    fields = []
    for item in layout.split():
        name, _, kind = item.partition(":")
        if kind[:1] == "C":
            fields.append(Field(name, Kind.CSTRING, int(kind[1:])))
        elif kind in _OTHERS:
            fields.append(Field(name, _OTHERS[kind]))
        else:
            fields.append(Field(name, Kind.INTEGER, int(kind[1:] or 1)))
    return tuple(fields)


_OTHERS = {"O": Kind.OCTETS, "D": Kind.DESTINATIONS, "U": Kind.UNSUCCESSES}

_BIND = "system_id:C16 password:C9 system_type:C13 interface_version addr_ton addr_npi address_range:C41"
_SOURCE = " source_addr_ton source_addr_npi source_addr:C21"
_DEST = " dest_addr_ton dest_addr_npi destination_addr:C21"
_TEXT = (
    " esm_class protocol_id priority_flag schedule_delivery_time:C17 validity_period:C17 registered_delivery"
    " replace_if_present_flag data_coding sm_default_msg_id sm_length short_message:O"
)
_R = RESPONSE

_BROADCAST = "service_type:C6" + _SOURCE
_LAYOUTS: Mapping[int, str] = {
    GENERIC_NACK: "",
    Command.BIND_RECEIVER: _BIND,
    Command.BIND_TRANSMITTER: _BIND,
    Command.BIND_TRANSCEIVER: _BIND,
    _R | Command.BIND_RECEIVER: "system_id:C16",
    _R | Command.BIND_TRANSMITTER: "system_id:C16",
    _R | Command.BIND_TRANSCEIVER: "system_id:C16",
    Command.OUTBIND: "system_id:C16 password:C9",
    Command.UNBIND: "",
    _R | Command.UNBIND: "",
    Command.ENQUIRE_LINK: "",
    _R | Command.ENQUIRE_LINK: "",
    Command.SUBMIT_SM: "service_type:C6" + _SOURCE + _DEST + _TEXT,
    _R | Command.SUBMIT_SM: "message_id:C65",
    Command.DELIVER_SM: "service_type:C6" + _SOURCE + _DEST + _TEXT,
    _R | Command.DELIVER_SM: "message_id:C65",
    Command.DATA_SM: (
        "service_type:C6 source_addr_ton source_addr_npi source_addr:C65 dest_addr_ton dest_addr_npi"
        " destination_addr:C65 esm_class registered_delivery data_coding"
    ),
    _R | Command.DATA_SM: "message_id:C65",
    Command.SUBMIT_MULTI: "service_type:C6" + _SOURCE + " dest_addresses:D" + _TEXT,
    _R | Command.SUBMIT_MULTI: "message_id:C65 unsuccess_smes:U",
    Command.QUERY_SM: "message_id:C65" + _SOURCE,
    _R | Command.QUERY_SM: "message_id:C65 final_date:C17 message_state error_code",
    Command.CANCEL_SM: "service_type:C6 message_id:C65" + _SOURCE + _DEST,
    _R | Command.CANCEL_SM: "",
    Command.REPLACE_SM: (
        "message_id:C65" + _SOURCE + " schedule_delivery_time:C17 validity_period:C17 registered_delivery"
        " sm_default_msg_id sm_length short_message:O"
    ),
    _R | Command.REPLACE_SM: "",
    Command.ALERT_NOTIFICATION: (
        "source_addr_ton source_addr_npi source_addr:C65 esme_addr_ton esme_addr_npi esme_addr:C65"
    ),
    Command.BROADCAST_SM: (
        _BROADCAST + " message_id:C65 priority_flag schedule_delivery_time:C17 validity_period:C17"
        " replace_if_present_flag data_coding sm_default_msg_id"
    ),
    _R | Command.BROADCAST_SM: "message_id:C65",
    Command.QUERY_BROADCAST_SM: "message_id:C65" + _SOURCE,
    _R | Command.QUERY_BROADCAST_SM: "message_id:C65",
    Command.CANCEL_BROADCAST_SM: "service_type:C6 message_id:C65" + _SOURCE,
    _R | Command.CANCEL_BROADCAST_SM: "",
}
TABLE: Mapping[int, tuple[Field, ...]] = {int(command): _fields(layout) for command, layout in _LAYOUTS.items()}
"""Mandatory fields by command id."""


def decode(pdu: bytes) -> Pdu:
    """Read one framed PDU. A response with an error may lack its body. Raises SmppError."""
    if not 16 <= len(pdu) <= MAX_PDU:
        raise SmppError("no PDU", RINVCMDLEN)
    _, command, status, sequence = HEADER.unpack_from(pdu)
    fields = TABLE.get(command)
    if fields is None:
        raise SmppError(f"command_id {command:08x}", RINVCMDID, sequence)
    if command & RESPONSE and (status or len(pdu) == 16) and len(pdu) <= 17:
        return Pdu(command, status, sequence, {})
    reader = _Reader(pdu, sequence)
    body = {field.name: reader.read(field) for field in fields}
    return Pdu(command, status, sequence, body, decode_tlvs(pdu, reader.position))


class _Reader:
    """Where in a PDU the fields are being read."""

    __slots__ = ("data", "last", "position", "sequence")

    def __init__(self, data: bytes, sequence: int) -> None:
        self.data, self.sequence = data, sequence
        self.position = 16
        self.last = 0  # the integer read last: the length of octets

    def read(self, field: Field) -> Value:
        if field.kind is Kind.CSTRING:
            return self.cstring(max(field.size, 65))
        if field.kind is Kind.INTEGER:
            self.last = self.integer(field.size)
            return self.last
        if field.kind is Kind.OCTETS:
            return self.octets(self.last, RINVMSGLEN)
        if field.kind is Kind.DESTINATIONS:
            return tuple(self.destination() for _ in range(self.integer(1)))
        return tuple((*self.address(), self.integer(4)) for _ in range(self.integer(1)))

    def octets(self, size: int, status: int = RINVCMDLEN) -> bytes:
        end = self.position + size
        if end > len(self.data):
            raise SmppError("the PDU is cut short", status, self.sequence)
        value = self.data[self.position : end]
        self.position = end
        return value

    def integer(self, size: int) -> int:
        return int.from_bytes(self.octets(size), "big")

    def cstring(self, size: int) -> str:
        end = self.data.find(b"\0", self.position, self.position + size)
        if end < 0:
            raise SmppError("a string has no end", RINVCMDLEN, self.sequence)
        value = self.data[self.position : end]
        self.position = end + 1
        return value.decode("latin-1")

    def address(self) -> Address:
        return self.integer(1), self.integer(1), self.cstring(65)

    def destination(self) -> Address:
        if self.integer(1) == 1:
            return self.address()
        return 0, 0, "list:" + self.cstring(65)


def encode(pdu: Pdu) -> bytes:
    """A PDU as octets. A field that is not given is empty or 0, sm_length is filled in; a response without any is
    a header alone. Raises SmppError.
    """
    fields = TABLE.get(pdu.command)
    if fields is None:
        raise SmppError(f"command_id {pdu.command:08x}", RINVCMDID, pdu.sequence)
    if pdu.command & RESPONSE and not pdu.body:
        fields = ()
    try:
        body = b"".join(_encode_field(field, pdu.body) for field in fields) + encode_tlvs(pdu.tlvs)
    except (OverflowError, ValueError, TypeError) as error:
        raise SmppError(f"a value does not fit: {error}", RINVCMDLEN, pdu.sequence) from None
    return HEADER.pack(16 + len(body), pdu.command, pdu.status, pdu.sequence) + body


def _encode_field(field: Field, body: Mapping[str, Value]) -> bytes:
    value = body.get(field.name)
    if field.name == "sm_length":
        value = len(_octets(body.get("short_message")))
    if field.kind is Kind.CSTRING:
        return _cstring(str(value or ""), field.size)
    if field.kind is Kind.INTEGER:
        return (value if isinstance(value, int) else 0).to_bytes(field.size, "big")
    if field.kind is Kind.OCTETS:
        return _octets(value)
    entries = value if isinstance(value, tuple) else ()
    return bytes((len(entries),)) + b"".join(map(_encode_entry, entries))


def _encode_entry(entry: tuple[int, int, str] | tuple[int, int, str, int]) -> bytes:
    number = entry[2]
    if len(entry) == 4:
        return bytes(entry[:2]) + _cstring(number, 21) + entry[3].to_bytes(4, "big")
    if number.startswith("list:"):
        return b"\x02" + _cstring(number[5:], 21)
    return b"\x01" + bytes(entry[:2]) + _cstring(number, 21)


def _octets(value: Value | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _cstring(text: str, size: int) -> bytes:
    octets = text.encode("latin-1")
    if len(octets) >= size or 0 in octets:
        raise ValueError(f"{len(octets)} octets, {size - 1} allowed")
    return octets + b"\0"
