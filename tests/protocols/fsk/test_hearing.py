import numpy as np
import pytest

from opencpm.protocols.fsk.hearing import Hearing
from opencpm.protocols.fsk.tones import RATE

TIME = np.arange(3 * RATE) / RATE


def heard(wave):
    hearing = Hearing()
    samples = np.asarray(wave, np.int16)
    for at in range(0, len(samples), 160):
        hearing.feed(samples[at : at + 160])
    return hearing.verdict()


def tones(*hertz):
    return sum(np.sin(2 * np.pi * f * TIME) for f in hertz) * 6000


def voice():
    rng = np.random.default_rng(3)
    spectrum = np.fft.rfft(rng.standard_normal(len(TIME)))
    shape = 1 / (1 + (np.fft.rfftfreq(len(TIME), 1 / RATE) / 600) ** 2)
    return np.fft.irfft(spectrum * shape) * (1 + np.sin(2 * np.pi * 4 * TIME)) * 3000


@pytest.mark.parametrize(
    ("wave", "words"),
    [
        (np.zeros(RATE), "silence"),
        (np.random.default_rng(1).standard_normal(RATE) * 40, "silence"),
        (voice(), "a voice or music"),
        (tones(2100), "the answer tone of a fax machine or a modem"),
        (tones(1100), "the calling tone of a fax machine"),
        (tones(425), "a steady tone of 420 Hz"),
        (tones(770, 1336), "telephone keys"),
        (tones(350, 440), "the tones of a network or a machine"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_on_the_line_in_words(wave, words):
    assert heard(wave) == words


def test_only_the_last_seconds_are_kept():
    hearing = Hearing()
    for _ in range(500):
        hearing.feed(np.full(160, 1000, np.int16))
    assert hearing._kept <= 2 * RATE + 160
    assert hearing.samples == 500 * 160
