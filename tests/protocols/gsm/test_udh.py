import pytest

from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.udh import Concat


@pytest.mark.parametrize(
    ("octets", "concat"),
    [("050003A70201", Concat(0xA7, 2, 1)), ("06080412340201", Concat(0x1234, 2, 1, 16))],
)
def test_concatenation(octets, concat):
    header, content = udh.split(bytes.fromhex(octets) + b"text")
    assert (header.concat, content) == (concat, b"text")
    assert udh.build(concat) == bytes.fromhex(octets)


def test_shifts():
    header, content = udh.split(bytes.fromhex("0B0003A70201240101250103") + b"x")
    assert (header.single_shift, header.locking_shift, content) == (1, 3, b"x")
    assert udh.build(Concat(0xA7, 2, 1), 1, 3) == bytes.fromhex("0B0003A70201240101250103")


def test_ports():
    assert udh.split(bytes.fromhex("0605040B8423F0"))[0].destination_port == 0x0B84


@pytest.mark.parametrize("numbers", ["000001", "A70200", "A70203"])
def test_a_number_out_of_range_is_no_concatenation(numbers):
    assert udh.split(bytes.fromhex("050003" + numbers))[0].concat is None


def test_the_last_of_repeated_elements_counts():
    assert udh.split(bytes.fromhex("0A0003010201000302020299"))[0].concat == Concat(2, 2, 2)


@pytest.mark.parametrize(
    ("octets", "content"),
    [("", b""), ("0500FF0000004141", b"AA"), ("0200", b""), ("FF4141", b""), ("010041", b"A")],
)
def test_a_broken_header_is_skipped(octets, content):
    assert udh.split(bytes.fromhex(octets)) == (udh.EMPTY, content)


def test_nothing_to_say():
    assert udh.build() == b""
