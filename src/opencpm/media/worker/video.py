"""Video on its way into a message: H.263 (TS 26.140) or H.264 baseline, in a 3GP file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from functools import cached_property
from typing import Any, Final, NamedTuple

import av
import av.filter
from av.audio.resampler import AudioResampler
from av.container import OutputContainer

from opencpm.domain.media import Target
from opencpm.domain.message import Part
from opencpm.media import words
from opencpm.media.formats import inspect
from opencpm.media.values import Inspection, Limits, MediaError
from opencpm.media.worker import coding, image, picture
from opencpm.media.worker.container import check_duration, check_picture, opened, seconds_of
from opencpm.media.worker.rendition import Item, Rendition, too_large
from opencpm.media.worker.sound import AAC_RATE, AMR_RATE

_LEAST_RATE: Final = 16_000  # bits a second of pictures below which nobody sees anything
_SMOOTH_RATE: Final = 32_000  # below it, half as many pictures a second look better
_AUDIO_BITS: Final = {"amr": 12_200, "aac": 24_000}
_OVERHEAD: Final = 3_000
_PER_SECOND: Final = 400  # bytes of index a second, both tracks
_TRIES: Final = 3
_ENCODERS: Final = {"h263": "h263", "h264-baseline": "libx264", "h264": "libx264"}


class Plan(NamedTuple):
    codec: str
    size: tuple[int, int]
    fps: int
    bits: int  # a second, of pictures


def prepare(part: Part, seen: Inspection, target: Target, limits: Limits) -> Item:
    """Nothing is decoded yet; the claimed duration is checked when frames are counted. Raises MediaError."""
    return Video(part, seen, target, limits)


class Video:
    def __init__(self, part: Part, seen: Inspection, target: Target, limits: Limits) -> None:
        self._part, self._seen, self._target, self._limits = part, seen, target, limits

    @cached_property
    def _seconds(self) -> float:
        with opened(self._part.body, self._seen, self._limits) as container:
            if not container.streams.video:
                raise MediaError("has no pictures in it")
            return max(0.1, seconds_of(container) or self._seen.duration)

    @property
    def wanted(self) -> int:
        if not self._target.video_codecs:
            return 0
        bits = self._target.video_rate + self._audio_bits
        return round(self._seconds * (bits / 8 + _PER_SECOND)) + _OVERHEAD

    @property
    def _audio_bits(self) -> int:
        return _AUDIO_BITS[self._target.audio_codecs[0]] if self._target.audio_codecs else 0

    def render(self, limit: int) -> Rendition:
        """The video, or its first picture where the video does not fit."""
        try:
            return self._coded(limit)
        except MediaError as error:
            return self._still(limit, error)

    def _coded(self, limit: int) -> Rendition:
        if not self._target.video_codecs:
            raise MediaError("cannot be played by the receiver")
        room = (limit - _OVERHEAD - self._seconds * _PER_SECOND) * 8 / self._seconds - self._audio_bits
        bits = min(self._target.video_rate, int(room))
        for slower in range(1, 1 + _TRIES):  # rate control may miss; fewer pictures a second always help
            if bits < _LEAST_RATE:
                break
            plan = self._plan(bits, slower)
            coded = transcode(self._part.body, self._seen, plan, self._target, self._limits, limit)
            if len(coded) <= limit:
                return self._rendition(coded, plan)
            bits = int(bits * 0.9 * limit / len(coded))
        raise too_large()

    def _plan(self, bits: int, slower: int) -> Plan:
        codec = self._target.video_codecs[0]
        slower = slower if bits >= _SMOOTH_RATE else max(2, slower)
        fps = max(1, self._target.video_fps // slower)
        if codec == "h263":  # profile 0 level 10: QCIF only, 15 pictures and 64 kbit/s at most
            return Plan(codec, (176, 144), min(15, fps), min(bits, 64_000))
        size = self._target.video_box if bits >= 96_000 else (176, 144)
        return Plan(codec, size, fps, bits)

    def _rendition(self, coded: bytes, plan: Plan) -> Rendition:
        name = words.renamed(self._part.name, "video/3gpp")
        codec = plan.codec.upper().replace("H26", "H.26").replace("-BASELINE", "")
        shape = f"{codec} {words.pixels(*plan.size)}, {round(plan.bits / 1000)} kbit/s"
        loss = f"{words.described(self._seen)}, made {shape}, {words.size(len(coded))}"
        return Rendition(self._part._replace(content_type="video/3gpp", body=coded, name=name), loss)

    def _still(self, limit: int, why: MediaError) -> Rendition:
        if not self._target.image_box[0]:
            raise why
        first = coding.encode(self._first_picture(), "image/png", 0).body
        part = Part("image/png", first, self._part.name, self._part.disposition)
        rendition = image.prepare(part, inspect(part), self._target, self._limits).render(limit)
        return Rendition(rendition.part, f"{words.described(self._seen)} {why.detail}: its first picture", whole=False)

    def _first_picture(self) -> Any:
        with opened(self._part.body, self._seen, self._limits) as container:
            stream = container.streams.video[0]
            graph = _scaler(stream, picture.fitting((stream.width, stream.height), self._target.image_box), None)
            for frame in container.decode(stream):
                check_picture(frame, self._limits)
                graph.push(frame)
                return _upright(graph.vpull().to_image(), frame.rotation)
        raise MediaError("has no pictures in it")


def _upright(shot: Any, degrees: float) -> Any:
    """``degrees`` counter-clockwise, from the display matrix."""
    return shot.rotate(degrees, expand=True) if degrees % 360 else shot


def transcode(body: bytes, seen: Inspection, plan: Plan, target: Target, limits: Limits, stop: int) -> bytes:
    """A 3GP file; ends early (too large) once ``stop`` bytes are passed. Raises MediaError."""
    out = io.BytesIO()
    with opened(body, seen, limits) as source, av.open(out, "w", "3gp", options={"fflags": "+bitexact"}) as sink:
        pictures = Pictures(source, sink, plan, limits)
        sound = Sounds(source, sink, target, limits)
        streams = [stream for stream in (pictures.source, sound.source) if stream is not None]
        for packet in source.demux(streams):
            worker = pictures if packet.stream is pictures.source else sound
            for frame in packet.decode():
                worker.take(frame)
            if out.tell() > 2 * stop:
                break
        pictures.finish()
        sound.finish()
    return out.getvalue()


class Pictures:
    """Decoded pictures scaled, padded, thinned out and coded."""

    def __init__(self, source: Any, sink: OutputContainer, plan: Plan, limits: Limits) -> None:
        self.source = source.streams.video[0]
        self._sink, self._plan, self._limits = sink, plan, limits
        self._out: Any = _video_stream(sink, plan)
        self._graph: Any = None
        self._seen = self._made = 0

    def take(self, frame: Any) -> None:
        self._seen += 1
        if self._seen > self._limits.video_frames:
            raise too_large()
        check_picture(frame, self._limits)
        if self._graph is None:
            self._graph = _scaler(self.source, self._plan.size, self._plan.fps, frame.rotation)
        self._graph.push(frame)
        self._drain()

    def finish(self) -> None:
        if self._graph is not None:
            self._graph.push(None)
            self._drain()
        self._sink.mux(self._out.encode(None))

    def _drain(self) -> None:
        for frame in _pulled(self._graph):
            check_duration(self._made / self._plan.fps, self._limits)
            frame.pts, frame.time_base = self._made, Fraction(1, self._plan.fps)
            frame.pict_type = 0
            self._made += 1
            self._sink.mux(self._out.encode(frame))


class Sounds:
    """The first sound track, if there is one and the receiver hears."""

    def __init__(self, source: Any, sink: OutputContainer, target: Target, limits: Limits) -> None:
        wanted = bool(target.audio_codecs) and bool(source.streams.audio)
        self.source = source.streams.audio[0] if wanted else None
        self._sink, self._limits, self._samples = sink, limits, 0
        if self.source is None:
            return
        amr = target.audio_codecs[0] == "amr"
        self._rate = AMR_RATE if amr else AAC_RATE
        self._resampler = AudioResampler(
            format="s16" if amr else "fltp", layout="mono", rate=self._rate, frame_size=160 if amr else 1024
        )
        self._out: Any = sink.add_stream("libopencore_amrnb" if amr else "aac", rate=self._rate, layout="mono")
        self._out.bit_rate = _AUDIO_BITS["amr" if amr else "aac"]
        self._out.codec_context.thread_count = 1

    def take(self, frame: Any) -> None:
        frame.pts = None
        self._encode(self._resampler.resample(frame))

    def finish(self) -> None:
        if self.source is not None:
            self._encode(self._resampler.resample(None))
            self._sink.mux(self._out.encode(None))

    def _encode(self, frames: list[Any]) -> None:
        for frame in frames:
            frame.pts, frame.time_base = self._samples, Fraction(1, self._rate)
            self._samples += frame.samples
            check_duration(self._samples / self._rate, self._limits)
            self._sink.mux(self._out.encode(frame))


def _video_stream(sink: OutputContainer, plan: Plan) -> Any:
    encoder = _ENCODERS.get(plan.codec, "")
    if encoder not in av.codecs_available:
        raise MediaError("cannot be made into what the receiver plays: this server lacks the codec")
    stream: Any = sink.add_stream(encoder, rate=plan.fps)
    stream.width, stream.height = plan.size
    stream.pix_fmt = "yuv420p"
    stream.bit_rate = plan.bits
    context = stream.codec_context
    context.thread_count = 1
    context.gop_size = 5 * plan.fps
    context.max_b_frames = 0
    rate = {"maxrate": str(plan.bits), "bufsize": str(2 * plan.bits)}
    x264 = {"profile": "baseline", "preset": "veryfast", "level": "1.3", "x264-params": "threads=1"}
    context.options = rate | x264 if encoder == "libx264" else rate
    return stream


def _scaler(stream: Any, size: tuple[int, int], fps: int | None, rotation: float = 0) -> Any:
    """Scaled into ``size``; with ``fps`` also upright, padded to exactly that size, and thinned out."""
    graph = av.filter.Graph()
    chain = [graph.add_buffer(template=stream)]
    wide, high = size
    if fps is None:
        chain.append(graph.add("scale", f"{wide}:{high}"))
    else:
        chain += [graph.add(name, args) for name, args in _turns(rotation)]
        chain.append(graph.add("fps", str(fps)))
        fit = f"{wide}:{high}:force_original_aspect_ratio=decrease:force_divisible_by=2"
        chain.append(graph.add("scale", fit))
        chain.append(graph.add("pad", f"{wide}:{high}:-1:-1"))
        chain.append(graph.add("setsar", "1"))
        chain.append(graph.add("format", "yuv420p"))
    chain.append(graph.add("buffersink"))
    graph.link_nodes(*chain).configure()
    return graph


def _turns(degrees: float) -> Iterator[tuple[str, str]]:
    turned = round(degrees) % 360
    if turned == 180:
        yield from (("hflip", ""), ("vflip", ""))
    elif turned in (90, 270):
        yield "transpose", "cclock" if turned == 90 else "clock"


def _pulled(graph: Any) -> Iterator[Any]:
    while True:
        try:
            yield graph.vpull()
        except (av.BlockingIOError, av.EOFError):
            return
