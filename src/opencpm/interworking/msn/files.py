"""Files that buddies send in a switchboard: taken when they are small enough, confirmed once they are stored."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Callable

from opencpm.domain.errors import SendError
from opencpm.interworking.msn import adapt, inbound
from opencpm.interworking.msn.board import Board
from opencpm.interworking.msn.desk import Desk, machine_of
from opencpm.protocols.msnp import dialects, transfers
from opencpm.protocols.msnp.errors import MsnpError
from opencpm.protocols.msnp.payload import Payload
from opencpm.protocols.msnp.transfers import Transfers


class Files:
    """The transfers of one switchboard of the account `me`. `refused` is called when a file is not taken."""

    def __init__(self, desk: Desk, board: Board, me: str, dialect: int, refused: Callable[[], None]) -> None:
        place = f"{me};{machine_of(me, desk.name)}" if dialects.has_places(dialect) else me
        self._desk, self._board, self._me, self._refused = desk, board, me, refused
        self._machine = Transfers(place, desk.settings.max_file_bytes, _guid, lambda: secrets.randbelow(1 << 31))

    def hear(self, sender: str, said: Payload) -> None:
        """One packet."""
        for event in self._machine.receive(sender, said):
            match event:
                case transfers.FileOffered(session, _, file):
                    self._offered(session, file.size)
                case transfers.FileCame():
                    self._came(event)
                case _:
                    pass  # given up by the sender: nobody waits for it
        self._flush()

    def _offered(self, session: int, size: int) -> None:
        if 0 < size <= self._desk.settings.max_file_bytes:
            self._machine.accept(session)
        else:
            self._machine.decline(session)
            self._refused()

    def _came(self, came: transfers.FileCame) -> None:
        self._desk.counters.received += 1
        part = adapt.file_part(came.file.name, came.content)
        said = inbound.file(self._desk, came.sender, self._me, part)
        inbound.hand_over(said, self._desk.inbox.received, judged=lambda error: self._judged(came.session, error))

    def _judged(self, session: int, error: SendError | None) -> None:
        """Our side has stored the file, or refused it for good."""
        if error is None:
            self._machine.confirm(session)
        else:
            self._machine.abandon(session)
            self._refused()
        self._flush()

    def _flush(self) -> None:
        out = self._machine.outgoing
        try:
            while out:
                self._board.peer_data(out.popleft())
        except MsnpError:
            out.clear()  # nobody is there any more


def _guid() -> str:
    return f"{{{str(uuid.uuid4()).upper()}}}"
