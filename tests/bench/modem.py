"""How many frames a telephone line spoils: ``python -m tests.bench.modem [frames]`` prints the table of the docs.

A frame is 120 octets of payload, type, length and checksum (123 octets, 1.1 s). Noise is white; the SNR counts that
part of it which lies in the telephone band, 300 to 3400 Hz (what lies outside is not filtered off). Twist makes the
space tone 6 dB weaker or stronger while the whole keeps its power. A wrong clock is the sender's: rate and both tones
are off together. An offset moves both tones and nothing else. Everything passes A-law once, at the level told (0 dBm0
is 3.14 dB under the largest sine), starts anywhere between two samples, and is found by the carrier detection.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, replace

import numpy as np

from opencpm.protocols import g711
from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.receiver import Receiver
from opencpm.protocols.fsk.tones import BAUD, MARK, RATE, SPACE, Samples

BAND = 3400 - 300
PAYLOAD = 120


@dataclass(frozen=True)
class Line:
    """One kind of line."""

    label: str
    snr: float = 30.0
    clock: float = 0.0
    offset: float = 0.0
    twist: float = 0.0  # dB by which the space tone is stronger
    level: float = -13.0  # dBm0

    def carry(self, frame: bytes, rng: np.random.Generator) -> Samples:
        """What arrives."""
        faster = 1 + self.clock
        bits = modulator.bits_of(frame)
        gain = 10 ** (self.twist / 20)
        sent = modulator.modulate(
            bits,
            amplitude=10000.0,
            baud=BAUD * faster,
            mark=MARK * faster + self.offset,
            space=SPACE * faster + self.offset,
            space_gain=gain,
            phase=float(rng.random()),
        )
        wave = np.concatenate((np.zeros(400 + int(rng.integers(160))), sent.astype(float), np.zeros(800)))
        power = float(np.mean(sent.astype(float) ** 2))
        noise = rng.standard_normal(len(wave)) * np.sqrt(power / 10 ** (self.snr / 10) * (RATE / 2) / BAND)
        scale = 32768 * 10 ** ((self.level - 3.14) / 20) / np.sqrt(2) / np.sqrt(power)
        heard = np.clip((wave + noise) * scale, -32768, 32767).astype(np.int16)
        return g711.PCMA.decode(g711.PCMA.encode(heard))


IMPAIRED = (
    Line("plain"),
    Line("clock +2 %", clock=0.02),
    Line("clock -2 %", clock=-0.02),
    Line("offset +10 Hz", offset=10.0),
    Line("offset -10 Hz", offset=-10.0),
    Line("space 6 dB weaker", twist=-6.0),
    Line("space 6 dB stronger", twist=6.0),
    Line("level -35 dBm0", level=-35.0),
    Line("level 0 dBm0", level=0.0),
    Line("-2 %, -10 Hz, space 6 dB weaker, -35 dBm0", clock=-0.02, offset=-10.0, twist=-6.0, level=-35.0),
)


def frame_of(rng: np.random.Generator) -> bytes:
    body = bytes((0x91, PAYLOAD)) + rng.integers(0, 256, PAYLOAD, dtype=np.uint8).tobytes()
    return body + bytes((-sum(body) & 0xFF,))


def correct(line: Line, frames: int, seed: int = 1) -> int:
    """How many of so many frames arrive whole."""
    rng = np.random.default_rng(seed)
    good = 0
    for _ in range(frames):
        frame = frame_of(rng)
        good += any(burst.frame == frame for burst in Receiver().feed(line.carry(frame, rng)))
    return good


def main() -> None:
    frames = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    levels = (30.0, 20.0, 15.0, 12.0, 10.0, 8.0)
    print(f"frames of {PAYLOAD} octets correct of {frames}")
    print("| line | " + " | ".join(f"{level:.0f} dB" for level in levels) + " |")
    print("|---|" + "---|" * len(levels))
    begun = time.process_time()
    for line in IMPAIRED:
        counts = [correct(replace(line, snr=snr), frames) for snr in levels]
        print(f"| {line.label} | " + " | ".join(map(str, counts)) + " |", flush=True)
    print(f"{time.process_time() - begun:.0f} s CPU")


if __name__ == "__main__":
    main()
