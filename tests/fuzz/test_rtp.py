from hypothesis import given
from hypothesis import strategies as st

from opencpm.protocols.rtp import Packet, PlayOut, RtpError, decode


@given(st.binary(max_size=200))
def test_reading_raises_only_its_error(datagram):
    try:
        decode(datagram)
    except RtpError:
        pass


packets = st.builds(
    Packet,
    st.just(8),
    st.integers(0, 0xFFFF),
    st.integers(0, 0xFFFFFFFF) | st.integers(0, 20_000),
    st.integers(0, 2),
    st.binary(max_size=700),
)


@given(st.lists(packets | st.integers(1, 400), max_size=60), st.integers(0, 9000))
def test_whatever_comes_what_is_heard_is_bounded(steps, patience):
    buffer = PlayOut(patience, 0xD5)
    for step in steps:
        if isinstance(step, int):
            assert len(buffer.take(step)) <= 400 * 160 + 10 * 700
        else:
            buffer.add(step)
            assert len(buffer._waiting) <= 100
