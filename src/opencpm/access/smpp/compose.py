"""What an ESME gets: texts and delivery receipts as deliver_sm (SMPP 3.4 §4.6, appendix B)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache

from opencpm.access.smpp import parties
from opencpm.access.smpp.ids import name_of, piece, shown
from opencpm.access.smpp.ledger import Ledger
from opencpm.access.smpp.parties import Parties
from opencpm.access.smpp.reasons import failure
from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.message import Disposition, Message
from opencpm.domain.profile import WHOLE, Fit
from opencpm.domain.report import Status
from opencpm.protocols.gsm import alphabet, content
from opencpm.protocols.gsm.content import NoText, Terms, TooLong
from opencpm.protocols.gsm.segmentation import Coding, Segmentation
from opencpm.protocols.mm1 import push
from opencpm.protocols.mm1.errors import Mm1Error
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.smpp.receipt import State, receipt_text
from opencpm.protocols.smpp.short_message import INTERMEDIATE, RECEIPT, UDHI, ShortMessage
from opencpm.protocols.smpp.tlv import Tag, Tlvs
from opencpm.settings import SmppTerms

_V34 = 0x34
_USER_ACKNOWLEDGEMENT = 0x10
_TERMS = Terms(max_segments=255, transliteration="off")
_LATIN1 = 0x03
_UCS2 = 0x08
_DATA = 0x04

NotText = SendError(Reason.UNSUPPORTED_MEDIA, detail="applications over SMPP take text only")


def fit(message: Message) -> Fit:
    """Whether an ESME can be given this: text, whatever its length."""
    if _is_push(message):
        return WHOLE
    for part in message.parts:
        if part.media_type != "text/plain":
            return Fit(segments=0, error=NotText)
    return Fit(losses=(content.SUBJECT_LOSS,)) if message.subject else WHOLE


def _is_push(message: Message) -> bool:
    """Whether this is word of an MMS, which goes to the port of pushes."""
    return len(message.parts) == 1 and message.parts[0].media_type == MEDIA_TYPE


class Composer:
    """``cause(delivery id)``: the Reason value with which a delivery failed, for its receipt."""

    def __init__(self, people: Parties, ledger: Ledger, cause: Callable[[str], str], now: Callable[[], float]) -> None:
        self._people, self._ledger = people, ledger
        self._cause, self._now = cause, now

    def compose(self, delivery: Delivery, version: int, account: Address, terms: SmppTerms) -> tuple[ShortMessage, ...]:
        """The deliver_sm of a delivery; ``account`` is the ESME's own address. Raises SendError."""
        if delivery.notice is None:
            return self._text(delivery, version, account, terms)
        return self._receipts(delivery, delivery.notice, version, account, terms)

    # -- texts ---------------------------------------------------------------------------------------------

    def _text(self, delivery: Delivery, version: int, account: Address, terms: SmppTerms) -> tuple[ShortMessage, ...]:
        cut = _push(delivery, terms) if _is_push(delivery.message) else _cut(delivery)
        source = self._people.written(delivery.source, account)
        target = parties.own(delivery.target if delivery.target.scheme in parties.NUMBERS else account)
        coding = _DATA if _is_push(delivery.message) else 0 if cut.coding is Coding.GSM7 else _UCS2
        blank = ShortMessage(
            source.digits, target.digits, b"", source.ton, source.npi, target.ton, target.npi, data_coding=coding
        )
        segments = cut.segments
        if coding == 0 and terms.default_alphabet in ("latin1", "ascii"):
            blank = blank._replace(data_coding=_LATIN1)
            segments = tuple([one._replace(content=_latin1(one.content)) for one in segments])
        if coding != _DATA and len(segments) > 1 and terms.long_messages == "payload" and version >= _V34:
            payload = b"".join([one.content for one in segments])
            return (blank._replace(tlvs=((int(Tag.MESSAGE_PAYLOAD), payload),)),)
        return tuple(
            [blank._replace(message=header + octets, esm_class=UDHI if header else 0) for header, octets in segments]
        )

    # -- receipts ------------------------------------------------------------------------------------------

    def _receipts(
        self, delivery: Delivery, notice: Notice, version: int, account: Address, terms: SmppTerms
    ) -> tuple[ShortMessage, ...]:
        """One for each segment whose submit asked for it, under the id that its response named."""
        wants = delivery.message.wants
        if notice.status is Status.FAILED and not wants & Disposition.NEGATIVE_DELIVERY:
            return ()
        known = shown(notice.message_id)
        row = self._ledger.get(name_of(known)) if "." in notice.message_id else None
        ids = [piece(name_of(known), number) for number in row.pieces] if row else [known]
        return tuple([self._receipt(delivery, notice, one, version, account, terms) for one in ids])

    def _receipt(
        self, delivery: Delivery, notice: Notice, message_id: str, version: int, account: Address, terms: SmppTerms
    ) -> ShortMessage:
        kind, state, error = self._claim(delivery, notice)
        sender = delivery.message.sender
        source = self._people.written(notice.recipient, account)
        target = parties.own(sender if sender.scheme in parties.NUMBERS else account)
        text = b""
        if terms.receipts != "tlv" or version < _V34:
            quoted = delivery.message.text[:20].encode("ascii", "replace")
            dates = _date(delivery.message.received_at), _date(self._now())
            text = receipt_text(message_id, state, *dates, error, quoted)
        tlvs: Tlvs = ()
        if terms.receipts != "text" and version >= _V34:
            tlvs = (
                (int(Tag.RECEIPTED_MESSAGE_ID), message_id.encode() + b"\0"),
                (int(Tag.MESSAGE_STATE), bytes((state,))),
            )
        return ShortMessage(
            source.digits,
            target.digits,
            text,
            source.ton,
            source.npi,
            target.ton,
            target.npi,
            esm_class=kind,
            tlvs=tlvs,
        )

    def _claim(self, delivery: Delivery, notice: Notice) -> tuple[int, State, str]:
        """esm_class, message_state and ``err:`` of what the notice says."""
        if notice.status is Status.DELIVERED:
            return RECEIPT, State.DELIVERED, "000"
        if notice.status is Status.DISPLAYED:
            return _USER_ACKNOWLEDGEMENT, State.DELIVERED, "000"
        if notice.status is Status.FAILED:
            return RECEIPT, *failure(self._cause(delivery.id.partition("!")[0]))
        return INTERMEDIATE, State.ENROUTE, "000"


def _push(delivery: Delivery, terms: SmppTerms) -> Segmentation:
    """The segments of word of an MMS, for those who take it. Raises SendError."""
    if not terms.pushes:
        raise NotText
    try:
        segments = push.segments_of(delivery.message.parts[0].body, content.reference_of(delivery.id))
    except Mm1Error as error:
        raise SendError(Reason.MALFORMED, detail=f"no MMS notification: {error}") from None
    return Segmentation(Coding.UCS2, segments)  # octets; no alphabet


def _cut(delivery: Delivery) -> Segmentation:
    """The segments of a text. Raises SendError."""
    message = delivery.message
    if (error := fit(message).error) is not None:
        raise error
    try:
        text = content.prepared(message.text, message.subject, _TERMS)
        return content.segments_of(text, _TERMS, content.reference_of(delivery.id))
    except NoText as error:
        raise SendError(Reason.MALFORMED, detail=str(error)) from None
    except TooLong as error:
        raise SendError(Reason.TOO_LARGE, detail=str(error)) from None


def _latin1(septets: bytes) -> bytes:
    """The few letters of the GSM alphabet that Latin-1 has not become question marks."""
    return alphabet.DEFAULT.decode(septets).encode("latin-1", "replace")


@lru_cache(maxsize=256)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(60 * minute, UTC).strftime("%y%m%d%H%M")


def _date(at: float) -> str:
    return _minute(int(at // 60))
