"""Numbers of services, statuses and presence, by the names they are known under."""

from __future__ import annotations

from enum import IntEnum
from typing import Final


class Service(IntEnum):
    """What a packet is about. Numbers that are not here are passed over."""

    LOGON = 0x01
    LOGOFF = 0x02
    ISAWAY = 0x03
    ISBACK = 0x04
    MESSAGE = 0x06
    CONTACTNEW = 0x0F
    PING = 0x12
    SYSMESSAGE = 0x14
    CONFINVITE = 0x18
    CONFLOGON = 0x19
    CONFDECLINE = 0x1A
    CONFLOGOFF = 0x1B
    CONFADDINVITE = 0x1C
    CONFMSG = 0x1D
    FILETRANSFER = 0x46
    NOTIFY = 0x4B
    VERIFY = 0x4C
    P2PFILEXFER = 0x4D
    AUTHRESP = 0x54
    LIST = 0x55
    AUTH = 0x57
    FRIENDADD = 0x83
    FRIENDREMOVE = 0x84
    IGNORE = 0x85
    CONTACTDENY = 0x86
    KEEPALIVE = 0x8A
    VISIBLE_TOGGLE = 0xC5
    STATUS_UPDATE = 0xC6
    AUTHORIZATION = 0xD6
    FILETRANSFER_OFFER = 0xDC
    STATUS_15 = 0xF0
    LIST_15 = 0xF1
    MESSAGE_ACK = 0xFB
    PROTOCOL_ERROR = 0x7D1


CONTINUED: Final = 5  # more packets of a list follow; with MESSAGE: what was stored while we were away
WANTS_TO_ADD: Final = 3  # status of CONTACTNEW and AUTHORIZATION
REFUSED: Final = 7  # status of CONTACTNEW
NOTIFYING: Final = 0x16
WEB_LOGIN: Final = 0x5A55AA55
OFFLINE_STATUS: Final = 0x5A55AA56

AVAILABLE: Final = 0
BE_RIGHT_BACK: Final = 1
BUSY: Final = 2
INVISIBLE: Final = 12
CUSTOM: Final = 99
IDLE: Final = 999

METHOD_TABLES: Final = 1  # key 13 of AUTH: the challenge function of versions 11 to 14
METHOD_TOKEN: Final = 2  # the token of the web login, versions 15 and 16

NEW_STYLE: Final = 13  # from here on: STATUS_UPDATE, AUTHORIZATION, records in lists
RECORDS: Final = 15  # from here on: STATUS_15 and LIST_15
ACKNOWLEDGED: Final = 16  # from here on: MESSAGE_ACK

VERSIONS: Final = range(9, 17)
