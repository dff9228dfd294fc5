"""What an ESME asks about messages that it submitted: query_sm, cancel_sm, replace_sm (SMPP 3.4 §4.8 to 4.10)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from opencpm.access.smpp.ids import coding_of, meant, name_of
from opencpm.access.smpp.ledger import Ledger
from opencpm.access.smpp.reasons import failure, refusal
from opencpm.access.smpp.session import Peer
from opencpm.access.smpp.submits import Submits, scheduled, wants_of
from opencpm.domain.address import Address
from opencpm.domain.delivery import FINAL, DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Message, Replacement, message_ident, text_part
from opencpm.interfaces import Context, DeliveryRecord, Inbox, Store
from opencpm.protocols.smpp import times
from opencpm.protocols.smpp.command import Command
from opencpm.protocols.smpp.pdu import Pdu
from opencpm.protocols.smpp.receipt import State
from opencpm.protocols.smpp.status import (
    RCANCELFAIL,
    RINVEXPIRY,
    RINVMSGLEN,
    RINVSCHED,
    RQUERYFAIL,
    RREPLACEFAIL,
    RSYSERR,
)
from opencpm.protocols.smpp.tlv import Tag, value_of

ABOUT: Final = frozenset({Command.QUERY_SM, Command.CANCEL_SM, Command.REPLACE_SM})
_V50 = 0x50
_LATEST = 1000
"""Among how many messages to a person those are looked for that a cancel_sm without an id means."""
_SAID: Final = frozenset({Reason.TOO_LARGE, Reason.UNSUPPORTED_MEDIA, Reason.INTERNAL})
"""Why a replace_sm is refused that has a status of its own."""


class About:
    """Answers from the store; what is not this account's own does not exist."""

    def __init__(self, context: Context, store: Store, submits: Submits, ledger: Ledger) -> None:
        self._context, self._store = context, store
        self._submits, self._ledger = submits, ledger
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def take(self, peer: Peer, asked: Pdu, now: float) -> None:
        """Answer a request; ``now`` is loop time. What changes something counts towards the rate of submits."""
        if asked.command == Command.QUERY_SM:
            self._query(peer, asked)
        elif status := self._submits.admitted(peer, 1, now):
            peer.answer(asked, status=status)
        elif asked.command == Command.CANCEL_SM:
            self._cancel(peer, asked)
        else:
            self._replace(peer, asked)

    # -- query_sm ------------------------------------------------------------------------------------------

    def _query(self, peer: Peer, asked: Pdu) -> None:
        message_id = str(asked.body["message_id"])
        messages = self._messages(peer.account.id, message_id)
        records = [record for message in messages for record in self._store.deliveries_of(message.id)]
        if not records:
            peer.answer(asked, status=RQUERYFAIL)
            return
        state, error = _state_of(records, peer.version)
        final = "" if state in (State.ENROUTE, State.SCHEDULED) else times.absolute(max(r.updated_at for r in records))
        peer.answer(
            asked,
            {"message_id": message_id, "final_date": final, "message_state": int(state), "error_code": error},
        )

    # -- cancel_sm -----------------------------------------------------------------------------------------

    def _cancel(self, peer: Peer, asked: Pdu) -> None:
        """The message named; or, where none is, all that wait on the way from one address to another."""
        account, message_id = peer.account.id, str(asked.body["message_id"])
        recipient = self._recipient(account, asked)
        messages = self._messages(account, message_id) if message_id else self._between(account, asked, recipient)
        messages = [one for one in messages if self._is_from(account, asked, one)]
        if recipient is not None and message_id:
            messages = [one for one in messages if recipient in self._receivers(one)]
        if not messages or self._inbox is None:
            peer.answer(asked, status=RCANCELFAIL)
            return
        answer = _Together(len(messages), lambda errors: peer.answer(asked, status=_cancelled(errors)))
        for message in messages:
            self._inbox.recalls.cancel(message.id, message.sender, answer.one)

    def _between(self, account: str, asked: Pdu, recipient: Address | None) -> list[Message]:
        """What this account sent to somebody and is not at an end."""
        if recipient is None or not asked.body["source_addr"]:
            return []
        peer = self._context.directory.contact(account, recipient)
        found = {
            record.message.id: record.message
            for record, sent in self._store.history(account, peer.id, _LATEST)
            if sent and record.recipient == recipient and record.state not in FINAL
        }
        return list(found.values())

    # -- replace_sm ----------------------------------------------------------------------------------------

    def _replace(self, peer: Peer, asked: Pdu) -> None:
        """One message of one piece: a segment of a longer one, or one copy of many, cannot be exchanged."""
        account, message_id = peer.account.id, str(asked.body["message_id"])
        messages = self._messages(account, message_id)
        if len(messages) != 1 or message_id[-2:] != "00" or not self._is_from(account, asked, messages[0]):
            peer.answer(asked, status=RREPLACEFAIL)
            return
        instead = self._instead(peer, asked, messages[0])
        if isinstance(instead, int) or self._inbox is None:
            peer.answer(asked, status=instead if isinstance(instead, int) else RREPLACEFAIL)
            return

        def done(error: SendError | None) -> None:
            peer.answer(asked, status=0 if error is None else _replaced(error, peer.version))

        self._inbox.recalls.replace(messages[0].id, messages[0].sender, instead, done)

    def _instead(self, peer: Peer, asked: Pdu, message: Message) -> Replacement | int:
        """What is put in its place; or the status to refuse with. Times that are empty stay as they are."""
        body, now = asked.body, self._context.clock.now()
        payload = value_of(asked.tlvs, Tag.MESSAGE_PAYLOAD)
        octets = payload if payload is not None else body["short_message"]
        assert isinstance(octets, bytes)
        text = peer.account.decoder.decode(coding_of(message.message_id), [octets])
        if not text or body["sm_default_msg_id"]:
            return RINVMSGLEN
        not_before = scheduled(str(body["schedule_delivery_time"]), now)
        if not_before is None:
            return RINVSCHED
        expires_at: float | None = None
        try:
            if body["validity_period"]:
                expires_at = times.parse(str(body["validity_period"]), now)
        except times.TimeError:
            return RINVEXPIRY
        if expires_at is not None and expires_at <= max(now, not_before):
            return RINVEXPIRY
        registered = body["registered_delivery"]
        return Replacement(
            parts=(text_part(text),),
            wants=wants_of(registered if isinstance(registered, int) else 0),
            expires_at=expires_at,
            not_before=not_before if body["schedule_delivery_time"] else None,
        )

    # -- whose, and which ----------------------------------------------------------------------------------

    def _messages(self, account: str, message_id: str) -> list[Message]:
        """The messages that this account sent under an id of ours: several after submit_multi."""
        subscriber = self._context.directory.subscriber(account)
        own = subscriber.addresses if subscriber else ()
        row = self._ledger.get(name_of(message_id))
        if row is not None:
            known = [self._store.message(message_ident(sender, one)) for one in row.message_ids for sender in own]
            return [message for message in known if message is not None]
        for one in meant(message_id):
            for sender in own:
                if (message := self._store.message(message_ident(sender, one))) is not None:
                    return [message]
        return []

    def _is_from(self, account: str, asked: Pdu, message: Message) -> bool:
        """Whether the source is the one of the submit; one that is not told is."""
        ton, digits = asked.body["source_addr_ton"], str(asked.body["source_addr"])
        if not digits:
            return True
        return self._submits.sender(account, ton if isinstance(ton, int) else 0, digits) == message.sender

    def _recipient(self, account: str, asked: Pdu) -> Address | None:
        ton, digits = asked.body["dest_addr_ton"], str(asked.body["destination_addr"])
        return self._submits.recipient(account, ton if isinstance(ton, int) else 0, digits) if digits else None

    def _receivers(self, message: Message) -> set[Address]:
        return {*message.recipients, *[record.recipient for record in self._store.deliveries_of(message.id)]}


class _Together:
    """The verdicts of several messages, told once all are there."""

    def __init__(self, count: int, then: Callable[[list[SendError]], None]) -> None:
        self._left, self._then = count, then
        self._errors: list[SendError] = []

    def one(self, error: SendError | None) -> None:
        self._left -= 1
        if error is not None:
            self._errors.append(error)
        if not self._left:
            self._then(self._errors)


def _cancelled(errors: Sequence[SendError]) -> int:
    if not errors:
        return 0
    return RSYSERR if all(error.reason is Reason.INTERNAL for error in errors) else RCANCELFAIL


def _replaced(error: SendError, version: int) -> int:
    if error.reason is Reason.NOT_ACCEPTABLE:
        return RINVSCHED
    return refusal(error, version) if error.reason in _SAID else RREPLACEFAIL


def _state_of(records: Sequence[DeliveryRecord], version: int) -> tuple[State, int]:
    """message_state and error_code of all deliveries together: what is worst, once nothing is under way. That a message
    is kept until its time is a state of 5.0 (§4.7.15)."""
    if any(record.state not in FINAL for record in records):
        kept = version >= _V50 and all(record.withheld for record in records)
        return State.SCHEDULED if kept else State.ENROUTE, 0
    for record in records:
        if record.state is DeliveryState.FAILED:
            state, error = failure(record.error)
            return state, int(error)
    states = {record.state for record in records}
    if DeliveryState.EXPIRED in states:
        return State.EXPIRED, 0
    return (State.UNKNOWN if DeliveryState.UNKNOWN in states else State.DELIVERED), 0
