"""G.711: 16-bit samples to A-law and mu-law octets and back, by tables (ITU-T G.711)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Samples = NDArray[np.int16]


def _decoded_alaw() -> Samples:
    code = np.arange(256) ^ 0x55  # even bits are inverted on the line
    exponent, mantissa = code >> 4 & 7, code & 15
    size = np.where(exponent == 0, mantissa * 16 + 8, (mantissa * 16 + 264) << np.maximum(exponent - 1, 0))
    return np.where(code & 0x80, size, -size).astype(np.int16)


def _decoded_ulaw() -> Samples:
    code = ~np.arange(256) & 0xFF
    size = (((code & 15) << 3) + 132 << (code >> 4 & 7)) - 132
    return np.where(code & 0x80, -size, size).astype(np.int16)


def _encoder(decoded: Samples) -> NDArray[np.uint8]:
    """For every sample (as an unsigned index) the code whose value is nearest."""
    order = np.argsort(decoded, kind="stable")
    values = decoded[order].astype(np.int32)
    middles = (values[1:] + values[:-1]) / 2
    samples = np.arange(65536).astype(np.uint16).view(np.int16)
    return np.asarray(order[np.searchsorted(middles, samples)], np.uint8)


class Law:
    """One companding law. ``payload_type`` is the static one of RFC 3551, ``silence`` the code of a zero sample."""

    __slots__ = ("_decoded", "_encoded", "name", "payload_type", "silence")

    def __init__(self, name: str, payload_type: int, silence: int, decoded: Samples) -> None:
        self.name, self.payload_type, self.silence = name, payload_type, silence
        self._decoded, self._encoded = decoded, _encoder(decoded)

    def encode(self, samples: Samples) -> bytes:
        return bytes(self._encoded[samples.view(np.uint16)])

    def decode(self, octets: bytes) -> Samples:
        return np.asarray(self._decoded[np.frombuffer(octets, np.uint8)])

    def quiet(self, count: int) -> bytes:
        """So many samples of silence."""
        return bytes((self.silence,)) * count


PCMU = Law("PCMU", 0, 0xFF, _decoded_ulaw())
PCMA = Law("PCMA", 8, 0xD5, _decoded_alaw())
LAWS = {law.payload_type: law for law in (PCMA, PCMU)}
