"""What buddies say, as messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import Done
from opencpm.interworking.msn.desk import Desk
from opencpm.interworking.msn.outbound import Settle

log = logging.getLogger("opencpm.interworking.msn")

Receive = Callable[[Sequence[Message], Done], None]

_TRIES = 20
_AGAIN = 5.0  # seconds


def message(desk: Desk, sender: str, account: str, text: str, session_id: str) -> Message:
    """A text that `sender` wrote to `account`, in a session or by itself. MSN gives messages no ids: it gets one."""
    now = desk.clock.now()
    who, name = Address("msn", sender), desk.ids.new()
    return Message(
        id=message_ident(who, name),
        message_id=name,
        sender=who,
        recipients=(Address("msn", account),),
        parts=(text_part(text),),
        sent_at=now,
        received_at=now,
        origin=desk.name,
        kind=MessageKind.CHAT if session_id else MessageKind.STANDALONE,
        session_id=session_id,
    )


def hand_over(said: Message, receive: Receive, tries: int = 1) -> None:
    """Give one message to `receive`. MSN has no way to say "not stored": what could not be stored is handed over
    again (its id makes a repetition harmless)."""

    def judged(verdicts: Sequence[SendError | None]) -> None:
        error = verdicts[0] if verdicts else None
        if error is None:
            return
        if error.retryable and tries < _TRIES:
            loop = asyncio.get_running_loop()
            loop.call_later(error.retry_after or _AGAIN, hand_over, said, receive, tries + 1)
        else:
            log.warning("a message from %s was not taken: %s", said.sender, error.reason.value)

    receive([said], judged)


def standalone(said: Message) -> Message:
    """The same outside of any session."""
    return replace(said, kind=MessageKind.STANDALONE, session_id="")


class Pages:
    """Where no session came of an invitation: takes what the leg kept meanwhile, each text as a message by itself."""

    def __init__(self, page: Callable[[Message], None], settled: Settle) -> None:
        self._page = page
        self._settled = settled

    def received(self, messages: Sequence[Message], done: object) -> None:
        for said in messages:
            self._page(standalone(said))

    def settled(self, outcomes: Sequence[Outcome]) -> None:
        self._settled(outcomes)

    def ringing(self) -> None: ...

    def composing(self, composing: Composing) -> None: ...

    def reported(self, reports: object, done: Callable[[], None] | None = None) -> None: ...

    def closed(self, reason: CloseReason, detail: str = "") -> None: ...
