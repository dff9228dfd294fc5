"""Files over a switchboard, both ways: offered, accepted or declined, carried, acknowledged. No sockets, no clock.

`outgoing` are payloads for `MSG t D`, to be taken in order. Receiving: `FileOffered`, then `accept` or `decline`;
`FileCame` with the content, then `confirm`, which is the sender's word that it is kept. Sending: `offer`, then
`FileTaken` when the receiver has all, or `FileEnded`. Pictures and whatever else is offered is declined by itself.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from opencpm.protocols.msnp import commands, p2p, payload, slp
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.p2p import Packet
from opencpm.protocols.msnp.slp import FileOffer, Slp

MAX_SESSIONS = 8


@dataclass(frozen=True, slots=True)
class FileOffered:
    """A file is offered: `accept` or `decline` it."""

    session: int
    sender: str
    file: FileOffer


@dataclass(frozen=True, slots=True)
class FileCame:
    """The whole file is here; `confirm` tells the sender."""

    session: int
    sender: str
    file: FileOffer
    content: bytes


@dataclass(frozen=True, slots=True)
class FileTaken:
    """The receiver acknowledged the whole of a file that we sent."""

    session: int


@dataclass(frozen=True, slots=True)
class FileEnded:
    """A transfer came to its end without the whole file; `declined`: the other side did not want it."""

    session: int
    declined: bool = False


Event = FileOffered | FileCame | FileTaken | FileEnded


@dataclass(slots=True)
class _Session:
    peer: str  # as named in P2P-Dest, with its place if it has one
    call_id: str
    file: FileOffer
    invite: Slp | None = None  # of theirs
    content: bytes = b""  # of ours
    sent_as: int = 0  # message id of our data
    last: Packet | None = None  # of their data
    accepted: bool = False


class Transfers:
    """The transfers in one switchboard of the account `me` (with `;{guid}` from version 16 on). `guid` gives fresh
    `{GUID}`s and `number` fresh numbers below 2^31; `limit` is the largest file taken, in octets."""

    def __init__(self, me: str, limit: int, guid: Callable[[], str], number: Callable[[], int]) -> None:
        self._me, self._guid, self._number = me, guid, number
        self._address = commands.address(me)
        self._texts, self._limit = p2p.Assembler(slp.MAX_TEXT), limit
        self._files = p2p.Assembler(max(limit, 4))
        self._sessions: dict[int, _Session] = {}
        self._ident = number()
        self.outgoing: deque[bytes] = deque()

    # --- what the owner does -------------------------------------------------------------------------------------

    def accept(self, session: int) -> None:
        """Take an offered file."""
        known = self._sessions.get(session)
        if known is not None and known.invite is not None:
            known.accepted = True
            self._say(known.peer, slp.answer(known.invite, "200 OK", slp.SESSION_BODY, {"SessionID": session}))

    def decline(self, session: int) -> None:
        """Refuse an offered file."""
        known = self._sessions.pop(session, None)
        if known is not None and known.invite is not None:
            self._decline(known.peer, known.invite, session)

    def confirm(self, session: int) -> None:
        """The file is kept: tell the sender, and end the session."""
        known = self._sessions.pop(session, None)
        if known is not None and known.last is not None:
            self._put(known.peer, p2p.acknowledgement(known.last, self._next()))
            self._bye(known)

    def abandon(self, session: int) -> None:
        """End a session in any state."""
        known = self._sessions.pop(session, None)
        if known is not None:
            self._bye(known)

    def offer(self, peer: str, name: str, content: bytes) -> int:
        """Offer a file; returns its session. Raises MsnpError when too many are under way."""
        if len(self._sessions) >= MAX_SESSIONS:
            raise MsnpError("too many transfers")
        session, file = self._number() or 1, FileOffer(name, len(content))
        known = _Session(peer, self._guid(), file, content=content)
        self._sessions[session] = known
        body: dict[str, str | int] = {
            "EUF-GUID": slp.FILE,
            "SessionID": session,
            "AppID": slp.FILE_APP,
            "Context": slp.file_context(file),
        }
        self._say(peer, slp.request("INVITE", peer, self._me, self._guid(), known.call_id, slp.SESSION_BODY, body))
        return session

    # --- what the peer says --------------------------------------------------------------------------------------

    def receive(self, sender: str, said: payload.Payload) -> list[Event]:
        """Take the payload of an `application/x-msnmsgrp2p` message; what is not for us or cannot be read is passed
        over."""
        try:
            dest = said.headers.get("p2p-dest", self._me)
            if commands.address(dest) != self._address or (";" in dest and dest.lower() != self._me.lower()):
                return []
            source = said.headers.get("p2p-src", sender)
            return self._packet(source, p2p.parse(said.body))
        except MsnpError:
            return []

    def _packet(self, peer: str, packet: Packet) -> list[Event]:
        if packet.acknowledges:
            return self._acknowledged(packet)
        if packet.session:
            return self._data(packet)
        whole = self._texts.add(packet)
        if whole is None:
            return []
        self._put(peer, p2p.acknowledgement(packet, self._next()))
        return self._text(peer, slp.parse(whole))

    def _acknowledged(self, packet: Packet) -> list[Event]:
        for session, known in self._sessions.items():
            if known.sent_as and known.sent_as == packet.ack_ident and packet.ack_size >= len(known.content):
                del self._sessions[session]
                return [FileTaken(session)]
        return []

    def _data(self, packet: Packet) -> list[Event]:
        known = self._sessions.get(packet.session)
        if known is None or known.invite is None or not known.accepted or known.last is not None:
            return []
        if packet.broken or packet.total > self._limit:
            self.abandon(packet.session)
            return [FileEnded(packet.session)]
        whole = self._files.add(packet)
        if whole is None or packet.total != known.file.size:
            return []  # four octets of nothing may come before the data
        known.last = packet
        return [FileCame(packet.session, commands.address(known.peer), known.file, whole)]

    def _text(self, peer: str, said: Slp) -> list[Event]:
        if said.method == "INVITE":
            return self._invited(peer, said)
        session = self._by_call(said)
        if session is None:
            return []
        if said.method == "BYE":
            kept = self._sessions[session]
            if kept.last is not None:
                return []  # it is all here: `confirm` is under way
            del self._sessions[session]
            return [FileEnded(session)]
        return self._answered(session, said)

    def _invited(self, peer: str, said: Slp) -> list[Event]:
        if said.content_type == slp.TRANSPORT_BODY:
            # They propose a connection of their own: we have none to offer, so the data comes by the switchboard.
            none = {"Bridge": "TCPv1", "Listening": "false", "Nonce": "{00000000-0000-0000-0000-000000000000}"}
            self._say(peer, slp.answer(said, "200 OK", slp.TRANSPORT_ANSWER, none))
            return []
        is_file = said.body.get("euf-guid", "").upper() == slp.FILE and bool(said.session)
        if not is_file or len(self._sessions) >= MAX_SESSIONS or said.session in self._sessions:
            self._decline(peer, said, said.session)
            return []
        try:
            file = slp.read_file_context(said.body.get("context", ""))
        except MsnpError:
            self._decline(peer, said, said.session)
            return []
        self._sessions[said.session] = _Session(peer, said.headers.get("call-id", ""), file, said)
        return [FileOffered(said.session, commands.address(peer), file)]

    def _answered(self, session: int, said: Slp) -> list[Event]:
        known = self._sessions[session]
        if known.invite is not None or known.accepted or said.content_type != slp.SESSION_BODY:
            return []
        if said.status != 200:
            del self._sessions[session]
            return [FileEnded(session, declined=said.status == 603)]
        known.accepted, known.sent_as = True, self._next()
        unique = self._number()
        for packet in p2p.pieces(session, known.sent_as, unique, known.content, p2p.FILE_DATA, slp.FILE_APP):
            self._put(known.peer, packet)
        return []

    def _by_call(self, said: Slp) -> int | None:
        call = said.headers.get("call-id", "").upper()
        return next((session for session, known in self._sessions.items() if known.call_id.upper() == call), None)

    # --- sending -------------------------------------------------------------------------------------------------

    def _decline(self, peer: str, invite: Slp, session: int) -> None:
        self._say(peer, slp.answer(invite, "603 Decline", slp.SESSION_BODY, {"SessionID": session}))

    def _bye(self, known: _Session) -> None:
        text = slp.request("BYE", known.peer, self._me, self._guid(), known.call_id, slp.CLOSE_BODY, {})
        self._say(known.peer, text)

    def _say(self, peer: str, text: bytes) -> None:
        for packet in p2p.pieces(0, self._next(), self._number(), text, 0, 0):
            self._put(peer, packet)

    def _put(self, peer: str, packet: Packet) -> None:
        self.outgoing.append(p2p.build(packet, peer, self._me if ";" in self._me else ""))

    def _next(self) -> int:
        self._ident = (self._ident + 1) & 0x7FFFFFFF or 1
        return self._ident
