"""Times: DDMMYYhhmm and DDMMYYhhmmss in the time of the centre, which no field names."""

from __future__ import annotations

import re
from datetime import datetime, tzinfo

_STAMP = re.compile(r"[0-9]{12}\Z", re.ASCII)


def minute(at: float, zone: tzinfo) -> str:
    """DDMMYYhhmm (VP, DDT) of seconds since the epoch."""
    return datetime.fromtimestamp(at, zone).strftime("%d%m%y%H%M")


def stamp(at: float, zone: tzinfo) -> str:
    """DDMMYYhhmmss (SCTS, DSCTS) of seconds since the epoch."""
    return datetime.fromtimestamp(at, zone).strftime("%d%m%y%H%M%S")


def is_stamp(text: str) -> bool:
    """Whether this has the form of an SCTS."""
    return _STAMP.match(text) is not None


def name_of(sm: str) -> tuple[str, str] | None:
    """Recipient and SCTS out of the system message of a positive result; None where it names no message."""
    recipient, colon, scts = sm.strip().rpartition(":")
    return (recipient, scts) if colon and is_stamp(scts) else None
