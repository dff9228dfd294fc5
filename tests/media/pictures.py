"""Pictures made here, so that none has to be kept."""

import io
import random
import struct
import zlib

from PIL import Image

from opencpm.domain.message import Part

GPS = b"GPSLatitude51.5007N"


def exif(orientation=1):
    """A TIFF structure with an orientation, and something private behind it."""
    entry = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    return b"II*\0" + struct.pack("<IH", 8, 1) + entry + b"\0\0\0\0" + GPS


def noise(width, height, mode="RGB", seed=1):
    """As hard to compress as a photograph of grass."""
    small = Image.frombytes(
        "RGB",
        (width // 4 or 1, height // 4 or 1),
        random.Random(seed).randbytes(3 * (width // 4 or 1) * (height // 4 or 1)),
    )
    return small.resize((width, height)).convert(mode)


def coded(picture, kind="JPEG", **options):
    out = io.BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def photograph(width=800, height=600, *, orientation=1, **options):
    options.setdefault("quality", 90)
    body = coded(noise(width, height), exif=b"Exif\0\0" + exif(orientation), **options)
    return Part("image/jpeg", body, "holiday.JPG")


def animation(width=64, height=48, frames=4, **options):
    pictures = [Image.new("RGB", (width, height), (40 * number % 256, 0, 0)) for number in range(frames)]
    body = coded(
        pictures[0], "GIF", save_all=True, append_images=pictures[1:], duration=100, loop=0, comment=GPS, **options
    )
    return Part("image/gif", body, "wave.gif")


def opened(part):
    return Image.open(io.BytesIO(part.body))


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width, height, *extra, data=b"\0" * 100, colour=2):
    """A PNG that says what it likes."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")
