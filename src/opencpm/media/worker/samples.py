"""Tiny sound and film, made here, to warm up with."""

from __future__ import annotations

import io
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame


def silence(rate: int, seconds: float = 0.2) -> list[AudioFrame]:
    """16-bit mono frames of 20 ms."""
    frames = []
    for _ in range(int(seconds * 50)):
        frame = AudioFrame(format="s16", layout="mono", samples=rate // 50)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate = rate
        frames.append(frame)
    return frames


def film(width: int = 64, height: int = 48, seconds: float = 0.4, fps: int = 10) -> bytes:
    """MPEG-4 pictures and AAC sound in an MP4 file."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as sink:
        pictures: Any = sink.add_stream("mpeg4", rate=fps)
        pictures.width, pictures.height, pictures.pix_fmt = width, height, "yuv420p"
        sound: Any = sink.add_stream("aac", rate=8_000, layout="mono")
        for number in range(max(1, round(seconds * fps))):
            frame = VideoFrame(width, height, "yuv420p")
            for plane in frame.planes:
                plane.update(bytes([number * 16 % 256]) * plane.buffer_size)
            frame.pts = number
            sink.mux(pictures.encode(frame))
        for number, heard in enumerate(silence(8_000, seconds)):
            heard.pts = number * heard.samples
            sink.mux(sound.encode(heard))
        sink.mux(pictures.encode(None))
        sink.mux(sound.encode(None))
    return out.getvalue()
