import numpy as np
import pytest

from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.frames import sealed
from opencpm.protocols.fsk.receiver import Kind, Receiver
from opencpm.protocols.fsk.tones import RATE
from tests.protocols.fsk.line import FIXTURES, listed, samples

FRAME = sealed(bytes((0x91, 60)) + bytes(range(60)))
RECORDED = sorted(path.stem for path in FIXTURES.glob("fixed-*.txt"))


def hear(wave, packet=160):
    receiver = Receiver()
    bursts = []
    for at in range(0, len(wave), packet):
        bursts += receiver.feed(np.asarray(wave[at : at + packet], np.int16))
    return bursts


def quiet(seconds):
    return np.zeros(int(seconds * RATE), np.int16)


@pytest.mark.parametrize("side", ["peer", "us"])
@pytest.mark.parametrize("call", RECORDED)
@pytest.mark.parametrize("packet", [160, 97, 80000])
def test_recorded_calls_hold_the_frames_that_are_listed(call, side, packet):
    bursts = hear(np.concatenate((samples(f"{call}-{side}"), quiet(0.2))), packet)
    assert [burst.frame.hex() for burst in bursts if burst.frame] == listed(call, side)


def test_the_recordings_are_there():
    assert len(RECORDED) == 7
    assert sum(len(listed(call, side)) for call in RECORDED for side in ("peer", "us")) == 32


def test_the_wrong_checksum_of_a_recorded_call_is_told():
    first = hear(samples("fixed-p1-submit-checksum-error-us"))[0]
    assert (first.kind, first.frame[0]) == (Kind.SPOILT, 0x91)


def test_the_empty_establish_of_protocol_2():
    assert hear(samples("fixed-p2-submit-peer"))[0].kind is Kind.SEIZURE


def test_a_frame_is_told_soon_after_its_carrier_ends():
    wave = modulator.burst(FRAME)
    receiver = Receiver()
    told = None
    whole = np.concatenate((quiet(0.5), wave, quiet(0.5)))
    for at in range(0, len(whole), 160):
        if receiver.feed(whole[at : at + 160]):
            told = at + 160
    assert told - len(quiet(0.5)) - len(wave) <= 320


@pytest.mark.parametrize("lost", [5, 10, 20])
def test_a_lost_packet_spoils_one_frame_and_is_told_once_the_far_end_is_silent(lost):
    wave = np.concatenate((quiet(0.5), modulator.burst(FRAME), quiet(0.5), modulator.burst(FRAME), quiet(0.5)))
    wave[(lost + 25) * 160 : (lost + 26) * 160] = 0
    bursts = hear(wave)
    assert [burst.kind in (Kind.SPOILT, Kind.SHORT) for burst in bursts] == [True, False]
    assert bursts[1].frame == FRAME


def test_a_packet_lost_in_the_silence_costs_nothing():
    wave = np.concatenate((quiet(0.5), modulator.burst(FRAME), quiet(0.5)))
    assert [burst.kind for burst in hear(wave)] == [Kind.FRAME]


def test_a_frame_cut_short():
    wave = modulator.burst(FRAME)
    bursts = hear(np.concatenate((quiet(0.3), wave[: len(wave) // 2], quiet(0.5))))
    assert [burst.kind for burst in bursts] == [Kind.SHORT]


def test_a_carrier_that_goes_on_hides_no_frame():
    endless = modulator.modulate(modulator.bits_of(FRAME, trailing=6000))
    bursts = hear(np.concatenate((quiet(0.3), endless)))
    assert [burst.kind for burst in bursts] == [Kind.FRAME]


def test_marks_for_ever_are_told_once_and_do_not_grow():
    receiver = Receiver()
    bursts = receiver.feed(modulator.modulate(np.ones(1200 * 30, np.uint8)))
    assert [burst.kind for burst in bursts] == [Kind.NOISE]
    assert receiver.carrier
    assert len(receiver.tail()) < RATE


def test_a_hum_under_the_frame():
    wave = np.concatenate((quiet(0.3), modulator.burst(FRAME), quiet(0.3))).astype(float)
    hum = 2500 * np.sin(2 * np.pi * 50 * np.arange(len(wave)) / RATE)
    assert [burst.frame for burst in hear(wave + hum)] == [FRAME]
