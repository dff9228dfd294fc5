import numpy as np

from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.tones import RATE


def test_an_octet_has_a_start_bit_low_bits_first_and_a_stop_bit():
    bits = modulator.bits_of(b"\x93", marks=2, trailing=1)
    assert bits.tolist() == [1, 1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 1, 1]


def test_a_seizure_alternates_and_begins_with_0():
    assert modulator.bits_of(b"", seizure=4, marks=3, trailing=0).tolist() == [0, 1, 0, 1, 1, 1, 1]


def test_a_message_takes_as_long_as_its_bits():
    """(marks + 10 x octets) / 1200 s; EST is 91.7 ms, the trailing marks apart."""
    assert abs(len(modulator.burst(b"\x93\x00\x6d", trailing=0)) - 0.0917 * RATE) < 1
    assert abs(len(modulator.burst(bytes(179), trailing=0)) - 1.5583 * RATE) < 1


def test_the_phase_never_jumps():
    """A jump would show as a step larger than the steepest sine of the higher tone."""
    wave = modulator.burst(bytes(range(256))).astype(float)
    assert np.abs(np.diff(wave)).max() <= modulator.AMPLITUDE * 2 * np.sin(np.pi * 2100 / RATE) + 1


def test_tones_are_where_they_belong():
    for bit, hertz in ((1, 1300), (0, 2100)):
        wave = modulator.modulate(np.full(1200, bit)).astype(float)
        spectrum = np.abs(np.fft.rfft(wave))
        assert np.argmax(spectrum) == hertz
        assert abs(wave.max() - modulator.AMPLITUDE) < 5
