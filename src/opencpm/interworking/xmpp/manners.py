"""How a person's client has shown to talk, per pair; forgotten with a restart, and then shown again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from opencpm.protocols.xmpp.message import MessageStanza

_REMEMBERED = 100_000


@dataclass(slots=True)
class Manner:
    chats: bool = False  # their last message was a chat message: ours are too
    thread: str = ""  # of their last message: an answer belongs to it
    states: bool = False  # XEP-0085 §5.1: they sent a state, so they may be sent some


_UNKNOWN = Manner()


class Manners:
    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Manner] = OrderedDict()

    def of(self, ours: str, peer: str) -> Manner:
        return self._known.get((ours, peer), _UNKNOWN)

    def saw(self, ours: str, peer: str, stanza: MessageStanza) -> None:
        if not (stanza.body or stanza.state):
            return
        known = self._known.setdefault((ours, peer), Manner())
        if stanza.body:
            known.chats = stanza.type == "chat"
            known.thread = stanza.thread
            known.states = bool(stanza.state)  # XEP-0085 §5.1: a message without any says that they do not (any more)
        else:
            known.states = True
        self._known.move_to_end((ours, peer))
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
