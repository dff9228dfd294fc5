"""Neutral parts as MMS content and back."""

from __future__ import annotations

from pathlib import Path

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.interworking.mms import adapt
from opencpm.media.mms.slides import slides_of
from opencpm.protocols import mime, smil
from opencpm.protocols.mms import content as mms
from tests.interworking.mms.pictures import jpeg

UNIQUE = "0123456789abcdef01234567"
PHOTO = Part("image/jpeg", jpeg(), "Grüße am Strand.jpg")


def test_text_and_picture_are_one_slide_each_way_in_order() -> None:
    made = adapt.composed((PHOTO, text_part("Look 😀")), UNIQUE)

    first, photo, text = made
    assert mime.media_type(first.content_type) == "application/smil"
    pages = smil.parse(first.body).pages
    assert [[item.src for item in page.items] for page in pages] == [["item1.jpg", "item2.txt"]]
    assert photo.get("Content-Location") == "item1.jpg"
    assert photo.get("Content-ID") == f"<1.{UNIQUE}>"
    assert mime.parse_content_type(photo.content_type)[1]["name"] == "Grüße am Strand.jpg"
    assert text.body.decode() == "Look 😀"


def test_what_is_composed_is_received_as_it_was() -> None:
    sent = (text_part("Before"), PHOTO, text_part("After"), Part("text/x-vcard", b"BEGIN:VCARD", "bob.vcf"))

    got = adapt.received(adapt.content_of(sent, UNIQUE))

    assert [(p.media_type, p.body) for p in got] == [(p.media_type, p.body) for p in sent]
    assert [p.name for p in got] == ["", "Grüße am Strand.jpg", "", "bob.vcf"]


def test_no_part_can_end_the_multipart() -> None:
    evil = text_part(f"--=_part.{UNIQUE}--\r\n\r\nmore")

    got = adapt.received(adapt.content_of((evil, PHOTO), UNIQUE, binary=True))

    assert got[0].text == evil.text.replace("\r\n", "\n")
    assert got[1].body == PHOTO.body


def test_names_do_not_leave_their_quotes_or_their_folder() -> None:
    photo = adapt.composed((PHOTO._replace(name='../../a"; x="b\r\nX-Evil: 1.jpg'),), UNIQUE)[1]

    assert mime.parse_content_type(photo.content_type)[1]["name"] == "a; x=bX-Evil: 1.jpg"
    assert photo.get("X-Evil") is None


@pytest.mark.parametrize("kind", ["image/jpeg\r\nX-Evil: 1", "image", "", 'a"/b', "ä/b"])
def test_what_is_no_type_is_octets(kind: str) -> None:
    part = adapt.composed((Part(kind, b"x"),), UNIQUE)[1]
    assert mime.media_type(part.content_type) == "application/octet-stream"
    assert part.get("X-Evil") is None


def test_a_presentation_of_the_sender_is_replaced() -> None:
    made = adapt.composed((Part("application/smil", b"<smil/>"), PHOTO), UNIQUE)

    assert len(made) == 2
    assert b"item1.jpg" in made[0].body


def test_a_long_text_is_cut_into_slides_without_losing_a_character() -> None:
    text = "A sentence of some length. " * 100
    pieces = slides_of(text)

    assert "".join(pieces) == text
    assert all(len(piece) <= 1000 for piece in pieces)
    assert all(piece.endswith(". ") for piece in pieces[:-1])


def test_a_text_without_spaces_is_cut_between_graphemes() -> None:
    family = "👨‍👩‍👧"
    pieces = slides_of(family * 400)

    assert "".join(pieces) == family * 400
    assert all(piece.startswith("👨") and piece.endswith("👧") for piece in pieces)


def test_one_endless_grapheme_is_cut_all_the_same() -> None:
    text = "e" + "\u0301" * 5000
    assert "".join(slides_of(text)) == text


def test_texts_come_in_the_charsets_of_phones() -> None:
    def text(charset: str, body: bytes) -> str:
        return adapt.received(mms.part_of(f"text/plain; charset={charset}", body))[0].text

    assert text("utf-16", "Grüße".encode("utf-16-be")) == "Grüße"
    assert text("utf-16", "Grüße".encode("utf-16")) == "Grüße"
    assert text("iso-8859-1", b"Gr\xfc\xdfe") == "Grüße"
    assert text("utf-8", b"\xef\xbb\xbfHi\r\nthere\x00\x07") == "Hi\nthere"


def test_a_type_nobody_named_is_told_by_content() -> None:
    got = adapt.received(mms.part_of("application/octet-stream", jpeg(), location="IMG_1.JPG"))

    assert got[0].media_type == "image/jpeg"
    assert got[0].name == "IMG_1.JPG"


def test_protected_content_is_named_and_not_passed_on() -> None:
    got = adapt.received(mms.part_of("application/vnd.oma.drm.message", b"secret"))

    assert got[0].media_type == "text/plain"
    assert b"secret" not in got[0].body


@pytest.mark.parametrize(
    "content",
    [
        mms.part_of("multipart/related", b"no boundary"),
        mms.part_of("text/plain", b"  "),
        mms.part_of('multipart/mixed; boundary="b"', b"--b\r\n\r\n\r\n--b--"),
        mms.part_of("application/smil", b"<smil/>"),
    ],
)
def test_what_cannot_be_read_or_is_nothing_is_malformed(content: mime.Part) -> None:
    with pytest.raises(SendError) as caught:
        adapt.received(content)
    assert caught.value.reason is Reason.MALFORMED


def test_nesting_without_end_is_malformed() -> None:
    part = mms.part_of("text/plain", b"deep")
    for depth in range(40):
        body = mime.build_multipart((part,), f"b{depth}")
        part = mms.part_of(f'multipart/mixed; boundary="b{depth}"', body)
    with pytest.raises(SendError):
        adapt.received(part)


def test_recorded_content_is_read() -> None:
    from opencpm.protocols import mm7

    raw = (Path(__file__).parents[2] / "fixtures/mms/mm7-deliver.http").read_bytes()
    request = raw.split(b">>>", 1)[1].split(b"\n", 1)[1].split(b"\n<<<", 1)[0]
    head, _, body = request.partition(b"\r\n\r\n")
    content_type = next(
        line[13:].strip() for line in head.decode().split("\r\n") if line.lower().startswith("content-type:")
    )
    message = mm7.decode(content_type, body)
    assert message.content is not None

    got = adapt.received(message.content)

    assert got
    assert all(p.media_type != "application/smil" for p in got)
