"""Optional parameters: tag, length, value (SMPP 3.4 §5.3). All are kept, in order, known or not."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from enum import IntEnum

from .errors import SmppError
from .status import RINVTLVSTREAM

Tlvs = tuple[tuple[int, bytes], ...]

MAX_TLVS = 64
_HEAD = struct.Struct(">HH")


class Tag(IntEnum):
    """Tags of 3.4 §5.3.2 and 5.0 §4.8.4.2."""

    DEST_ADDR_SUBUNIT = 0x0005
    DEST_NETWORK_TYPE = 0x0006
    DEST_BEARER_TYPE = 0x0007
    DEST_TELEMATICS_ID = 0x0008
    SOURCE_ADDR_SUBUNIT = 0x000D
    SOURCE_NETWORK_TYPE = 0x000E
    SOURCE_BEARER_TYPE = 0x000F
    SOURCE_TELEMATICS_ID = 0x0010
    QOS_TIME_TO_LIVE = 0x0017
    PAYLOAD_TYPE = 0x0019
    ADDITIONAL_STATUS_INFO_TEXT = 0x001D
    RECEIPTED_MESSAGE_ID = 0x001E
    MS_MSG_WAIT_FACILITIES = 0x0030
    PRIVACY_INDICATOR = 0x0201
    SOURCE_SUBADDRESS = 0x0202
    DEST_SUBADDRESS = 0x0203
    USER_MESSAGE_REFERENCE = 0x0204
    USER_RESPONSE_CODE = 0x0205
    SOURCE_PORT = 0x020A
    DESTINATION_PORT = 0x020B
    SAR_MSG_REF_NUM = 0x020C
    LANGUAGE_INDICATOR = 0x020D
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    SC_INTERFACE_VERSION = 0x0210
    CALLBACK_NUM_PRES_IND = 0x0302
    CALLBACK_NUM_ATAG = 0x0303
    NUMBER_OF_MESSAGES = 0x0304
    CALLBACK_NUM = 0x0381
    DPF_RESULT = 0x0420
    SET_DPF = 0x0421
    MS_AVAILABILITY_STATUS = 0x0422
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    DELIVERY_FAILURE_REASON = 0x0425
    MORE_MESSAGES_TO_SEND = 0x0426
    MESSAGE_STATE = 0x0427
    CONGESTION_STATE = 0x0428
    USSD_SERVICE_OP = 0x0501
    BROADCAST_CHANNEL_INDICATOR = 0x0600
    BROADCAST_CONTENT_TYPE = 0x0601
    BROADCAST_CONTENT_TYPE_INFO = 0x0602
    BROADCAST_MESSAGE_CLASS = 0x0603
    BROADCAST_REP_NUM = 0x0604
    BROADCAST_FREQUENCY_INTERVAL = 0x0605
    BROADCAST_AREA_IDENTIFIER = 0x0606
    BROADCAST_ERROR_STATUS = 0x0607
    BROADCAST_AREA_SUCCESS = 0x0608
    BROADCAST_END_TIME = 0x0609
    BROADCAST_SERVICE_GROUP = 0x060A
    BILLING_IDENTIFICATION = 0x060B
    SOURCE_NETWORK_ID = 0x060D
    DEST_NETWORK_ID = 0x060E
    SOURCE_NODE_ID = 0x060F
    DEST_NODE_ID = 0x0610
    DEST_ADDR_NP_RESOLUTION = 0x0611
    DEST_ADDR_NP_INFORMATION = 0x0612
    DEST_ADDR_NP_COUNTRY = 0x0613
    DISPLAY_TIME = 0x1201
    SMS_SIGNAL = 0x1203
    MS_VALIDITY = 0x1204
    ALERT_ON_MESSAGE_DELIVERY = 0x130C
    ITS_REPLY_TYPE = 0x1380
    ITS_SESSION_INFO = 0x1383


_NAMES = {int(tag): tag.name.lower() for tag in Tag}


def name_of(tag: int) -> str:
    """The standard's name of a tag, or its four hex digits."""
    return _NAMES.get(tag) or f"{tag:04X}"


def encode_tlvs(tlvs: Iterable[tuple[int, bytes]]) -> bytes:
    """All parameters as octets."""
    return b"".join([_HEAD.pack(tag, len(value)) + value for tag, value in tlvs])


def decode_tlvs(data: bytes, offset: int) -> Tlvs:
    """The parameters from ``offset`` to the end. Raises SmppError (0C0h) where one overruns, or there are
    too many.
    """
    found: list[tuple[int, bytes]] = []
    while offset < len(data):
        if offset + 4 > len(data) or len(found) >= MAX_TLVS:
            raise SmppError("broken optional parameters", RINVTLVSTREAM)
        tag, length = _HEAD.unpack_from(data, offset)
        end = offset + 4 + length
        if end > len(data):
            raise SmppError(f"optional parameter {name_of(tag)} overruns the PDU", RINVTLVSTREAM)
        found.append((tag, data[offset + 4 : end]))
        offset = end
    return tuple(found)


def value_of(tlvs: Tlvs, tag: int) -> bytes | None:
    """The value of the first parameter with this tag."""
    for found, value in tlvs:
        if found == tag:
            return value
    return None


def int_of(tlvs: Tlvs, tag: int) -> int | None:
    """The same as a number."""
    value = value_of(tlvs, tag)
    return None if value is None else int.from_bytes(value[:4], "big")


def text_of(tlvs: Tlvs, tag: int) -> str | None:
    """The same as a string; the NUL at its end is often left out by peers."""
    value = value_of(tlvs, tag)
    return None if value is None else value.split(b"\0", 1)[0].decode("latin-1")
