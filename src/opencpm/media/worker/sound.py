"""Sound on its way into a message: AMR narrow band (TS 26.071) or AAC, mono."""

from __future__ import annotations

import io
from collections.abc import Iterator
from functools import cached_property
from typing import Final

import av
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from opencpm.domain.media import Target
from opencpm.domain.message import Part
from opencpm.media import words
from opencpm.media.formats.amr import FRAME_OCTETS, MAGIC
from opencpm.media.values import Inspection, Limits, MediaError
from opencpm.media.worker.container import check_duration, opened
from opencpm.media.worker.rendition import Item, Rendition, too_large

AMR_RATE: Final = 8_000
AAC_RATE: Final = 22_050
_AMR_MODES: Final = (12_200, 10_200, 7_950, 7_400, 6_700, 5_900, 5_150, 4_750)  # bits a second, best first
_AAC_BITS: Final = (32_000, 24_000)
_FILE_OVERHEAD: Final = 2_000


def prepare(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    """Decoded once, at the rate of the codec to come. Raises MediaError."""
    if not target.audio_codecs:
        raise MediaError("cannot be played by the receiver")
    return Sound(part, seen, target, limits)


class Sound:
    def __init__(self, part: Part, seen: Inspection, target: Target, limits: Limits) -> None:
        self._part, self._seen, self._limits = part, seen, limits
        self._amr = target.audio_codecs[0] == "amr"

    @cached_property
    def _frames(self) -> list[AudioFrame]:
        rate = AMR_RATE if self._amr else AAC_RATE
        return list(decoded(self._part.body, self._seen, rate, "s16" if self._amr else "fltp", self._limits))

    @property
    def _seconds(self) -> float:
        samples: int = sum(frame.samples for frame in self._frames)
        return samples / (AMR_RATE if self._amr else AAC_RATE)

    @property
    def wanted(self) -> int:
        return amr_size(self._seconds, 0) if self._amr else _aac_size(self._seconds, _AAC_BITS[0])

    def render(self, limit: int) -> Rendition:
        coded, bits = self._coded(limit)
        media_type = "audio/amr" if self._amr else "audio/mp4"
        name = words.renamed(self._part.name, media_type)
        codec = "AMR" if self._amr else "AAC"
        loss = f"{words.described(self._seen)}, made {codec} {bits / 1000:g} kbit/s mono, {words.size(len(coded))}"
        return Rendition(self._part._replace(content_type=media_type, body=coded, name=name), loss)

    def _coded(self, limit: int) -> tuple[bytes, int]:
        seconds = self._seconds
        if not seconds:
            raise MediaError("is empty")
        if not self._amr:
            bits = next((bits for bits in _AAC_BITS if _aac_size(seconds, bits) <= limit), 0)
        else:
            bits = next((bits for mode, bits in enumerate(_AMR_MODES) if amr_size(seconds, mode) <= limit), 0)
        coded = encoded(self._frames, self._amr, bits) if bits else b""
        if not 0 < len(coded) <= limit:
            raise too_large()
        return coded, bits


def amr_size(seconds: float, mode: int) -> int:
    """Bytes of a file in the ``mode``-th best rate."""
    return len(MAGIC) + (int(seconds / 0.02) + 2) * FRAME_OCTETS[7 - mode]


def _aac_size(seconds: float, bits: int) -> int:
    return round(seconds * bits / 8 * 1.05) + _FILE_OVERHEAD


def decoded(body: bytes, seen: Inspection, rate: int, sample: str, limits: Limits) -> Iterator[AudioFrame]:
    """Mono frames at ``rate``. Raises MediaError for sound that never ends, whatever its header says."""
    with opened(body, seen, limits) as container:
        if not container.streams.audio:
            raise MediaError("has no sound in it")
        resampler = AudioResampler(format=sample, layout="mono", rate=rate)
        samples = 0
        for frame in container.decode(container.streams.audio[0]):
            frame.pts = None
            for out in resampler.resample(frame):
                samples += out.samples
                check_duration(samples / rate, limits)
                yield out
        yield from resampler.resample(None)


def encoded(frames: list[AudioFrame], amr: bool, bits: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="amr" if amr else "mp4", options={"fflags": "+bitexact"}) as container:
        stream = container.add_stream(
            "libopencore_amrnb" if amr else "aac", rate=AMR_RATE if amr else AAC_RATE, layout="mono"
        )
        stream.bit_rate = bits
        stream.codec_context.thread_count = 1
        at = 0
        for frame in frames:
            frame.pts = at
            at += frame.samples
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return out.getvalue()
