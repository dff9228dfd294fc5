"""Decoding a picture, bounded before the first pixel: scaled, upright, in sRGB."""

from __future__ import annotations

import io
import warnings
from typing import Final

from PIL import Image, ImageCms, ImageFile

from opencpm.domain.errors import Reason
from opencpm.media import words
from opencpm.media.formats.simple import wbmp_pixels
from opencpm.media.values import Inspection, Limits, MediaError

_FORMATS: Final = {
    "image/jpeg": "JPEG",
    "image/png": "PNG",
    "image/gif": "GIF",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
    "image/bmp": "BMP",
}
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_LARGEST_PROFILE: Final = 64 * 1024  # bytes of an ICC profile; those of displays have about 500
_SRGB = ImageCms.createProfile("sRGB")

ImageFile.LOAD_TRUNCATED_IMAGES = False


def fitting(size: tuple[int, int], box: tuple[int, int]) -> tuple[int, int]:
    """The size within the box, either way up; never larger than it is, never less than a pixel."""
    width, height = size
    wide, high = (max(box), min(box)) if width >= height else (min(box), max(box))
    scale = min(1.0, wide / width, high / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def check_pixels(width: int, height: int, limits: Limits) -> None:
    """Raises MediaError for more pixels than may be decoded."""
    if width * height > limits.pixels:
        raise MediaError(f"has too many pixels ({words.pixels(width, height)})", Reason.TOO_LARGE)


def decode(body: bytes, seen: Inspection, box: tuple[int, int], limits: Limits) -> Image.Image:
    """The (first) picture, upright, within the box, RGB, RGBA or L. Raises MediaError."""
    check_pixels(seen.width, seen.height, limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return _decode(body, seen, box, limits)
    except (MediaError, MemoryError):
        raise
    except Exception as error:
        raise MediaError("is damaged") from error


def _decode(body: bytes, seen: Inspection, box: tuple[int, int], limits: Limits) -> Image.Image:
    opened = _open(body, seen, limits)
    size = fitting(opened.size, box)
    profile = opened.info.get("icc_profile")
    if seen.media_type == "image/jpeg":
        opened.draft("RGB" if opened.mode == "RGB" else None, (2 * size[0], 2 * size[1]))
    picture = _plain(opened)
    if picture.size != size:
        picture = picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=2.0)
    picture = _in_srgb(picture, profile)
    turn = _TURNS.get(seen.orientation)
    return picture if turn is None else picture.transpose(turn)


def _open(body: bytes, seen: Inspection, limits: Limits) -> Image.Image:
    if seen.media_type == "image/vnd.wap.wbmp":
        return Image.frombytes("1", (seen.width, seen.height), wbmp_pixels(body))
    name = _FORMATS.get(seen.media_type)
    if name is None:
        raise MediaError(f"is of a kind that cannot be read here ({seen.media_type})")
    opened = Image.open(io.BytesIO(body), formats=(name,))
    check_pixels(*opened.size, limits)
    return opened


def _plain(opened: Image.Image) -> Image.Image:
    """RGB, RGBA or L with 8 bits: what can be scaled and coded."""
    if opened.mode in ("RGB", "RGBA", "L"):
        opened.load()
        return opened
    if opened.mode.startswith("I"):  # 16 bits a pixel
        return opened.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    transparent = opened.mode in ("LA", "PA", "La", "RGBa") or "transparency" in opened.info
    if opened.mode == "1":
        return opened.convert("L")
    return opened.convert("RGBA" if transparent else "RGB")


def _in_srgb(picture: Image.Image, profile: object) -> Image.Image:
    """Phones of today write Display P3; without its profile such a picture is pale."""
    if picture.mode != "RGB" or not isinstance(profile, bytes) or not 128 < len(profile) <= _LARGEST_PROFILE:
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return ImageCms.profileToProfile(picture, source, _SRGB) or picture
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def on_white(picture: Image.Image) -> Image.Image:
    """Without transparency."""
    if picture.mode != "RGBA":
        return picture
    ground = Image.new("RGB", picture.size, "white")
    ground.paste(picture, mask=picture.getchannel("A"))
    return ground
