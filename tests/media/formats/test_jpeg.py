import pytest

from opencpm.media import MediaError, inspect
from opencpm.media.formats import jpeg
from tests.media.pictures import GPS, opened, photograph


def test_private_things_go_and_pixels_stay():
    given = photograph(64, 48, comment=b"taken at home")
    body = jpeg.stripped(given.body)
    assert GPS in given.body
    assert GPS not in body
    assert b"home" not in body
    assert opened(given).tobytes() == opened(given._replace(body=body)).tobytes()


def test_what_hides_behind_the_end_goes():
    given = photograph(64, 48)
    assert jpeg.stripped(given.body + b"PK\x03\x04 an archive") == jpeg.stripped(given.body)


def test_colour_profile_stays():
    body = photograph(16, 16, icc_profile=b"p" * 200).body
    assert b"ICC_PROFILE\0" in jpeg.stripped(body)


def test_progressive_is_not_simple():
    assert not inspect(photograph(64, 48, progressive=True)).simple


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.99])
def test_cut_off(keep):
    body = photograph(64, 48).body
    with pytest.raises(MediaError):
        jpeg.stripped(body[: int(len(body) * keep)])


def test_endless_segments_end():
    with pytest.raises(MediaError):
        list(jpeg.segments(b"\xff\xd8" + b"\xff\xfe\0\x02" * 10_000))
