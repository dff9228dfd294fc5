import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.sip.errors import SipError
from opencpm.protocols.sip.framing import StreamFramer

ONE = b"MESSAGE sip:b@x SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 5\r\n\r\nhello"
TWO = b"SIP/2.0 200 OK\r\nl :   0\r\n\r\n"


def test_a_whole_message_goes_through_as_it_is():
    assert StreamFramer().receive(ONE) == [ONE]


@given(st.lists(st.integers(0, 2 * len(ONE) + len(TWO) + 8), max_size=12))
def test_any_cutting_gives_the_same_messages_and_pings(cuts):
    stream = ONE + b"\r\n\r\n" + TWO + b"\r\n" + ONE
    points = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    framer, messages = StreamFramer(), []
    for start, end in itertools.pairwise(points):
        messages += framer.receive(stream[start:end])
    assert messages == [ONE, TWO, ONE]
    assert framer.pings == 1


def test_pings_are_counted_and_a_pong_is_not_one():
    framer = StreamFramer()
    assert framer.receive(b"\r\n\r\n\r\n\r\n") == []
    assert framer.pings == 2
    assert framer.receive(b"\r\n") == []
    assert framer.receive(ONE) == [ONE]
    assert framer.pings == 2


def test_a_length_inside_a_body_is_not_taken():
    body = b"\r\nContent-Length: 900\r\n\r\n"
    message = b"A sip:b SIP/2.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    assert StreamFramer().receive(message + TWO) == [message, TWO]


@pytest.mark.parametrize(
    "data",
    [
        b"A sip:b SIP/2.0\r\nCall-ID: 1\r\n\r\n",
        b"A sip:b SIP/2.0\r\nContent-Length: x\r\n\r\n",
        b"A sip:b SIP/2.0\r\nContent-Length: 99999999\r\n\r\n",
        b"A sip:b SIP/2.0\r\nX: " + b"y" * 40_000,
    ],
)
def test_a_stream_that_cannot_be_cut_raises(data):
    with pytest.raises(SipError):
        StreamFramer().receive(data)
