"""Rooms (XEP-0045): the test plays the room, which the lab's server does not have."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from opencpm.domain.address import Address
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import MessageKind
from opencpm.domain.session import CloseReason, Composing

from .support import ALICE_JID, BOB, Events, delivery, failed, message, rig
from .test_sessions import offer

ROOM = "tea@rooms.xmpp.test"
ROOM_ADDRESS = Address("xmpp", ROOM)
FULL = f"{ALICE_JID}/cpm"
MUC_USER = "http://jabber.org/protocol/muc#user"


class Room:
    """Answers what our side asks of the room."""

    def __init__(self, it):
        self.it = it
        self.taken = set()

    async def asked(self, count=1):
        """The last of so many joins."""
        log, happenings = self.it.server.log, self.it.server.happenings
        await happenings.until(lambda: len(log.of("presence", "C", "protocol/muc")) >= count)
        return log.of("presence", "C", "protocol/muc")[count - 1]

    def admit(self, nick="Alice", codes=("110",), **more):
        told = "".join(f"<status code='{code}'/>" for code in codes)
        kind = f" type='{more['type']}'" if more else ""
        self.it.server.send(
            f"<presence from='{ROOM}/{nick}' to='{FULL}'{kind}><x xmlns='{MUC_USER}'>{told}</x></presence>"
        )

    def refuse(self, condition, kind="cancel"):
        self.it.server.send(
            f"<presence from='{ROOM}/Alice' to='{FULL}' type='error'><error type='{kind}'>"
            f"<{condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></presence>"
        )

    def say(self, nick, text, kind="groupchat", more=""):
        body = f"<body>{text}</body>" if text else ""
        self.it.server.send(f"<message from='{ROOM}/{nick}' to='{FULL}' type='{kind}'>{body}{more}</message>")


@asynccontextmanager
async def joined():
    async with rig(rooms=("Rooms.xmpp.test",)) as it:
        room, events = Room(it), Events(it.inbox)
        opening = asyncio.create_task(it.connector.open(offer(target=ROOM_ADDRESS), events))
        asked = await room.asked()
        assert (asked.sender, asked.to) == (FULL, f"{ROOM}/Alice")
        room.admit("Carol", ())
        room.admit()
        yield it, room, await opening, events


async def test_in_and_out_and_what_is_said():
    async with joined() as (it, room, leg, events):
        leg.composing(Composing(True))  # not shown in rooms
        leg.send([delivery("hello all")])
        await it.inbox.until(lambda: events.outcomes)
        failed(events.outcomes[0], Reason.UNKNOWN_ADDRESS, False)  # the lab has no such server, and says so
        sent = it.server.log.of("message", "C")[0]
        assert (sent.sender, sent.to, sent.type) == (FULL, ROOM, "groupchat")
        assert not sent.has("receipts")
        room.say("Alice", "hello all")  # one's own words come back: no echo
        room.say("Carol", "hi Alice")
        room.say("Carol", "just you", kind="chat")
        room.say("Carol", "", more="<subject>Tea</subject>")
        await it.inbox.until(lambda: len(events.messages) == 3)
        assert [one.text for one in events.messages] == [
            "Carol: hi Alice",
            "Carol (to you only): just you",
            "Carol has set the subject: Tea",
        ]
        assert {(one.sender, one.kind) for one in events.messages} == {(ROOM_ADDRESS, MessageKind.CHAT)}
        assert await leg.close(CloseReason.NORMAL) == "left the room, taken by the server"
        assert it.server.log.of("presence", "C", 'type="unavailable"')[0].to == f"{ROOM}/Alice"
        assert it.inbox.messages == []


async def test_a_new_room_is_opened():
    async with rig(rooms=("rooms.xmpp.test",)) as it:
        room = Room(it)
        opening = asyncio.create_task(it.connector.open(offer(target=ROOM_ADDRESS), Events(it.inbox)))
        await room.asked()
        room.admit(codes=("110", "201"))
        await opening
        await it.server.happenings.until(lambda: it.server.log.of("iq", "C", "muc#owner", "submit"))


async def test_a_name_that_is_taken_gets_a_number():
    async with rig(rooms=("rooms.xmpp.test",)) as it:
        room = Room(it)
        opening = asyncio.create_task(it.connector.open(offer(target=ROOM_ADDRESS), Events(it.inbox)))
        await room.asked()
        room.refuse("conflict")
        assert (await room.asked(2)).to == f"{ROOM}/Alice 2"
        room.admit("Alice 2")
        assert (await opening).nick == "Alice 2"


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("forbidden", Reason.BARRED),
        ("registration-required", Reason.BARRED),
        ("not-authorized", Reason.AUTHENTICATION),
        ("item-not-found", Reason.UNKNOWN_ADDRESS),
    ],
)
async def test_the_room_says_no(condition, reason):
    async with rig(rooms=("rooms.xmpp.test",)) as it:
        room = Room(it)
        opening = asyncio.create_task(it.connector.open(offer(target=ROOM_ADDRESS), Events(it.inbox)))
        await room.asked()
        room.refuse(condition, "auth")
        with pytest.raises(SendError) as error:
            await opening
        assert error.value.reason is reason
        assert it.connector.describe()["rooms"] == 0


async def test_a_room_that_does_not_answer():
    async with rig(rooms=("rooms.xmpp.test",), join_timeout=0.05) as it:
        with pytest.raises(SendError) as error:
            await it.connector.open(offer(target=ROOM_ADDRESS), Events(it.inbox))
        assert error.value.reason is Reason.NO_ANSWER


@pytest.mark.parametrize(("code", "why"), [("307", "put out"), ("301", "banned"), ("332", "shut down")])
async def test_put_out(code, why):
    async with joined() as (it, room, leg, events):
        room.admit(codes=("110", code), type="unavailable")
        await it.inbox.until(lambda: events.ends)
        assert events.ends == [(CloseReason.LEFT, f"{ROOM}: {why}")]
        assert await leg.close(CloseReason.LEFT) == "was not in the room any more"


async def test_others_who_go_end_nothing():
    async with joined() as (it, room, _, events):
        room.admit("Carol", (), type="unavailable")
        room.say("Dave", "bye Carol")
        await it.inbox.until(lambda: events.messages)
        assert events.ends == []


async def test_the_link_breaks():
    async with joined() as (it, _, leg, events):
        await it.server.disconnect()
        await it.inbox.until(lambda: events.ends)
        assert events.ends[0][0] is CloseReason.LOST
        assert await leg.close(CloseReason.LOST) == "was not in the room any more"


async def test_a_room_is_not_written_to_from_outside():
    async with rig(rooms=("rooms.xmpp.test",)) as it:
        it.send(delivery(target=ROOM_ADDRESS))
        failed(await it.inbox.outcome(), Reason.NOT_ACCEPTABLE, False)
        Room(it).say("Carol", "nobody of yours is here")
        it.bob.sign_in()
        it.bob.write(ALICE_JID, "hi")
        await it.inbox.until(lambda: it.inbox.messages)
        assert [one.text for one in it.inbox.messages] == ["hi"]


async def test_what_a_room_cannot_take():
    async with joined() as (it, _, leg, events):
        leg.send([delivery(message=message(""))])
        await it.inbox.until(lambda: events.outcomes)
        failed(events.outcomes[0], Reason.NOT_ACCEPTABLE, False)
        assert it.connector.describe()["rooms"] == 1
        with pytest.raises(SendError, match="already"):
            await it.connector.open(offer(target=ROOM_ADDRESS), Events(it.inbox))


async def test_invitations_are_shown():
    async with rig(rooms=("rooms.xmpp.test",)) as it:
        it.bob.sign_in()
        direct = f"<x xmlns='jabber:x:conference' jid='{ROOM}'/>"
        it.server.send(f"<message from='{BOB.value}' to='{ALICE_JID}'>{direct}</message>")
        it.server.send(
            f"<message from='{ROOM}' to='{ALICE_JID}'><x xmlns='{MUC_USER}'><invite from='{BOB.value}'/></x></message>"
        )
        await it.inbox.until(lambda: len(it.inbox.messages) == 2)
        assert {one.text for one in it.inbox.messages} == {f"Invitation to the room xmpp:{ROOM}"}
        assert [one.sender for one in it.inbox.messages] == [BOB, ROOM_ADDRESS]
