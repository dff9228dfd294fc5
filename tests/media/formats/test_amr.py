import pytest

from opencpm.domain.message import Part
from opencpm.media import MediaError, inspect
from opencpm.media.formats import amr

FRAME = b"\x3c" + bytes(31)  # 12.2 kbit/s


def test_each_frame_is_20_ms():
    seen = inspect(Part("audio/amr", amr.MAGIC + FRAME * 50 + b"\x7c" * 50))
    assert (seen.duration, seen.codecs) == (pytest.approx(2.0), ("amr",))


def test_a_half_frame_at_the_end_goes():
    assert amr.stripped(amr.MAGIC + FRAME * 2 + FRAME[:7]) == amr.MAGIC + FRAME * 2


@pytest.mark.parametrize("frames", [b"", b"\x3d" + bytes(31), b"\x4c" + bytes(40), FRAME[:5]])
def test_what_is_none(frames):
    with pytest.raises(MediaError):
        amr.read(amr.MAGIC + frames)
