import pytest

from opencpm.protocols.gsm import ucs2


def test_there_and_back():
    assert ucs2.encode("Hi😀") == bytes.fromhex("00480069D83DDE00")
    assert ucs2.decode(bytes.fromhex("00480069D83DDE00")) == "Hi😀"


@pytest.mark.parametrize(
    ("octets", "text"),
    [("FEFF0041", "A"), ("FFFE4100", "A"), ("004100", "A"), ("D83D0041", "\ufffdA"), ("", "")],
)
def test_what_peers_send(octets, text):
    assert ucs2.decode(bytes.fromhex(octets)) == text


def test_a_peer_that_swaps_octets():
    assert ucs2.decode(b"A\0", little_endian=True) == "A"
