from __future__ import annotations

import pytest

from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.wsp import (
    Quoted,
    plain,
    read_integer,
    read_length,
    read_string,
    read_uintvar,
    value_end,
    with_length,
    write_integer,
    write_long,
    write_string,
    write_uintvar,
)

UINTVARS = {
    0: "00",
    127: "7f",
    128: "8100",
    129: "8101",
    300: "822c",
    8192: "c000",
    16383: "ff7f",
    16384: "818000",
    2097151: "ffff7f",
}


@pytest.mark.parametrize(("value", "octets"), UINTVARS.items())
def test_uintvar(value, octets):
    assert write_uintvar(value).hex() == octets
    assert read_uintvar(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


@pytest.mark.parametrize("octets", [b"", b"\x80", b"\xff" * 5 + b"\x00"])
def test_uintvar_refused(octets):
    with pytest.raises(Mm1Error):
        read_uintvar(octets, 0)


@pytest.mark.parametrize(("length", "octets"), [(30, "1e"), (31, "1f1f"), (200, "1f8148")])
def test_value_length(length, octets):
    assert with_length(b"x" * length) == bytes.fromhex(octets) + b"x" * length
    assert read_length(bytes.fromhex(octets), 0) == (length, len(octets) // 2)


def test_a_short_length_may_be_written_long():
    assert read_length(b"\x1f\x05", 0) == (5, 2)


@pytest.mark.parametrize(("value", "octets"), [(1795421033, "046b03f369"), (606, "02025e"), (0, "0100")])
def test_long_integer(value, octets):
    assert write_long(value).hex() == octets
    assert read_integer(bytes.fromhex(octets), 0) == (value, len(octets) // 2)


def test_integer_value_takes_the_shorter_form():
    assert write_integer(127) == b"\xff"
    assert write_integer(128) == b"\x01\x80"
    assert read_integer(b"\xff", 0) == (127, 1)
    for bad in (-1, 1 << 240):
        with pytest.raises(Mm1Error):
            write_integer(bad)


@pytest.mark.parametrize(
    ("value", "octets"),
    [
        ("cpm-1", b"cpm-1\0"),
        ("", b"\0"),
        ("Ü", b"\x7f\xc3\x9c\0"),
        (Quoted("<a>"), b'"<a>\0'),
        ("\x01a", b"\x7f\x01a\0"),
    ],
)
def test_strings(value, octets):
    assert write_string(value) == octets
    assert read_string(octets, 0) == (value, len(octets))


def test_strings_that_cannot_be():
    for bad in ("a\0b", "\ud800"):
        with pytest.raises(Mm1Error):
            write_string(bad)
    with pytest.raises(Mm1Error):
        read_string(b"no end", 0)


def test_the_quote_is_for_the_wire_only():
    assert plain(Quoted('<a>"')) == "<a>"
    assert plain(7) == ""


@pytest.mark.parametrize(
    ("octets", "end"), [(b"\x80x", 1), (b"abc\0x", 4), (b"\x02abx", 3), (b"\x1f\x02abx", 4), (b"\0x", 1)]
)
def test_any_value_can_be_skipped(octets, end):
    assert value_end(octets, 0) == end
