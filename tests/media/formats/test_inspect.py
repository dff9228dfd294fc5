import pytest

from opencpm.domain.message import Part, text_part
from opencpm.media import Kind, MediaError, inspect
from opencpm.media.formats import sniff, stripped
from tests.media.pictures import animation, coded, noise, photograph, png

CLAIMED = "image/jpeg"


def test_photograph():
    seen = inspect(photograph(64, 48, orientation=6))
    assert (seen.media_type, seen.kind, seen.width, seen.height) == ("image/jpeg", Kind.IMAGE, 64, 48)
    assert (seen.orientation, seen.simple, seen.pixels) == (6, True, 64 * 48)


@pytest.mark.parametrize(
    ("kind", "media_type"),
    [("PNG", "image/png"), ("GIF", "image/gif"), ("WEBP", "image/webp"), ("BMP", "image/bmp"), ("AVIF", "image/avif")],
)
def test_type_and_size_are_those_of_the_content(kind, media_type):
    seen = inspect(Part(CLAIMED, coded(noise(40, 30), kind)))
    assert (seen.media_type, seen.kind, seen.width, seen.height) == (media_type, Kind.IMAGE, 40, 30)


def test_lossless_webp():
    seen = inspect(Part("image/webp", coded(noise(40, 30, "RGBA"), "WEBP", lossless=True)))
    assert (seen.width, seen.height) == (40, 30)


def test_animation():
    seen = inspect(animation(frames=4))
    assert (seen.frames, seen.duration) == (4, pytest.approx(0.4))


def test_wbmp():
    seen = inspect(Part("image/vnd.wap.wbmp", b"\0\0\x81\x08\x02" + bytes(17 * 2)))
    assert (seen.media_type, seen.width, seen.height) == ("image/vnd.wap.wbmp", 136, 2)
    with pytest.raises(MediaError):
        inspect(Part("image/vnd.wap.wbmp", b"\0\0\x81\x08\x02" + bytes(5)))


def test_wav():
    head = (
        b"RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0" + (8000).to_bytes(4, "little") + (16000).to_bytes(4, "little")
    )
    seen = inspect(Part("audio/wav", head + b"\x02\0\x10\0data" + (8000).to_bytes(4, "little") + bytes(8000)))
    assert (seen.kind, seen.duration) == (Kind.AUDIO, 0.5)


def test_mp3_is_estimated():
    seen = inspect(Part("audio/mpeg", b"ID3\x03\0\0\0\0\0\x02xx\xff\xfb\x90\0" + bytes(15996)))
    assert (seen.codecs, seen.duration) == (("mp3",), 1.0)


@pytest.mark.parametrize(
    ("body", "claimed", "found"),
    [
        (b"BM is how this text begins", "text/plain", "text/plain"),
        (b"GIF89a, says the text", "text/plain", "text/plain"),
        (b"\xff\xd8\xff\xe0\0", "text/plain", "image/jpeg"),
        (b"a\0b", "text/plain", "application/octet-stream"),
        (b"<?xml version='1.0'?><svg/>", "image/png", "image/svg+xml"),
        (b"<svg onload='x()'/>", "image/jpeg", "image/svg+xml"),
        (b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>", "image/jpeg", "application/xml"),
        (b"MZ\x90\0", "image/jpeg", "application/octet-stream"),
        (b"#!AMR-WB\n", "audio/amr", "audio/amr-wb"),
        (b"OggS", "audio/amr", "audio/ogg"),
        (b"\xff\xf1\x50\x80", "audio/aac", "audio/aac"),
        (b"PK\x03\x04", "application/vnd.ms-powerpoint", "application/vnd.ms-powerpoint"),
        (b"BEGIN:VCARD", "text/vcard", "text/x-vcard"),
        (b"%PDF-1.7", "image/jpeg", "application/pdf"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1", "image/jpeg", "image/heic"),
        (b"\0\0\0\x18ftyp3gp4\0\0\0\0isom", "video/mp4", "video/3gpp"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0", "video/mp4", "video/quicktime"),
        (b"", "image/jpeg", "application/octet-stream"),
    ],
)
def test_magic_goes_before_the_claim(body, claimed, found):
    assert sniff.media_type(body, claimed) == found


def test_text_has_no_header_to_read():
    assert inspect(text_part("hello")).kind is Kind.TEXT


def test_formats_that_cannot_be_stripped_say_so():
    assert stripped("image/webp", b"anything") is None


@pytest.mark.parametrize(
    "body",
    [
        b"\xff\xd8\xff",
        b"\xff\xd8\xff\xd9",
        b"\x89PNG\r\n\x1a\n",
        png(0, 10),
        png(10, 10, colour=5),
        b"GIF89a\x01\0\x01\0\0\0\0;",
        b"GIF89a\0\0\x01\0\0\0\0;",
        b"GIF89a\x01\0\x01\0\0\0\0,\0\0\0\0\x09\0\x09\0\0\x02\x01\0\0;",
        b"RIFF\0\0\0\0WEBPVP8 ",
        b"RIFF\0\0\0\0WAVE",
        b"BM" + bytes(12) + b"\x0c\0\0\0" + bytes(20),
        b"#!AMR\n",
        b"#!AMR\n\x7b",
        b"\0\0\0\x10ftypisom\0\0\0\0",
        b"\0\0\0\x10ftypisom\0\0\0\0\0\0\0\x04moov",
    ],
)
def test_damage_is_one_error(body):
    with pytest.raises(MediaError):
        inspect(Part("image/jpeg", body))
