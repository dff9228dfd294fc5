"""What is said beforehand of a message that would go by MMS."""

from __future__ import annotations

from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason
from opencpm.domain.message import Message, Part, text_part
from opencpm.interworking.mms.fit import Fits, fit
from opencpm.interworking.mms.settings import MmsSettings
from opencpm.interworking.mms.targets import Targets, smaller
from opencpm.media import CLASSES, ContentClass
from tests.interworking.mms.pictures import jpeg, png

RICH = CLASSES[ContentClass.IMAGE_RICH]
BASIC = CLASSES[ContentClass.IMAGE_BASIC]
TEXT = CLASSES[ContentClass.TEXT]
BOB = Address("tel", "+12025550101")


def message(*parts: Part, to: Address = BOB, ident: str = "m1") -> Message:
    return Message(
        id=ident,
        message_id=ident,
        sender=Address("sip", "alice@cpm.test"),
        recipients=(to,),
        parts=parts,
        sent_at=1.0,
        received_at=1.0,
        origin="sip",
    )


def test_what_fits_loses_nothing() -> None:
    found = fit((text_part("Hi"), Part("image/jpeg", jpeg())), RICH)
    assert found.losses == ()
    assert found.error is None


def test_a_large_photograph_is_reduced_and_the_words_say_to_what() -> None:
    found = fit((Part("image/jpeg", jpeg(4000, 3000)),), RICH)
    assert found.error is None
    assert "photograph 4000×3000" in found.losses[0]
    assert "640×480" in found.losses[0]


def test_a_png_is_converted() -> None:
    assert "reduced" in fit((Part("image/png", png()),), RICH).losses[0]


def test_a_picture_for_a_phone_without_pictures_does_not_fit() -> None:
    found = fit((Part("image/jpeg", jpeg()),), TEXT)
    assert found.error is not None
    assert found.error.reason is Reason.UNSUPPORTED_MEDIA


def test_beside_a_text_it_is_left_out() -> None:
    found = fit((text_part("Hi"), Part("image/jpeg", jpeg())), TEXT)
    assert found.error is None
    assert "left out" in found.losses[0]


def test_a_text_that_is_too_long_does_not_fit() -> None:
    found = fit((text_part("x" * 40_000),), TEXT)
    assert found.error is not None
    assert found.error.reason is Reason.TOO_LARGE


def test_a_damaged_picture_and_a_page_do_not_go() -> None:
    for part in (Part("image/jpeg", b"\xff\xd8\xff\xe0broken"), Part("image/svg+xml", b"<svg/>")):
        assert fit((part,), RICH).error is not None


def test_sound_is_converted_where_that_is_possible() -> None:
    mp3 = Part("audio/mpeg", b"ID3\x04\x00\x00\x00\x00\x00\x00" + b"\xff\xfb\x90\x00" + bytes(413))
    assert fit((mp3,), RICH, converts=False).error is not None
    assert fit((mp3,), RICH, converts=True).error is None


def test_fits_are_remembered_by_message() -> None:
    fits = Fits(Targets(MmsSettings(content_class=ContentClass.IMAGE_RICH)))
    first = fits.of(message(Part("image/jpeg", jpeg(1000, 800))))
    assert fits.of(message(Part("image/jpeg", bytes(len(jpeg(1000, 800)))))) is first


def test_a_text_with_a_link_instead_is_judged_by_itself() -> None:
    fits = Fits(Targets(MmsSettings(content_class=ContentClass.TEXT)))
    assert fits.of(message(Part("image/jpeg", jpeg()))).error is not None
    assert fits.of(message(text_part("x" * 9000))).error is None


def test_the_class_is_that_of_the_range_of_the_number() -> None:
    settings = MmsSettings(classes={"+1202": ContentClass.IMAGE_BASIC, "+12025550101": ContentClass.VIDEO_RICH})
    targets = Targets(settings)
    assert targets.of(BOB).max_bytes == CLASSES[ContentClass.VIDEO_RICH].max_bytes
    assert targets.of(Address("tel", "+12025559999")).image_box == BASIC.image_box
    assert targets.of(Address("tel", "+4912345")).image_box == (1600, 1200)
    assert targets.least((BOB, Address("tel", "+12025559999"))).image_box == BASIC.image_box


def test_the_networks_limit_replaces_that_of_its_class_and_bounds_the_others() -> None:
    settings = MmsSettings(max_size=600 * 1024, classes={"+1": ContentClass.IMAGE_BASIC})
    targets = Targets(settings)
    assert targets.of(Address("tel", "+4912345")).max_bytes == 600 * 1024
    assert targets.of(BOB).max_bytes == BASIC.max_bytes


def test_after_a_refusal_the_next_target_is_always_smaller_and_ends() -> None:
    one, steps = replace(CLASSES[ContentClass.CONTENT_RICH], max_bytes=1 << 20), 0
    while (following := smaller(one)) is not None:
        assert following.max_bytes < one.max_bytes or following.image_box < one.image_box
        one, steps = following, steps + 1
        assert steps < 10
    assert one.image_box == (0, 0)
