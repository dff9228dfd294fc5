import pytest
from PIL import Image, ImageCms

from opencpm.domain.errors import Reason
from opencpm.domain.message import Part
from opencpm.media import Limits, MediaError, inspect
from opencpm.media.worker.picture import decode, fitting, on_white
from tests.media.pictures import coded, noise, photograph

BOX = (640, 480)
LIMITS = Limits()


def decoded(part, box=BOX):
    return decode(part.body, inspect(part), box, LIMITS)


@pytest.mark.parametrize(
    ("size", "fit"),
    [
        ((4000, 3000), (640, 480)),
        ((3000, 4000), (480, 640)),
        ((1920, 1080), (640, 360)),
        ((500, 500), (480, 480)),
        ((100, 80), (100, 80)),
        ((10_000, 1), (640, 1)),
    ],
)
def test_fitting(size, fit):
    assert fitting(size, BOX) == fit


@pytest.mark.parametrize("turn", range(1, 9))
def test_all_turns_are_upright(turn):
    """A picture whose top left quarter is red once it is upright."""
    upright = Image.new("RGB", (64, 48), "blue")
    upright.paste("red", (0, 0, 32, 24))
    back = {2: "FLIP_LEFT_RIGHT", 3: "ROTATE_180", 4: "FLIP_TOP_BOTTOM", 5: "TRANSPOSE", 6: "ROTATE_90"}
    back |= {7: "TRANSVERSE", 8: "ROTATE_270"}
    stored = upright.transpose(Image.Transpose[back[turn]]) if turn > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = turn
    seen = decoded(Part("image/jpeg", coded(stored, exif=exif.tobytes(), quality=95)))
    assert seen.size == (64, 48)
    red, _, blue = seen.getpixel((8, 8))
    assert red > 200 > 100 > blue


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_every_kind_of_png(mode):
    whole = noise(64, 48, "L").point(lambda v: v * 257, "I").convert("I;16") if mode == "I;16" else noise(64, 48, mode)
    assert decoded(Part("image/png", coded(whole, "PNG"))).mode in ("RGB", "RGBA", "L")


def test_16_bits_keep_their_brightness():
    grey = Image.new("I;16", (8, 8), 0x8080)
    assert decoded(Part("image/png", coded(grey, "PNG"))).getpixel((4, 4)) == 0x80


def test_cmyk():
    assert decoded(Part("image/jpeg", coded(noise(64, 48, "CMYK")))).mode == "RGB"


def test_wbmp():
    seen = decoded(Part("image/vnd.wap.wbmp", b"\0\0\x08\x02\xff\0"))
    assert [seen.getpixel((3, row)) for row in (0, 1)] == [255, 0]


def test_transparency_on_white():
    assert on_white(Image.new("RGBA", (2, 2), (0, 0, 0, 0))).getpixel((0, 0)) == (255, 255, 255)


def test_colours_of_another_profile_are_kept():
    """An sRGB picture in an sRGB profile does not change; a profile that is none is passed over."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (profile, b"x" * 300):
        seen = decoded(Part("image/jpeg", coded(Image.new("RGB", (16, 16), (200, 30, 30)), icc_profile=icc)))
        assert all(abs(a - b) < 8 for a, b in zip(seen.getpixel((8, 8)), (200, 30, 30), strict=True))


def test_pixels_are_counted_before_they_are_decoded():
    part = photograph(64, 48)
    with pytest.raises(MediaError) as caught:
        decode(part.body, inspect(part), BOX, Limits(pixels=1000))
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("keep", [0.4, 0.7, 0.95])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_truncated(kind, keep):
    body = coded(noise(64, 48), kind)
    seen = inspect(Part("image/jpeg", body))
    with pytest.raises(MediaError):
        decode(body[: int(len(body) * keep)], seen, BOX, LIMITS)
