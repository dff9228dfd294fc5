"""The packet and the stream of packets."""

from __future__ import annotations

import pytest

from opencpm.protocols.ymsg.errors import YmsgError
from opencpm.protocols.ymsg.packet import (
    HEADER,
    MAX_BODY,
    MAX_PAIRS,
    Framer,
    Packet,
    decoded,
    encode,
    integer,
    pairs,
    read_body,
)

AUTH = bytes.fromhex("594d5347000a0000000a00570000000000000000" + "31c080616c696365c080")


def test_the_sheets_example() -> None:
    assert encode(Packet(0x57, 0, pairs((1, "alice"))), 10) == AUTH
    assert list(Framer().feed(AUTH)) == [Packet(0x57, 0, ((1, b"alice"),))]


def test_the_version_of_what_comes_means_nothing() -> None:
    for version in (b"\x00\x00", b"\x0a\x00", b"\xff\xff"):
        assert list(Framer().feed(AUTH[:4] + version + AUTH[6:]))


def test_values() -> None:
    packet = Packet(6, 1, pairs((5, "alice"), (14, "Grüße"), (15, 12), (5, "again"), (31, ""), (97, b"\xfc")))
    assert packet.text(5) == "alice"
    assert packet.all(5) == ("alice", "again")
    assert packet.text(14) == "Grüße"
    assert packet.number(15) == 12
    assert packet.text(31, "default") == ""
    assert packet.text(99, "default") == "default"
    assert packet.text(97) == "ü"
    assert packet.number(14, 7) == 7


def test_records_begin_where_their_first_key_comes_again() -> None:
    packet = Packet(1, 0, pairs((0, "me"), (7, "a"), (10, 0), (7, "b"), (10, 2), (7, "c")))
    assert [record.pairs for record in packet.records(7)] == [
        ((7, b"a"), (10, b"0")),
        ((7, b"b"), (10, b"2")),
        ((7, b"c"),),
    ]
    assert list(packet.records(31)) == []


def test_separators_cannot_be_smuggled_in() -> None:
    assert pairs((14, b"a\xc0\x80" + b"5\xc0\x80eve")) == ((14, b"a5eve"),)


@pytest.mark.parametrize("body", [b"1\xc0\x80alice", b"1\xc0\x80alice\xc0\x80", b"1\xc0\x80alice\xc0\x80\xc0\x80"])
def test_a_missing_end_is_tolerated(body: bytes) -> None:
    assert read_body(body) == ((1, b"alice"),)


@pytest.mark.parametrize(
    "body", [b"x\xc0\x80y\xc0\x80", b"-1\xc0\x80y", b"1234567890\xc0\x80y", "٣".encode() + b"\xc0\x80y"]
)
def test_keys_that_are_none(body: bytes) -> None:
    with pytest.raises(YmsgError):
        read_body(body)


def test_limits() -> None:
    assert len(read_body(b"1\xc0\x80\xc0\x80" * MAX_PAIRS)) == MAX_PAIRS
    with pytest.raises(YmsgError):
        read_body(b"1\xc0\x80\xc0\x80" * (MAX_PAIRS + 1))
    with pytest.raises(YmsgError):
        encode(Packet(6, 0, pairs((14, "x" * MAX_BODY))), 10)


def test_one_that_cannot_be_read_does_not_end_the_stream() -> None:
    bad = HEADER.pack(b"YMSG", 10, 0, 3, 6, 1, 0) + b"x\xc0\x80"
    found = list(Framer().feed(bad[:-3] + b"x\xc0\x80" + AUTH))
    assert found[-1] == Packet(0x57, 0, ((1, b"alice"),))


@pytest.mark.parametrize("octets", [b"HTTP", b"X", b"YMSX", AUTH + b"Z"])
def test_no_ymsg(octets: bytes) -> None:
    with pytest.raises(YmsgError):
        Framer().feed(octets)


def test_in_pieces() -> None:
    framer, found = Framer(), []
    for octet in AUTH * 3:
        found += framer.feed(bytes([octet]))
    assert len(found) == 3


def test_charsets_and_numbers() -> None:
    assert decoded("☃".encode()) == "☃"
    assert decoded(b"\x80 5") == "€ 5"
    assert decoded(b"\x81") == "\ufffd"
    assert [integer(v, 9) for v in (b"5", b" -1 ", b"", b"1.5", b"9" * 13, b"--1")] == [5, -1, 9, 9, 9, 9]
