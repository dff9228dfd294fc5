"""A telephone line may carry anything at all."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from opencpm.protocols.fsk import frames2, modulator
from opencpm.protocols.fsk.call import DIALECTS, LineCall
from opencpm.protocols.fsk.demodulator import demodulate
from opencpm.protocols.fsk.events import Ended, Item, Terms
from opencpm.protocols.fsk.frames import sealed
from opencpm.protocols.fsk.frames2 import Frame2Error

RATE = 8000
octets = st.binary(min_size=2, max_size=60)


@given(octets, st.sampled_from(DIALECTS))
def test_any_frame_means_something(frame, dialect):
    dialect.read(sealed(frame))


@given(st.binary(max_size=80))
def test_parameters_raise_only_their_error(payload):
    try:
        frames2.read_text(payload)
    except Frame2Error:
        pass


@given(st.lists(st.integers(-32768, 32767), max_size=400))
def test_any_samples_are_read(samples):
    demodulate(np.array(samples, np.int16))


@st.composite
def noises(draw):
    """A stretch of line: silence, noise, a tone, a frame (spoilt or not), a carrier."""
    kind = draw(st.sampled_from(["silence", "noise", "tone", "frame", "rubbish", "carrier"]))
    count = draw(st.integers(1, RATE))
    if kind == "noise":
        return np.random.default_rng(draw(st.integers(0, 9))).standard_normal(count) * draw(st.integers(1, 8000))
    if kind == "tone":
        return np.sin(2 * np.pi * draw(st.integers(200, 3500)) / RATE * np.arange(count)) * 5000
    if kind == "frame":
        return modulator.burst(sealed(draw(octets)), seizure=draw(st.sampled_from([0, 300])))
    if kind == "rubbish":
        return modulator.burst(draw(octets), trailing=draw(st.integers(0, 50)))
    if kind == "carrier":
        return modulator.modulate(np.full(count // 7 + 1, draw(st.integers(0, 1))))
    return np.zeros(count)


@settings(max_examples=40, deadline=None)
@given(st.lists(noises(), min_size=1, max_size=8), st.booleans(), st.booleans(), st.integers(1, 500))
def test_whatever_is_on_the_line_the_call_ends_and_settles_what_it_had(parts, caller, centre, packet):
    """Every message given to it gets exactly one verdict, and the call is over when its time is."""
    terms = Terms(whole=15.0)
    items = [Item(n, {1: b"\x04abc", 2: b"\x13\x01\x00x"}) for n in range(2)] if caller else []
    call = LineCall(caller=caller, centre=centre, items=items, terms=terms)
    wave = np.clip(np.concatenate(parts), -32768, 32767).astype(np.int16)
    wave = np.tile(wave, 1 + 16 * RATE // len(wave))[: 16 * RATE]
    events = []
    for at in range(0, len(wave), packet):
        events += call.feed(wave[at : at + packet])
        call.play(packet)
        if at // packet % 3 == 0:
            call.accept()
    events += call.feed(wave[:0])
    assert call.over
    assert [type(event) for event in events].count(Ended) == 1
    verdicts = [event.item.context for event in events if hasattr(event, "item")]
    assert sorted(verdicts) == [item.context for item in items]
