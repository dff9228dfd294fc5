import struct

import pytest

from opencpm.domain.message import Part
from opencpm.media import Kind, MediaError, inspect
from opencpm.media.formats import bmff

FTYP = b"\0\0\0\x10ftyp3gp4\0\0\0\0"


def box(name, *content):
    data = b"".join(content)
    return struct.pack(">I4s", 8 + len(data), name) + data


def mvhd(seconds):
    return box(b"mvhd", bytes(12), struct.pack(">II", 1000, int(seconds * 1000)), bytes(80))


def trak(handler, code, *, width=0, height=0, turn=(0x10000, 0), samples=10, extra=b""):
    matrix = struct.pack(">9i", turn[0], turn[1], 0, -turn[1], turn[0], 0, 0, 0, 0x40000000)
    tkhd = box(b"tkhd", bytes(40), matrix, struct.pack(">II", width << 16, height << 16))
    entry = struct.pack(">I4s", 86 + len(extra), code) + bytes(78) + extra
    stbl = box(b"stbl", box(b"stsd", bytes(8), entry), box(b"stsz", struct.pack(">III", 0, 1, samples)))
    return box(b"trak", tkhd, box(b"mdia", box(b"hdlr", bytes(8), handler, bytes(12)), box(b"minf", stbl)))


def film(*traks, seconds=2.5, more=b""):
    return FTYP + box(b"moov", mvhd(seconds), *traks, more) + box(b"mdat", b"pictures")


PICTURES = trak(b"vide", b"s263", width=176, height=144, samples=37)
SOUND = trak(b"soun", b"samr", samples=125)


def test_film():
    seen = inspect(Part("video/mp4", film(PICTURES, SOUND)))
    assert (seen.media_type, seen.kind, seen.width, seen.height) == ("video/3gpp", Kind.VIDEO, 176, 144)
    assert (seen.duration, seen.frames, sorted(seen.codecs), seen.simple) == (2.5, 37, ["amr", "h263"], True)


def test_sound_only():
    seen = inspect(Part("video/3gpp", film(SOUND)))
    assert (seen.media_type, seen.kind) == ("audio/mp4", Kind.AUDIO)


@pytest.mark.parametrize(("profile", "codec"), [(66, "h264-baseline"), (100, "h264")])
def test_profile_of_h264(profile, codec):
    extra = box(b"avcC", bytes([1, profile, 0, 30]))
    assert inspect(Part("video/mp4", film(trak(b"vide", b"avc1", width=8, height=8, extra=extra)))).codecs == (codec,)


@pytest.mark.parametrize(
    "track",
    [trak(b"vide", b"s263", width=8, height=8, turn=(0, 0x10000)), trak(b"meta", b"mebx"), trak(b"vide", b"abcd")],
)
def test_turned_pictures_and_unknown_tracks_are_not_simple(track):
    assert not inspect(Part("video/mp4", film(PICTURES, track))).simple


def test_place_and_names_go_and_no_offset_changes():
    private = box(b"udta", box(b"\xa9xyz", b"+51.5007-000.1246/")) + box(b"meta", b"com.apple.quicktime.location")
    given = film(PICTURES, more=private) + box(b"uuid", b"<x:xmpmeta>")
    body = bmff.stripped(given)
    assert len(body) == len(given)
    assert body.index(b"pictures") == given.index(b"pictures")
    assert not any(secret in body for secret in (b"+51", b"apple", b"xmp"))
    assert inspect(Part("video/mp4", body)) == inspect(Part("video/mp4", given))


def test_movie_meta_of_quicktime_is_no_full_box():
    hdlr = box(b"hdlr", bytes(8), b"mdta", bytes(12))
    assert inspect(Part("video/mp4", film(PICTURES, more=box(b"meta", hdlr)))).simple


def test_boxes_in_boxes_end():
    nested = b""
    for _ in range(100):
        nested = box(b"trak", nested)
    with pytest.raises(MediaError):
        list(bmff.boxes(nested))


def test_too_many_boxes():
    with pytest.raises(MediaError):
        list(bmff.boxes(box(b"free") * 30_000))
