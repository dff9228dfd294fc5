"""The lab's switchboard server: conversations, invitations into them, messages."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from opencpm.lab.msn import shown
from opencpm.lab.msn.connection import ServerConnection
from opencpm.lab.msn.world import Account
from opencpm.protocols.msnp import commands
from opencpm.protocols.msnp import payload as payloads
from opencpm.protocols.msnp.framing import Frame, quote
from opencpm.protocols.msnp.payload import MAX_PAYLOAD


class Conversation:
    """The people of one switchboard."""

    def __init__(self) -> None:
        self.id = secrets.token_hex(15)
        self.members: dict[str, SwitchboardConnection] = {}

    def others(self, address: str) -> list[SwitchboardConnection]:
        return [member for who, member in self.members.items() if who != address]


class SwitchboardConnection(ServerConnection):
    """One client at the switchboard."""

    kind = "SB"
    conversation: Conversation | None = None
    place = ""  # `;{guid}`, from dialect 16 on

    def handle(self, frame: Frame) -> None:
        handler = _HANDLERS.get(frame.verb)
        if handler is None or (self.conversation is None and frame.verb not in ("USR", "ANS", "OUT")):
            self.error(715, frame)
        else:
            handler(self, frame)

    def gone(self) -> None:
        room = self.conversation
        if room is None or room.members.pop(self.address, None) is None:
            return
        for member in room.others(self.address):
            for form in self._forms(member):
                member.say("BYE", form)
        if not room.members:
            self.world.conversations.pop(room.id, None)

    @property
    def me(self) -> Account:
        account = self.world.account(self.address)
        assert account is not None
        return account

    def _usr(self, frame: Frame) -> None:
        self.address = commands.address(frame.arg(1))
        if self.world.redeem(frame.arg(2), self.address, self._loop.time()) is None:
            self._refuse(frame)
            return
        self.conversation = Conversation()
        self.world.conversations[self.conversation.id] = self.conversation
        self.conversation.members[self.address] = self
        self._at(frame)
        self.say("USR", frame.trid, "OK", frame.arg(1), quote(self.me.name))

    def _ans(self, frame: Frame) -> None:
        self.address = commands.address(frame.arg(1))
        ticket = self.world.redeem(frame.arg(2), self.address, self._loop.time())
        room = self.world.conversations.get(frame.arg(3))
        if ticket is None or room is None or ticket.conversation != room.id:
            self._refuse(frame)
            return
        self._at(frame)
        there = list(room.members.values())
        lines = [(form, member) for member in there for form in member._forms(self)]
        for number, (form, member) in enumerate(lines, start=1):
            self.say("IRO", frame.trid, number, len(lines), form, *self._described(member))
        self.conversation = room
        room.members[self.address] = self
        self.say("ANS", frame.trid, "OK")
        for member in there:
            for form in self._forms(member):
                member.say("JOI", form, *member._described(self))
        if self.place:
            self.say("JOI", self.address, *self._described(self))  # the recorded server tells us about ourselves

    def _at(self, frame: Frame) -> None:
        """Which of the person's places this is."""
        _, mark, place = frame.arg(1).partition(";")
        self.place = f";{place.lower()}" if mark else ""

    def _forms(self, seen_by: SwitchboardConnection) -> tuple[str, ...]:
        """How this person is named to somebody: by place and plain, where both speak dialect 16 or later."""
        return (self.address + self.place, self.address) if self.place and seen_by.place else (self.address,)

    def _described(self, member: SwitchboardConnection) -> tuple[str | int, ...]:
        """Name, and for those who speak dialect 12 the capabilities (the recorded server shows them to all others)."""
        connection = self.me.connection
        dialect = connection.dialect if connection is not None else 0
        caps = (shown.capabilities(dialect, member.me),) if dialect >= 12 else ()
        return (quote(member.me.name), *caps)

    def _refuse(self, frame: Frame) -> None:
        self.error(911, frame)
        self.close()

    def _cal(self, frame: Frame) -> None:
        room = self.conversation
        assert room is not None
        who = commands.address(frame.arg(1))
        peer = self.world.account(who)
        if who in room.members:
            self.error(215, frame)
        elif peer is None or peer.connection is None or not peer.visible_to(self.address):
            self.error(217, frame)  # unknown, offline and blocking look the same
        else:
            peer.connection.ring(room.id, self.me)
            self.say("CAL", frame.trid, "RINGING", room.id)

    def _msg(self, frame: Frame) -> None:
        room, flag, data = self.conversation, frame.arg(1), frame.payload or b""
        assert room is not None
        peer_to_peer = payloads.parse(data).content_type == payloads.PEER_TO_PEER
        if len(data) > MAX_PAYLOAD or flag not in ("U", "N", "A", "D") or (peer_to_peer and flag != "D"):
            self.abort()  # as the recorded server does: without a word
            return
        faults = self.world.faults
        if faults.swallow:
            return
        if faults.nak:
            if flag != "U":
                self.say("NAK", frame.trid)
            return
        for member in room.others(self.address):
            member.say("MSG", self.address, quote(self.me.name), payload=data)
        if flag in ("A", "D"):
            self.say("ACK", frame.trid)  # also to an empty room: the recorded server does so

    def _out(self, frame: Frame) -> None:
        self.gone()
        self.conversation = None
        self.close()


_Handler = Callable[[SwitchboardConnection, Frame], None]

_HANDLERS: dict[str, _Handler] = {
    "USR": SwitchboardConnection._usr,
    "ANS": SwitchboardConnection._ans,
    "CAL": SwitchboardConnection._cal,
    "MSG": SwitchboardConnection._msg,
    "OUT": SwitchboardConnection._out,
}
