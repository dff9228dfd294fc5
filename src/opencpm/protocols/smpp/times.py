"""Time formats (SMPP 3.4 §7.1.1)."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

_FORMAT = re.compile(r"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])\Z", re.ASCII)


class TimeError(ValueError):
    """The text is no SMPP time."""


def relative(seconds: float) -> str:
    """A duration, rounded up to whole seconds and at most 99 days: ``YYMMDDhhmmss000R``."""
    left = max(0, min(-int(-seconds // 1), 99 * 86400))
    days, left = divmod(left, 86400)
    hours, left = divmod(left, 3600)
    return f"0000{days:02}{hours:02}{left // 60:02}{left % 60:02}000R"


def absolute(at: float) -> str:
    """A moment (seconds since the epoch) in UTC: ``YYMMDDhhmmsst00+``."""
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%y%m%d%H%M%S}{moment.microsecond // 100000}00+"


def parse(text: str, now: float) -> float:
    """The moment (seconds since the epoch) that a time means at ``now``; a relative year has 365 days, a
    month 30.

    Raises TimeError.
    """
    match = _FORMAT.match(text)
    if match is None:
        raise TimeError("no SMPP time")
    years, months, days, hours, minutes, seconds, tenths, quarters = map(int, match.groups()[:-1])
    if match[9] == "R":
        days += 365 * years + 30 * months
        return now + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()
    zone = timezone(timedelta(minutes=15 * min(quarters, 48) * (-1 if match[9] == "-" else 1)))
    try:
        moment = datetime(2000 + years, months, days, hours, minutes, seconds, 100000 * tenths, zone)
    except ValueError as error:
        raise TimeError(str(error)) from None
    return moment.timestamp()
