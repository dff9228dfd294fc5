"""Error codes of results (EC) and reasons of notifications (Rsn), with what they mean to a sender."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple


class Retry(Enum):
    """What to do with an operation that got the code."""

    NO = "no"  # final
    LATER = "later"  # back off and try again within the message's validity
    ONCE = "once"  # the same again, one time
    PLAIN = "plain"  # once more without what was refused
    LOGIN = "login"  # a login refused: slowly, since centres lock accounts


class ErrorCode(NamedTuple):
    """One EC. ``reason`` is neutral: ``too-long``, ``throttled``, ``invalid-destination``, ..."""

    code: int
    name: str
    reason: str
    retry: Retry


CHECKSUM_ERROR, SYNTAX_ERROR, NOT_SUPPORTED, NOT_ALLOWED = 1, 2, 3, 4
INVALID_ADDRESS, AUTHENTICATION_FAILURE, TIME_PERIOD = 6, 7, 22
TYPE_NOT_SUPPORTED, TOO_LONG, DELIVERY_IN_PROGRESS = 23, 24, 37

# code, reason, retry, name
_TABLE = """
01 protocol-error once checksum error
02 invalid-request no syntax error
03 unsupported no operation not supported
04 throttled later operation not allowed
05 barred no call barring active
06 invalid-destination no AdC invalid
07 authentication login authentication failure
08 authentication login legitimisation code for all calls failure
09 invalid-request no GA not valid
10 invalid-request no repetition not allowed
11 authentication login legitimisation code for repetition failure
12 invalid-request plain priority call not allowed
13 authentication login legitimisation code for priority call failure
14 invalid-request plain urgent message not allowed
15 authentication login legitimisation code for urgent message failure
16 barred no reverse charging not allowed
17 authentication login legitimisation code for reverse charging failure
18 invalid-request plain deferred delivery not allowed
19 invalid-request no new AC not valid
20 authentication login new legitimisation code not valid
21 invalid-request no standard text not valid
22 invalid-request plain time period not valid
23 unsupported no message type not supported
24 too-long no message too long
25 invalid-request no requested standard text not valid
26 unsupported no message type not valid for pager type
27 unknown-message no message not found in SMSC
30 temporary-failure later subscriber hang-up
31 unsupported no fax group not supported
32 unsupported no fax message type not supported
33 invalid-request no address already in list
34 invalid-request no address not in list
35 invalid-request no list full
36 temporary-failure later RPID already in use
37 temporary-failure later delivery in progress
38 accepted-elsewhere no message forwarded
"""


def _error_code(line: str) -> ErrorCode:
    code, reason, retry, name = line.split(" ", 3)
    return ErrorCode(int(code), name, reason, Retry(retry))


ERROR_CODES: Mapping[int, ErrorCode] = {code.code: code for code in map(_error_code, _TABLE.strip().splitlines())}


def error_code(ec: int) -> ErrorCode:
    """What an EC means; one that no table has is final and says nothing."""
    return ERROR_CODES.get(ec) or ErrorCode(ec, f"error {ec:02}", "rejected", Retry.NO)


class Why(NamedTuple):
    """One Rsn: text and neutral reason."""

    name: str
    reason: str


# first-last, reason, name
_REASONS = """
000-000 invalid-destination unknown subscriber
001-008 temporary-failure service temporarily not available
009-009 permanent-failure illegal error code
010-010 temporary-failure network time-out
030-031 barred originator not authorised
100-100 permanent-failure facility not supported
101-101 invalid-destination unknown subscriber
102-102 permanent-failure facility not provided
103-103 barred call barred
104-104 barred operation barred
105-105 temporary-failure SC congestion
106-106 permanent-failure facility not supported
107-107 expired-absent absent subscriber
108-108 permanent-failure delivery fail
109-109 temporary-failure SC congestion
110-110 permanent-failure protocol error
111-111 permanent-failure MS not equipped
112-112 permanent-failure unknown SC
113-113 temporary-failure SC congestion
114-114 permanent-failure illegal MS
115-115 invalid-destination not a subscriber
116-116 permanent-failure error in MS
117-117 permanent-failure lower layer not provisioned
118-118 temporary-failure system fail
119-119 temporary-failure PLMN system failure
120-120 temporary-failure HLR system failure
121-121 temporary-failure VLR system failure
122-122 temporary-failure previous VLR system failure
123-123 temporary-failure controlling MSC system failure
124-124 temporary-failure VMSC system failure
125-125 temporary-failure EIR system failure
126-126 temporary-failure system failure
127-127 permanent-failure unexpected data value
200-200 permanent-failure error in address SC
201-201 permanent-failure invalid absolute validity
202-202 too-long message exceeds maximum
203-203 permanent-failure unable to unpack
204-204 permanent-failure unable to convert to IRA
205-205 permanent-failure invalid validity format
206-206 invalid-destination invalid destination
207-207 permanent-failure duplicate submit
208-208 permanent-failure invalid message type indicator
"""


def _whys(line: str) -> dict[int, Why]:
    codes, reason, name = line.split(" ", 2)
    first, last = codes.split("-")
    return dict.fromkeys(range(int(first), int(last) + 1), Why(name, reason))


REASONS: Mapping[int, Why] = {code: why for line in _REASONS.strip().splitlines() for code, why in _whys(line).items()}


def why(rsn: str) -> Why:
    """What an Rsn means; where it says nothing known, just that it was not delivered."""
    known = REASONS.get(int(rsn)) if rsn.isascii() and rsn.isdecimal() and len(rsn) <= 3 else None
    return known or Why("not delivered", "permanent-failure")
