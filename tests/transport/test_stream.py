import pytest

from opencpm.protocols.sip.errors import SipError
from opencpm.transport.flow import Limits
from opencpm.transport.stream import StreamMachine

ONE = b"OPTIONS sip:x SIP/2.0\r\nContent-Length: 0\r\n\r\n"


def test_messages_come_out_and_pings_are_answered():
    machine = StreamMachine(0.0)
    assert machine.receive(b"\r\n\r\n" + ONE + ONE[:10], 1.0) == [ONE]
    assert machine.take() == b"\r\n"
    assert machine.receive(ONE[10:], 2.0) == [ONE]
    machine.send(b"a")
    machine.send(b"b")
    assert machine.take() == b"ab"
    assert machine.take() == b""


def test_a_connection_that_says_nothing_is_closed_soon_and_a_silent_one_later():
    machine = StreamMachine(0.0, Limits(handshake=5, idle=100))
    assert machine.next_timeout() == 5
    machine.receive(ONE, 4.0)
    machine.poll(5.0)
    assert not machine.closing()
    assert machine.next_timeout() == 104
    machine.poll(104.0)
    assert machine.closing()


def test_a_message_that_was_begun_has_to_come():
    machine = StreamMachine(0.0, Limits(handshake=5, idle=100))
    machine.receive(ONE + ONE[:10], 1.0)
    assert machine.next_timeout() == 6
    machine.receive(ONE[10:20], 4.0)
    assert machine.next_timeout() == 6
    machine.receive(ONE[20:], 5.0)
    assert machine.next_timeout() == 105
    machine.receive(b"\r\n", 50.0)
    assert machine.next_timeout() == 150


def test_dribbling_does_not_put_off_the_first_message():
    machine = StreamMachine(0.0, Limits(handshake=5, idle=100))
    for second in range(5):
        machine.receive(ONE[second : second + 1], float(second))
    machine.poll(5.0)
    assert machine.closing()


def test_limits_hold():
    with pytest.raises(SipError):
        StreamMachine(0.0, Limits(message=100)).receive(ONE.replace(b": 0", b": 1000"), 0.0)
