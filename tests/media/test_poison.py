"""Content made to hurt, through real workers: it costs only itself, and the next message goes."""

import gzip
import io
import random
import struct
import zipfile
import zlib

import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part, text_part
from opencpm.media import Limits, Pool, target
from tests.media.formats.test_bmff import box, film, trak
from tests.media.pictures import animation, chunk, exif, photograph, png

RICH = target("video-rich")
TEXT = text_part("and a word with it")
LIMITS = Limits(wall=20, cpu=10)


def deflated_zeros(megabytes):
    packer = zlib.compressobj(9)
    return b"".join(packer.compress(bytes(2**20)) for _ in range(megabytes)) + packer.flush()


def png_with_bomb():
    """64 by 64 pixels that unpack to half a gigabyte."""
    head = png(64, 64)[:33]
    return head + chunk(b"IDAT", deflated_zeros(512)) + chunk(b"IEND", b"")


def png_with_text_bomb():
    return png(4, 4, chunk(b"zTXt", b"a\0\0" + deflated_zeros(256)), data=bytes(52))


def png_with_profile_bomb():
    return png(4, 4, chunk(b"iCCP", b"a\0\0" + deflated_zeros(256)), data=bytes(52))


def jpeg_that_says(width, height):
    body = bytearray(photograph(64, 48).body)
    at = body.index(b"\xff\xc0")
    body[at + 5 : at + 9] = struct.pack(">HH", height, width)
    return bytes(body)


def jpeg_of_scans():
    """Progressive with thousands of scans over a large picture: each costs a pass over all of it."""
    body = photograph(2000, 2000, progressive=True).body
    at = body.index(b"\xff\xda")
    scans = body[at:-2]
    return body[:at] + scans * 40 + body[-2:]


def archive_of_archives():
    inner = b"x"
    for _ in range(20):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("a.zip", inner)
        inner = out.getvalue()
    return inner


def nested_boxes():
    inner = b""
    for _ in range(5000):
        inner = box(b"moov", inner)
    return inner[:8] + inner


def gif_of_frames(count):
    body = animation(frames=2).body
    at = body.index(b"!\xf9")
    return body[:at] + body[at:-1] * count + b";"


def video_of_samples():
    """Two thousand million pictures in a table of three lines, in a loop of edits."""
    track = trak(b"vide", b"mp4v", width=640, height=480, samples=2**31 - 1)
    return film(track, seconds=4_000_000)


SVG = b"""<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/><text>&b;</text></svg>"""

POISON = {
    "bomb of pixels in a small PNG": ("image/png", png_with_bomb),
    "bomb of text in a PNG": ("image/png", png_with_text_bomb),
    "bomb in a colour profile": ("image/png", png_with_profile_bomb),
    "100 megapixels, PNG": ("image/png", lambda: png(10_000, 10_000, data=bytes(1000))),
    "4 gigapixels, JPEG": ("image/jpeg", lambda: jpeg_that_says(65_000, 65_000)),
    "100 megapixels, JPEG": ("image/jpeg", lambda: jpeg_that_says(10_000, 10_000)),
    "49 megapixels that are not there": ("image/jpeg", lambda: jpeg_that_says(7_000, 7_000)),
    "49 megapixels of PNG that are not there": ("image/png", lambda: png(7_000, 7_000, data=bytes(1000))),
    "thousands of scans": ("image/jpeg", jpeg_of_scans),
    "GIF of frames without end": ("image/gif", lambda: gif_of_frames(5000)),
    "GIF screen of 4 gigapixels": ("image/gif", lambda: b"GIF89a\xff\xff\xff\xff" + animation().body[10:]),
    "truncated JPEG": ("image/jpeg", lambda: photograph(800, 600).body[:20_000]),
    "SVG with entities": ("image/svg+xml", lambda: SVG),
    "SVG that says it is a PNG": ("image/png", lambda: SVG),
    "archive of archives": ("application/zip", archive_of_archives),
    "archive that says it is a picture": ("image/jpeg", archive_of_archives),
    "gzip that says it is a picture": ("image/png", lambda: gzip.compress(bytes(2**24))),
    "boxes in boxes": ("video/mp4", nested_boxes),
    "pictures without end": ("video/mp4", video_of_samples),
    "message in a message": ("message/rfc822", lambda: b"Content-Type: message/rfc822\r\n\r\n" * 1000),
    "noise": ("image/jpeg", lambda: b"\xff\xd8\xff\xe1" + random.Random(1).randbytes(100_000)),
    "playlist": ("video/mp4", lambda: b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
}


@pytest.fixture
async def pool():
    async with Pool(1, LIMITS) as pool:
        yield pool


async def fate(pool, *parts):
    """What became of it; whatever that was, the next message goes."""
    try:
        return await pool.adapt(parts, RICH)
    except SendError as error:
        return error
    finally:
        assert (await pool.adapt([TEXT], RICH)).parts == (TEXT,)


@pytest.mark.parametrize("name", POISON, ids=list(POISON))
async def test_it_costs_only_itself(pool, name):
    claimed, make = POISON[name]
    poison = Part(claimed, make(), "poison")
    alone = await fate(pool, poison)
    if isinstance(alone, SendError):
        assert alone.reason in (Reason.UNSUPPORTED_MEDIA, Reason.TOO_LARGE)
        assert not alone.retryable
    else:
        assert alone.losses
        assert alone.size <= RICH.budget


@pytest.mark.parametrize(
    "name", ["100 megapixels, JPEG", "truncated JPEG", "SVG with entities", "pictures without end"]
)
async def test_the_text_beside_it_goes(pool, name):
    claimed, make = POISON[name]
    done = await fate(pool, TEXT, Part(claimed, make()))
    assert done.parts[0] == TEXT
    assert done.incomplete == (1,)


@pytest.mark.parametrize("hidden", [b"<script>alert(1)</script>", archive_of_archives(), b"%PDF-1.7", b"\x7fELF"])
async def test_of_a_polyglot_only_the_picture_goes(pool, hidden):
    for given in (photograph(64, 48), animation()):
        done = await fate(pool, given._replace(body=given.body + hidden))
        assert hidden not in done.parts[0].body
        assert done.parts[0].media_type == given.media_type


async def test_a_polyglot_in_a_comment(pool):
    body = photograph(64, 48, comment=b"/*<script>alert(1)</script>").body
    done = await fate(pool, Part("image/jpeg", body))
    assert b"script" not in done.parts[0].body


async def test_exif_that_points_at_itself(pool):
    looping = exif(6)[:-23] + struct.pack("<I", 8)
    body = photograph(64, 48).body
    at = body.index(b"\xff\xe1")
    end = at + 2 + int.from_bytes(body[at + 2 : at + 4], "big")
    segment = b"\xff\xe1" + struct.pack(">H", 8 + len(looping)) + b"Exif\0\0" + looping
    done = await fate(pool, Part("image/jpeg", body[:at] + segment + body[end:]))
    assert done.parts[0].media_type == "image/jpeg"
