import pytest

from opencpm.protocols.rtp import PACKET, Packet, PlayOut, RtpError, decode

Q = 0xD5


def packet(number, fill=None, *, start=1000, source=7, count=PACKET):
    octet = number % 200 if fill is None else fill
    return Packet(8, number, (start + number * PACKET) & 0xFFFFFFFF, source, bytes((octet,)) * count)


def heard(buffer, count):
    """What can be heard in each of so many beats: the octets, one for 20 ms; "-" is nothing."""
    out = []
    for _ in range(count):
        octets = buffer.take()
        runs = [set(octets[at : at + PACKET]) for at in range(0, len(octets), PACKET)]
        out.append([run.pop() for run in runs if len(run) == 1] or "-")
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


def test_what_has_come_is_heard_at_once_in_order_of_its_time():
    buffer = PlayOut(3 * PACKET, Q)
    for number in (0, 2, 1):
        buffer.add(packet(number))
    assert heard(buffer, 2) == [[0, 1, 2], "-"]


def test_what_is_late_is_waited_for_and_no_hole_is_heard():
    buffer = PlayOut(3 * PACKET, Q)
    buffer.add(packet(0))
    assert heard(buffer, 3) == [[0], "-", "-"]
    for number in (1, 2, 3):
        buffer.add(packet(number))
    assert heard(buffer, 2) == [[1, 2, 3], "-"]
    assert buffer.filled == 0


def test_what_is_lost_is_silence_once_the_patience_is_over():
    buffer = PlayOut(2 * PACKET, Q)
    buffer.add(packet(0))
    buffer.add(packet(2))
    assert heard(buffer, 5) == [[0], "-", "-", [Q, 2], "-"]
    assert buffer.filled == PACKET
    buffer.add(packet(1))  # too late now
    assert heard(buffer, 1) == ["-"]


def test_where_nothing_comes_silence_is_heard_and_time_goes_on():
    buffer = PlayOut(2 * PACKET, Q)
    assert heard(buffer, 5) == ["-", "-", [Q], [Q], [Q]]
    buffer.add(packet(0))
    assert heard(buffer, 2) == [[0], "-"]


def test_a_sender_that_is_silent_by_sending_nothing():
    """Silence suppression: the time stamps go on, and its silence is not heard twice."""
    buffer = PlayOut(PACKET, Q)
    buffer.add(packet(0))
    assert heard(buffer, 6) == [[0], "-", [Q], [Q], [Q], [Q]]
    buffer.add(packet(6))
    assert heard(buffer, 2) == [[Q, 6], "-"]


def test_a_sender_that_stopped_and_goes_on_where_it_was():
    buffer = PlayOut(PACKET, Q)
    buffer.add(packet(0))
    heard(buffer, 20)
    buffer.add(packet(1))
    buffer.add(packet(2))
    assert heard(buffer, 1) == [[1, 2]]


def test_repeated_packets_change_nothing():
    buffer = PlayOut(PACKET, Q)
    for _ in range(3):
        buffer.add(packet(0))
    assert heard(buffer, 2) == [[0], "-"]
    buffer.add(packet(0))
    assert heard(buffer, 1) == [[Q]]


def test_packets_of_any_length():
    buffer = PlayOut(PACKET, Q)
    for number in range(4):
        buffer.add(Packet(8, number, number * 240, 1, bytes((number,)) * 240))
    assert buffer.take() == b"".join(bytes((n,)) * 240 for n in range(4))


def test_time_stamps_that_wrap():
    buffer = PlayOut(PACKET, Q)
    start = 0xFFFFFFFF - 2 * PACKET
    for number in range(6):
        buffer.add(packet(number, start=start))
    assert heard(buffer, 1) == [[0, 1, 2, 3, 4, 5]]


def test_who_sends_faster_than_time_passes_is_not_followed():
    buffer = PlayOut(PACKET, Q)
    for number in range(300):
        buffer.add(packet(number))
    assert [len(one) for one in heard(buffer, 10)] == [10] * 10
    assert buffer.received == 100


def test_a_new_source_or_a_jump_in_time_begins_anew():
    buffer = PlayOut(PACKET, Q)
    buffer.add(packet(0))
    buffer.add(packet(9, 50, source=8))
    assert heard(buffer, 1) == [[50]]
    buffer.add(packet(1000, 60, source=8))
    assert heard(buffer, 1) == [[60]]
