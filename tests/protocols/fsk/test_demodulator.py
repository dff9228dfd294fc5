import numpy as np
import pytest

from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.demodulator import Reading, demodulate
from opencpm.protocols.fsk.frames import sealed
from opencpm.protocols.fsk.tones import BAUD, RATE
from tests.bench.modem import IMPAIRED, Line, correct

FRAME = sealed(bytes((0x91, 60)) + bytes(range(60)))


def padded(wave, before=400, after=400):
    return np.concatenate((np.zeros(before), wave, np.zeros(after)))


@pytest.mark.parametrize("before", range(100, 120))
def test_wherever_a_bit_begins_between_samples(before):
    assert demodulate(padded(modulator.burst(FRAME), before)).octets[0].startswith(FRAME)


def test_marks_seizure_and_rate_are_told():
    reading = demodulate(padded(modulator.burst(FRAME, seizure=modulator.SEIZURE)))
    assert abs(reading.seizure - 300) <= 2
    assert abs(reading.marks - 80) <= 2
    assert abs(reading.rate - BAUD) < 0.1


def test_a_seizure_without_octets():
    reading = demodulate(padded(modulator.burst(b"", seizure=modulator.SEIZURE)))
    assert reading.seizure >= 298
    assert reading.marks >= 80
    assert not any(reading.octets)


@pytest.mark.parametrize("octets", [b"\x00" * 40, b"\xff" * 40, b"\x55" * 40, b"\xaa" * 40, b"\x0f" * 40])
def test_octets_that_give_the_clock_little_to_go_by(octets):
    frame = sealed(bytes((0x91, len(octets))) + octets)
    assert demodulate(padded(modulator.burst(frame))).octets[0].startswith(frame)


def test_stop_bits_may_be_lengthened():
    """Mark stuffing, up to ten bits between octets."""
    bits = [np.ones(80, np.uint8)]
    for place, octet in enumerate(FRAME):
        bits += [modulator.bits_of(bytes((octet,)), marks=0, trailing=0), np.ones(place % 11, np.uint8)]
    assert demodulate(padded(modulator.modulate(np.concatenate(bits)))).octets[0].startswith(FRAME)


def test_a_clock_that_wanders():
    """The rate swings by half a percent while the frame lasts."""
    wave = modulator.burst(FRAME).astype(float)
    times = np.arange(len(wave))
    heard = np.interp(times + 0.005 * RATE / 20 * np.sin(times / RATE * 10), times, wave)
    assert demodulate(padded(heard)).octets[0].startswith(FRAME)


def test_a_second_run_of_marks_begins_a_new_frame():
    both = np.concatenate((modulator.bits_of(b"\x12\x34", trailing=30), modulator.bits_of(FRAME)))
    reading = demodulate(padded(modulator.modulate(both)))
    assert reading.octets[0] == b"\x12\x34"
    assert reading.octets[1].startswith(FRAME)


@pytest.mark.parametrize("line", [line for line in IMPAIRED if line.label != "plain"], ids=lambda line: line.label)
def test_an_impaired_line_at_15_db_spoils_nothing(line):
    assert correct(Line(**{**vars_of(line), "snr": 15.0}), 25) == 25


def test_at_8_db_hardly_a_frame_is_spoilt():
    assert correct(Line("plain", snr=8.0), 50) >= 48


def vars_of(line):
    return {name: getattr(line, name) for name in line.__dataclass_fields__}


@pytest.mark.parametrize("count", [0, 1, 50, 60, 61, 100, 200])
def test_too_little_is_nothing(count):
    assert isinstance(demodulate(np.zeros(count)), Reading)
    assert isinstance(demodulate(np.random.default_rng(1).standard_normal(count) * 1000), Reading)
