import pytest

from opencpm.media import CLASSES, ContentClass, target

SHEET = [
    ("text", 30, (0, 0), ()),
    ("image-basic", 30, (160, 120), ()),
    ("image-rich", 100, (640, 480), ()),
    ("video-basic", 100, (640, 480), ("h263",)),
    ("video-rich", 300, (640, 480), ("h263",)),
    ("megapixel", 300, (1600, 1200), ("h263",)),
    ("content-basic", 100, (640, 480), ("h263",)),
    ("content-rich", 300, (1600, 1200), ("h263",)),
]


@pytest.mark.parametrize(("name", "kb", "box", "video"), SHEET)
def test_the_classes_of_the_standard(name, kb, box, video):
    known = target(name)
    assert (known.max_bytes, known.image_box, known.video_codecs) == (kb * 1024, box, video)


def test_every_class_is_there():
    assert set(CLASSES) == set(ContentClass) == {ContentClass(name) for name, *_ in SHEET}


def test_png_and_svg_are_in_no_class():
    assert not any(known.takes(kind) for known in CLASSES.values() for kind in ("image/png", "image/svg+xml"))


def test_documents_are_in_the_content_classes_only():
    takers = {name for name, known in CLASSES.items() if known.takes("application/pdf")}
    assert takers == {ContentClass.CONTENT_BASIC, ContentClass.CONTENT_RICH}


def test_what_a_peer_says_differently():
    known = target("video-rich", max_bytes=600 * 1024, accepts=("image/png",), video_codecs=("h264-baseline",))
    assert (known.max_bytes, known.video_box) == (600 * 1024, (320, 240))
    assert known.takes("image/png")
    assert known.takes("image/jpeg")
    assert known.takes("video/mp4")


def test_unknown_class():
    with pytest.raises(ValueError, match="nonsense"):
        target("nonsense")
