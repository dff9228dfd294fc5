import pytest

from opencpm.media.formats.exif import orientation
from tests.media.pictures import exif


@pytest.mark.parametrize("turn", range(1, 9))
def test_all_turns(turn):
    assert orientation(exif(turn)) == turn


def test_big_endian():
    assert orientation(b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0") == 6


@pytest.mark.parametrize(
    "tiff", [b"", b"II*\0", exif(0), exif(9), exif(6)[:15], b"II*\0\xff\xff\xff\xff\0\0", b"XX*\0" + bytes(20)]
)
def test_odd_is_upright(tiff):
    assert orientation(tiff) == 1
