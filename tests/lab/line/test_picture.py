from __future__ import annotations

import numpy as np

from opencpm.lab.line import CallRecord
from opencpm.lab.line.picture import bursts, detail, envelope
from opencpm.protocols.fsk import frames1
from opencpm.protocols.fsk.modulator import burst
from opencpm.protocols.fsk.receiver import Kind
from opencpm.protocols.fsk.tones import Samples, silence

DATA = frames1.encode(frames1.DATA, bytes(range(40)))
EST = frames1.encode(frames1.EST)


def recorded(heard: Samples, said: Samples) -> CallRecord:
    call = CallRecord(0.0, "1", "2", "1")
    length = max(len(heard), len(said))
    call.keep(np.pad(heard, (0, length - len(heard))), np.pad(said, (0, length - len(said))))
    return call


def test_what_is_drawn_is_what_was_said() -> None:
    est, data = burst(EST), burst(DATA)
    said = np.concatenate((silence(2000), est))
    heard = np.concatenate((silence(len(said) + 800), data, silence(800)))
    first, second = bursts(recorded(heard, said))
    assert (first.by_line, first.kind, first.frame) == (True, Kind.FRAME, EST)
    assert (second.by_line, second.kind, second.frame) == (False, Kind.FRAME, DATA)
    assert 1900 < first.start <= 2000
    near = detail(recorded(heard, said), second)
    assert near.samples == heard[second.start : second.end].tolist()
    assert bytes(value for _, value in near.octets) == DATA
    assert abs(near.rate - 1200) < 5
    assert len(near.edges) == len(near.bits) + 1
    for bit, value in near.octets:
        assert near.bits[bit] == "0"
        assert int(near.bits[bit + 1 : bit + 9][::-1], 2) == value


def test_noise_is_a_burst_without_octets() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 4000).astype(np.int16)
    call = recorded(np.concatenate((silence(400), noise)), silence(0))
    (only,) = bursts(call)
    assert only.kind is not Kind.FRAME
    assert detail(call, only).samples


def test_a_silent_call_has_no_bursts() -> None:
    assert bursts(recorded(silence(8000), silence(8000))) == []
    assert bursts(CallRecord(0.0, "1", "2", "1")) == []


def test_an_envelope_keeps_the_extremes() -> None:
    samples = np.zeros(1000, np.int16)
    samples[501], samples[502] = 700, -900
    found = envelope(samples, 10)
    assert len(found) == 10
    assert found[5] == (-900, 700)
    assert found[4] == (0, 0)
    assert envelope(silence(0), 10) == []
    assert len(envelope(samples[:3], 10)) == 3
