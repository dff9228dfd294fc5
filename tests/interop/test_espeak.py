"""espeak-ng speaks for us."""

import numpy as np
import pytest

from opencpm.interworking.fixedline.speech.engine import spoken
from opencpm.protocols.fsk.hearing import Hearing

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("espeak_is_there")]


@pytest.mark.parametrize(("text", "voice"), [("Dinner is ready, Bob.", "en"), ("Καλημέρα", "el"), ("Guten Tag", "de")])
async def test_it_sounds_like_a_voice(text, voice):
    samples = await spoken(text, voice, "espeak-ng", 140)
    assert 0.3 < len(samples) / 8000 < 10
    hearing = Hearing()
    hearing.feed(samples)
    assert hearing.verdict() == "a voice or music"
    assert np.abs(samples).max() > 10_000
