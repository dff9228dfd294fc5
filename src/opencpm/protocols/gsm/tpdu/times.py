"""Time stamps (3GPP TS 23.040 §9.2.3.11) and validity periods (§9.2.3.12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from .errors import TpduError

_QUARTER = timedelta(minutes=15)
_MINUTE, _HALF_HOUR, _DAY, _WEEK = 60, 1800, 86400, 604800


def stamp(when: datetime) -> bytes:
    """Seven octets of a time with a zone."""
    offset = when.utcoffset() or timedelta()
    quarters = abs(offset) // _QUARTER
    values = (when.year % 100, when.month, when.day, when.hour, when.minute, when.second, quarters)
    octets = bytearray(value % 10 << 4 | value // 10 for value in values)
    if offset < timedelta():
        octets[6] |= 0x08
    return bytes(octets)


def read_stamp(octets: bytes) -> datetime:
    """The time in seven octets. Raises TpduError."""
    values = [(octet & 15) * 10 + (octet >> 4) for octet in octets[:6]]
    zone = octets[6]
    offset = ((zone & 7) * 10 + (zone >> 4)) * _QUARTER
    try:
        year, month, day, hour, minute, second = values
        return datetime(
            2000 + year, month, day, hour, minute, second, tzinfo=timezone(-offset if zone & 0x08 else offset)
        )
    except ValueError:
        raise TpduError("a time stamp that is no time") from None


def of_epoch(seconds: float) -> datetime:
    """A time in UTC, as stamps of ours are."""
    return datetime.fromtimestamp(seconds, UTC)


def relative(seconds: float) -> int:
    """The relative validity that is just long enough; from 5 minutes to 63 weeks."""
    if seconds <= 12 * 3600:
        return max(0, _up(seconds, 5 * _MINUTE) - 1)
    if seconds <= _DAY:
        return 143 + _up(seconds - 12 * 3600, _HALF_HOUR)
    if seconds <= 30 * _DAY:
        return 166 + _up(seconds, _DAY)
    return min(255, 192 + max(5, _up(seconds, _WEEK)))


def _up(seconds: float, step: int) -> int:
    return int(-(-seconds // step))


def read_relative(octet: int) -> float:
    """Seconds that a relative validity stands for."""
    if octet < 144:
        return (octet + 1) * 5.0 * _MINUTE
    if octet < 168:
        return 12 * 3600.0 + (octet - 143) * _HALF_HOUR
    if octet < 197:
        return (octet - 166) * float(_DAY)
    return (octet - 192) * float(_WEEK)


def read_enhanced(octets: bytes) -> float | None:
    """Seconds of an enhanced validity (§9.2.3.12.3); None where it names none. Raises TpduError."""
    form = octets[0] & 7
    if octets[0] & 0x80 or form > 3:
        raise TpduError("a validity period of an unknown form", 0xC6)
    if form == 1:
        return read_relative(octets[1])
    if form == 2:
        return float(octets[1])
    if form == 3:
        hours, minutes, seconds = ((octet & 15) * 10 + (octet >> 4) for octet in octets[1:4])
        return hours * 3600.0 + minutes * _MINUTE + seconds
    return None
