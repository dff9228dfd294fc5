"""The other requests of an ESME: to several receivers, about a message, and what we do not do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from opencpm.access.smpp.about import ABOUT, About
from opencpm.access.smpp.ids import MessageIds, piece
from opencpm.access.smpp.ledger import Ledger
from opencpm.access.smpp.reasons import refusal
from opencpm.access.smpp.session import Peer
from opencpm.access.smpp.submits import Envelope, Finish, Submits
from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, text_part
from opencpm.interfaces import Context, Inbox, Store
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.multi import LIST, from_submit_multi
from opencpm.protocols.smpp.parts import part_of, text_of
from opencpm.protocols.smpp.pdu import Address as Destination
from opencpm.protocols.smpp.pdu import Pdu
from opencpm.protocols.smpp.status import (
    RBCASTCANCELFAIL,
    RBCASTFAIL,
    RBCASTQUERYFAIL,
    RINVCMDID,
    RINVDCS,
    RINVDLNAME,
    RINVDSTADR,
    RINVESMCLASS,
    RINVMSGLEN,
    RINVNUMDESTS,
)

_NOT_DONE: Final[Mapping[int, int]] = {
    Command.BROADCAST_SM: RBCASTFAIL,
    Command.QUERY_BROADCAST_SM: RBCASTQUERYFAIL,
    Command.CANCEL_BROADCAST_SM: RBCASTCANCELFAIL,
}
"""What is refused, each with its own status: there are no cells."""

_MOST = 254
_ADDRESS = 20

Failed = tuple[int, int, str, int]
"""An entry of unsuccess_sme: TON, NPI, number, status."""


class Requests:
    def __init__(self, context: Context, store: Store, submits: Submits, ids: MessageIds, ledger: Ledger) -> None:
        self._context = context
        self._submits, self._ids, self._ledger = submits, ids, ledger
        self._about = About(context, store, submits, ledger)

    def start(self, inbox: Inbox) -> None:
        self._about.start(inbox)

    def take(self, peer: Peer, asked: Pdu, now: float) -> None:
        """Answer a request; ``now`` is loop time."""
        if asked.command in ABOUT:
            self._about.take(peer, asked, now)
        elif asked.command == Command.SUBMIT_MULTI:
            self._multi(peer, asked, now)
        else:
            peer.answer(asked, status=_NOT_DONE.get(asked.command, RINVCMDID))

    # -- submit_multi --------------------------------------------------------------------------------------

    def _multi(self, peer: Peer, asked: Pdu, now: float) -> None:
        """A message to each receiver; the response tells who will not get it."""
        sm, destinations = from_submit_multi(asked)
        status = RINVNUMDESTS if not 0 < len(destinations) <= _MOST else 0
        status = status or self._submits.admitted(peer, len(destinations), now)
        part = part_of(sm)
        envelope = self._submits.envelope(peer, sm, part)
        text = text_of(peer.account.decoder, sm.data_coding, (part.content,), part.header)
        if part.concat is not None or part.port is not None:  # a long text for many goes into message_payload
            status = status or RINVESMCLASS
        elif not text:
            status = status or (RINVDCS if text is None else RINVMSGLEN)
        if status or isinstance(envelope, int):
            peer.answer(asked, status=status or (envelope if isinstance(envelope, int) else 0))
            return
        _Multi(self._submits, peer, asked).submit(envelope, text or "", destinations, self._new_name(peer))

    def _new_name(self, peer: Peer) -> Naming:
        return Naming(self._ids.name(peer.version), self._ids.unique(), self._ledger, self._context.clock.now())


class Naming:
    """The id of a submit_multi, and one of ours for each receiver."""

    def __init__(self, name: str, unique: str, ledger: Ledger, now: float) -> None:
        self._name, self._unique, self._ledger, self._now = name, unique, ledger, now

    @property
    def shown(self) -> str:
        return piece(self._name)

    def ours(self, count: int) -> list[str]:
        """Message-IDs; what they stand for is durable before them."""
        made = [f"{self.shown}.{self._unique}{number}" for number in range(count)]
        self._ledger.add(self._name, made, (0,), self._now)
        return made


class _Multi:
    """One submit_multi under way: its response goes when every verdict is there."""

    def __init__(self, submits: Submits, peer: Peer, asked: Pdu) -> None:
        self._submits, self._peer, self._asked = submits, peer, asked
        self._failed: list[Failed] = []
        self._waiting = 0

    def submit(self, envelope: Envelope, text: str, destinations: Sequence[Destination], naming: Naming) -> None:
        good: list[tuple[Destination, Address]] = []
        for destination in destinations:
            ton, npi, digits = destination
            if digits.startswith(LIST):
                self._fail((ton, npi, digits.removeprefix(LIST)), RINVDLNAME)
            elif (recipient := self._submits.recipient(self._peer.account.id, ton, digits)) is None:
                self._fail(destination, RINVDSTADR)
            else:
                good.append((destination, recipient))
        self._hand_in(envelope, text, good, naming)

    def _hand_in(
        self, envelope: Envelope, text: str, good: Sequence[tuple[Destination, Address]], naming: Naming
    ) -> None:
        if not good:
            self._peer.answer(self._asked, status=RINVDSTADR)
            return
        self._waiting = len(good)
        messages: list[Message] = []
        finishes: list[Finish] = []
        for (destination, recipient), message_id in zip(good, naming.ours(len(good)), strict=True):
            messages.append(self._submits.message(envelope, message_id, recipient, text_part(text)))
            finishes.append(self._finishing(destination, naming.shown, len(good)))
        self._submits.hand_in(messages, finishes)

    def _finishing(self, destination: Destination, shown: str, count: int) -> Finish:
        def finish(error: SendError | None) -> None:
            self._waiting -= 1
            if error is not None:
                self._fail(destination, refusal(error, self._peer.version))
            if not self._waiting:
                self._answer(shown, count)

        return finish

    def _fail(self, destination: Destination, status: int) -> None:
        self._failed.append((destination[0], destination[1], destination[2][:_ADDRESS], status))

    def _answer(self, shown: str, count: int) -> None:
        refused_by_us = self._failed[-count:]
        if len(self._failed) >= count and len({one[3] for one in refused_by_us}) == 1 and self._all_failed():
            self._peer.answer(self._asked, status=refused_by_us[0][3])
            return
        self._peer.answer(self._asked, {"message_id": shown, "unsuccess_smes": tuple(self._failed)})

    def _all_failed(self) -> bool:
        destinations = self._asked.body["dest_addresses"]
        return isinstance(destinations, tuple) and len(self._failed) == len(destinations)
