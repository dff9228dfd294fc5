"""Dates and durations of MM7: ISO 8601 in the profile of XML Schema, read leniently."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from .errors import Mm7Error

_DURATION = re.compile(
    r"P(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,6})W)?(?:(\d{1,6})D)?"
    r"(?:T(?:(\d{1,8})H)?(?:(\d{1,8})M)?(?:(\d{1,10})(?:\.\d{1,9})?S)?)?",
    re.ASCII,
)
_UNITS = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)


def parse_time(text: str, now: float) -> float:
    """A date, or a duration from now on, in seconds since 1970 UTC; a date without zone is in UTC.

    A year counts 365 days and a month 30. Raises Mm7Error.
    """
    text = text.strip()
    if text.startswith("P"):
        return now + _duration(text)
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise Mm7Error("no date") from None


def _duration(text: str) -> float:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise Mm7Error("no duration")
    return float(sum(int(value) * unit for value, unit in zip(match.groups(), _UNITS, strict=True) if value))


def format_time(seconds: float) -> str:
    """`2026-11-23T08:02:26Z`; the fraction is cut off. Raises Mm7Error for a year that has no four digits."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        raise Mm7Error("no date") from None
