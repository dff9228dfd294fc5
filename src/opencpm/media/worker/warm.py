"""Everything that is imported late, imported now: a confined worker cannot open files."""

from __future__ import annotations

import io

from PIL import Image

from opencpm.domain.media import Target
from opencpm.domain.message import Part, text_part
from opencpm.media.classes import target
from opencpm.media.formats import inspect
from opencpm.media.values import DEFAULT_LIMITS
from opencpm.media.worker.adapt import CONVERTS_SOUND_AND_VIDEO, adapt

_FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP")


def warm_up() -> None:
    """One tiny job of each kind."""
    Image.init()
    text_part("é").text.encode("utf-16")
    small = target("image-basic", max_image=(8, 8))
    for name in _FORMATS:
        if name in Image.SAVE:
            _adapt(_picture(name), small)
    if CONVERTS_SOUND_AND_VIDEO:
        _warm_up_codecs()


def _picture(name: str) -> Part:
    out = io.BytesIO()
    Image.new("RGBA" if name == "PNG" else "RGB", (32, 32)).save(out, name)
    return Part(f"image/{name.lower()}", out.getvalue())


def _adapt(part: Part, wanted: Target) -> Part:
    return adapt([part], wanted, DEFAULT_LIMITS).parts[0]


def _warm_up_codecs() -> None:
    from av import codecs_available

    from opencpm.media.worker.samples import film, silence
    from opencpm.media.worker.sound import AMR_RATE, encoded

    _adapt(Part("audio/amr", encoded(silence(AMR_RATE), True, 12_200)), target("image-rich", audio_codecs=("aac",)))
    kinds = [target("video-rich")]
    if "libx264" in codecs_available:
        kinds.append(target("video-rich", audio_codecs=("aac",), video_codecs=("h264-baseline",)))
    for wanted in kinds:
        _adapt(Part("video/mp4", film()), wanted)
    assert inspect(Part("video/mp4", film())).frames
