"""What the centre brings: notifications become reports, texts become messages; answered after the commit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, Part, message_ident, text_part
from opencpm.domain.numbering import NumberPlan, NumberType
from opencpm.domain.replies import Replies
from opencpm.domain.report import Report
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.reassembly import Key
from opencpm.protocols.gsm.segments import Answer, Arrived, Segments, Whole
from opencpm.protocols.gsm.text import normalise, without_controls
from opencpm.protocols.mm1.pdu import MEDIA_TYPE
from opencpm.protocols.mm1.push import PUSH_PORT, from_segments
from opencpm.protocols.ucp import operations
from opencpm.protocols.ucp.codes import DELIVERY_IN_PROGRESS
from opencpm.protocols.ucp.content import UserData, content_of, text_of
from opencpm.protocols.ucp.errors import UcpError
from opencpm.protocols.ucp.events import Received
from opencpm.protocols.ucp.operations import NOTIFICATION
from opencpm.protocols.ucp.times import is_stamp

from .link import Respond
from .names import message_key, sender_of
from .reasons import status_said, verdict_code
from .settings import UcpSettings

log = logging.getLogger("opencpm.ucp")

_MACHINE_PIDS = frozenset({"0064", "0127"})  # TP-PID 40h, a silent message, and 7Fh, data for the SIM
_MISSING = "[...]"
_PUSH = "push"  # the note of segments that came to the port of WAP pushes


class Inbound:
    """The way in of one network."""

    def __init__(self, settings: UcpSettings, context: Context) -> None:
        self.counters: Counter[str] = Counter()
        self.replies = Replies(context.store, f"{context.name}.replies")
        self._name = context.name
        self._context = context
        self._account = settings.account
        self._amsg = settings.amsg
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._segments = Segments(context.store, f"{context.name}.segments", settings.reassembly_timeout)
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        """Take up what was not finished in an earlier life."""
        self._inbox = inbox
        self._deliver(self._segments.restore(self._context.clock.now()))

    def take(self, respond: Respond, received: Sequence[Received]) -> None:
        """A batch of operations: one commit for its reports, one for its messages."""
        reports: list[Report] = []
        of_reports: list[Answer] = []
        wholes: list[Whole] = []
        now = self._context.clock.now()
        for event in received:
            answer = _answer(respond, event)
            if event.ot != NOTIFICATION:
                wholes += self._text(event.message, answer, now)
            elif not is_stamp(event.message.scts):
                self.counters["notifications that name no message"] += 1
                log.warning("a notification of %s names no message", self._account)
                answer(0)
            else:
                reports.append(self._report(event.message, now))
                of_reports.append(answer)
        if reports and self._inbox is not None:
            self._inbox.reported(reports, lambda: _accept(of_reports))
        self._deliver(wholes)

    def expire(self) -> None:
        """Give up what has waited too long for missing segments: deliver what is there."""
        self._deliver(self._segments.expire(self._context.clock.now()))

    # -- notifications

    def _report(self, note: operations.Message, now: float) -> Report:
        status, error = status_said(note.dst, note.rsn)
        return Report(
            status=status,
            network=self._name,
            source="SMSC notification",
            at=now,
            key=message_key(self._account, note.oadc, note.scts),
            error=error,
            detail=f"Dst:{note.dst[:1]} Rsn:{note.rsn[:3]} SCTS:{note.scts}",
        )

    # -- texts

    def _text(self, message: operations.Message, answer: Answer, now: float) -> list[Whole]:
        """A message that cannot be read is taken all the same: the centre would bring it again and again."""
        try:
            data = content_of(message, self._amsg)
        except UcpError as error:
            self.counters["unreadable"] += 1
            log.warning("a text for %s cannot be read: %s", self._account, error)
            answer(0)
            return []
        header, _ = udh.split(data.header)
        if message.rpid in _MACHINE_PIDS or header.destination_port not in (None, PUSH_PORT):
            self.counters["not for people"] += 1
            answer(0)
            return []
        kind, sender = sender_of(message)
        arrived = Arrived(
            self._account,
            "",
            now,
            data.dcs,
            header.single_shift,
            header.locking_shift,
            (int(kind), 0, sender),
            (int(NumberType.UNKNOWN), 0, message.adc),
            answer,
            _PUSH if header.destination_port == PUSH_PORT else "",
        )
        concat = header.concat
        if concat is None or concat.total == 1:
            name = self._single_name(message, data)
            return [Whole(name, (data.octets,), arrived, False, (answer,), ())]
        key = Key.of(self._account, sender, message.adc, concat)
        return self._segments.add(key, concat, data.octets, arrived, now)

    def _single_name(self, message: operations.Message, data: UserData) -> str:
        """A name that a repetition repeats: number, second and content are all that tells messages apart."""
        if not is_stamp(message.scts):
            return self._context.ids.new()
        named = "|".join((self._account, message.oadc, message.adc, message.scts, str(data.dcs))).encode()
        return blake2b(named + data.octets, digest_size=12).hexdigest()

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
        """Answer by the verdict. Only trouble of ours asks the centre to try again."""
        ec = verdict_code(verdict)
        if verdict is not None:
            log.info("a text was refused: %s", verdict.reason.value)
        for answer in whole.answers:
            answer(ec)
        if ec != DELIVERY_IN_PROGRESS:
            self._segments.forget(whole)

    def _message(self, whole: Whole) -> Message | None:
        part = self._part(whole)
        if part is None:
            return None
        first = whole.first
        sender = self._numbers.to_address(first.source[0], first.source[2])
        return Message(
            id=message_ident(sender, whole.message_id),
            message_id=whole.message_id,
            sender=sender,
            recipients=(self._recipient(first.destination[2], sender),),
            parts=(part,),
            sent_at=first.started,
            received_at=self._context.clock.now(),
            origin=self._name,
        )

    def _part(self, whole: Whole) -> Part | None:
        """The text, or word of an MMS; None: nothing that could be handed on."""
        if whole.first.note == _PUSH:
            pushed = from_segments(whole.parts)
            return Part(MEDIA_TYPE, pushed.content) if pushed is not None and pushed.is_mms else None
        text = self._decode(whole)
        return text_part(text) if text is not None and text.strip() else None

    def _recipient(self, number: str, sender: Address) -> Address:
        """Whose number it is; for a number that many send from, the one who wrote to this person last."""
        to = self._numbers.to_address(NumberType.UNKNOWN, number)
        if self._context.directory.owner_of(to) is None:
            return self.replies.meant(to, sender) or to
        return to

    def _decode(self, whole: Whole) -> str | None:
        dcs = whole.first.data_coding
        parts = whole.parts
        if None not in parts:
            text = text_of(dcs, [part for part in parts if part is not None], whole.header)
        else:
            text = _with_gaps([None if part is None else text_of(dcs, [part], whole.header) for part in parts])
        if text is None:
            return None
        text = without_controls(normalise(text))
        return f"{_MISSING} {text}" if whole.late and text else text


def _with_gaps(texts: Sequence[str | None]) -> str:
    """What came of a message, the holes marked once each."""
    out: list[str] = []
    for text in texts:
        if text is not None:
            out.append(text)
        elif not out or out[-1] != _MISSING:
            out.append(_MISSING)
    return "".join(out) if any(texts) else ""


def _answer(respond: Respond, event: Received) -> Answer:
    """The result names the message as the centre named it."""
    message = event.message
    sm = f"{message.adc}:{(message.dscts if event.ot == NOTIFICATION else '') or message.scts}"

    def answer(ec: int) -> None:
        respond(event, ec, "" if ec else sm)

    return answer


def _accept(answers: Sequence[Answer]) -> None:
    for answer in answers:
        answer(0)
