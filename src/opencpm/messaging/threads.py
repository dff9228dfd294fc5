"""Conversations: one per pair of people, whatever their addresses, with the ids that CPM devices expect."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from opencpm.domain.message import Message
from opencpm.interfaces import Ids, Store

_REMEMBERED = 50_000


class Threads:
    """The Conversation-ID and the last Contribution-ID of each thread (``"<subscriber id>|<contact id>"``)."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self._last: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def identify(self, message: Message, thread: str) -> Message:
        """Give a message without conversation ids those of its thread; a device's own ids are kept as they are.

        A message that comes back into a conversation names what it answers (InReplyTo-Contribution-ID).
        """
        if message.conversation_id and message.contribution_id:
            return message
        conversation, last = self.last(thread)
        return replace(
            message,
            conversation_id=message.conversation_id or conversation or self._ids.new(),
            contribution_id=message.contribution_id or self._ids.new(),
            in_reply_to=message.in_reply_to or last,
        )

    def last(self, thread: str) -> tuple[str, str]:
        """(conversation id, contribution id) of the last message, both empty where there was none."""
        known = self._last.get(thread)
        if known is None:
            known = (self._store.last_exchange(thread) if thread else None) or ("", "")
            self._keep(thread, known)
        return known

    def note(self, message: Message, *threads: str) -> None:
        """This message is now the last one of these threads."""
        for thread in threads:
            if thread:
                self._keep(thread, (message.conversation_id, message.contribution_id))

    def _keep(self, thread: str, known: tuple[str, str]) -> None:
        self._last[thread] = known
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
