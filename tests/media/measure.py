"""What adaptation costs: ``python -m tests.media.measure`` prints milliseconds and megabytes a job.

Each case runs in a process of its own, so that its peak is its own; time is CPU time, the median of five.
"""

import multiprocessing
import statistics
import time
from pathlib import Path

from opencpm.domain.message import Part
from opencpm.media import Limits, target
from opencpm.media.worker.adapt import adapt
from opencpm.media.worker.warm import warm_up
from tests.media.pictures import coded, noise, photograph

TWELVE = (4000, 3000)


def film(seconds):
    from opencpm.media.worker.samples import film

    return Part("video/mp4", film(640, 480, seconds, 25))


CASES = {
    "12 MP JPEG → image-rich (640×480)": (lambda: photograph(*TWELVE), target("image-rich")),
    "12 MP JPEG → megapixel (1600×1200)": (lambda: photograph(*TWELVE), target("megapixel")),
    "12 MP progressive JPEG → megapixel": (lambda: photograph(*TWELVE, progressive=True), target("megapixel")),
    "12 MP PNG → megapixel": (
        lambda: Part("image/png", coded(noise(*TWELVE), "PNG", compress_level=1)),
        target("megapixel"),
    ),
    "12 MP WebP → megapixel": (
        lambda: Part("image/webp", coded(noise(*TWELVE), "WEBP", method=0)),
        target("megapixel"),
    ),
    "640×480 JPEG kept": (lambda: photograph(640, 480, quality=40), target("video-rich")),
    "10 s of 640×480 video → H.263, AMR": (lambda: film(10), target("video-rich")),
    "10 s of 640×480 video → H.264, AAC": (
        lambda: film(10),
        target("video-rich", audio_codecs=("aac",), video_codecs=("h264-baseline",)),
    ),
}


def _peak():
    """Megabytes. Not ru_maxrss: that remembers the parent's peak across exec."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _measure(part, wanted, answer):
    warm_up()
    before, times = _peak(), []
    for _ in range(5):
        start = time.process_time()
        done = adapt([part], wanted, Limits())
        times.append(time.process_time() - start)
    answer.put((statistics.median(times) * 1000, before, _peak() - before, done.losses))


def main():
    spawn = multiprocessing.get_context("spawn")
    print(f"{'case':42} {'ms':>6} {'MB more':>8}   (of a warm worker)")
    for name, (make, wanted) in CASES.items():
        answer = spawn.Queue()
        process = spawn.Process(target=_measure, args=(make(), wanted, answer))
        process.start()
        ms, before, more, losses = answer.get()
        process.join()
        print(f"{name:42} {ms:6.0f} {more:8.0f}   {before:.0f} MB before; {'; '.join(losses) or 'no loss'}")


if __name__ == "__main__":
    main()
