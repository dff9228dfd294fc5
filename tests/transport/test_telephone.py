"""Two telephones on loopback."""

import asyncio

import numpy as np
import pytest

from opencpm.protocols.telephone.events import Answered, HungUp, Offered, Pinged, Refused
from opencpm.transport.telephone import Telephone
from tests.interworking.sms.support import eventually

HOST = "127.0.0.1"


class Phone:
    def __init__(self, **options):
        self.events = []
        self.phone = Telephone(HOST, 0, self.events.append, **options)

    def of(self, kind):
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
async def both():
    pair = Phone(), Phone()
    yield pair
    for one in pair:
        one.phone.close()


async def test_two_telephones_talk(both):
    us, them = both
    voice = us.phone.voice()
    host, port = them.phone.address
    call = us.phone.dial(us.phone.flow_to((host, port)), "+4420", "4430", f"{host}:{port}", voice)
    await eventually(lambda: them.of(Offered))
    theirs = them.of(Offered)[0].call
    their_voice = them.phone.voice()
    them.phone.accept(theirs, their_voice)
    heard = asyncio.Event()
    them.phone.talk(theirs, their_voice, lambda part: heard.set() if np.abs(part).max(initial=0) > 1000 else None)
    await eventually(lambda: us.of(Answered))
    us.phone.talk(call, voice, lambda part: np.full(160, 2000, np.int16))
    await heard.wait()
    us.phone.hang_up(call)
    await eventually(lambda: them.of(HungUp))


async def test_refused_and_asked(both):
    us, them = both
    host, port = them.phone.address
    flow = us.phone.flow_to(await us.phone.resolve(host, port))
    us.phone.ping(flow, host, "trunk")
    await eventually(lambda: us.of(Pinged))
    us.phone.dial(flow, "1", "2", host, us.phone.voice())
    await eventually(lambda: them.of(Offered))
    them.phone.ring(them.of(Offered)[0].call)
    them.phone.refuse(them.of(Offered)[0].call, 404)
    await eventually(lambda: us.of(Refused))
    assert us.of(Refused)[0].status == 404


async def test_ports_of_a_range():
    low = 20_000 + 2 * (id(object()) % 10_000)
    one = Phone(ports=(low, low + 2))
    ports = []
    voices = []
    try:
        for _ in range(2):
            voices.append(one.phone.voice())
            ports.append(voices[-1].port)
    except OSError:
        pytest.skip("the ports are in use")
    assert sorted(ports) == [low, low + 2]
    with pytest.raises(OSError):
        one.phone.voice()
    for voice in voices:
        voice.close()
    one.phone.close()
