"""What is read, when, in which language; the engine's sound; the call as a machine."""

import io
import wave
from datetime import datetime

import numpy as np
import pytest

from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Part
from opencpm.interworking.fixedline.speech import adapt, build, engine
from opencpm.interworking.fixedline.speech.engine import EngineError
from opencpm.interworking.fixedline.speech.reading import Reading
from opencpm.interworking.fixedline.speech.settings import read
from opencpm.protocols.dtmf import tones_of
from tests.interworking.fixedline.support import context, message

NUMBER = "+442079460190"


def settings(**values):
    return read({"type": "speech", "number": NUMBER, **values})


@pytest.mark.parametrize(
    "values", [{}, {"number": "x"}, {"number": NUMBER, "timezone": "Mars/Base"}, {"number": NUMBER, "program": "a b;c"}]
)
def test_mistakes_are_told(values):
    with pytest.raises(ValueError, match=r"\w+"):
        build(values, context())


# -- content


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", Reason.MALFORMED), ("… !", Reason.MALFORMED), ("x" * 601, Reason.TOO_LARGE)],
)
def test_what_is_not_read(text, reason):
    with pytest.raises(SendError) as error:
        adapt.text_of(message(text), settings())
    assert error.value.reason is reason
    assert adapt.fit(message(text), settings()).error.reason is reason


def test_pictures_are_not_read():
    with pytest.raises(SendError) as error:
        adapt.text_of(message(parts=(Part("image/png", b""),)), settings())
    assert error.value.reason is Reason.UNSUPPORTED_MEDIA


def test_the_subject_comes_first_and_controls_are_left_out():
    assert adapt.text_of(message("a\x07b\nc", subject="Hi"), settings()) == "Hi: a b\nc"


@pytest.mark.parametrize(
    ("text", "number", "voice"),
    [
        ("Hello", "+4420", "en"),
        ("Guten Tag", "+4930", "de"),
        ("Grüezi", "+4144", "fr"),
        ("Добрый день", "+4420", "ru"),
        ("Καλημέρα Bob", "+4420", "el"),
        ("123", "+4930", "de"),
        ("你好", "+4420", "cmn"),
    ],
)
def test_the_language(text, number, voice):
    assert adapt.voice_for(text, number, settings(languages={"+49": "de", "+41": "fr"})) == voice


@pytest.mark.parametrize(
    ("hour", "seconds"), [(7, 3600.0), (8, 0.0), (20, 0.0), (21, 11 * 3600.0), (23, 9 * 3600.0), (0, 8 * 3600.0)]
)
def test_nobody_is_called_at_night(hour, seconds):
    assert adapt.until_open(datetime(2026, 11, 28, hour, 0), settings()) == seconds


# -- the engine's sound


def wav(rate=22050, seconds=1.0, hertz=1000.0, channels=1, width=2):
    times = np.arange(int(rate * seconds)) / rate
    samples = (np.sin(2 * np.pi * hertz * times) * 8000).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(channels)
        sound.setsampwidth(width)
        sound.setframerate(rate)
        sound.writeframes(np.repeat(samples, channels).tobytes() if width == 2 else bytes(len(samples)))
    return file.getvalue()


@pytest.mark.parametrize(("rate", "channels"), [(22050, 1), (16000, 1), (8000, 1), (44100, 2)])
def test_any_rate_becomes_a_telephones(rate, channels):
    samples = engine.for_telephone(wav(rate, channels=channels))
    assert len(samples) == pytest.approx(8000, abs=2)
    assert np.argmax(np.abs(np.fft.rfft(samples))) == pytest.approx(1000, abs=2)
    assert np.abs(samples).max() == pytest.approx(12000, rel=0.01)


def test_what_a_telephone_cannot_carry_is_left_out_and_not_folded_back():
    both = engine.for_telephone(wav(hertz=5000.0))
    assert np.abs(both).max() <= 12000
    spectrum = np.abs(np.fft.rfft(both))
    assert np.argmax(spectrum) != 3000


@pytest.mark.parametrize("file", [b"", b"RIFF", wav(width=1), wav(rate=1000), wav(seconds=0.0)])
def test_what_is_no_sound_is_an_error(file):
    with pytest.raises(EngineError):
        engine.for_telephone(file)


async def test_an_engine_that_is_not_there_or_fails():
    with pytest.raises(EngineError):
        await engine.spoken("x", "en", "no-such-engine-here", 140)
    with pytest.raises(EngineError):
        await engine.spoken("x", "en", "false", 140)
    assert not engine.installed("no-such-engine-here")


# -- the call


def call(reading, presses=(), limit=60.0):
    """Run a reading; keys are pressed at these seconds. What was said."""
    said = []
    keys = {round(at / 0.02): tones_of("1", 0.2) for at in presses}
    pending = np.zeros(0, np.int16)
    for beat in range(round(limit / 0.02)):
        pending = np.concatenate((pending, keys[beat])) if beat in keys else pending
        heard, pending = pending[:160], pending[160:]
        said.append(reading.turn(heard if len(heard) else np.zeros(160, np.int16)))
        if reading.over:
            break
    return np.concatenate([np.zeros(160, np.int16) if part is None else part for part in said])


def sounds():
    return [np.full(8000, level, np.int16) for level in (1000, 2000, 3000)]


def test_introduction_text_and_prompt_then_it_listens_and_ends():
    reading = Reading(*sounds(), 3)
    said = call(reading)
    assert [int(level) for level in dict.fromkeys(said.tolist()) if level] == [1000, 2000, 3000]
    assert (reading.times, reading.complete, reading.key) == (1, True, False)
    assert 9 < reading.seconds < 12


def test_a_key_has_it_read_again():
    reading = Reading(*sounds(), 3)
    said = call(reading, presses=[6.5])
    assert (reading.times, reading.key) == (2, True)
    assert np.count_nonzero(said == 2000) == 16_000


def test_it_is_not_read_for_ever():
    reading = Reading(*sounds(), 2)
    call(reading, presses=[6.5, 13.0, 19.5])
    assert reading.times == 2
    assert reading.over


def test_a_key_before_the_end_of_the_text_changes_nothing_yet():
    reading = Reading(*sounds(), 3)
    call(reading, presses=[2.0])
    assert reading.times == 1
    assert reading.key
