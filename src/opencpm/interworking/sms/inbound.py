"""What the SMSC brings: receipts become reports, texts become messages; answered after the commit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, Part, message_ident, text_part
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.report import Report
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.gsm.reassembly import Key
from opencpm.protocols.gsm.segments import Answer, Arrived, Segments, Whole
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.mm1.push import PUSH_PORT, from_segments
from opencpm.protocols.smpp.coding import Decoder
from opencpm.protocols.smpp.events import Received
from opencpm.protocols.smpp.message_id import check_digits
from opencpm.protocols.smpp.parts import part_of, text_of
from opencpm.protocols.smpp.receipt import looks_like_receipt, parse_receipt
from opencpm.protocols.smpp.short_message import ShortMessage
from opencpm.protocols.smpp.status import RX_R_APPN, RX_T_APPN
from opencpm.protocols.smpp.tlv import Tag

from .lane import Lane
from .reasons import status_said
from .settings import SmsSettings

log = logging.getLogger("opencpm.sms")

_TYPE_0 = 0x40
_SIM_DATA = 0x7F
_PUSH = "push"  # the note of segments that came to the port of WAP pushes


class Inbound:
    """The way in of one SMS network."""

    def __init__(self, settings: SmsSettings, context: Context) -> None:
        self.counters: Counter[str] = Counter()
        self._name = context.name
        self._context = context
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._segments = Segments(context.store, f"{context.name}.segments", settings.reassembly_timeout)
        self.replies = Replies(context.store, f"{context.name}.replies")
        self._decoders = {
            link.account_name: Decoder(link.default_alphabet, link.ucs2_little_endian) for link in settings.links
        }
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        """Take up what was not finished in an earlier life."""
        self._inbox = inbox
        self._deliver(self._segments.restore(self._context.clock.now()))

    def take(self, lane: Lane, received: Sequence[Received]) -> None:
        """A batch of deliver_sm: one commit for its reports, one for its messages."""
        reports: list[Report] = []
        of_reports: list[Answer] = []
        wholes: list[Whole] = []
        now = self._context.clock.now()
        respond = lane.responder()
        for event in received:
            answer = _answer(respond, event)
            if self._is_receipt(lane, event.message):
                report = self._report(lane, event.message, now)
                if report is None:
                    answer(0)
                else:
                    reports.append(report)
                    of_reports.append(answer)
            else:
                wholes += self._text(lane, event.message, answer, now)
        if reports and self._inbox is not None:
            self._inbox.reported(reports, lambda: _accept(of_reports))
        self._deliver(wholes)

    def expire(self) -> None:
        """Give up what has waited too long for missing segments: deliver what is there."""
        self._deliver(self._segments.expire(self._context.clock.now()))

    # -- receipts
    # ------------------------------------------------------------------------------------------------

    def _is_receipt(self, lane: Lane, sm: ShortMessage) -> bool:
        if sm.is_receipt:
            return True
        if not sm.tlvs and not lane.settings.untyped_receipts:
            return False
        by_parameter = any(tag == Tag.RECEIPTED_MESSAGE_ID for tag, _ in sm.tlvs)
        return by_parameter or (lane.settings.untyped_receipts and looks_like_receipt(sm))

    def _report(self, lane: Lane, sm: ShortMessage, now: float) -> Report | None:
        receipt = parse_receipt(sm)
        if receipt is None:
            self.counters["receipts that name no message"] += 1
            log.warning("a receipt over %s names no message", lane.account)
            return None
        status, error = status_said(receipt)
        return Report(
            status=status,
            network=self._name,
            source="SMSC receipt",
            at=now,
            key=lane.key(lane.ids.key(receipt.message_id)),
            check=check_digits(sm.source),
            error=error,
            detail=f"id:{receipt.message_id} {receipt.detail}",
        )

    # -- texts
    # ---------------------------------------------------------------------------------------------------

    def _text(self, lane: Lane, sm: ShortMessage, answer: Answer, now: float) -> list[Whole]:
        header, content, concat, port = part_of(sm)
        if self._is_for_machines(sm, port):
            answer(0)
            return []
        arrived = Arrived(
            lane.account,
            "",
            now,
            sm.data_coding,
            header.single_shift,
            header.locking_shift,
            (sm.source_ton, sm.source_npi, sm.source),
            (sm.destination_ton, sm.destination_npi, sm.destination),
            answer,
            _PUSH if port == PUSH_PORT else "",
        )
        if concat is None:
            return [Whole(self._context.ids.new(), (content,), arrived, False, (answer,), ())]
        key = Key.of(lane.account, sm.source, sm.destination, concat)
        return self._segments.add(key, concat, content, arrived, now)

    def _is_for_machines(self, sm: ShortMessage, port: int | None) -> bool:
        """Silent messages, SIM data and what is addressed to a port: consumed, never shown to people. Pushes go on."""
        if sm.protocol_id not in (_TYPE_0, _SIM_DATA) and port in (None, PUSH_PORT):
            return False
        self.counters["not for people"] += 1
        return True

    def _deliver(self, wholes: Sequence[Whole]) -> None:
        messages: list[Message] = []
        kept: list[Whole] = []
        for whole in wholes:
            message = self._message(whole)
            if message is None:
                self.counters["without text"] += 1
                self._finish(whole, None)
            else:
                messages.append(message)
                kept.append(whole)
        if not messages or self._inbox is None:
            return

        def done(verdicts: Sequence[SendError | None]) -> None:
            for whole, verdict in zip(kept, verdicts, strict=True):
                self._finish(whole, verdict)

        self._inbox.received(messages, done)

    def _finish(self, whole: Whole, verdict: SendError | None) -> None:
        """Answer by the verdict. Only trouble of ours asks the SMSC to try again: it would block its queue
        else.
        """
        status = 0
        if verdict is not None:
            status = RX_T_APPN if verdict.retryable else RX_R_APPN
            log.info("a short message was refused: %s", verdict.reason.value)
        for answer in whole.answers:
            answer(status)
        if status != RX_T_APPN:
            self._segments.forget(whole)

    def _message(self, whole: Whole) -> Message | None:
        part = self._part(whole)
        if part is None:
            return None
        now = self._context.clock.now()
        sender = self._numbers.to_address(whole.first.source[0], whole.first.source[2])
        return Message(
            id=message_ident(sender, whole.message_id),
            message_id=whole.message_id,
            sender=sender,
            recipients=(self._recipient(whole, sender),),
            parts=(part,),
            sent_at=whole.first.started,
            received_at=now,
            origin=self._name,
        )

    def _part(self, whole: Whole) -> Part | None:
        """The text, or word of an MMS; None: nothing that could be handed on."""
        if whole.first.note == _PUSH:
            pushed = from_segments(whole.parts)
            return Part(MEDIA_TYPE, pushed.content) if pushed is not None and pushed.is_mms else None
        text = self._decode(whole)
        return text_part(text) if text is not None and text.strip() else None

    def _recipient(self, whole: Whole, sender: Address) -> Address:
        """Whose number it is; for a number that many send from, the one who wrote to this person last."""
        to = self._numbers.to_address(whole.first.destination[0], whole.first.destination[2])
        if self._context.directory.owner_of(to) is None:
            return self.replies.meant(to, sender) or to
        return to

    def _decode(self, whole: Whole) -> str | None:
        decoder = self._decoders.get(whole.first.account) or Decoder()
        return text_of(decoder, whole.first.data_coding, whole.parts, whole.header, late=whole.late)


def _answer(respond: Callable[[Received, int], None], event: Received) -> Answer:
    return lambda status: respond(event, status)


def _accept(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer(0)
