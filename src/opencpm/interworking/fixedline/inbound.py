"""What a call brings: texts become messages, status reports become reports; acknowledged after the commit."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Disposition, Message, message_ident, text_part
from opencpm.domain.numbering import NumberPlan
from opencpm.domain.replies import Replies
from opencpm.domain.report import Report
from opencpm.interfaces import Context, Inbox
from opencpm.protocols.fsk.frames2 import Frame2Error, read_text
from opencpm.protocols.gsm import udh
from opencpm.protocols.gsm.reassembly import Key
from opencpm.protocols.gsm.segments import Answer, Arrived, Segments, Whole
from opencpm.protocols.gsm.text import normalise, without_controls
from opencpm.protocols.gsm.tpdu.content import text_of
from opencpm.protocols.gsm.tpdu.errors import TpduError
from opencpm.protocols.gsm.tpdu.messages import Deliver, StatusReport, Submit, read_from_centre, read_from_terminal

from .outgoing import message_name, report_key
from .reasons import cause_of, status_said
from .settings import FixedLineSettings
from .visit import Visit

log = logging.getLogger("opencpm.fixedline")

_TYPE_0, _SIM_DATA = 0x40, 0x7F
_NO_TEXT, _BAD = 0x90, 0xFF
_MISSING = "[...]"
_LATIN_1 = -1  # in the place of a data coding scheme: protocol 2 has none
_WANTS = Disposition.POSITIVE_DELIVERY | Disposition.NEGATIVE_DELIVERY


class Inbound:
    """The way in of one network."""

    def __init__(self, settings: FixedLineSettings, context: Context) -> None:
        self.counters: Counter[str] = Counter()
        self.replies = Replies(context.store, f"{context.name}.replies")
        self._name = context.name
        self._context = context
        self._window = settings.duplicate_window
        self._numbers = NumberPlan(settings.country_code, settings.trunk_prefix, settings.plain_is_international)
        self._segments = Segments(context.store, f"{context.name}.segments", settings.reassembly_timeout)
        self._last = f"{context.name}.last"
        self._centres = {trunk.name for trunk in settings.trunks if trunk.role == "centre"}
        self._inbox: Inbox | None = None

    def start(self, inbox: Inbox) -> None:
        """Take up what was not finished in an earlier life."""
        self._inbox = inbox
        self._deliver(self._segments.restore(self._context.clock.now()))

    def expire(self) -> None:
        """Give up what has waited too long for missing segments: deliver what is there."""
        self._deliver(self._segments.expire(self._context.clock.now()))

    def take(self, visit: Visit, payload: bytes, protocol: int) -> None:
        """A message of a call. It is answered, within the call, once it is stored."""
        answer = _answer(visit)
        centre = visit.trunk.role == "centre"
        try:
            if protocol == 2:
                self._take_2(visit, payload, answer)
            elif centre:
                self._submitted(visit, read_from_terminal(payload), payload, answer)
            else:
                self._from_centre(visit, read_from_centre(payload), payload, answer)
        except TpduError as error:
            self._unreadable(visit, str(error), error.cause)
        except Frame2Error as error:
            self._unreadable(visit, str(error), _BAD)

    def _unreadable(self, visit: Visit, why: str, cause: int) -> None:
        self.counters["unreadable"] += 1
        log.warning("a message from %s cannot be read: %s", visit.line, why)
        if self._inbox is not None:
            self._inbox.turned_away(f"tel:{visit.line}", "malformed", f"a short message that cannot be read: {why}")
        visit.machine.refuse(cause)

    # -- protocol 1

    def _submitted(self, visit: Visit, submit: Submit, payload: bytes, answer: Answer) -> None:
        """As centre: the line's own number is the sender, its sub-address behind it."""
        destination = submit.destination
        mark = submit.reference if submit.report else None
        note = "" if mark is None else f"{mark}"
        source = (0, 0, visit.line + visit.subaddress)
        self._text(visit, source, (destination.ton, destination.npi, destination.text), submit, payload, answer, note)

    def _from_centre(self, visit: Visit, message: Deliver | StatusReport, payload: bytes, answer: Answer) -> None:
        if isinstance(message, StatusReport):
            self._reported(visit, message, answer)
            return
        originator = message.originator
        source = (originator.ton, originator.npi, originator.text)
        self._text(visit, source, (0, 0, visit.ours), message, payload, answer, "")

    def _reported(self, visit: Visit, message: StatusReport, answer: Answer) -> None:
        status, error = status_said(message.status)
        report = Report(
            status=status,
            network=self._name,
            source="status report of the SMS centre",
            at=self._context.clock.now(),
            key=report_key(visit.ours, message.reference, message.recipient.text),
            error=error,
            detail=f"TP-MR {message.reference:02X} TP-ST {message.status:02X}",
        )
        if self._inbox is not None:
            self._inbox.reported([report], lambda: answer(0))

    def _text(
        self,
        visit: Visit,
        source: tuple[int, int, str],
        destination: tuple[int, int, str],
        message: Submit | Deliver,
        payload: bytes,
        answer: Answer,
        note: str,
    ) -> None:
        header, _ = udh.split(message.data.header)
        if message.pid in (_TYPE_0, _SIM_DATA) or header.destination_port is not None:
            self.counters["not for people"] += 1
            answer(0)
            return
        now = self._context.clock.now()
        shifts = (header.single_shift, header.locking_shift)
        arrived = Arrived(visit.trunk.name, "", now, message.dcs, *shifts, source, destination, answer, note)
        concat = header.concat
        if concat is None or concat.total == 1:
            self._single(visit, arrived, message.data.content, payload)
            return
        key = Key.of(visit.trunk.name, source[2], destination[2], concat)
        self._deliver(self._segments.add(key, concat, message.data.content, arrived, now))

    def _single(self, visit: Visit, arrived: Arrived, content: bytes, payload: bytes) -> None:
        name = self._name_of(visit, payload, arrived.started)
        answers = (arrived.answer,) if arrived.answer is not None else ()
        self._deliver([Whole(name, (content,), arrived, False, answers, (), (arrived.note,))])

    def _name_of(self, visit: Visit, payload: bytes, now: float) -> str:
        """The name of a message, which one that is sent again (its acknowledgement was lost) has as well: lines have no
        names for messages, so the same octets from the same line within a while are the same message."""
        mark = blake2b(payload + visit.ours.encode(), digest_size=8).hexdigest()
        kept = (self._context.store.get_state(self._last, visit.line) or b"").decode().split(" ")
        if len(kept) == 3 and kept[0] == mark and now - float(kept[1]) < self._window:
            return kept[2]
        name = self._context.ids.new()
        self._context.store.put_state(self._last, visit.line, f"{mark} {now:.3f} {name}".encode())
        return name

    # -- protocol 2

    def _take_2(self, visit: Visit, payload: bytes, answer: Answer) -> None:
        message = read_text(payload)
        number = message.line
        if visit.trunk.role == "centre":
            source, destination = visit.line + visit.subaddress, number
        else:
            source, destination = number, visit.ours
        now = self._context.clock.now()
        arrived = Arrived(visit.trunk.name, "", now, _LATIN_1, 0, 0, (0, 0, source), (0, 0, destination), answer)
        self._single(visit, arrived, message.text.encode("latin-1", "replace"), payload)

    # -- to messaging

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
        """Answer by the verdict; what may come again is kept."""
        cause = 0
        if verdict is not None:
            log.info("a text from a line was refused: %s", verdict.reason.value)
            cause = cause_of(verdict, whole.first.account in self._centres)
        for answer in whole.answers:
            answer(cause)
        if verdict is None or not verdict.retryable:
            self._segments.forget(whole)

    def _message(self, whole: Whole) -> Message | None:
        text = _decoded(whole)
        if text is None or not text.strip():
            return None
        first = whole.first
        sender = self._numbers.to_address(first.source[0], first.source[2])
        mark = int(first.note) if first.note.isdecimal() else None
        name = message_name(whole.message_id, mark)
        return Message(
            id=message_ident(sender, name),
            message_id=name,
            sender=sender,
            recipients=(self._recipient(first.destination, sender),),
            parts=(text_part(text),),
            sent_at=first.started,
            received_at=self._context.clock.now(),
            origin=self._name,
            wants=Disposition.NONE if mark is None else _WANTS,
        )

    def _recipient(self, destination: tuple[int, int, str], sender: Address) -> Address:
        """Whose number it is; for a number that many send from, the one who wrote to this person last."""
        to = self._numbers.to_address(destination[0], destination[2])
        if self._context.directory.owner_of(to) is None:
            return self.replies.meant(to, sender) or to
        return to


def _decoded(whole: Whole) -> str | None:
    """The text of what came, holes marked."""
    first = whole.first
    texts: list[str | None] = []
    if first.data_coding == _LATIN_1:
        texts = [(part or b"").decode("latin-1") for part in whole.parts]
    elif None not in whole.parts:
        texts = [text_of(first.data_coding, [part for part in whole.parts if part is not None], whole.header)]
    else:
        texts = [_MISSING if part is None else text_of(first.data_coding, [part], whole.header) for part in whole.parts]
    if any(text is None for text in texts):
        return None
    text = without_controls(normalise("".join(text or "" for text in texts)))
    return f"{_MISSING} {text}" if whole.late and text else text


def _answer(visit: Visit) -> Answer:
    """Acknowledges within the call; a call that is over hears nothing, and the line sends again."""

    def answer(cause: int) -> None:
        if cause:
            visit.machine.refuse(cause)
        else:
            visit.machine.accept()

    return answer
