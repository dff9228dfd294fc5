import numpy as np
import pytest

from opencpm.protocols.dtmf import KEYS, RATE, Ear, tones_of

QUIET = np.zeros(800, np.int16)
RNG = np.random.default_rng(6)


def heard(wave, packet=160):
    ear = Ear()
    return "".join(ear.feed(np.asarray(wave[at : at + packet], np.int16)) for at in range(0, len(wave), packet))


@pytest.mark.parametrize("key", "".join(KEYS))
@pytest.mark.parametrize("amplitude", [200, 4000, 15000])
def test_every_key_once_however_long(key, amplitude):
    for seconds in (0.09, 0.5):
        assert heard(np.concatenate((QUIET, tones_of(key, seconds, amplitude), QUIET))) == key


def test_several_keys_and_the_same_twice():
    wave = np.concatenate([part for key in "1220#" for part in (tones_of(key, 0.1), QUIET)])
    assert heard(wave) == "1220#"


def test_noise_on_the_line():
    wave = np.concatenate((QUIET, tones_of("5", 0.2), QUIET))
    assert heard(wave + RNG.standard_normal(len(wave)) * 800) == "5"


def test_a_voice_presses_no_keys():
    times = np.arange(20 * RATE) / RATE
    spectrum = np.fft.rfft(RNG.standard_normal(len(times)))
    shape = 1 / (1 + (np.fft.rfftfreq(len(times), 1 / RATE) / 600) ** 2)
    voice = np.fft.irfft(spectrum * shape) * (1 + np.sin(2 * np.pi * 4 * times)) * 3000
    assert heard(voice) == ""


@pytest.mark.parametrize("hertz", [(425,), (2100,), (350, 440), (697, 770), (1300,)])
def test_other_tones_are_no_keys(hertz):
    times = np.arange(RATE) / RATE
    assert heard(sum(np.sin(2 * np.pi * f * times) for f in hertz) * 5000) == ""
