"""The header fields of MMS encapsulation: their numbers and the form of their values (OMA MMS ENC §7.3, table 12)."""

from __future__ import annotations

from enum import Enum, IntEnum, auto
from types import MappingProxyType


class Field(IntEnum):
    """Numbers of the fields as on the wire (with 80h)."""

    BCC = 0x81
    CC = 0x82
    CONTENT_LOCATION = 0x83
    CONTENT_TYPE = 0x84
    DATE = 0x85
    DELIVERY_REPORT = 0x86
    DELIVERY_TIME = 0x87
    EXPIRY = 0x88
    FROM = 0x89
    MESSAGE_CLASS = 0x8A
    MESSAGE_ID = 0x8B
    MESSAGE_TYPE = 0x8C
    MMS_VERSION = 0x8D
    MESSAGE_SIZE = 0x8E
    PRIORITY = 0x8F
    READ_REPORT = 0x90
    REPORT_ALLOWED = 0x91
    RESPONSE_STATUS = 0x92
    RESPONSE_TEXT = 0x93
    SENDER_VISIBILITY = 0x94
    STATUS = 0x95
    SUBJECT = 0x96
    TO = 0x97
    TRANSACTION_ID = 0x98
    RETRIEVE_STATUS = 0x99
    RETRIEVE_TEXT = 0x9A
    READ_STATUS = 0x9B
    REPLY_CHARGING = 0x9C
    REPLY_CHARGING_DEADLINE = 0x9D
    REPLY_CHARGING_ID = 0x9E
    REPLY_CHARGING_SIZE = 0x9F
    PREVIOUSLY_SENT_BY = 0xA0
    PREVIOUSLY_SENT_DATE = 0xA1
    STORE = 0xA2
    MM_STATE = 0xA3
    MM_FLAGS = 0xA4
    STORE_STATUS = 0xA5
    STORE_STATUS_TEXT = 0xA6
    STORED = 0xA7
    ATTRIBUTES = 0xA8
    TOTALS = 0xA9
    MBOX_TOTALS = 0xAA
    QUOTAS = 0xAB
    MBOX_QUOTAS = 0xAC
    MESSAGE_COUNT = 0xAD
    CONTENT = 0xAE
    START = 0xAF
    ADDITIONAL_HEADERS = 0xB0
    DISTRIBUTION_INDICATOR = 0xB1
    ELEMENT_DESCRIPTOR = 0xB2
    LIMIT = 0xB3
    RECOMMENDED_RETRIEVAL_MODE = 0xB4
    RECOMMENDED_RETRIEVAL_MODE_TEXT = 0xB5
    STATUS_TEXT = 0xB6
    APPLIC_ID = 0xB7
    REPLY_APPLIC_ID = 0xB8
    AUX_APPLIC_INFO = 0xB9
    CONTENT_CLASS = 0xBA
    DRM_CONTENT = 0xBB
    ADAPTATION_ALLOWED = 0xBC
    REPLACE_ID = 0xBD
    CANCEL_ID = 0xBE
    CANCEL_STATUS = 0xBF


class Form(Enum):
    """How a value is encoded, and what it is in Python."""

    OCTET = auto()
    """One octet of an enumeration, yes/no or version: int, as on the wire (80h to FFh)."""
    CLASS = auto()
    """One octet, or a token: int or str."""
    TOKEN = auto()
    """A text-string that is echoed octet by octet: str of Latin-1."""
    ENCODED = auto()
    """An encoded-string: EncodedText."""
    LONG = auto()
    """A long-integer: int."""
    INTEGER = auto()
    """A short-integer or long-integer: int."""
    TIME = auto()
    """Absolute or relative: Time."""
    FROM = auto()
    """An address or the insert-address token: EncodedText or INSERT_ADDRESS."""
    COUNTED_TEXT = auto()
    """A count and an address: Counted."""
    COUNTED_DATE = auto()
    """A count and a date: Counted."""
    OPAQUE = auto()
    """Left as it is: bytes."""


_BY_FORM = {
    Form.OCTET: (
        "DELIVERY_REPORT MESSAGE_TYPE MMS_VERSION PRIORITY READ_REPORT REPORT_ALLOWED RESPONSE_STATUS "
        "SENDER_VISIBILITY STATUS RETRIEVE_STATUS READ_STATUS REPLY_CHARGING STORE MM_STATE STORE_STATUS STORED "
        "TOTALS QUOTAS DISTRIBUTION_INDICATOR RECOMMENDED_RETRIEVAL_MODE CONTENT_CLASS DRM_CONTENT "
        "ADAPTATION_ALLOWED CANCEL_STATUS"
    ),
    Form.CLASS: "MESSAGE_CLASS",
    Form.TOKEN: (
        "CONTENT_LOCATION MESSAGE_ID TRANSACTION_ID REPLY_CHARGING_ID APPLIC_ID REPLY_APPLIC_ID AUX_APPLIC_INFO "
        "REPLACE_ID CANCEL_ID"
    ),
    Form.ENCODED: (
        "BCC CC TO SUBJECT RESPONSE_TEXT RETRIEVE_TEXT STORE_STATUS_TEXT RECOMMENDED_RETRIEVAL_MODE_TEXT STATUS_TEXT"
    ),
    Form.LONG: "DATE MESSAGE_SIZE REPLY_CHARGING_SIZE",
    Form.INTEGER: "MESSAGE_COUNT START LIMIT",
    Form.TIME: "DELIVERY_TIME EXPIRY REPLY_CHARGING_DEADLINE",
    Form.FROM: "FROM",
    Form.COUNTED_TEXT: "PREVIOUSLY_SENT_BY",
    Form.COUNTED_DATE: "PREVIOUSLY_SENT_DATE",
}
FORMS = MappingProxyType({Field[name].value: form for form, names in _BY_FORM.items() for name in names.split()})
