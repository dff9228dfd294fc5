"""Sound over real sockets on loopback."""

import asyncio
import socket

import numpy as np
import pytest

from opencpm.protocols.g711 import PCMA
from opencpm.protocols.rtp import PACKET, Packet, decode
from opencpm.transport.voice import Pacer, Voice

HOST = "127.0.0.1"


@pytest.fixture
def far():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind((HOST, 0))
        sock.setblocking(False)
        yield sock


def started(far, turn, patience=PACKET):
    voice = Voice(HOST, 0, 0x01020304)
    voice.start(far.getsockname(), 8, turn, patience)
    return voice


def came(far):
    packets = []
    while True:
        try:
            packets.append(decode(far.recv(2048)))
        except BlockingIOError:
            return packets


def test_a_beat_says_what_the_turn_says_and_silence_otherwise(far):
    said = iter([None, np.full(PACKET, 4000, np.int16), None])
    voice = started(far, lambda heard: next(said))
    for _ in range(3):
        voice.beat()
    first, second, third = came(far)
    assert first.payload == third.payload == PCMA.quiet(PACKET)
    assert set(PCMA.decode(second.payload).tolist()) == {4032}
    assert [first.marker, second.marker] == [True, False]
    assert second.timestamp - first.timestamp == PACKET
    assert second.sequence - first.sequence == 1
    assert (first.payload_type, first.source) == (8, 0x01020304)
    voice.close()


def test_what_comes_is_heard_in_order_and_strangers_are_not(far):
    heard = []
    voice = started(far, lambda samples: heard.append(samples))
    here = (HOST, voice.port)
    for number in (1, 0, 2):
        payload = PCMA.encode(np.full(PACKET, 1000 * (number + 1), np.int16))
        far.sendto(Packet(8, number, number * PACKET + PACKET, 9, payload).encode(), here)
    far.sendto(b"no rtp", here)
    far.sendto(Packet(0, 3, 0, 9, b"x" * PACKET).encode(), here)  # another law
    voice.beat()
    assert [set(part.tolist()) for part in np.split(heard[0], len(heard[0]) // PACKET)] == [{2016}, {3008}] or len(
        heard[0]
    ) == 2 * PACKET
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.2", 0))
        stranger.sendto(Packet(8, 3, 4 * PACKET, 9, b"x" * PACKET).encode(), here)
        voice.beat()
    assert voice.foreign == 1
    voice.close()


def test_a_port_that_is_taken():
    voice = Voice(HOST, 0, 1)
    with pytest.raises(OSError):
        Voice(HOST, voice.port, 1)
    voice.close()
    voice.close()


async def test_the_pacer_beats_for_all_and_stops_with_the_last():
    pacer, beats = Pacer(), {1: 0, 2: 0}
    done = asyncio.Event()

    def turn(who):
        def count(heard):
            beats[who] += 1
            if min(beats.values()) >= 3:
                done.set()

        return count

    voices = []
    for who in beats:
        voice = Voice(HOST, 0, who)
        voice.start((HOST, 9), 8, turn(who))
        pacer.add(voice)
        voices.append(voice)
    await done.wait()
    for voice in voices:
        pacer.remove(voice)
    assert len(pacer) == 0
    pacer.close()


async def test_a_fault_in_one_call_does_not_silence_the_others(caplog):
    pacer, done = Pacer(), asyncio.Event()
    bad, good = Voice(HOST, 0, 1), Voice(HOST, 0, 2)

    def breaks(heard):
        raise RuntimeError("broken ear")

    bad.start((HOST, 9), 8, breaks)
    good.start((HOST, 9), 8, lambda heard: done.set())
    pacer.add(bad)
    pacer.add(good)
    await done.wait()
    assert not bad.open
    assert good.open
    assert "the sound of a call failed" in caplog.text
    pacer.close()


async def test_a_loop_that_was_held_up_catches_up():
    import time

    pacer, voice, done = Pacer(), Voice(HOST, 0, 1), asyncio.Event()
    count = 0

    def turn(heard):
        nonlocal count
        count += 1
        if count == 1:
            time.sleep(0.13)  # something hogs the loop
        if count >= 7:
            done.set()

    voice.start((HOST, 9), 8, turn)
    pacer.add(voice)
    begun = asyncio.get_running_loop().time()
    await done.wait()
    assert count >= (asyncio.get_running_loop().time() - begun) / 0.02 - 2
    assert pacer.late >= 1
    pacer.close()
