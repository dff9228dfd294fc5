"""command_status: names, neutral reasons, and whether to try again (SMPP 3.4 §5.1.3, 5.0 §4.7.6)."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

ROK = 0x000
RINVMSGLEN = 0x001
RINVCMDLEN = 0x002
RINVCMDID = 0x003
RINVBNDSTS = 0x004
RALYBND = 0x005
RINVREGDLVFLG = 0x007
RSYSERR = 0x008
RINVSRCADR = 0x00A
RINVDSTADR = 0x00B
RBINDFAIL = 0x00D
RINVPASWD = 0x00E
RINVSYSID = 0x00F
RINVMSGID = 0x00C
RCANCELFAIL = 0x011
RREPLACEFAIL = 0x013
RMSGQFUL = 0x014
RINVNUMDESTS = 0x033
RINVDLNAME = 0x034
RINVESMCLASS = 0x043
RSUBMITFAIL = 0x045
RTHROTTLED = 0x058
RINVSCHED = 0x061
RINVEXPIRY = 0x062
RX_T_APPN = 0x064
RX_P_APPN = 0x065
RX_R_APPN = 0x066
RQUERYFAIL = 0x067
RINVTLVSTREAM = 0x0C0
RPROHIBITED = 0x101
RINVDCS = 0x104
RBCASTFAIL = 0x10D
RBCASTQUERYFAIL = 0x10E
RBCASTCANCELFAIL = 0x10F


class Retry(Enum):
    """What to do with a request that got the status."""

    NO = "no"  # final
    LATER = "later"  # back off and try again within the message's validity
    FEW = "few"  # the same, at most three times
    REBIND = "rebind"  # a new session, then again
    LOGIN = "login"  # a bind refused: slowly, since peers lock accounts


class Status(NamedTuple):
    """One command_status. ``reason`` is neutral: ``too-long``, ``throttled``, ``invalid-destination``, ..."""

    code: int
    name: str
    reason: str
    retry: Retry


# code, name, reason, retry
_TABLE = """
000 ROK accepted no
001 RINVMSGLEN too-long no
002 RINVCMDLEN protocol-error rebind
003 RINVCMDID unsupported no
004 RINVBNDSTS not-bound rebind
005 RALYBND not-bound rebind
006 RINVPRTFLG invalid-request no
007 RINVREGDLVFLG invalid-request no
008 RSYSERR temporary-failure later
00A RINVSRCADR invalid-source no
00B RINVDSTADR invalid-destination no
00C RINVMSGID unknown-message no
00D RBINDFAIL authentication login
00E RINVPASWD authentication login
00F RINVSYSID authentication login
011 RCANCELFAIL unknown-message no
013 RREPLACEFAIL unknown-message no
014 RMSGQFUL congestion later
015 RINVSERTYP invalid-request no
033 RINVNUMDESTS invalid-request no
034 RINVDLNAME invalid-destination no
040 RINVDESTFLAG invalid-request no
042 RINVSUBREP invalid-request no
043 RINVESMCLASS invalid-request no
044 RCNTSUBDL barred no
045 RSUBMITFAIL temporary-failure few
048 RINVSRCTON invalid-source no
049 RINVSRCNPI invalid-source no
050 RINVDSTTON invalid-destination no
051 RINVDSTNPI invalid-destination no
053 RINVSYSTYP authentication login
054 RINVREPFLAG invalid-request no
055 RINVNUMMSGS invalid-request no
058 RTHROTTLED throttled later
061 RINVSCHED invalid-request no
062 RINVEXPIRY invalid-request no
063 RINVDFTMSGID invalid-request no
064 RX_T_APPN temporary-failure later
065 RX_P_APPN permanent-failure no
066 RX_R_APPN rejected no
067 RQUERYFAIL unknown-message no
0C0 RINVTLVSTREAM invalid-request no
0C1 RTLVNOTALLWD unsupported no
0C2 RINVTLVLEN invalid-request no
0C3 RMISSINGTLV invalid-request no
0C4 RINVTLVVAL invalid-request no
0FE RDELIVERYFAILURE permanent-failure no
0FF RUNKNOWNERR temporary-failure few
100 RSERTYPUNAUTH barred no
101 RPROHIBITED barred no
102 RSERTYPUNAVAIL temporary-failure later
103 RSERTYPDENIED barred no
104 RINVDCS invalid-request no
105 RINVSRCADDRSUBUNIT invalid-request no
106 RINVDSTADDRSUBUNIT invalid-request no
107 RINVBCASTFREQINT invalid-request no
108 RINVBCASTALIAS_NAME invalid-request no
109 RINVBCASTAREAFMT invalid-request no
10A RINVNUMBCAST_AREAS invalid-request no
10B RINVBCASTCNTTYPE invalid-request no
10C RINVBCASTMSGCLASS invalid-request no
10D RBCASTFAIL invalid-request no
10E RBCASTQUERYFAIL invalid-request no
10F RBCASTCANCELFAIL invalid-request no
110 RINVBCAST_REP invalid-request no
111 RINVBCASTSRVGRP invalid-request no
112 RINVBCASTCHANIND invalid-request no
"""


def _row(line: str) -> Status:
    code, name, reason, retry = line.split()
    return Status(int(code, 16), f"ESME_{name}", reason, Retry(retry))


STATUSES: Mapping[int, Status] = {row.code: row for row in map(_row, _TABLE.strip().splitlines())}


def status_of(code: int) -> Status:
    """What a code means; vendor (400h-4FFh) and reserved codes are read as temporary failures."""
    return STATUSES.get(code) or Status(code, f"{code:08X}", "temporary-failure", Retry.FEW)
