"""What ESMEs submit: short messages become messages; the response comes after the commit and names our id."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from opencpm.access.smpp import parties
from opencpm.access.smpp.ids import MessageIds, coded, piece
from opencpm.access.smpp.ledger import Ledger
from opencpm.access.smpp.parties import Parties
from opencpm.access.smpp.reasons import V5, refusal
from opencpm.access.smpp.session import Peer
from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Disposition, Message, message_ident, text_part
from opencpm.domain.message import Part as Content
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.subscriber import Subscriber
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.gsm.reassembly import Key
from opencpm.protocols.gsm.segments import Arrived, Segments, Whole
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.mm1.push import PUSH_PORT, from_segments
from opencpm.protocols.smpp import times
from opencpm.protocols.smpp.coding import Alphabet, Decoder, alphabet_of
from opencpm.protocols.smpp.events import Received
from opencpm.protocols.smpp.parts import Part, part_of, text_of
from opencpm.protocols.smpp.short_message import TYPE_MASK, ShortMessage
from opencpm.protocols.smpp.status import (
    RINVDCS,
    RINVDSTADR,
    RINVESMCLASS,
    RINVEXPIRY,
    RINVMSGLEN,
    RINVSCHED,
    RINVSRCADR,
    RMSGQFUL,
    RTHROTTLED,
)
from opencpm.settings import SmppSettings, SmppTerms

log = logging.getLogger("opencpm.access.smpp")

_V34 = 0x34
_NO_TEXT = (Alphabet.BINARY, Alphabet.COMPRESSED)
_ASKED = 0x1B
"""The bits of registered_delivery that we act on."""
_WANTS = (
    Disposition.NONE,
    Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY,
    Disposition.NEGATIVE_DELIVERY,
    Disposition.POSITIVE_DELIVERY,
)

Finish = Callable[[SendError | None], None]


class Pending(NamedTuple):
    """A message to be handed in, and what its verdict does."""

    message: Message
    finish: Finish


class Envelope(NamedTuple):
    """What a submit says beside its text and receivers."""

    sender: Address
    wants: Disposition
    expires_at: float | None
    not_before: float = 0.0


class Submits:
    """The way in of all accounts."""

    def __init__(
        self, settings: SmppSettings, context: Context, ids: MessageIds, ledger: Ledger, people: Parties
    ) -> None:
        self.counters: Counter[str] = Counter()
        self._settings, self._context = settings, context
        self._ids, self._ledger, self._people = ids, ledger, people
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._segments = Segments(context.store, f"{context.name}.segments", settings.reassembly_timeout)
        self._terms: dict[str, SmppTerms | None] = {}
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        """Take up what was not whole in an earlier life."""
        self._inbox = inbox
        self._deliver(self._wholes(self._segments.restore(self._context.clock.now())))

    def expire(self) -> None:
        """Missing segments that are no longer waited for: deliver what is there, marked."""
        self._deliver(self._wholes(self._segments.expire(self._context.clock.now())))

    def take(self, peer: Peer, received: Sequence[Received], now: float) -> None:
        """A batch of submits: one commit for all of it. ``now`` is loop time."""
        pending: list[Pending] = []
        for event in received:
            status = self.admitted(peer, 1, now) or self._read(peer, event, pending)
            if status:
                self.counters[f"refused {status:08X}"] += 1
                peer.respond(event, status)
        self._deliver(pending)

    def admitted(self, peer: Peer, count: int, now: float) -> int:
        """Whether the account may submit so many now; else the status."""
        account = peer.account
        if not account.bucket.take(now, count):
            return RTHROTTLED
        return RMSGQFUL if account.pending > account.terms.pending else 0

    # -- one submit ----------------------------------------------------------------------------------------

    def _read(self, peer: Peer, event: Received, pending: list[Pending]) -> int:
        """Add what comes of a submit; or the status to answer at once."""
        sm = event.message
        part = part_of(sm)
        envelope = self.envelope(peer, sm, part)
        if isinstance(envelope, int):
            return envelope
        recipient = self.recipient(peer.account.id, sm.destination_ton, sm.destination)
        if recipient is None:
            return RINVDSTADR
        if part.concat is not None:
            return self._segment(peer, event, part, envelope, pending)
        content = self._content(part, peer.account.decoder, sm.data_coding)
        if isinstance(content, int):
            return content
        name = self._ids.name(peer.version)
        shown = piece(name)
        message_id = coded(shown, sm.data_coding)
        if peer.version < _V34:
            message_id = coded(f"{shown}.{self._ids.unique()}", sm.data_coding)
            self._ledger.add(name, (message_id,), (0,), self._context.clock.now())

        def finish(error: SendError | None) -> None:
            if error is None:
                peer.respond(event, 0, shown)
            else:
                peer.respond(event, refusal(error, peer.version))

        pending.append(Pending(self.message(envelope, message_id, recipient, content), finish))
        return 0

    @staticmethod
    def _content(part: Part, decoder: Decoder, data_coding: int) -> Content | int:
        """What a submit of one piece carries; or the status to refuse it with."""
        if part.port is not None:
            return _pushed((part.content,))
        text = text_of(decoder, data_coding, (part.content,), part.header)
        return text_part(text) if text else RINVDCS if text is None else RINVMSGLEN

    def envelope(self, peer: Peer, sm: ShortMessage, part: Part) -> Envelope | int:
        """What all kinds of submit have in common; or the status to refuse with."""
        if sm.esm_class & TYPE_MASK:
            return RINVESMCLASS
        pushed = part.port == PUSH_PORT and peer.account.terms.pushes
        if not pushed and (part.port is not None or alphabet_of(sm.data_coding) in _NO_TEXT):
            return RINVDCS
        sender = self.sender(peer.account.id, sm.source_ton, sm.source)
        if sender is None:
            return RINVSRCADR
        now = self._context.clock.now()
        try:
            expires_at = times.parse(sm.validity, now) if sm.validity else None
        except times.TimeError:
            return RINVEXPIRY
        if expires_at is not None and expires_at <= now:
            return RINVEXPIRY
        not_before = scheduled(sm.schedule, now)
        if not_before is None or (expires_at is not None and not_before >= expires_at):
            return RINVSCHED
        return Envelope(sender, wants_of(sm.registered_delivery), expires_at, not_before)

    def recipient(self, account: str, ton: int, digits: str) -> Address | None:
        """Who is meant; a name stands for the one who last wrote to this ESME under it."""
        address = parties.read(self._numbers, ton, digits)
        subscriber = self._context.directory.subscriber(account)
        if address is None or address.scheme != "alpha" or subscriber is None:
            return address
        return self._people.meant(address, parties.home(subscriber))

    def message(self, envelope: Envelope, message_id: str, recipient: Address, content: Content) -> Message:
        now = self._context.clock.now()
        return Message(
            id=message_ident(envelope.sender, message_id),
            message_id=message_id,
            sender=envelope.sender,
            recipients=(recipient,),
            parts=(content,),
            sent_at=now,
            received_at=now,
            origin=self._context.name,
            wants=envelope.wants,
            expires_at=envelope.expires_at,
            not_before=envelope.not_before,
        )

    def sender(self, account: str, ton: int, digits: str) -> Address | None:
        """The address an account sends from, if it is one of its own."""
        subscriber = self._context.directory.subscriber(account)
        if subscriber is None:
            return None
        address = parties.home(subscriber) if not digits else parties.read(self._numbers, ton, digits)
        if address is None or not self._allowed(subscriber, address):
            return None
        return address

    def _allowed(self, subscriber: Subscriber, address: Address) -> bool:
        terms = self._terms_of(subscriber.id)
        if terms is None or address not in subscriber.addresses:
            return False
        return not terms.senders or not {str(address), address.value}.isdisjoint(terms.senders)

    def _terms_of(self, account: str) -> SmppTerms | None:
        if account not in self._terms:
            self._terms[account] = self._settings.terms_of(account)
        return self._terms[account]

    # -- long messages -------------------------------------------------------------------------------------

    def _segment(self, peer: Peer, event: Received, part: Part, envelope: Envelope, pending: list[Pending]) -> int:
        """Keep a segment. Each has an id of its own and is answered when it, or the whole, is stored."""
        assert part.concat is not None
        sm, account, now = event.message, peer.account, self._context.clock.now()
        key = Key.of(account.id, sm.source, sm.destination, part.concat)
        name = _Note.read(self._segments.note_of(key)).name or self._ids.name(peer.version)
        shown = piece(name, part.concat.number)
        expires_at, pushed = envelope.expires_at or 0.0, part.port is not None
        note = _Note(name, part.concat.number, sm.registered_delivery, expires_at, pushed, envelope.not_before)
        arrived = Arrived(
            account.id,
            "",
            now,
            sm.data_coding,
            part.header.single_shift,
            part.header.locking_shift,
            (sm.source_ton, sm.source_npi, sm.source),
            (sm.destination_ton, sm.destination_npi, sm.destination),
            lambda status: peer.respond(event, status, "" if status else shown),
            note.written(),
        )
        pending += self._wholes(self._segments.add(key, part.concat, part.content, arrived, now))
        return 0

    def _wholes(self, wholes: Sequence[Whole]) -> list[Pending]:
        made = []
        for whole in wholes:
            message = self._of_whole(whole)
            if isinstance(message, int):
                self._finish_whole(whole, message)
            else:
                made.append(Pending(message, self._finishing(whole)))
        return made

    def _of_whole(self, whole: Whole) -> Message | int:
        """The message of segments; the first one's notes speak for all but receipts."""
        first, now = whole.first, self._context.clock.now()
        notes = [_Note.read(note) for note in whole.notes]
        sender = self.sender(first.account, first.source[0], first.source[2])
        recipient = self.recipient(first.account, first.destination[0], first.destination[2])
        if sender is None or recipient is None:
            return RINVSRCADR if sender is None else RINVDSTADR
        content = _pushed(whole.parts) if notes[0].pushed else self._text_of_whole(whole)
        if isinstance(content, int):
            return content
        wants = Disposition.NONE
        for note in notes:
            wants |= wants_of(note.registered)
        name = notes[0].name or self._ids.name(_V34)
        message_id = f"{piece(name)}.{whole.message_id[:8]}"
        asking = {note.number for note in notes if note.registered & _ASKED}
        self._ledger.add(name, (message_id,), tuple(asking), now)
        envelope = Envelope(sender, wants, notes[0].expires_at or None, notes[0].not_before)
        return self.message(envelope, message_id, recipient, content)

    def _text_of_whole(self, whole: Whole) -> Content | int:
        first = whole.first
        text = text_of(self._decoder(first.account), first.data_coding, whole.parts, whole.header, late=whole.late)
        return text_part(text) if text else RINVMSGLEN

    def _decoder(self, account: str) -> Decoder:
        terms = self._terms_of(account) or self._settings.terms
        return Decoder(terms.default_alphabet, terms.ucs2_little_endian)

    def _finishing(self, whole: Whole) -> Finish:
        def finish(error: SendError | None) -> None:
            self._finish_whole(whole, 0 if error is None else refusal(error, V5), error is not None and error.retryable)

        return finish

    def _finish_whole(self, whole: Whole, status: int, again: bool = False) -> None:
        """Answer the last segment. One that may come again finds the others where they were."""
        if status:
            self.counters[f"refused {status:08X}"] += 1
            log.info("a long message of %s was refused: %08X", whole.first.account, status)
        for answer in whole.answers:
            answer(status)
        if again:
            self._deliver(self._wholes(self._segments.restore(self._context.clock.now())))
        else:
            self._segments.forget(whole)

    # -- handing in ----------------------------------------------------------------------------------------

    def _deliver(self, pending: Sequence[Pending]) -> None:
        self.hand_in([one.message for one in pending], [one.finish for one in pending])

    def hand_in(self, messages: Sequence[Message], finishes: Sequence[Finish]) -> None:
        """Give messages to messaging; each verdict goes to its ``finish``."""
        if not messages or self._inbox is None:
            return

        def done(verdicts: Sequence[SendError | None]) -> None:
            for finish, verdict in zip(finishes, verdicts, strict=True):
                finish(verdict)

        self.counters["submitted"] += len(messages)
        self._inbox.received(messages, done)


class _Note(NamedTuple):
    """What is kept with a segment beside what every network keeps."""

    name: str = ""
    number: int = 0
    registered: int = 0
    expires_at: float = 0.0
    pushed: bool = False  # to the port of WAP pushes
    not_before: float = 0.0

    def written(self) -> str:
        fields = (self.name, self.number, self.registered, f"{self.expires_at:.0f}", int(self.pushed))
        return "|".join(map(str, fields)) + (f"|{self.not_before:.0f}" if self.not_before else "")

    @classmethod
    def read(cls, text: str) -> _Note:
        try:
            name, number, registered, expires_at, *more = text.split("|")
            pushed, not_before = more[:1] == ["1"], float(more[1]) if len(more) > 1 else 0.0
            return cls(name, int(number), int(registered), float(expires_at), pushed, not_before)
        except ValueError:
            return cls()


def _pushed(parts: Sequence[bytes | None]) -> Content | int:
    """Word of an MMS in what came to the port of pushes; or the status to refuse it with."""
    push = from_segments(parts)
    return Content(MEDIA_TYPE, push.content) if push is not None and push.is_mms else RINVDCS


def scheduled(text: str, now: float) -> float | None:
    """A schedule_delivery_time (§5.2.16); 0: at once, which a time that has passed means as well; None: no time."""
    try:
        at = times.parse(text, now) if text else 0.0
    except times.TimeError:
        return None
    return at if at > now else 0.0


def wants_of(registered_delivery: int) -> Disposition:
    """What registered_delivery asks for (5.0 §4.7.21); a user acknowledgement is our word of having been displayed."""
    wants = _WANTS[registered_delivery & 0x03]
    if registered_delivery & 0x10:
        wants |= Disposition.INTERWORKING
    if registered_delivery & 0x08:
        wants |= Disposition.DISPLAY
    return wants
