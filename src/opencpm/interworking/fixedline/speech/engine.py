"""The speech engine: a program of the operator's, given text on its standard input, giving a WAV file on its output."""

from __future__ import annotations

import asyncio
import io
import shutil
import wave

import numpy as np

from opencpm.protocols.g711 import Samples

_PATIENCE = 20.0
_MOST = 16 << 20
_RATE = 8000
_TOP = 3400
_LOUDEST = 12_000.0


class EngineError(Exception):
    """It is not there, or what it gave is no sound; the text is for the operator."""


def installed(program: str) -> bool:
    return shutil.which(program) is not None


async def spoken(text: str, voice: str, program: str, speed: int) -> Samples:
    """The text as sound of a telephone. Raises EngineError. Never more than 20 s of work, or 16 MB."""
    try:
        process = await asyncio.create_subprocess_exec(
            *(program, "-v", voice, "-s", str(speed), "--stdin", "--stdout"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except OSError as error:
        raise EngineError(f"{program}: {error.strerror or error}") from None
    try:
        async with asyncio.timeout(_PATIENCE):
            sound, _ = await process.communicate(text.encode())
    except TimeoutError:
        raise EngineError(f"{program} took longer than {_PATIENCE:.0f} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode or not 44 < len(sound) < _MOST:
        raise EngineError(f"{program} with voice {voice} gave no sound (status {process.returncode})")
    return await asyncio.to_thread(for_telephone, sound)


def for_telephone(file: bytes) -> Samples:
    """A WAV file at 8000 samples a second, one channel, within the telephone band, at an even level. Raises
    EngineError."""
    try:
        with wave.open(io.BytesIO(file)) as sound:
            rate, width, channels = sound.getframerate(), sound.getsampwidth(), sound.getnchannels()
            octets = sound.readframes(sound.getnframes())
    except (wave.Error, EOFError, ValueError):
        raise EngineError("the engine's output is no WAV file") from None
    if width != 2 or not 4000 <= rate <= 96_000 or not 1 <= channels <= 2:
        raise EngineError(f"the engine's sound has {8 * width} bits, {channels} channels at {rate} Hz")
    samples = np.frombuffer(octets[: len(octets) // (2 * channels) * 2 * channels], "<i2").astype(np.float64)
    samples = samples.reshape(-1, channels).mean(axis=1)
    if not len(samples):
        raise EngineError("the engine's sound is empty")
    spectrum = np.fft.rfft(samples)
    spectrum[np.fft.rfftfreq(len(samples), 1 / rate) > _TOP] = 0.0
    samples = np.fft.irfft(spectrum, len(samples))
    count = int(len(samples) * _RATE / rate)
    narrow = np.interp(np.arange(count) * (rate / _RATE), np.arange(len(samples)), samples)
    peak = float(np.abs(narrow).max(initial=0.0))
    return np.asarray(narrow * (_LOUDEST / peak if peak else 0.0), np.int16)
