import pytest
from PIL import Image

from opencpm.domain.errors import Reason
from opencpm.domain.message import Part
from opencpm.media import MediaError, inspect, target
from opencpm.media.worker import coding
from tests.media.pictures import noise

RICH = target("image-rich")


def test_baseline_without_metadata():
    coded = coding.encode(noise(64, 48), "image/jpeg", 85)
    assert inspect(Part("image/jpeg", coded.body)).simple
    assert b"Exif" not in coded.body


@pytest.mark.parametrize("limit", [100_000, 60_000, 40_000, 25_000])
def test_as_good_as_fits(limit):
    coded = coding.within(noise(640, 480), "image/jpeg", limit, RICH)
    assert 0.6 * limit < len(coded.body) <= limit


def test_size_goes_before_the_least_quality():
    coded = coding.within(noise(640, 480), "image/jpeg", 22_000, RICH)
    assert coded.size[0] < 640
    assert coded.quality >= RICH.least_quality


def test_nothing_below_the_floor(monkeypatch):
    encode, attempts = coding.encode, []
    monkeypatch.setattr(coding, "encode", lambda *given: attempts.append(given) or encode(*given))
    with pytest.raises(MediaError) as caught:
        coding.within(noise(1600, 1200), "image/jpeg", 500, RICH)
    assert caught.value.reason is Reason.TOO_LARGE
    assert min(max(picture.size) for picture, *_ in attempts) == 320
    assert len(attempts) <= 12


def test_small_pictures_are_never_enlarged():
    assert coding.within(noise(100, 80), "image/jpeg", 100_000, RICH).size == (100, 80)


def test_gif_and_png():
    for kind in ("image/gif", "image/png", "image/webp"):
        coded = coding.within(Image.new("RGBA", (200, 100)), kind, 10_000, RICH)
        assert inspect(Part(kind, coded.body)).media_type == kind
