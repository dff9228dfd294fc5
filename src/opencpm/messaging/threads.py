"""Conversations: one per pair of people, whatever their addresses, with the ids that CPM devices expect."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from typing import NamedTuple

from opencpm.domain.message import Message
from opencpm.interfaces import Ids, Store

_REMEMBERED = 50_000


class ThreadIds(NamedTuple):
    """The ids of a thread: its conversation, and the last contribution that its owner sent into it."""

    conversation: str
    sent: str


_NONE = ThreadIds("", "")


class Threads:
    """The conversation ids of each thread (``"<subscriber id>|<contact id>"``)."""

    def __init__(self, store: Store, ids: Ids) -> None:
        self._store = store
        self._ids = ids
        self._last: OrderedDict[str, ThreadIds] = OrderedDict()

    def identify(self, message: Message, sent_thread: str, received_thread: str) -> Message:
        """Give a message without conversation ids those of its thread; a device's own ids are kept as they are.

        What comes back from a foreign network names what it answers (InReplyTo-Contribution-ID).
        """
        if message.conversation_id and message.contribution_id:
            return message
        known = self.last(sent_thread or received_thread)
        return replace(
            message,
            conversation_id=message.conversation_id or known.conversation or self._ids.new(),
            contribution_id=message.contribution_id or self._ids.new(),
            in_reply_to=message.in_reply_to or ("" if sent_thread else known.sent),
        )

    def last(self, thread: str) -> ThreadIds:
        """The ids of a thread; both empty where nothing was said yet."""
        known = self._last.get(thread)
        if known is None:
            stored = self._store.last_exchange(thread) if thread else None
            known = ThreadIds(*stored) if stored else _NONE
            self._keep(thread, known)
        return known

    def note(self, message: Message, sent_thread: str, received_thread: str) -> None:
        """This message is now the last one of these threads."""
        if sent_thread:
            self._keep(sent_thread, ThreadIds(message.conversation_id, message.contribution_id))
        if received_thread:
            self._keep(received_thread, ThreadIds(message.conversation_id, self.last(received_thread).sent))

    def _keep(self, thread: str, known: ThreadIds) -> None:
        self._last[thread] = known
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
