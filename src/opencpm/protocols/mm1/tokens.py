"""The values of MMS encapsulation that are one octet (OMA MMS ENC §7.3), as on the wire."""

from __future__ import annotations

from enum import IntEnum


class MessageType(IntEnum):
    """X-Mms-Message-Type: which PDU this is."""

    SEND_REQ = 0x80
    SEND_CONF = 0x81
    NOTIFICATION_IND = 0x82
    NOTIFYRESP_IND = 0x83
    RETRIEVE_CONF = 0x84
    ACKNOWLEDGE_IND = 0x85
    DELIVERY_IND = 0x86
    READ_REC_IND = 0x87
    READ_ORIG_IND = 0x88
    FORWARD_REQ = 0x89
    FORWARD_CONF = 0x8A
    MBOX_STORE_REQ = 0x8B
    MBOX_STORE_CONF = 0x8C
    MBOX_VIEW_REQ = 0x8D
    MBOX_VIEW_CONF = 0x8E
    MBOX_UPLOAD_REQ = 0x8F
    MBOX_UPLOAD_CONF = 0x90
    MBOX_DELETE_REQ = 0x91
    MBOX_DELETE_CONF = 0x92
    MBOX_DESCR = 0x93
    DELETE_REQ = 0x94
    DELETE_CONF = 0x95
    CANCEL_REQ = 0x96
    CANCEL_CONF = 0x97


class Version(IntEnum):
    """X-Mms-MMS-Version: major in bits 6 to 4, minor in bits 3 to 0 (15: no minor)."""

    V1_0 = 0x90
    V1_1 = 0x91
    V1_2 = 0x92
    V1_3 = 0x93


class YesNo(IntEnum):
    """Delivery-Report, Read-Report, Report-Allowed, Stored and their like."""

    YES = 0x80
    NO = 0x81


class Visibility(IntEnum):
    """X-Mms-Sender-Visibility."""

    HIDE = 0x80
    SHOW = 0x81


class MessageClass(IntEnum):
    """X-Mms-Message-Class."""

    PERSONAL = 0x80
    ADVERTISEMENT = 0x81
    INFORMATIONAL = 0x82
    AUTO = 0x83


class Priority(IntEnum):
    """X-Mms-Priority."""

    LOW = 0x80
    NORMAL = 0x81
    HIGH = 0x82


class Status(IntEnum):
    """X-Mms-Status, of a delivery and of a notification response."""

    EXPIRED = 0x80
    RETRIEVED = 0x81
    REJECTED = 0x82
    DEFERRED = 0x83
    UNRECOGNISED = 0x84
    INDETERMINATE = 0x85
    FORWARDED = 0x86
    UNREACHABLE = 0x87


class ReadStatus(IntEnum):
    """X-Mms-Read-Status."""

    READ = 0x80
    DELETED_WITHOUT_BEING_READ = 0x81


class ContentClass(IntEnum):
    """X-Mms-Content-Class."""

    TEXT = 0x80
    IMAGE_BASIC = 0x81
    IMAGE_RICH = 0x82
    VIDEO_BASIC = 0x83
    VIDEO_RICH = 0x84
    MEGAPIXEL = 0x85
    CONTENT_BASIC = 0x86
    CONTENT_RICH = 0x87


class CancelStatus(IntEnum):
    """X-Mms-Cancel-Status."""

    RECEIVED = 0x80
    CORRUPTED = 0x81
