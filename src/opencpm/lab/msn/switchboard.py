"""The lab's switchboard server: conversations, invitations into them, messages."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from opencpm.lab.msn.connection import ServerConnection
from opencpm.lab.msn.world import Account
from opencpm.protocols.msnp import commands
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
            member.say("BYE", self.address)
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
        self.say("USR", frame.trid, "OK", self.address, quote(self.me.name))

    def _ans(self, frame: Frame) -> None:
        self.address = commands.address(frame.arg(1))
        ticket = self.world.redeem(frame.arg(2), self.address, self._loop.time())
        room = self.world.conversations.get(frame.arg(3))
        if ticket is None or room is None or ticket.conversation != room.id:
            self._refuse(frame)
            return
        there = list(room.members.values())
        for number, member in enumerate(there, start=1):
            self.say("IRO", frame.trid, number, len(there), member.address, *self._described(member))
        self.conversation = room
        room.members[self.address] = self
        self.say("ANS", frame.trid, "OK")
        for member in there:
            member.say("JOI", self.address, *member._described(self))

    def _described(self, member: SwitchboardConnection) -> tuple[str | int, ...]:
        """Name, and for those who speak dialect 12 the capabilities (the recorded server shows them to all others)."""
        connection = self.me.connection
        dialect = connection.dialect if connection is not None else 0
        caps = (member.me.capabilities,) if dialect >= 12 else ()
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
        if len(data) > MAX_PAYLOAD or flag not in ("U", "N", "A", "D"):
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
