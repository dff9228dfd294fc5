"""The coded fields: hexadecimal, names, extra services, times."""

from datetime import UTC
from zoneinfo import ZoneInfo

import pytest

from opencpm.protocols.ucp import hexadecimal, times, xser
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.originator import decode_name, encode_name

AT = 1795419015.0  # 2026-11-23 07:30:15 UTC


def test_hexadecimal():
    assert hexadecimal.encode(b"Short Message") == "53686F7274204D657373616765"
    assert hexadecimal.decode("53686f72") == b"Shor"
    for bad in ("5", "5g", "٥٣", " 53"):
        with pytest.raises(UcpError):
            hexadecimal.decode(bad)


@pytest.mark.parametrize(
    ("name", "packed"), [("CPM Test", "0E436813442DCFE9"), ("A", "0241"), ("12345678901", None), ("a@b_c", None)]
)
def test_names(name, packed):
    assert packed in (None, encode_name(name))
    assert decode_name(encode_name(name)) == name


@pytest.mark.parametrize("name", ["", "twelve chars", "日本"])
def test_names_that_do_not_fit(name):
    with pytest.raises(UcpError):
        encode_name(name)


def test_a_name_that_cannot_be_read():
    with pytest.raises(UcpError):
        decode_name("")
    assert decode_name("FF41") == "A"


def test_extra_services():
    services = ((xser.UDH, bytes.fromhex("050003A70201")), (xser.DCS, b"\x08"), (0x0C, b"bill"))
    assert xser.encode(services[:2]) == "0106050003A70201020108"
    assert xser.decode(xser.encode(services)) == services
    assert xser.value_of(services, xser.DCS) == b"\x08"
    assert xser.value_of(services, xser.SINGLE_SHOT) is None
    for bad in ("01", "0106", "010605"):
        with pytest.raises(UcpError):
            xser.decode(bad)
    with pytest.raises(UcpError):
        xser.encode([(1, bytes(256))])


def test_times_are_the_centres():
    assert times.stamp(AT, UTC) == "231126073015"
    assert times.minute(AT, UTC) == "2311260730"
    assert times.minute(AT, ZoneInfo("Europe/Berlin")) == "2311260830"


@pytest.mark.parametrize(
    ("sm", "name"),
    [
        ("447700900123:231126073015", ("447700900123", "231126073015")),
        (" :231126073015 ", ("", "231126073015")),
        ("447700900123", None),
        ("447700900123:2311260730", None),
        ("", None),
    ],
)
def test_the_name_of_a_message(sm, name):
    assert times.name_of(sm) == name
