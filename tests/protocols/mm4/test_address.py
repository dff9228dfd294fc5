from __future__ import annotations

import pytest

from opencpm.protocols.mm4.address import Address, parse_address, parse_addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("+447700900123/TYPE=PLMN", Address("PLMN", "+447700900123")),
        ("447700900123/TYPE=PLMN@mmsc.test", Address("PLMN", "447700900123", "mmsc.test")),
        ("100/type=plmn", Address("PLMN", "100")),
        ("10.0.0.1/TYPE=IPv4", Address("IPv4", "10.0.0.1")),
        ("fe80::1/TYPE=ipv6@x.test", Address("IPv6", "fe80::1", "x.test")),
        ("bob@example.com", Address("", "bob", "example.com")),
        ('"Bob, B." <bob@example.com>', Address("", "bob", "example.com")),
        ("<+4477/TYPE=PLMN>", Address("PLMN", "+4477")),
        ("+4477", Address("PLMN", "+4477")),
        ("+4477@mms.test", Address("PLMN", "+4477", "mms.test")),
        ("x/TYPE=other", Address("other", "x")),
        ("bob", Address("", "bob")),
        ("", Address("", "")),
    ],
)
def test_addresses(text, address):
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


def test_lists():
    assert parse_addresses('"a, b" <1@x>, +4477/TYPE=PLMN,, c@d') == (
        Address("PLMN", "1", "x"),
        Address("PLMN", "+4477"),
        Address("", "c", "d"),
    )
    assert parse_addresses("") == ()
    assert parse_addresses('a@b, "no end, c@d')[0] == Address("", "a", "b")
    assert len(parse_addresses("a@b," * 5000)) == 1000


def test_hostile_lists_are_read_in_linear_time():
    for hostile in ('"\\' * 60000, "<" * 100000, '"' * 100001, "<a" * 50000):
        parse_addresses(hostile)
