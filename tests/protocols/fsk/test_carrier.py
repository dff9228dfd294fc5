import numpy as np
import pytest

from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.carrier import BLOCK, Carrier, measure
from opencpm.protocols.fsk.tones import RATE

RNG = np.random.default_rng(2)
TIME = np.arange(2 * RATE) / RATE


def blocks_on(wave):
    """For each block, whether there was a carrier."""
    wave = np.asarray(wave, float)
    blocks = wave[: len(wave) // BLOCK * BLOCK].reshape(-1, BLOCK)
    carrier = Carrier()
    return [carrier.block(tones, power) for tones, power in zip(*measure(blocks), strict=True)]


def data(amplitude=5000.0, octets=200):
    return modulator.burst(RNG.integers(0, 256, octets, dtype=np.uint8).tobytes(), amplitude=amplitude)


@pytest.mark.parametrize("amplitude", [200.0, 400.0, 5000.0, 30000.0])
def test_data_is_a_carrier_from_faint_to_loud(amplitude):
    on = blocks_on(np.concatenate((np.zeros(800), data(amplitude), np.zeros(800))))
    assert not any(on[:10])
    assert all(on[13:-14])
    assert not any(on[-8:])


@pytest.mark.parametrize("snr", [15.0, 10.0])
def test_noise_neither_hides_nor_makes_a_carrier(snr):
    wave = np.concatenate((np.zeros(8000), data(), np.zeros(8000)))
    power = 5000.0**2 / 2
    heard = wave + RNG.standard_normal(len(wave)) * np.sqrt(power / 10 ** (snr / 10) * 4000 / 3100)
    on = blocks_on(heard)
    assert sum(on[:100]) <= 2
    assert sum(on[104:-104]) >= len(on[104:-104]) - 2
    assert sum(on[-96:]) <= 2


@pytest.mark.parametrize("hertz", [(425,), (440, 350), (1100,), (697, 1209)])
def test_network_tones_and_low_keys_are_none(hertz):
    wave = sum(np.sin(2 * np.pi * f * TIME) for f in hertz) * 8000
    assert not any(blocks_on(wave)[2:]) or hertz == (1100,)


def test_a_voice_is_hardly_ever_one():
    """Noise shaped like speech, in syllables."""
    spectrum = np.fft.rfft(RNG.standard_normal(len(TIME)))
    shape = 1 / (1 + (np.fft.rfftfreq(len(TIME), 1 / RATE) / 500) ** 2)
    voice = np.fft.irfft(spectrum * shape) * (1 + np.sin(2 * np.pi * 4 * TIME)) * 4000
    assert sum(blocks_on(voice)) <= 4
