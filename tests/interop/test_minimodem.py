"""minimodem hears our modulator, and we hear minimodem: V.23 at 1200 baud by another hand."""

import subprocess
import wave

import numpy as np
import pytest

from opencpm.protocols.fsk import modulator
from opencpm.protocols.fsk.demodulator import demodulate
from opencpm.protocols.fsk.tones import RATE

pytestmark = [pytest.mark.interop, pytest.mark.usefixtures("minimodem_is_there")]
SUBMIT = bytes.fromhex("911e31070c9144770009103200f1a712c6349e5e979741f3bab89da68336e51809")
FRAMES = [SUBMIT, bytes.fromhex("93006d"), bytes(range(256)), bytes.fromhex("9502000069")]
PARAMETERS = ["1200", "--mark", "1300", "--space", "2100", "--ascii", "--quiet"]


def write(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.asarray(samples, np.int16).tobytes())


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{len(frame)} octets")
def test_minimodem_reads_what_we_send(frame, tmp_path):
    file = tmp_path / "line.wav"
    quiet = np.zeros(RATE // 4, np.int16)
    write(file, np.concatenate((quiet, modulator.burst(frame), quiet)))
    done = subprocess.run(["minimodem", "--rx", "--file", str(file), *PARAMETERS], capture_output=True, check=True)
    assert done.stdout == frame


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: f"{len(frame)} octets")
def test_we_read_what_minimodem_sends(frame, tmp_path):
    file = tmp_path / "line.wav"
    subprocess.run(
        ["minimodem", "--tx", "--file", str(file), "--samplerate", str(6 * RATE), *PARAMETERS],
        input=frame,
        capture_output=True,
        check=True,
    )
    with wave.open(str(file)) as heard:
        samples = np.frombuffer(heard.readframes(heard.getnframes()), np.int16)
    samples = samples[: len(samples) // 6 * 6].reshape(-1, 6).mean(axis=1)  # at 8000 its bits would be 7 samples long
    quiet = np.zeros(800)
    marks = modulator.modulate(np.ones(81, np.uint8), amplitude=30000, phase=0.25)  # it sends but two
    (run,) = demodulate(np.concatenate((quiet, marks, samples, quiet))).octets
    assert run.startswith(frame)
