"""Deliveries and notices as stanzas; every id in them is derived from the delivery's id."""

from __future__ import annotations

from opencpm.domain.delivery import Delivery, Notice
from opencpm.domain.errors import Reason, SendError
from opencpm.domain.report import Status
from opencpm.protocols.xmpp.message import MessageStanza

from . import adapt, reasons
from .adapt import Terms
from .names import Names


class Composer:
    def __init__(self, names: Names, terms: Terms, receipts: bool) -> None:
        self.terms = terms
        self._names, self._receipts = names, receipts

    def compose(self, delivery: Delivery, *, chat: bool, thread: str = "", states: bool = False) -> MessageStanza:
        """The stanza of a delivery. Raises SendError.

        ``chat``: the type of messages of a session, and of answers to chat messages. ``thread``: only in a session, or
        where the receiver's client uses one: many take a thread for the beginning of a conversation, and would answer
        a single message with a request for a session. ``states``: their client showed that it knows chat states.
        """
        peer = self._names.theirs(delivery.target)
        sender = self._names.ours(delivery.source, peer)
        if delivery.notice is not None:
            return _notice(delivery.id, delivery.notice, sender, peer, delivery.message.message_id)
        return MessageStanza(
            id=delivery.id,
            type="chat" if chat else "normal",
            sender=sender,
            to=peer,
            body=adapt.text_of(delivery.message, self.terms),
            subject=adapt.plain(delivery.message.subject),
            thread=thread,
            state="active" if chat and states else "",
            requests=self._receipts,
            markable=self._receipts,
        )


def _notice(ident: str, notice: Notice, sender: str, peer: str, message_id: str) -> MessageStanza:
    """What an XMPP user is told of their message: a receipt, a marker, or an error in its place. Raises SendError."""
    about = adapt.stanza_id_of(message_id)
    if notice.status is Status.FAILED:
        failed = reasons.failed_later(notice.cause, notice.reason)
        return MessageStanza(id=about or ident, type="error", sender=sender, to=peer, error=failed)
    if not about:
        raise SendError(Reason.NOT_ACCEPTABLE, detail="the message had no id that a receipt could repeat")
    if notice.status is Status.DELIVERED:
        return MessageStanza(id=ident, sender=sender, to=peer, received=about)
    if notice.status is Status.DISPLAYED:
        return MessageStanza(id=ident, sender=sender, to=peer, displayed=about)
    raise SendError(Reason.NOT_ACCEPTABLE, detail=f"XMPP has no word for {notice.status.value}")
