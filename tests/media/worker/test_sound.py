import math
import struct

import pytest

from opencpm.domain.message import Part, text_part
from opencpm.media import Limits, inspect, target
from opencpm.media.worker.adapt import adapt

pytest.importorskip("av", reason="converting sound needs PyAV (docs/decisions/0005)")

from opencpm.media.worker.sound import amr_size, decoded

RICH = target("image-rich")


def tone(seconds, rate=16_000):
    samples = (int(9000 * math.sin(n * 0.2)) for n in range(int(seconds * rate)))
    data = b"".join(struct.pack("<h", sample) for sample in samples)
    form = struct.pack("<HHIIHH", 1, 1, rate, 2 * rate, 2, 16)
    head = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data))
    return Part("audio/wav", b"RIFF" + struct.pack("<I", len(head) + len(data)) + head + data, "hum.wav")


def test_wave_becomes_amr():
    done = adapt([tone(3)], RICH, Limits())
    seen = inspect(done.parts[0])
    assert (seen.media_type, done.parts[0].name) == ("audio/amr", "hum.amr")
    assert seen.duration == pytest.approx(3, abs=0.1)
    assert done.losses == ("sound 3 s, 94 kB, made AMR 12.2 kbit/s mono, 5 kB",)


def test_longer_sound_gets_a_lower_rate():
    done = adapt([tone(40)], target("image-rich", max_bytes=40 * 1024), Limits())
    assert "made AMR 6.7 kbit/s" in done.losses[0]
    assert done.size <= 36 * 1024
    assert inspect(done.parts[0]).duration == pytest.approx(40, abs=0.1)


def test_too_long_even_so():
    done = adapt([text_part("x"), tone(60)], target("image-basic"), Limits())
    assert done.losses == ("sound 1:00 min, 1.8 MB left out: it is too large for the receiver",)


def test_aac_where_it_is_preferred_and_back():
    made = adapt([tone(3)], target("image-rich", audio_codecs=("aac", "amr")), Limits())
    assert inspect(made.parts[0]).codecs == ("aac",)
    assert adapt(made.parts, RICH, Limits()).parts[0].media_type == "audio/amr"


def test_amr_is_kept_where_it_is_taken():
    made = adapt([tone(1)], RICH, Limits())
    assert adapt(made.parts, target("image-rich", audio_codecs=("aac", "amr")), Limits()).losses == ()


@pytest.mark.parametrize("seconds", [0.5, 3, 7.3])
def test_size_is_known_beforehand(seconds):
    made = adapt([tone(seconds)], RICH, Limits()).parts[0]
    assert len(made.body) <= amr_size(seconds, 0) <= len(made.body) + 5 * 32


def test_sound_that_is_longer_than_it_says_is_counted():
    """The header promises one second; the samples go on."""
    body = bytearray(tone(5).body)
    part = Part("audio/wav", bytes(body))
    assert sum(frame.samples for frame in decoded(part.body, inspect(part), 8000, "s16", Limits())) >= 39_000
    done = adapt([text_part("x"), part], RICH, Limits(duration=2))
    assert "is too long" in done.losses[0]


@pytest.mark.parametrize("body", [b"OggS" + bytes(100), b"fLaC" + bytes(100), b"ID3" + bytes(100), b"MThd" + bytes(50)])
def test_nonsense(body):
    done = adapt([text_part("x"), Part("audio/amr", body)], RICH, Limits())
    assert done.incomplete == (1,)
