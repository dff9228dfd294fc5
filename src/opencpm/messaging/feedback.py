"""Word to a subscriber of how the other network answered the closing of a session (step 23 of the story)."""

from __future__ import annotations

from opencpm.domain.address import Address
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.session import CloseReason
from opencpm.domain.subscriber import SessionFeedback
from opencpm.interfaces import SessionRecord
from opencpm.messaging.ground import Ground

_BAD = frozenset({CloseReason.LOST, CloseReason.REFUSED})


def closing_notice(
    ground: Ground, closer: Address, peer: Address, record: SessionRecord, reason: CloseReason, answer: str
) -> tuple[Message | None, str]:
    """The system message for the one who closed, or None, and the sentence for the trail that says which and why."""
    subscriber = ground.directory.owner_of(closer)
    if subscriber is None:
        return None, f"no feedback to {closer}: not a subscriber of ours"
    wish = subscriber.preferences.session_feedback
    if not ground.policy.session_feedback:
        return None, f"no feedback to {subscriber.name}: the operator's settings say none"
    if wish is SessionFeedback.NONE or (wish is SessionFeedback.ERRORS and reason not in _BAD):
        return None, f"no feedback to {subscriber.name}: their preference is {wish.value!r}"
    name = ground.directory.contact(subscriber.id, peer).name
    text = f"The session with {name} has ended. {record.network} answered: {answer}."
    now = ground.clock.now()
    sender = Address("cpm", "service")
    ident = f"{record.id}-closed"
    message = Message(
        id=message_ident(sender, ident),
        message_id=ident,
        sender=sender,
        recipients=(subscriber.addresses[0],),
        parts=(text_part(text),),
        sent_at=now,
        received_at=now,
        origin="server",
        conversation_id=record.conversation_id,
        contribution_id=record.contribution_id,
        kind=MessageKind.SYSTEM,
    )
    return message, f"feedback to {subscriber.name}: their preference is {wish.value!r}"
