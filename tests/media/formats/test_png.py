import pytest

from opencpm.domain.message import Part
from opencpm.media import MediaError, inspect
from opencpm.media.formats import png
from tests.media.pictures import GPS, chunk, coded, exif, noise
from tests.media.pictures import png as made


def test_private_things_go_and_pixels_stay():
    body = made(4, 4, chunk(b"tEXt", b"Place\0home"), chunk(b"eXIf", exif(3)), data=b"\0" * 52)
    assert inspect(Part("image/png", body)).orientation == 3
    assert png.stripped(body) == made(4, 4, data=b"\0" * 52)
    assert GPS not in png.stripped(body)


def test_what_hides_behind_the_end_goes():
    body = made(4, 4)
    assert png.stripped(body + b"<script>") == body


def test_transparency_and_animation():
    assert inspect(Part("image/png", coded(noise(8, 8, "RGBA"), "PNG"))).alpha
    assert inspect(Part("image/png", made(4, 4, chunk(b"acTL", b"\0\0\0\x05\0\0\0\0")))).frames == 5


def test_cut_off():
    with pytest.raises(MediaError):
        png.stripped(made(4, 4)[:-12])


def test_too_many_chunks():
    with pytest.raises(MediaError):
        png.stripped(made(4, 4, *[chunk(b"zzZz", b"")] * 100_001))
