"""What buddies say, as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from opencpm.domain.address import Address
from opencpm.domain.delivery import Outcome
from opencpm.domain.message import Message, MessageKind, message_ident, text_part
from opencpm.domain.session import CloseReason, Composing
from opencpm.interworking.msn.desk import Desk
from opencpm.interworking.msn.outbound import Settle


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
