import pytest

from opencpm.protocols.rtp import PACKET, Packet, PlayOut, RtpError, decode

Q = 0xD5


def packet(number, fill=None, *, start=1000, source=7, count=PACKET):
    octet = number % 200 if fill is None else fill
    return Packet(8, number, (start + number * PACKET) & 0xFFFFFFFF, source, bytes((octet,)) * count)


def fills(buffer, count):
    """What each 20 ms hold: an octet, None for nothing, or the set of octets."""
    out = []
    for _ in range(count):
        heard = buffer.take()
        kinds = set(heard or ())
        out.append(None if heard is None else kinds.pop() if len(kinds) == 1 else sorted(kinds))
    return out


def test_packets_there_and_back():
    sent = Packet(8, 0xFFFF, 0xFFFFFFFF, 0x12345678, b"abc", True)
    assert decode(sent.encode()) == sent
    assert sent.encode().hex() == "8088ffffffffffff12345678616263"


def test_sources_extension_and_padding_are_skipped():
    octets = bytes.fromhex("b2080001 0000000a 00000001 11111111 22222222 bede0001 aabbccdd") + b"sound" + b"\0\0\3"
    assert decode(octets).payload == b"sound"


@pytest.mark.parametrize("octets", ["", "80", "00" * 12, "8f" + "00" * 11, "a0" + "00" * 11 + "ff", "90" + "00" * 12])
def test_what_is_no_packet(octets):
    with pytest.raises(RtpError):
        decode(bytes.fromhex(octets))


def test_sound_comes_after_the_delay_in_order_of_its_time():
    buffer = PlayOut(3 * PACKET, Q)
    for number in (0, 2, 1):
        buffer.add(packet(number))
    assert fills(buffer, 7) == [Q, Q, Q, 0, 1, 2, None]


def test_what_is_lost_is_silence():
    buffer = PlayOut(PACKET, Q)
    for number in (0, 2):
        buffer.add(packet(number))
    assert fills(buffer, 4) == [Q, 0, Q, 2]


def test_what_is_late_is_dropped_and_what_is_partly_late_is_heard_in_part():
    buffer = PlayOut(0, Q)
    buffer.add(packet(0))
    assert fills(buffer, 3) == [0, None, None]
    buffer.add(packet(1))
    buffer.add(packet(3))
    assert buffer.late == 1
    assert fills(buffer, 2) == [3, None]
    buffer.take(80)
    buffer.add(packet(5))
    assert buffer.take(80) == bytes((5,)) * 80


def test_repeated_packets_change_nothing():
    buffer = PlayOut(0, Q)
    for _ in range(3):
        buffer.add(packet(0))
    assert fills(buffer, 2) == [0, None]


def test_packets_of_any_length():
    buffer = PlayOut(PACKET, Q)
    for number in range(4):
        buffer.add(Packet(8, number, number * 240, 1, bytes((number,)) * 240))
    heard = b"".join(buffer.take() or b"" for _ in range(7))
    assert heard == bytes((Q,)) * PACKET + b"".join(bytes((n,)) * 240 for n in range(4))


def test_time_stamps_that_wrap():
    buffer = PlayOut(PACKET, Q)
    start = 0xFFFFFFFF - 2 * PACKET
    for number in range(6):
        buffer.add(packet(number, start=start))
    assert fills(buffer, 7) == [Q, 0, 1, 2, 3, 4, 5]


def test_an_hour_of_sound_goes_round_and_round():
    buffer = PlayOut(2 * PACKET, Q)
    heard = []
    for number in range(500):
        buffer.add(packet(number))
        heard += fills(buffer, 1)
    assert heard[2:] == [number % 200 for number in range(498)]


def test_a_new_source_or_a_jump_in_time_begins_anew():
    buffer = PlayOut(PACKET, Q)
    buffer.add(packet(0))
    buffer.add(packet(9, 50, source=8))
    assert fills(buffer, 3) == [Q, 50, None]
    buffer.add(packet(1000, 60, source=8))
    assert fills(buffer, 2) == [Q, 60]
    buffer.add(Packet(8, 1, 10**9, 8, bytes(100_000)))
    assert fills(buffer, 1) == [None]
