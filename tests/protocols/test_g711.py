import numpy as np
import pytest

from opencpm.protocols.g711 import LAWS, PCMA, PCMU


def test_known_values():
    """G.711 tables 1a and 2a, scaled to 16 bits."""
    assert PCMA.decode(bytes((0xD5, 0x55, 0xAA, 0x2A, 0x80))).tolist() == [8, -8, 32256, -32256, 5504]
    assert PCMU.decode(bytes((0xFF, 0x7F, 0x80, 0x00))).tolist() == [0, 0, 32124, -32124]


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_every_code_comes_back(law):
    codes = bytes(range(256))
    again = law.encode(law.decode(codes))
    assert law.decode(again).tolist() == law.decode(codes).tolist()


@pytest.mark.parametrize("law", LAWS.values(), ids=lambda law: law.name)
def test_every_sample_becomes_the_nearest_value(law):
    samples = np.arange(-32768, 32768).astype(np.int16)
    values = np.sort(law.decode(bytes(range(256))).astype(int))
    error = np.abs(law.decode(law.encode(samples)).astype(int) - samples.astype(int))
    best = np.abs(values[:, None] - samples[None, ::97].astype(int)).min(axis=0)
    assert (error[::97] == best).all()


def test_silence():
    assert PCMA.quiet(2) == b"\xd5\xd5"
    assert PCMU.quiet(2) == b"\xff\xff"
    assert PCMA.encode(np.zeros(3, np.int16)) in (b"\xd5" * 3, b"\x55" * 3)
    assert np.abs(PCMA.decode(PCMA.quiet(10))).max() <= 8
