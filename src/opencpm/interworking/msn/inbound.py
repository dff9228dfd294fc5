"""What buddies say, as messages."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.errors import SendError
from opencpm.domain.message import Message, MessageKind, Part, message_ident, text_part
from opencpm.domain.session import CloseReason, Composing
from opencpm.interfaces import Done
from opencpm.interworking.msn.desk import Desk
from opencpm.interworking.msn.outbound import Settle
from opencpm.protocols.msnp.oim import OfflineText

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


def kept(desk: Desk, account: str, ident: str, text: OfflineText) -> Message:
    """A message that the service kept while we were away: its id is the service's, so that it is stored once however
    often it is fetched, and its time is when it was written."""
    now, who = desk.clock.now(), Address("msn", text.sender)
    return Message(
        id=message_ident(who, f"oim:{ident}"),
        message_id=f"oim:{ident}",
        sender=who,
        recipients=(Address("msn", account),),
        parts=(text_part(text.text),),
        sent_at=text.at or now,
        received_at=now,
        origin=desk.name,
        kind=MessageKind.STANDALONE,
    )


def file(desk: Desk, sender: str, account: str, part: Part) -> Message:
    """A file from a buddy, as a message of its own."""
    return replace(message(desk, sender, account, "", ""), parts=(part,))


def hand_over(
    said: Message, receive: Receive, tries: int = 1, judged: Callable[[SendError | None], None] | None = None
) -> None:
    """Give one message to `receive`. MSN has no way to say "not stored": what could not be stored is handed over
    again (its id makes a repetition harmless). `judged` is called once it is stored (None), or refused for good."""

    def verdict(verdicts: Sequence[SendError | None]) -> None:
        error = verdicts[0] if verdicts else None
        if error is not None and error.retryable:
            if tries < _TRIES:
                loop = asyncio.get_running_loop()
                loop.call_later(error.retry_after or _AGAIN, hand_over, said, receive, tries + 1, judged)
            else:
                log.warning("a message from %s could not be stored: %s", said.sender, error.reason.value)
            return
        if error is not None:
            log.warning("a message from %s was not taken: %s", said.sender, error.reason.value)
        if judged is not None:
            judged(error)

    receive([said], verdict)


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
