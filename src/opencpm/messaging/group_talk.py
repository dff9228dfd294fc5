"""What is said in groups: to every other member by the way that fits them, each author named where a network has no
groups, echoes and loops left out. A text is stored once and committed before its sender is answered, like any other.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Delivery, DeliveryState
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.group import LIVE, Group, GroupError, Member, MemberState
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.plan import Action, Candidate, Note, Plan
from opencpm.domain.report import Report, Status
from opencpm.domain.trail import Step, TrailEntry
from opencpm.interfaces import Changes, DeliveryRecord, Done
from opencpm.messaging import trail
from opencpm.messaging.accept import Accept, Verdict
from opencpm.messaging.dispatch import Dispatch
from opencpm.messaging.ground import Ground
from opencpm.messaging.group_book import GroupBook
from opencpm.messaging.group_seat import Seat
from opencpm.messaging.notices import tell_sender
from opencpm.messaging.records import finish, lease, new_record, wait
from opencpm.messaging.report import Reporting

LEAVE_WORD = "/leave"
"""What a member without group functions writes to leave."""

ECHO_WINDOW = 60.0
RATE, RATE_WINDOW = 30, 60.0
"""Pages of one member in so many seconds; more of them come from a program that answers programs."""

_REMEMBERED = 16
_PAGERS = 10_000


class Talk:
    """Texts of all groups. ``seat_of`` finds a member's leg; ``absent`` is told who should be invited again;
    ``leaving`` takes a member out who wrote that they leave."""

    def __init__(self, ground: Ground, accept: Accept, dispatch: Dispatch, reporting: Reporting, book: GroupBook):
        self._ground, self._accept, self._dispatch, self._reporting = ground, accept, dispatch, reporting
        self._book = book
        self._pages: OrderedDict[tuple[str, Address], _Pages] = OrderedDict()
        self.seat_of: Callable[[str, Address], Seat | None] = lambda group_id, member: None
        self.absent: Callable[[Group, Member], None] = lambda group, member: None
        self.leaving: Callable[[Group, Member], None] = lambda group, member: None
        accept.for_group = self.taken
        dispatch.in_group = self.way
        dispatch.as_said = self.as_said
        others = dispatch.in_session
        dispatch.in_session = lambda record: self._by_leg(record) or others(record)

    # ---------------------------------------------------------------------------------------------------- in

    def said(self, group_id: str, author: Address, messages: Sequence[Message], done: Done) -> None:
        """Texts from a member's leg or page."""
        changes, ready = Changes(), list[DeliveryRecord]()
        group = self._book.get(group_id)
        member = group.member(author) if group is not None else None
        if group is not None and member is not None and self._ground.directory.owner_of(author) is None:
            verdicts = [self._from_afar(group, member, message, changes, ready) for message in messages]
        else:
            verdicts = [self._said(group_id, author, message, changes, ready) for message in messages]
        self._accept.commit(changes, verdicts, ready, done)

    def taken(self, message: Message, changes: Changes, ready: list[DeliveryRecord]) -> Verdict | None:
        """A message outside a session that belongs to a group: written to its address, or a page of a member."""
        if len(message.recipients) != 1:
            return None
        recipient = message.recipients[0]
        if self._book.is_focus(recipient):
            return Verdict(self._to_focus(recipient, message, changes, ready))
        if not self._book.claims:
            return None
        receiver = self._ground.directory.owner_of(recipient)
        sender = self._ground.directory.owner_of(message.sender)
        if sender is not None:
            self._book.release(sender.id, self._ground.canonical(recipient), changes)
            return None
        claimed = self._book.claimed(receiver.id, message.sender) if receiver is not None else None
        return None if claimed is None else Verdict(self._from_afar(*claimed, message, changes, ready))

    def _to_focus(
        self, focus: Address, message: Message, changes: Changes, ready: list[DeliveryRecord]
    ) -> SendError | None:
        group = self._book.at(focus)
        owner = self._ground.directory.owner_of(message.sender)
        member = self._book.as_member(group, owner.id) if group is not None and owner is not None else None
        if group is None or member is None:
            return SendError(Reason.UNKNOWN_ADDRESS, detail="There is no such group, or you are not in it.")
        return self._said(group.id, member.address, message, changes, ready)

    def _from_afar(
        self, group: Group, member: Member, message: Message, changes: Changes, ready: list[DeliveryRecord]
    ) -> SendError | None:
        """What a member on a foreign network writes, in a conversation or by a message: there are no other ways to
        leave there than a word, and programs that answer everything."""
        now = self._ground.clock.now()
        pages = self._pages_of(group.id, member.address)
        text = message.text.strip()
        if pages.is_echo(text, now):
            changes.trail.append(TrailEntry(group.id, now, Step.REFUSED, f"an echo from {member.address} is left out"))
            return None
        if text.lower() == LEAVE_WORD:
            self.leaving(group, member)
            return None
        if not pages.may_speak(now):
            return SendError(Reason.REJECTED, detail="too many messages to the group; wait a minute")
        return self._said(group.id, member.address, message, changes, ready)

    def _said(
        self, group_id: str, author: Address, message: Message, changes: Changes, ready: list[DeliveryRecord]
    ) -> SendError | None:
        now, group = self._ground.clock.now(), self._book.get(group_id)
        try:
            if group is None:
                raise GroupError("this group has ended")
            own = group.active(author)
        except GroupError as gone:
            return SendError(Reason.BARRED, detail=f"{gone}".capitalize() + ".")
        text = replace(
            message,
            id=_ident(message, own.address),
            kind=MessageKind.CHAT,
            session_id=group.id,
            sender=own.address,
            recipients=(group.focus,),
            conversation_id=group.conversation_id,
            contribution_id=group.contribution_id,
        )
        changes.trail.append(trail.received(text, now))
        if error := self._accept.refusal(text):
            changes.trail.append(trail.refused(text.id, error, now))
            return error
        others = [member for member in group.live if member.address != own.address]
        changes.messages.append(text)
        for index, member in enumerate(others):
            record = self._record(group, text, index, own, member, now)
            changes.deliveries.append(record)
            self._place(group, member, record, changes, ready)
        return None

    def _record(
        self, group: Group, text: Message, index: int, author: Member, member: Member, now: float
    ) -> DeliveryRecord:
        """The author's history shows a text once, whatever the number of members."""
        sender = self._ground.directory.owner_of(author.address)
        receiver = self._ground.directory.owner_of(member.address)
        sent = f"{sender.id}|{group.focus}" if sender is not None and index == 0 else ""
        received = f"{receiver.id}|{group.focus}" if receiver is not None else ""
        record = new_record(text, index, member.address, (sent, received), now)
        record.expires_at = now + self._ground.policy.limits.expiry_default
        return record

    def _place(
        self, group: Group, member: Member, record: DeliveryRecord, changes: Changes, ready: list[DeliveryRecord]
    ) -> None:
        now, plan = self._ground.clock.now(), self._plan(group, member, record)
        changes.trail.append(trail.selected(record.message.id, record.id, plan, now))
        ready.append(record)
        if plan.action is Action.SEND:
            lease(record, plan, now)
            self._ground.note_link(record, changes)
            if member.host and self._ground.directory.owner_of(member.address) is None:
                assert plan.chosen is not None
                self._book.claim(group, member, plan.chosen.target, changes)
        elif plan.action is Action.DEFER:
            wait(record, plan.not_before, plan.waits_for, now)
        else:
            error = plan.error or SendError(Reason.NO_ROUTE, detail=plan.reason)
            finish(record, DeliveryState.FAILED, now, error=error.reason.value, detail=error.detail)
            changes.trail.append(trail.line(record, Step.FAILED, f"{error.reason.value}: {error.detail}", now))
            ready.extend(tell_sender(self._ground, record, Status.FAILED, changes, reason=error.detail))

    # --------------------------------------------------------------------------------------------------- out

    def way(self, record: DeliveryRecord) -> Plan | None:
        """The way of a group's text now; None where the record is no such text."""
        group = self._book.get(record.message.session_id)
        if group is None:
            return _over() if self._book.is_focus(record.message.recipients[0]) else None
        member = group.member(record.recipient)
        if member is None or member.state not in LIVE:
            return _over()
        return self._plan(group, member, record)

    def _plan(self, group: Group, member: Member, record: DeliveryRecord) -> Plan:
        seat = self.seat_of(group.id, member.address)
        if seat is not None and seat.leg is not None:
            return _by_seat(group, member, seat.leg.network, seat.source or group.focus, record.expires_at)
        ours = self._ground.directory.owner_of(member.address) is not None
        if member.state is MemberState.PENDING or (ours and member.state is not MemberState.CONNECTED):
            self.absent(group, member)
            until = self._ground.policy.retry_schedule[-1] if self._ground.policy.retry_schedule else 3600.0
            return Plan(
                action=Action.DEFER,
                chosen=None,
                candidates=(),
                facts=(),
                reason=f"kept until {member.name} is back in the group",
                not_before=min(self._ground.clock.now() + until, record.expires_at),
                waits_for=queue_of(group, member),
                expires_at=record.expires_at,
            )
        return self._by_pages(group, member, record, ours)

    def _by_pages(self, group: Group, member: Member, record: DeliveryRecord, ours: bool) -> Plan:
        """By messages: the host's own account or number speaks to a member on a foreign network, the group itself to
        a subscriber whose devices have no sessions."""
        host = self._ground.directory.subscriber(member.host)
        if host is None:
            return _over()
        message = self.as_said(record, None) or record.message
        tried = frozenset(self._ground.working.tried.get(record.id, ()))
        plan = self._ground.plan(
            message,
            host.addresses[0],
            member.address,
            tried=tried,
            attempt=record.attempt + 1,
            expires_at=record.expires_at,
        )
        if ours and plan.chosen is not None:
            return replace(plan, chosen=replace(plan.chosen, source=group.focus))
        return plan

    def _by_leg(self, record: DeliveryRecord) -> Callable[[Sequence[Delivery]], None] | None:
        """The leg that takes this delivery (or notice), if its receiver has one in the group."""
        seat = self.seat_of(record.message.session_id, record.recipient)
        leg = seat.leg if seat is not None else None
        return leg.send if leg is not None and leg.network == record.network else None

    def as_said(self, record: DeliveryRecord, form: Message | None) -> Message | None:
        """The author's name before the text, for whom the wire does not tell it."""
        group = self._book.get(record.message.session_id)
        if group is None or record.notice is not None:
            return form
        member, author = group.member(record.recipient), group.member(record.message.sender)
        if member is None or author is None or self._tells(group, member, author):
            return form
        named = _named(form or record.message, author.name)
        self._pages_of(group.id, member.address).wrote(named.text.strip(), self._ground.clock.now())
        return named

    def _tells(self, group: Group, member: Member, author: Member) -> bool:
        """A device in the group's session is told the author of each text; a text from the host's own account is from
        the host."""
        directory = self._ground.directory
        if directory.owner_of(member.address) is not None:
            return self.seat_of(group.id, member.address) is not None
        speaking = directory.owner_of(author.address)
        return speaking is not None and speaking.id == member.host

    # ------------------------------------------------------------------------------------------ small things

    def greet(self, group: Group, member: Member) -> None:
        """Tell somebody who is reached by messages, in the host's name, where they are now."""
        host = self._ground.directory.subscriber(member.host)
        if host is None:
            return
        subject = f' "{group.subject}"' if group.subject else ""
        others = ", ".join(m.name for m in group.live if m.address != member.address)
        text = (
            f"{host.name} has put you into the group{subject} with {others}. "
            f"What you answer goes to all of them; {LEAVE_WORD} takes you out."
        )
        now, changes, ready = self._ground.clock.now(), Changes(), list[DeliveryRecord]()
        ident = f"{group.id}-{member.since}-{member.address}"
        message = Message(
            id=message_ident(host.addresses[0], ident),
            message_id=ident,
            sender=host.addresses[0],
            recipients=(group.focus,),
            parts=(text_part(text),),
            sent_at=now,
            received_at=now,
            origin="group",
            kind=MessageKind.CHAT,
            session_id=group.id,
            conversation_id=group.conversation_id,
            contribution_id=group.contribution_id,
        )
        record = new_record(message, 0, member.address, ("", ""), now)
        record.expires_at = now + self._ground.policy.limits.expiry_default
        changes.messages.append(message)
        changes.deliveries.append(record)
        self._place(group, member, record, changes, ready)
        self._accept.commit(changes, [None], ready, lambda verdicts: None)

    def reported(self, group_id: str, reports: Sequence[Report], done: Callable[[], None] | None) -> None:
        """Dispositions that a device sends into the group are about texts of other members, which it names by their
        Message-IDs alone."""
        group = self._book.get(group_id)
        found = [self._about(group, report) for report in reports] if group is not None else []
        self._reporting.reported([report for report in found if report is not None], done)

    def _about(self, group: Group, report: Report) -> Report | None:
        if not report.message_id:
            return report
        for member in group.members:
            stored = self._ground.store.message(message_ident(member.address, report.message_id))
            if stored is not None and stored.session_id == group.id:
                return replace(report, original_sender=member.address)
        return None

    def _pages_of(self, group_id: str, member: Address) -> _Pages:
        pages = self._pages.pop((group_id, member), None) or _Pages()
        self._pages[group_id, member] = pages
        if len(self._pages) > _PAGERS:
            self._pages.popitem(last=False)
        return pages


class _Pages:
    """What went to and came from one member by messages, lately."""

    def __init__(self) -> None:
        self._sent: deque[tuple[float, str]] = deque(maxlen=_REMEMBERED)
        self._came: deque[float] = deque(maxlen=RATE)

    def wrote(self, text: str, now: float) -> None:
        self._sent.append((now, text))

    def is_echo(self, text: str, now: float) -> bool:
        """Whether this is, word for word, what was sent to them just now."""
        return any(sent == text and now - at <= ECHO_WINDOW for at, sent in self._sent)

    def may_speak(self, now: float) -> bool:
        if len(self._came) == RATE and now - self._came[0] < RATE_WINDOW:
            return False
        self._came.append(now)
        return True


def queue_of(group: Group, member: Member) -> str:
    """What waits for a member's coming back."""
    return f"group:{group.id}:{member.address}"


def _ident(message: Message, author: Address) -> str:
    """A member may write under any of their addresses; the text is the same."""
    own = message_ident(message.sender, message.message_id) == message.id
    return message_ident(author, message.message_id) if own else message.id


def _named(message: Message, name: str) -> Message:
    parts = list(message.parts)
    at = next((n for n, part in enumerate(parts) if part.media_type == "text/plain"), None)
    if at is None:
        return replace(message, parts=(text_part(f"{name}:"), *parts))
    parts[at] = text_part(f"{name}: {parts[at].text}")._replace(disposition=parts[at].disposition)
    return replace(message, parts=tuple(parts))


def _by_seat(group: Group, member: Member, network: str, source: Address, expires_at: float) -> Plan:
    note = Note("group", True, f"{member.name} takes part by a session on {network}")
    chosen = Candidate(network=network, target=member.address, source=source, notes=(note,), kept=True)
    return Plan(
        action=Action.SEND,
        chosen=chosen,
        candidates=(chosen,),
        facts=(),
        reason=f"in the group's session on {network}",
        expires_at=expires_at,
    )


def _over() -> Plan:
    error = SendError(Reason.LEFT, detail="They are not in the group any more.")
    return Plan(action=Action.REFUSE, chosen=None, candidates=(), facts=(), reason=error.detail, error=error)
