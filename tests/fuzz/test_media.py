"""Anything at all into inspection and stripping: an Inspection, or the one documented error."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.domain.errors import SendError
from opencpm.domain.message import Part
from opencpm.media import Kind, Limits, MediaError, inspect, target, words
from opencpm.media.formats import stripped
from opencpm.media.formats.exif import orientation
from opencpm.media.worker.adapt import adapt
from tests.media.formats.test_bmff import PICTURES, SOUND, film
from tests.media.pictures import animation, coded, noise, photograph

MAGIC = [
    b"\xff\xd8\xff",
    b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
    b"GIF89a",
    b"BM",
    b"RIFF\0\0\0\0WEBPVP8X",
    b"RIFF\0\0\0\0WEBPVP8L",
    b"RIFF\0\0\0\0WAVE",
    b"#!AMR\n",
    b"ID3",
    b"\xff\xfb",
    b"\0\0\0\x10ftypisom\0\0\0\0",
    b"\0\0\0\x10ftypheic\0\0\0\0\0\0\0\0meta",
    b"\0\0",
    b"<svg",
    b"",
]
CLAIMS = ["image/jpeg", "image/vnd.wap.wbmp", "video/mp4", "audio/amr", "text/plain", "application/pdf", ""]
WHOLE = [
    photograph(32, 24, orientation=3).body,
    coded(noise(32, 24, "RGBA"), "PNG"),
    coded(noise(32, 24), "WEBP"),
    coded(noise(32, 24), "AVIF"),
    animation(32, 24).body,
    film(PICTURES, SOUND),
    b"#!AMR\n" + (b"\x3c" + bytes(31)) * 5,
]


@st.composite
def hurt(draw):
    """A whole file with some octets changed, cut, doubled."""
    body = bytearray(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(body) - 1))
        body[at : at + draw(st.integers(0, 4))] = draw(st.binary(max_size=6))
        if not body:
            break
    return bytes(body[: draw(st.integers(1, len(body) or 1))] if draw(st.booleans()) else body)


bodies = st.builds(bytes.__add__, st.sampled_from(MAGIC), st.binary(max_size=120)) | hurt()


@settings(max_examples=600)
@given(bodies, st.sampled_from(CLAIMS))
def test_inspect(body, claimed):
    try:
        seen = inspect(Part(claimed, body))
    except MediaError:
        return
    assert seen.size == len(body)
    assert seen.width >= 0 <= seen.height
    assert seen.duration >= 0
    assert 1 <= seen.orientation <= 8
    assert isinstance(seen.kind, Kind)
    assert words.described(seen)


@settings(max_examples=600)
@given(bodies, st.sampled_from(["image/jpeg", "image/png", "image/gif", "video/mp4", "audio/amr"]))
def test_stripped(body, media_type):
    try:
        once = stripped(media_type, body)
    except MediaError:
        return
    assert len(once) <= len(body) + 2
    assert stripped(media_type, once) == once


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"II*\0\x08\0\0\0" + tail))
def test_orientation(tiff):
    assert 1 <= orientation(tiff) <= 8


@settings(max_examples=150, deadline=None)
@given(hurt())
def test_adapt(body):
    wanted = target("megapixel")
    try:
        done = adapt([Part("image/jpeg", body)], wanted, Limits(pixels=100_000))
    except SendError:
        return
    assert done.size <= wanted.budget


@pytest.mark.parametrize("seed", range(5))
def test_noise_behind_every_magic(seed):
    noise_of = random.Random(seed)
    for magic in MAGIC:
        try:
            inspect(Part("image/jpeg", magic + noise_of.randbytes(20_000)))
        except MediaError:
            pass
