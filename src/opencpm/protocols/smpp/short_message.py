"""submit_sm and deliver_sm, the hot path: one compiled pattern in, one join out (SMPP 3.4 §4.4.1, §4.6.1)."""

from __future__ import annotations

import re
from typing import NamedTuple

from .errors import SmppError
from .framing import HEADER
from .status import RINVCMDLEN, RINVMSGLEN
from .tlv import Tag, Tlvs, decode_tlvs, encode_tlvs, value_of

UDHI = 0x40
TYPE_MASK = 0x3C
RECEIPT = 0x04
INTERMEDIATE = 0x20

TON_UNKNOWN, TON_INTERNATIONAL, TON_NATIONAL, TON_NETWORK, TON_SUBSCRIBER, TON_ALPHANUMERIC = range(6)
NPI_UNKNOWN, NPI_ISDN = 0, 1


class ShortMessage(NamedTuple):
    """The body of submit_sm and deliver_sm (and, with its few fields, of data_sm)."""

    source: str = ""
    destination: str = ""
    message: bytes = b""
    source_ton: int = TON_INTERNATIONAL
    source_npi: int = NPI_ISDN
    destination_ton: int = TON_INTERNATIONAL
    destination_npi: int = NPI_ISDN
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    validity: str = ""
    tlvs: Tlvs = ()
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    replace_if_present: int = 0
    default_message_id: int = 0

    @property
    def content(self) -> bytes:
        """short_message, or message_payload where that is used instead."""
        return self.message or value_of(self.tlvs, Tag.MESSAGE_PAYLOAD) or b""

    @property
    def is_receipt(self) -> bool:
        """Whether esm_class says: delivery receipt or intermediate notification (§5.2.12)."""
        return self.esm_class & TYPE_MASK in (RECEIPT, INTERMEDIATE)


def encode_short_message(command: int, sequence: int, sm: ShortMessage) -> bytes:
    """A submit_sm or deliver_sm PDU. Raises SmppError for a value that does not fit."""
    message = sm.message
    if len(sm.source) > 64 or len(sm.destination) > 64 or "\0" in sm.source or "\0" in sm.destination:
        raise SmppError("an address does not fit", RINVMSGLEN, sequence)
    try:
        body = b"".join(
            (
                sm.service_type.encode("latin-1"),
                bytes((0, sm.source_ton, sm.source_npi)),
                sm.source.encode("latin-1"),
                bytes((0, sm.destination_ton, sm.destination_npi)),
                sm.destination.encode("latin-1"),
                bytes((0, sm.esm_class, sm.protocol_id, sm.priority)),
                f"{sm.schedule}\0{sm.validity}\0".encode("latin-1") if sm.schedule or sm.validity else b"\0\0",
                bytes(
                    (
                        sm.registered_delivery,
                        sm.replace_if_present,
                        sm.data_coding,
                        sm.default_message_id,
                        len(message),
                    )
                ),
                message,
                encode_tlvs(sm.tlvs) if sm.tlvs else b"",
            )
        )
    except ValueError as error:
        raise SmppError(f"a value does not fit: {error}", RINVMSGLEN, sequence) from None
    return HEADER.pack(16 + len(body), command, 0, sequence) + body


# Lengths are those of data_sm (C(65) addresses): peers exceed 3.4's and are understood all the same.
_BODY = re.compile(
    rb"([^\0]{0,20})\0(.)(.)([^\0]{0,64})\0(.)(.)([^\0]{0,64})\0(.)(.)(.)([^\0]{0,16})\0([^\0]{0,16})\0(.)(.)(.)(.)(.)",
    re.DOTALL,
)


def decode_short_message(pdu: bytes) -> ShortMessage:
    """The body of a submit_sm or deliver_sm PDU. Raises SmppError."""
    match = _BODY.match(pdu, 16)
    if match is None:
        raise SmppError("mandatory fields are cut short or too long", RINVCMDLEN)
    (service, s_ton, s_npi, source, d_ton, d_npi, destination, esm, pid, priority, schedule, validity,
     registered, replace, coding, default_id, length) = match.groups()  # fmt: skip
    start = match.end()
    end = start + length[0]
    if end > len(pdu):
        raise SmppError("short_message is cut short", RINVMSGLEN)
    return ShortMessage(
        source.decode("latin-1"),
        destination.decode("latin-1"),
        pdu[start:end],
        s_ton[0],
        s_npi[0],
        d_ton[0],
        d_npi[0],
        esm[0],
        registered[0],
        coding[0],
        validity.decode("latin-1") if validity else "",
        decode_tlvs(pdu, end) if end < len(pdu) else (),
        service.decode("latin-1") if service else "",
        pid[0],
        priority[0],
        schedule.decode("latin-1") if schedule else "",
        replace[0],
        default_id[0],
    )


def encode_id_response(command: int, status: int, sequence: int, message_id: str = "", tlvs: Tlvs = ()) -> bytes:
    """A submit_sm_resp, deliver_sm_resp (its id is empty) or data_sm_resp. With an error the id is left out."""
    if tlvs:
        body = message_id.encode("latin-1", "replace") + b"\0" + encode_tlvs(tlvs)
        return HEADER.pack(16 + len(body), command, status, sequence) + body
    if not message_id:
        return HEADER.pack(17, command, status, sequence) + b"\0"
    body = message_id.encode("latin-1", "replace") + b"\0"
    return HEADER.pack(16 + len(body), command, status, sequence) + body


def response_id(pdu: bytes) -> str:
    """message_id of a submit_sm_resp or data_sm_resp; empty where the body is missing. Never fails."""
    return pdu[16:81].split(b"\0", 1)[0].decode("latin-1")


def response_tlvs(pdu: bytes, message_id: str = "") -> Tlvs:
    """The optional parameters after the id of a submit_sm_resp or data_sm_resp. Never fails: broken ones are left out.

    With an error the id may be left out as well.
    """
    start = 17 + len(message_id)
    for offset in (start, 16) if not message_id else (start,):
        try:
            return decode_tlvs(pdu, offset)
        except SmppError:
            continue
    return ()
