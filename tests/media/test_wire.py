import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import Adapted, target, wire
from opencpm.media.wire import WireError

PARTS = (text_part("é"), Part("image/jpeg", b"\xff\xd8", "a.jpg", "render"))
DONE = Adapted(parts=PARTS, origins=(0, 1), losses=("photograph made smaller",), incomplete=(1,))


def unframed(octets):
    header, bodies = wire.lengths(octets[:8], 1_000_000)
    assert len(octets) == 8 + header + bodies
    return wire.unframe(octets[8 : 8 + header], octets[8 + header :])


def test_a_job_comes_back():
    wanted = target("megapixel")
    assert wire.read_job(*unframed(wire.job(PARTS, wanted))) == (PARTS, wanted)


def test_a_result_comes_back():
    assert wire.read_result(*unframed(wire.result(DONE)), 2) == DONE


def test_an_error_comes_back():
    with pytest.raises(SendError) as caught:
        wire.read_result(*unframed(wire.failure(SendError(Reason.TOO_LARGE, detail="no"))), 2)
    assert (caught.value.reason, caught.value.detail) == (Reason.TOO_LARGE, "no")


def test_lengths_are_bounded():
    for header, bodies in ((2**20 + 1, 0), (1, 1001)):
        with pytest.raises(WireError):
            wire.lengths(wire.PREFIX.pack(header, bodies), 1000)


@pytest.mark.parametrize(
    ("header", "bodies"),
    [
        (b"{", b""),
        (b"[]", b""),
        (b"{}", b""),
        (b'{"lengths":[-1,1]}', b""),
        (b'{"lengths":[true]}', b"x"),
        (b'{"lengths":[2]}', b"x"),
        (b'{"lengths":' + b"[" * 100_000, b""),
    ],
)
def test_frames_that_are_none(header, bodies):
    with pytest.raises(WireError):
        wire.unframe(header, bodies)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda inner: st.lists(inner, max_size=3)
)


@given(
    st.fixed_dictionaries(
        {}, optional=dict.fromkeys(("parts", "origins", "losses", "incomplete", "reason", "detail"), JSON)
    ),
    st.lists(st.binary(max_size=3), max_size=2),
)
def test_whatever_a_worker_says_is_a_result_or_an_error(said, bodies):
    try:
        wire.read_result(said, bodies, 2)
    except (WireError, SendError):
        pass


def test_a_worker_cannot_say_that_a_failure_may_be_tried_again():
    with pytest.raises(WireError):
        wire.read_result({"reason": "congestion", "detail": "x"}, [], 1)
