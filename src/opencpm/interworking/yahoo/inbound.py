"""What people say, as messages, and handing them over until they are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.interfaces import Done
from opencpm.interworking.yahoo.desk import Desk

log = logging.getLogger("opencpm.interworking.yahoo")

Receive = Callable[[Sequence[Message], Done], None]
Taken = Callable[[], None]

_TRIES = 20
_AGAIN = 5.0  # seconds


def message(desk: Desk, sender: str, account: Address, text: str, ident: str = "", sent_at: float = 0.0) -> Message:
    """A text that `sender` wrote. From version 16 on it has an id of its own, which makes a repetition harmless;
    before that it gets one from us."""
    now, who = desk.clock.now(), desk.names.address(sender)
    name = f"ymsg:{ident[:200]}" if ident else desk.ids.new()
    return Message(
        id=message_ident(who, name),
        message_id=name,
        sender=who,
        recipients=(account,),
        parts=(text_part(text),),
        sent_at=sent_at or now,
        received_at=now,
        origin=desk.name,
        kind=MessageKind.STANDALONE,
    )


def in_session(said: Message, session_id: str) -> Message:
    """The same as part of a session."""
    return replace(said, kind=MessageKind.CHAT, session_id=session_id)


def standalone(said: Message) -> Message:
    """The same outside of any session."""
    return replace(said, kind=MessageKind.STANDALONE, session_id="")


def hand_over(said: Message, receive: Receive, taken: Taken | None = None, tries: int = 1) -> None:
    """Give one message to `receive`. Yahoo has no way to say "not stored": what could not be stored is handed over
    again (its id makes a repetition harmless). `taken` is called once it is stored, or refused for good."""

    def judged(verdicts: Sequence[SendError | None]) -> None:
        error = verdicts[0] if verdicts else None
        if error is not None and error.retryable:
            if tries < _TRIES:
                loop = asyncio.get_running_loop()
                loop.call_later(error.retry_after or _AGAIN, hand_over, said, receive, taken, tries + 1)
            else:
                log.warning("a message from %s could not be stored: %s", said.sender, error.reason.value)
            return
        if error is not None:
            log.warning("a message from %s was not taken: %s", said.sender, error.reason.value)
        if taken is not None:
            taken()

    receive([said], judged)
