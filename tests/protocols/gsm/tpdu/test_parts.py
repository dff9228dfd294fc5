from datetime import UTC, datetime, timedelta, timezone

import pytest

from opencpm.protocols.gsm.tpdu import reports, times
from opencpm.protocols.gsm.tpdu.address import ALPHANUMERIC, INTERNATIONAL, UNKNOWN, TpAddress, read_address
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.reader import Reader
from opencpm.protocols.gsm.tpdu.reports import Fate

WHEN = datetime(2026, 11, 23, 7, 30, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("address", "octets"),
    [
        (TpAddress("12025550100"), "0B912120550501F0"),
        (TpAddress("CPM", ALPHANUMERIC, 0), "06D0436813"),
        (TpAddress("ABCDEFGHIJK", ALPHANUMERIC, 0), "14D041E19058341E9149E512"),
        (TpAddress("*100#", UNKNOWN), "05811A00FB"),
    ],
)
def test_addresses(address, octets):
    assert address.encode().hex().upper() == octets
    assert read_address(Reader(bytes.fromhex(octets))) == address


def test_addresses_by_their_form():
    assert TpAddress.of("+447700900123") == TpAddress("447700900123", INTERNATIONAL)
    assert TpAddress.of("60123") == TpAddress("60123", UNKNOWN)
    assert TpAddress.of("CPM") == TpAddress("CPM", ALPHANUMERIC, 0)


def test_an_address_that_overruns():
    for octets in ("1591", "0B9121", ""):
        with pytest.raises(TpduError):
            read_address(Reader(bytes.fromhex(octets)))


@pytest.mark.parametrize(
    ("minutes", "zone"), [(60, "40"), (-300, "0a"), (330, "22"), (-210, "49"), (0, "00")], ids=lambda v: str(v)
)
def test_zones_of_stamps(minutes, zone):
    when = WHEN.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    octets = times.stamp(when)
    assert octets.hex() == "621132700351" + zone
    assert times.read_stamp(octets) == when
    assert times.read_stamp(octets).utcoffset() == when.utcoffset()


HOUR, DAY, WEEK = 3600, 86400, 604800


@pytest.mark.parametrize(
    ("seconds", "octet"),
    [
        (1, 0x00),
        (300, 0x00),
        (301, 0x01),
        (HOUR, 0x0B),
        (12 * HOUR, 0x8F),
        (12 * HOUR + 1, 0x90),
        (DAY, 0xA7),
        (DAY + 1, 0xA8),
        (2 * DAY, 0xA8),
        (3 * DAY, 0xA9),
        (7 * DAY, 0xAD),
        (30 * DAY, 0xC4),
        (30 * DAY + 1, 0xC5),
        (5 * WEEK, 0xC5),
        (63 * WEEK, 0xFF),
        (99 * WEEK, 0xFF),
    ],
)
def test_relative_validity_is_rounded_up(seconds, octet):
    assert times.relative(seconds) == octet
    assert times.read_relative(octet) >= min(seconds, 63 * WEEK)


def test_reports():
    assert reports.deliver_report().hex() == "0000"
    assert reports.submit_report(WHEN).hex() == "010062113270035100"
    assert reports.stamp_of(reports.submit_report(WHEN)) == WHEN
    assert reports.stamp_of(b"\0\0") is None
    assert reports.stamp_of(b"") is None
    assert reports.stamp_of(b"\1\0" + b"\xff" * 7) is None


def test_fates_and_causes():
    assert [reports.fate_of(status) for status in (0x00, 0x01, 0x20, 0x3F)] == [Fate.DELIVERED] + [Fate.PENDING] * 3
    assert [reports.fate_of(status) for status in (0x40, 0x46, 0x65, 0xFF)] == [
        Fate.FAILED,
        Fate.EXPIRED,
        Fate.FAILED,
        Fate.FAILED,
    ]
    assert reports.may_pass(0xD3)
    assert not reports.may_pass(0xC3)
    assert reports.cause_text(0xD3) == "the memory is full"
    assert "9E" in reports.cause_text(0x9E)
