"""The lab's centre, seen by a terminal made of the same session machine."""

import asyncio

import pytest

from opencpm.lab.ucp import LabUcp
from opencpm.protocols.ucp.content import UserData, with_content
from opencpm.protocols.ucp.events import Answered, LoginRefused, Opened, Received
from opencpm.protocols.ucp.operations import DELIVER, NOTIFICATION, Message
from opencpm.protocols.ucp.session import Login, Session
from opencpm.transport.link import dial
from tests.interworking.sms.support import eventually

BOB = "+12025550101"
TEXT = with_content(Message(BOB[1:], "600600", nrq="1", nt="7"), UserData(b"hello"))


class Terminal:
    def __init__(self):
        self.events = []
        self.session = Session(asyncio.get_running_loop().time(), login=Login(address="cpm", password="secret"))

    async def connect(self, centre):
        self.link = await dial(self.session, *centre.address, on_events=lambda _, events: self.events.extend(events))
        await eventually(lambda: self.events)

    def submit(self, message=TEXT):
        self.session.submit(message, None, asyncio.get_running_loop().time())
        self.link.wake()

    async def got(self, kind, count=1):
        def found():
            return [event for event in self.events if isinstance(event, kind)]

        await eventually(lambda: len(found()) >= count)
        return found()


@pytest.fixture
async def centre():
    async with LabUcp(accounts={"cpm": "secret"}) as lab:
        yield lab


@pytest.fixture
async def terminal(centre):
    terminal = Terminal()
    await terminal.connect(centre)
    yield terminal
    terminal.link.abort()


async def test_a_login_is_needed(centre):
    centre.faults.refuse_login = 7
    terminal = Terminal()
    await terminal.connect(centre)
    assert isinstance(terminal.events[0], LoginRefused)
    assert centre.log.of(60)[0].frame.fields[4] == "*"


async def test_submit_notify_and_show(centre, terminal):
    bob = centre.phone(BOB)
    terminal.submit()
    (answered,) = await terminal.got(Answered)
    (note,) = await terminal.got(Received)
    assert isinstance(terminal.events[0], Opened)
    assert note.ot == NOTIFICATION
    assert answered.sm == f"{note.message.oadc}:{note.message.scts}"
    assert (bob.texts[0].text, bob.texts[0].sender) == ("hello", "600600")


async def test_a_phone_that_is_off(centre, terminal):
    bob = centre.phone(BOB)
    bob.on = False
    terminal.submit()
    (buffered,) = await terminal.got(Received)
    assert (buffered.message.dst, bob.texts) == ("1", [])
    bob.on = True
    assert [event.message.dst for event in await terminal.got(Received, 2)] == ["1", "0"]
    assert len(bob.texts) == 1


async def test_only_what_was_asked_for_is_notified(centre, terminal):
    terminal.submit(TEXT._replace(nt="2"))
    centre.faults.undeliverable["12025550177"] = "107"
    terminal.submit(TEXT._replace(nt="2", adc="12025550177"))
    await terminal.got(Answered, 2)
    (note,) = await terminal.got(Received)
    assert (note.message.dst, note.message.rsn) == ("2", "107")


async def test_faults(centre, terminal):
    centre.faults.denied, centre.faults.once = 1, [22]
    centre.faults.ec[BOB[1:]] = 6
    for _ in range(3):
        terminal.submit()
    assert [event.ec for event in await terminal.got(Answered, 3)] == [4, 22, 6]
    centre.faults.clear()
    terminal.submit()
    assert (await terminal.got(Answered, 4))[3].ec == 0


async def test_a_text_waits_for_a_terminal(centre):
    sent = centre.phone(BOB).send("anybody?", to="+600600")
    terminal = Terminal()
    await terminal.connect(centre)
    (received,) = await terminal.got(Received)
    assert received.ot == DELIVER
    terminal.session.respond(received)
    terminal.link.wake()
    await centre.happenings.until(lambda: sent.status == "accepted")
    terminal.link.abort()


async def test_what_was_not_answered_comes_again(centre, terminal):
    sent = centre.phone(BOB).send("anybody?", to="+600600")
    await terminal.got(Received)
    await centre.disconnect()
    other = Terminal()
    await other.connect(centre)
    (received,) = await other.got(Received)
    other.session.respond(received)
    other.link.wake()
    await centre.happenings.until(lambda: sent.status == "accepted")
    other.link.abort()


def test_loopback_only():
    with pytest.raises(ValueError, match="loopback"):
        LabUcp("0.0.0.0")
